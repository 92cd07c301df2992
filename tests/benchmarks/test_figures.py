"""Medians, ratios and verdicts: the arithmetic of the benchmarks."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.figures import ROWS, Figures, Row, quietness
from benchmarks.show import rows, whole

_IDLE = {"first_token_p50_us": -1, "first_token_p99_us": -1, "delay_p50_us": -1, "delay_p99_us": -1}
_NOTHING_WRONG = {"failed": 0, "cut_short": 0, "refused": 0, "lost": 0}


def line(case: str, target: str, number: int = 0, **figures: Any) -> dict[str, Any]:
    """A line as the load generator makes it, after two seconds."""
    usual = {"seconds": 2.0, "connections": 4, "answers": 0, "chunks": 0, "events": 0, "alive": 4, "cpu_s": 0.0}
    more = {"latency_p50_us": 100, "latency_p99_us": 200, "pss_kb": 0, "asked": 0, "load": 0.5}
    return usual | more | _IDLE | _NOTHING_WRONG | {"case": case, "target": target, "round": number} | figures


def _row(number: str) -> Row:
    return next(row for row in ROWS if row.number == number)


def test_figures_are_medians_over_the_rounds() -> None:
    figures = Figures([line("buffered-16", "nginx", n, answers=answers) for n, answers in enumerate((200, 2, 100))])
    assert figures.of("buffered-16", "nginx", "answers/s") == 50
    assert figures.of("buffered-16", "dragoman", "answers/s") is None
    assert figures.rounds == 3


def test_ratios_are_medians_of_those_within_each_round() -> None:
    """The second round was ten times slower for everybody, and changes nothing."""
    costs = [(0.1, 0.01), (3.0, 0.1), (0.2, 0.01)]
    lines = [
        line("streams-64", name, number, chunks=100, cpu_s=pair[place])
        for number, pair in enumerate(costs)
        for place, name in enumerate(("dragoman", "nginx"))
    ]
    assert _row("4").value(Figures(lines), "dragoman") == pytest.approx(20)


def test_cpu_time_is_microseconds_for_each() -> None:
    figures = Figures([line("streams-64", "nginx", chunks=1000, answers=10, cpu_s=0.0135)])
    assert figures.of("streams-64", "nginx", "us/chunk") == pytest.approx(13.5)
    assert figures.of("streams-64", "nginx", "us/answer") == pytest.approx(1350)


def test_what_a_proxy_adds_to_the_first_token_is_beside_what_nginx_adds() -> None:
    times = {"direct": 35, "nginx": 114, "dragoman": 272}
    figures = Figures([line("first-token", name, first_token_p50_us=time) for name, time in times.items()])
    assert _row("3").value(figures, "dragoman") == pytest.approx(3)


def test_memory_is_what_the_streams_have_added() -> None:
    held = {"connections": 1000, "pss_kb": 70_000, "pss_before_kb": 50_000}
    figures = Figures([line("idle", "dragoman", alive=1000, **held), line("idle", "gevent", alive=500, **held)])
    assert _row("11").value(figures, "dragoman") == 20
    assert _row("11").value(figures, "gevent") is None  # half of them are missing


def test_conversion_is_beside_the_same_without_it() -> None:
    lines = [line("streams-64", name, chunks=10, cpu_s=cost) for name, cost in (("gevent", 1.2), ("gevent-off", 1.0))]
    assert _row("12").value(Figures(lines), "gevent") == pytest.approx(1.2)
    assert _row("12").value(Figures(lines), "dragoman") is None


def test_the_dearest_converter_counts() -> None:
    lines = [
        {"case": "converter", "syntax": name, "piece": piece, "us": us, "growth": growth}
        for name, piece, us, growth in (
            ("prose", 4, [0.5, 0.6], 9.0),
            ("glm45", 4, [2.0, 1.0], 10.0),
            ("hermes", 4, [1.0, 2.5], 10.5),
            ("hermes", 1, [9.0, 9.0], 12.0),
        )
    ]
    figures = Figures(lines)
    assert [_row(number).value(figures, "dragoman") for number in ("8a", "8b", "9")] == [0.6, 2.5, 12.0]


@pytest.mark.parametrize(
    ("number", "value", "verdict"),
    [
        ("1", 14.9, "MISSED"),
        ("1", 15, "ok"),
        ("1", 35, "ok, aim"),
        ("2", 40.1, "MISSED"),
        ("2", 40, "ok"),
        ("2", 16, "ok, aim"),
        ("5b", 0, "ok, aim"),
        ("5b", 1, "MISSED"),
        ("2", None, "not measured"),
    ],
)
def test_a_verdict_is_by_must_and_aim(number: str, value: float | None, verdict: str) -> None:
    assert _row(number).verdict(value) == verdict


@pytest.mark.parametrize(("request_us", "chunk_us", "counts"), [(13, 13.5, True), (15, 11, True), (13, 20, False)])
def test_a_run_counts_if_nginx_costs_what_it_costs_when_quiet(request_us: float, chunk_us: float, counts: bool) -> None:
    lines = [
        line("buffered-16", "nginx", answers=1000, cpu_s=request_us / 1000),
        line("streams-64", "nginx", chunks=1000, cpu_s=chunk_us / 1000),
    ]
    assert quietness(Figures(lines))[0] is counts
    assert not quietness(Figures(lines[:1]))[0]


def test_a_run_is_shown_with_a_column_for_each_of_ours() -> None:
    names = ("direct", "nginx", "litellm", "dragoman", "before")
    figures = Figures([{"machine": "a small one"}, *(line("buffered-16", name, answers=10) for name in names)])
    assert rows(figures)[0] == ["#", "figure", "must", "aim", "dragoman", "before"]
    assert [line[0] for line in rows(figures)[1:]] == [row.number for row in ROWS]
    shown = whole(figures)
    assert "machine: a small one" in shown
    assert "1× MISSED" in shown
    assert "DOES NOT COUNT" in shown
