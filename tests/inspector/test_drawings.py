"""What the pages draw and compare: the time line, histograms, the lines of a request that were changed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings, strategies

from inspector.charts import histogram
from inspector.difference import CONTEXT, MOST_LINES, difference
from inspector.overview_page import edge, overview_values
from inspector.timeline import MOST_TICKS, time_line
from inspector.told import amount, seconds

SECOND = 1_000_000


def record(total: int | None, **more: Any) -> dict[str, Any]:
    return {"total_us": total, "first_byte_us": None, "first_word_us": None, "sent_us": 1000, **more}


def choice(*pieces: tuple[int, int], spans: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    return {
        "pieces": [{"at_us": at, "end": end} for at, end in pieces],
        "spans": [{"kind": kind, "start": start, "end": end, "raw": "x" * (end - start)} for kind, start, end in spans],
    }


def attempt(*pieces: int) -> dict[str, Any]:
    return {"sent_us": 1000, "response_pieces": [{"at_us": at, "end": 0} for at in pieces]}


# -- the time line -----------------------------------------------------------------------------------------------------


def test_phases_follow_the_text() -> None:
    told = choice((SECOND, 2), (2 * SECOND, 4), (3 * SECOND, 6), spans=(("reasoning", 0, 4), ("call", 4, 6)))
    line = time_line(record(4 * SECOND), attempt(), told, [3 * SECOND])
    assert line is not None
    assert [(phase.kind, phase.us) for phase in line.phases] == [
        ("waiting", SECOND - 1000),
        ("reasoning", SECOND),
        ("call", SECOND),
    ]
    assert [phase.x for phase in line.phases] == [0.025, 25.0, 50.0]
    assert [tick.x for tick in line.came] == [25.0, 50.0, 75.0] and [tick.x for tick in line.sent] == [75.0]
    assert line.longest_gap_us == SECOND
    assert [label.us for label in line.labels] == [0, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND]


def test_only_a_gap_over_a_second_and_five_medians_is_labelled() -> None:
    even = choice(*((place * 2 * SECOND, place) for place in range(1, 9)), spans=(("content", 0, 8),))
    line = time_line(record(20 * SECOND), attempt(), even, [])
    assert line is not None and not line.gaps
    times = [10_000, 20_000, 30_000, 2_130_000, 2_140_000, 2_940_000]
    uneven = choice(*((at, place + 1) for place, at in enumerate(times)), spans=(("content", 0, 6),))
    line = time_line(record(3 * SECOND), attempt(), uneven, [])
    assert line is not None and [gap.us for gap in line.gaps] == [2_100_000]


def test_many_ticks_are_counted_in_bins() -> None:
    times = [place * 100 for place in range(10_000)]
    line = time_line(record(SECOND), attempt(), choice(spans=()), times)
    assert line is not None and len(line.sent) <= MOST_TICKS
    assert sum(tick.count for tick in line.sent) == 10_000 and max(tick.height for tick in line.sent) == 1.0


def test_what_took_no_time_has_no_line_and_what_waits_only_waits() -> None:
    assert time_line(record(None), None, None, []) is None
    line = time_line(record(5 * SECOND), None, None, [])
    assert line is not None and [phase.kind for phase in line.phases] == ["waiting"]
    line = time_line(record(5 * SECOND, first_byte_us=SECOND), attempt(SECOND, 2 * SECOND), None, [])
    assert line is not None and [phase.kind for phase in line.phases] == ["waiting", "unknown"]


@given(
    strategies.lists(strategies.tuples(strategies.integers(0, 10**9), strategies.integers(1, 50)), max_size=60),
    strategies.lists(strategies.integers(0, 10**9), max_size=30),
    strategies.one_of(strategies.none(), strategies.integers(0, 10**9)),
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_times_are_all_is_on_the_line(
    pieces: list[tuple[int, int]], sent: list[int], total: int | None
) -> None:
    ends, pos = [], 0
    for at, length in sorted(pieces):
        pos += length
        ends.append((at, pos))
    told = choice(*ends, spans=(("reasoning", 0, pos // 2), ("content", pos // 2, pos)))
    line = time_line(record(total), attempt(), told, sorted(sent))
    if line is not None:
        places = [part.x for each in (line.phases, line.came, line.sent, line.gaps, line.labels) for part in each]
        assert all(0 <= x <= 100 for x in places)
        assert all(phase.width >= 0 and phase.x + phase.width <= 100.01 for phase in line.phases)


# -- histograms and the overview ---------------------------------------------------------------------------------------


def test_a_histogram_leaves_out_what_is_empty_at_its_ends() -> None:
    bars = histogram([1, 2, 4, 8], [0, 0, 3, 6, 0])
    assert [(bar.lower, bar.upper, bar.count) for bar in bars] == [(1, 2, 0), (2, 4, 3), (4, 8, 6), (8, None, 0)]
    assert [bar.height for bar in bars] == [0, 50, 100, 0] and bars[-1].x + bars[-1].width == 100
    assert histogram([1, 2], [0, 0, 0]) == [] and histogram([], []) == []


def test_models_are_counted_with_the_shares_of_their_outcomes() -> None:
    empty = {"edges": [1.0], "counts": [0, 0]}
    counted = [
        {"model": "a", "row": None, "outcome": "untouched", "count": 1},
        {"model": 'b "x"', "row": "glm45", "outcome": "translated", "count": 3},
        {"model": 'b "x"', "row": "glm45", "outcome": "repaired", "count": 1},
    ]
    values = overview_values({"by_model": counted, "first_word": empty, "total": empty})
    first, second = values["models"]
    assert [(part.outcome, part.x, part.width) for part in first.parts] == [("translated", 0, 75), ("repaired", 75, 25)]
    assert first.term == 'model:"b x" row:"glm45"' and second.term == 'model:"a"'


def test_times_and_sizes_are_short() -> None:
    assert [seconds(us) for us in (None, 0, 400, 12_000, 830_000, 4_100_000, 125_000_000)] == [
        *("–", "0.0 ms", "0.4 ms", "12 ms", "0.83 s", "4.1 s", "2 min 5 s"),
    ]
    assert [edge(each) for each in (0.05, 0.001, 2.5, 20, 600)] == ["50 ms", "1 ms", "2.5 s", "20 s", "10 min"]
    assert [amount(each, "B") for each in (None, 7, 1200, 34_000, 5_000_000)] == [
        "–",
        "7 B",
        "1.2 kB",
        "34 kB",
        "5.0 MB",
    ]


# -- what was changed in a request -------------------------------------------------------------------------------------


def test_only_changed_lines_are_told_with_some_around_them() -> None:
    before = {"model": "m", "tools": [{"name": str(number)} for number in range(20)], "seed": 1, "stop": None}
    after = {**before, "seed": 2}
    lines = difference(json.dumps(before), json.dumps(after))
    assert [(line.change, line.text.strip()) for line in lines if line.change in ("gone", "new")] == [
        ("gone", '"seed": 1,'),
        ("new", '"seed": 2,'),
    ]
    assert lines[0].change == "skipped" and sum(line.change == "same" for line in lines) <= 2 * CONTEXT


def test_texts_that_are_no_json_and_equal_ones() -> None:
    assert [line.change for line in difference("{", "[")] == ["gone", "new"]
    assert not [line for line in difference("{}", "{}") if line.change in ("gone", "new")]


@given(
    strategies.lists(strategies.sampled_from("abc"), max_size=40),
    strategies.lists(strategies.sampled_from("abc"), max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_the_lines_make_the_new_text_of_the_old(old: list[str], new: list[str]) -> None:
    lines = difference("\n".join(old), "\n".join(new))
    gone = sum(line.change == "gone" for line in lines)
    came = sum(line.change == "new" for line in lines)
    skipped = sum(line.count for line in lines if line.change == "skipped")
    same = sum(line.change == "same" for line in lines)
    assert gone + same + skipped == max(len(old), 1) and came + same + skipped == max(len(new), 1)


def test_a_large_difference_is_bounded() -> None:
    old = json.dumps([[number] for number in range(20_000)])
    new = json.dumps([[number + 1] for number in range(20_000)])
    assert len(difference(old, new)) <= MOST_LINES + 1
