"""Medians and ratios of a results file, and whether each row of what must hold is held. Arithmetic only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.targets import OFF

Line = Mapping[str, Any]
Measure = Callable[[Line], float | None]

QUIET_REQUEST = 13.0
QUIET_CHUNK = 13.5
"""What nginx costs in microseconds on this project's machine when it is quiet, a request at 16 connections and a chunk
at 64 streams. Ratios are comparable only if it costs about as much in the run."""
TOLERANCE = 0.2


def _per(whole: str, parts: str, scale: float = 1.0) -> Measure:
    return lambda line: scale * line[whole] / line[parts] if line[parts] > 0 else None


def _plain(name: str, scale: float = 1.0) -> Measure:
    return lambda line: line[name] * scale if line[name] >= 0 else None


def _stream_memory(line: Line) -> float | None:
    """Only if the streams are there: what fewer of them hold says nothing about one."""
    there = "pss_before_kb" in line and line["alive"] >= 0.99 * line["connections"]
    return (line["pss_kb"] - line["pss_before_kb"]) / line["alive"] if there else None


MEASURES: Mapping[str, Measure] = {
    "answers/s": _per("answers", "seconds"),
    "chunks/s": _per("chunks", "seconds"),
    "us/answer": _per("cpu_s", "answers", 1e6),
    "us/chunk": _per("cpu_s", "chunks", 1e6),
    "cpu": _per("cpu_s", "seconds", 100),
    "latency p50": _plain("latency_p50_us", 1e-3),
    "latency p99": _plain("latency_p99_us", 1e-3),
    "first p50": _plain("first_token_p50_us", 1e-3),
    "first p99": _plain("first_token_p99_us", 1e-3),
    "delay p50": _plain("delay_p50_us", 1e-3),
    "delay p99": _plain("delay_p99_us", 1e-3),
    "alive": _per("alive", "connections"),
    "delivered": lambda line: line["chunks"] / line["seconds"] / line["asked"] if line["asked"] else None,
    "deltas": _per("events", "chunks"),
    "wrong": lambda line: line["failed"] + line["cut_short"] + line["refused"] + line["lost"],
    "kB/stream": _stream_memory,
}
"""What can be said of one run of the load generator. Times of one exchange are milliseconds."""


class Figures:
    """The lines of one run, asked by case, target and measure. What was not measured is None."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.about: Line = next((line for line in lines if "machine" in line), {})
        self.converters = [line for line in lines if line.get("case") == "converter"]
        self.faces = [line for line in lines if line.get("case") == "face"]
        self._lines: dict[tuple[str, str], dict[int, Line]] = defaultdict(dict)
        for line in lines:
            if "target" in line:
                self._lines[line["case"], line["target"]][line["round"]] = line
        self.cases = list(dict.fromkeys(case for case, _ in self._lines))
        self.targets = list(dict.fromkeys(target for _, target in self._lines))
        self.rounds = 1 + max((line["round"] for line in lines if "round" in line), default=-1)
        self.loads = [line["load"] for line in lines if "load" in line]

    @classmethod
    def read(cls, path: Path) -> Figures:
        return cls([json.loads(line) for line in path.read_text().splitlines()])

    def each(self, case: str, target: str, measure: str) -> dict[int, float]:
        values = {number: MEASURES[measure](line) for number, line in self._lines.get((case, target), {}).items()}
        return {number: value for number, value in values.items() if value is not None}

    def of(self, case: str, target: str, measure: str) -> float | None:
        values = self.each(case, target, measure).values()
        return median(values) if values else None

    def ratio(self, measure: str, case: str, target: str, other: str, other_case: str | None = None) -> float | None:
        """The median of the ratios within each round, so that what slowed a whole round down does not count."""
        ours, theirs = self.each(case, target, measure), self.each(other_case or case, other, measure)
        ratios = [ours[number] / theirs[number] for number in ours if theirs.get(number)]
        return median(ratios) if ratios else None

    def added(self, measure: str, case: str, target: str) -> float | None:
        """How much more than without any proxy."""
        whole, direct = self.of(case, target, measure), self.of(case, "direct", measure)
        return None if whole is None or direct is None else whole - direct


@dataclass(frozen=True)
class Row:
    """Something that must hold: `value` of a target is at most, or at least, `must`; `aim` would be better still."""

    number: str
    figure: str
    must: float
    aim: float
    value: Callable[[Figures, str], float | None]
    at_least: bool = False
    unit: str = "×"

    def verdict(self, value: float | None) -> str:
        if value is None:
            return "not measured"
        if self._within(value, self.aim):
            return "ok, aim"
        return "ok" if self._within(value, self.must) else "MISSED"

    def _within(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound

    @property
    def sign(self) -> str:
        return "≥" if self.at_least else "≤"


def _over(measure: str, case: str, other: str) -> Callable[[Figures, str], float | None]:
    return lambda figures, target: figures.ratio(measure, case, target, other)


def _own(measure: str, case: str) -> Callable[[Figures, str], float | None]:
    return lambda figures, target: figures.of(case, target, measure)


def _first_token(figures: Figures, target: str) -> float | None:
    ours, nginx = (figures.added("first p50", "first-token", name) for name in (target, "nginx"))
    return ours / nginx if ours is not None and nginx and nginx > 0 else None


def _worst(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _added_to_pieces(figures: Figures, target: str) -> float | None:
    return _worst([figures.added("delay p99", f"call-{kind}-paced", target) for kind in ("glm", "hermes")])


def _deltas(figures: Figures, target: str) -> float | None:
    deltas = [figures.of(f"call-{kind}-paced", target, "deltas") for kind in ("glm", "hermes")]
    return min((value for value in deltas if value is not None), default=None)


def _converter(prose: bool) -> Callable[[Figures, str], float | None]:
    """The dearest of all syntaxes at any length, in pieces of 4 characters. It is the same for every target."""
    return lambda figures, _: _worst(
        [max(line["us"]) for line in figures.converters if line["piece"] == 4 and (line["syntax"] == "prose") == prose]
    )


def _growth(figures: Figures, _: str) -> float | None:
    return _worst([line["growth"] for line in figures.converters if line["syntax"] != "prose"])


def _face(api: str, what: str) -> Callable[[Figures, str], float | None]:
    """The dearest of all that was asked through a client API, over chat. It is the same for every target."""
    return lambda figures, _: _worst(
        [line["ratio"] for line in figures.faces if (line["api"], line["what"]) == (api, what)]
    )


ROWS: Sequence[Row] = (
    Row("1", "buffered requests/s over LiteLLM", 15, 35, _over("answers/s", "buffered-16", "litellm"), True),
    Row("2", "CPU per buffered request over nginx", 40, 16, _over("us/answer", "buffered-16", "nginx")),
    Row("3", "added time to first token over nginx's added", 6, 3.5, _first_token),
    Row("4", "CPU per chunk at 64 × 50/s over nginx", 2.8, 1.8, _over("us/chunk", "streams-64", "nginx")),
    Row("5a", "256 streams × 50/s: alive", 1, 1, _own("alive", "streams-256"), True, ""),
    Row("5b", "256 streams × 50/s: chunks lost, answers failed", 0, 0, _own("wrong", "streams-256"), unit=""),
    Row("5c", "256 streams × 50/s: delay p50 over nginx", 4, 2, _over("delay p50", "streams-256", "nginx")),
    Row("5d", "256 streams × 50/s: delay p99 over nginx", 6, 3, _over("delay p99", "streams-256", "nginx")),
    Row("6a", "1,000 streams × 50/s: alive", 1, 1, _own("alive", "streams-1000"), True, ""),
    Row("6b", "1,000 streams × 50/s: chunks/s over nginx", 0.9, 1, _over("chunks/s", "streams-1000", "nginx"), True),
    Row("6c", "1,000 streams × 50/s: delay p99", 150, 35, _own("delay p99", "streams-1000"), unit=" ms"),
    Row("7", "saturation, text, over nginx", 0.5, 0.8, _over("chunks/s", "saturation", "nginx"), True),
    Row("8a", "converter per 4-character piece of prose", 2, 1, _converter(prose=True), unit=" µs"),
    Row("8b", "converter per 4-character piece of an argument", 3, 1.5, _converter(prose=False), unit=" µs"),
    Row("9", "cost of 200 kB over 20 kB of one argument", 11, 10.3, _growth),
    Row("10a", "argument pieces: added delay p99, 16 streams", 5, 5, _added_to_pieces, unit=" ms"),
    Row("10b", "argument pieces: deltas per upstream piece", 0.95, 1, _deltas, True, ""),
    Row("11", "PSS per idle stream", 35, 20, _own("kB/stream", "idle"), unit=" kB"),
    Row("12", "conversion on over off, CPU per chunk at 64 × 50/s", 1.1, 1.03,
        lambda figures, target: figures.ratio("us/chunk", "streams-64", target, target + OFF)),
    Row("13", "close-delimited backend, delay p50 over chunked", 2, 1.2,
        lambda figures, target: figures.ratio("delay p50", "close-delimited", target, target, "chunked")),
    Row("14a", "Responses: time to first byte, 3 to 132 kB, over chat", 1.2, 1.1, _face("responses", "first")),
    Row("14b", "Messages: time to first byte, 3 to 132 kB, over chat", 1.2, 1.1, _face("messages", "first")),
    Row("15a", "Responses: CPU per chunk over a chunk that chat writes", 1.5, 1.2, _face("responses", "chunk")),
    Row("15b", "Messages: CPU per chunk over a chunk that chat writes", 1.5, 1.2, _face("messages", "chunk")),
)  # fmt: skip


def quietness(figures: Figures) -> tuple[bool, str]:
    """Whether the run counts, and the figures that say so."""
    costs = figures.of("buffered-16", "nginx", "us/answer"), figures.of("streams-64", "nginx", "us/chunk")
    pairs = list(zip(costs, (QUIET_REQUEST, QUIET_CHUNK), ("request", "chunk"), strict=True))
    counts = all(cost is not None and abs(cost / quiet - 1) <= TOLERANCE for cost, quiet, _ in pairs)
    told = ", ".join(
        f"{'not measured' if cost is None else f'{cost:.1f} µs'} a {what} ({quiet:g} when quiet)"
        for cost, quiet, what in pairs
    )
    return counts, told
