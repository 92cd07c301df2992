"""This commit beside an earlier one: CPU time of the worker process in interleaved pairs, and what may not get dearer.

In each pair both commits are started anew, so that what differs by chance from process to process, such as the layout
of memory, varies between the pairs instead of favouring one side in all of them.
Then every case is asked of one and of the other in turn. The order is swapped in every second pair.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import in_process, ratios, targets, wire
from benchmarks.proxies import Case, keep, let_settle
from benchmarks.ratios import Interval, Target, Verdict
from benchmarks.show import aligned

PAIRS = 15
QUICK_PAIRS = 4
_REPEATS, _QUICK_REPEATS = 15, 5
"""How often a figure in process is taken for the median that counts in a pair."""
SIDES = ("before", "now")
"""What is compared, by the names that they have among the targets of the benchmarks."""

LEARNED = "in-process-learned"
"""Both sides are of this commit: before is a listed row, now a learned one that differs in its markers only."""

TARGETS: Mapping[str, Target] = {
    # Part 6, "the next house": the seam and the passthrough lease may cost prose nothing, a request two per cent.
    "prose-stream": Target(1.0),
    "request": Target(1.02),
    # Part 6: the lease shortens the way of a chunk. A later part that adds no such short way sets 1.02 here.
    "streams-64": Target(0.9),
    # Part 6, in microseconds: it was 15.1 on a quiet machine, 71 calls through 15 files.
    "in-process-argument": Target(8.0, absolute=True),
    # Part 12: a row that was learned costs what a listed one costs that reads the same.
    LEARNED: Target(1.02),
}
"""All targets, by row. The part of the work that sets one is named above it. A row without one is information."""


@dataclass(frozen=True)
class Row:
    """One figure of the comparison, in microseconds of CPU time for each `unit`."""

    name: str
    title: str
    unit: str
    case: Case | None = None
    """What is asked of the worker process; None for what is measured in process."""

    @property
    def target(self) -> Target | None:
        return TARGETS.get(self.name)


def _streams(name: str, kind: str) -> Case:
    return Case(name, f"kind={kind} pieces=4000 every=2", 8, 1.5, warm=0.5)


def _requests(name: str, kind: str) -> Case:
    return Case(name, f"kind={kind} pieces=100", 16, 1.5, warm=0.3, buffered=True)


_MANY = Case("streams-64", "kind=text pieces=2000 every=20", 64, 3.0, ramp=0.5, warm=0.5)

ROWS: Sequence[Row] = (
    Row("prose-stream", "prose, 8 streams × 500/s", "chunk", _streams("prose-stream", "text")),
    Row("request", "a buffered request", "answer", _requests("request", "text")),
    Row("streams-64", "prose, 64 streams × 50/s", "chunk", _MANY),
    Row("call-stream", "a GLM call, 8 streams × 500/s", "chunk", _streams("call-stream", "glm")),
    Row("call-request", "a buffered GLM call", "answer", _requests("call-request", "glm")),
    Row("in-process-prose", "in process: prose", "frame"),
    Row("in-process-newlines", "in process: prose with newlines", "frame"),
    Row("in-process-argument", "in process: a piece of an argument", "frame"),
    Row(LEARNED, "in process: the same, a learned row beside the listed one", "frame"),
    Row("in-process-control", "in process: fixed work, a control", "time"),
)


@dataclass(frozen=True)
class Compared:
    """A row and its pairs of (before, now), in microseconds."""

    row: Row
    pairs: Sequence[tuple[float, float]]

    @property
    def verdict(self) -> Verdict:
        return self.row.target.verdict(self.pairs) if self.row.target else Verdict.NO_TARGET


# -- measuring ---------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    """So many pairs of this commit and `before`, written to a file as they are measured."""

    before: str
    pairs: int
    results: Path
    quick: bool = False
    _order: Sequence[str] = field(default=SIDES, init=False)

    def measure(self) -> None:
        """Raises Missing if one of the commits does not start."""
        with wire.upstream() as upstream:
            for number in range(self.pairs):
                began = time.monotonic()
                self._order = SIDES[:: -1 if number % 2 else 1]
                self._ask_in_process(number)
                with ExitStack() as stack:
                    started = {
                        side: stack.enter_context(targets.running(side, upstream, self.before)) for side in self._order
                    }
                    self._ask_workers(number, started)
                print(f"pair {number + 1} of {self.pairs}: {time.monotonic() - began:.0f} s", flush=True)

    def _ask_in_process(self, number: int) -> None:
        repeats = _QUICK_REPEATS if self.quick else _REPEATS
        for side in self._order:
            root = targets.root_of(side, self.before)
            for kind, us in in_process_figures(root, repeats).items():
                self._keep(f"in-process-{kind}", side, number, {"us": us})
        learned = in_process_figures(targets.root_of("now", self.before), repeats, learned=True)
        for side, kind in zip(SIDES, ("listed", "learned"), strict=True):
            self._keep(LEARNED, side, number, {"us": learned[kind]})

    def _ask_workers(self, number: int, started: Mapping[str, targets.Target]) -> None:
        for row in ROWS:
            if row.case is None:
                continue
            case = replace(row.case, seconds=row.case.seconds / 2) if self.quick else row.case
            for side in self._order:
                figures = wire.load(started[side].port, case.arguments, workers(started[side].pids))
                self._keep(row.name, side, number, {"us": cost(row, figures)} | figures)
                let_settle(started[side])

    def _keep(self, row: str, side: str, number: int, figures: Mapping[str, Any]) -> None:
        keep(self.results, {"row": row, "side": side, "pair": number, "load": os.getloadavg()[0], **figures})


def workers(pids: Sequence[int]) -> Sequence[int]:
    """Of a family of processes those that serve: all but the first, which only watches them."""
    return pids[1:] or pids


def cost(row: Row, figures: Mapping[str, Any]) -> float | None:
    """Microseconds of CPU time for each unit of a row. None if an answer went wrong, or none came."""
    wrong = figures["failed"] + figures["cut_short"] + figures["refused"] + figures["lost"]
    count = figures["chunks" if row.unit == "chunk" else "answers"]
    return None if wrong or not count else figures["cpu_s"] / count * 1e6


def in_process_figures(root: Path, repeats: int, frames: int = 2000, *, learned: bool = False) -> dict[str, float]:
    """Microseconds by kind, of the sources in a folder. Raises Missing if they cannot be driven.

    `learned`: of a listed row and of a learned one.
    """
    options = ["--repeats", str(repeats), "--frames", str(frames), *(["--learned"] if learned else [])]
    done = subprocess.run(
        [sys.executable, in_process.__file__, str(root), *options],
        cwd=root,
        env=targets.environ(),
        preexec_fn=wire.on_core(wire.CORES[1]),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise targets.Missing(f"{root.name} in process: {done.stderr.strip().splitlines()[-1]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


# -- what came of it ---------------------------------------------------------------------------------------------------


def shown(path: Path) -> str | None:
    """A file of results as text. None if it holds no comparison."""
    about, *lines = _lines(path)
    if not any("side" in line for line in lines):
        return None
    parts = [f"{name}: {value}" for name, value in about.items()]
    loads = [line["load"] for line in lines if "load" in line]
    parts.append(f"load average {min(loads):.1f} to {max(loads):.1f}")
    return "\n".join([*parts, "", table(compared(lines))])


def read(path: Path) -> list[Compared]:
    """All rows of a file of results, in their order."""
    return compared(_lines(path))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def compared(lines: Sequence[Mapping[str, Any]]) -> list[Compared]:
    """Pairs of which one side is missing or went wrong do not count."""
    found = {(line["row"], line["pair"], line["side"]): line["us"] for line in lines if "side" in line}
    numbers = sorted({pair for _, pair, _ in found})
    return [
        Compared(row, [(before, now) for before, now in _pairs(found, row.name, numbers) if before and now])
        for row in ROWS
    ]


def _pairs(
    found: Mapping[tuple[str, int, str], float | None], row: str, numbers: Sequence[int]
) -> Iterator[tuple[float | None, float | None]]:
    return ((found.get((row, number, "before")), found.get((row, number, "now"))) for number in numbers)


def status(rows: Sequence[Compared]) -> int:
    """For the shell: 1 if a target is missed, 2 if one could not be measured, else 0."""
    verdicts = {each.verdict for each in rows}
    if Verdict.MISSED in verdicts:
        return 1
    return 2 if Verdict.NOT_MEASURED in verdicts else 0


def table(rows: Sequence[Compared]) -> str:
    head = ["CPU time, µs", "for each", "pairs", "before", "now", "ratio", "95 % interval", "target", "verdict"]
    return aligned([head, *map(_cells, rows)], left=2)


def _cells(each: Compared) -> list[str]:
    told = [each.row.title, each.row.unit, str(len(each.pairs))]
    interval = ratios.ratio(each.pairs)
    if interval is None:
        return [*told, "-", "-", "-", "-", _bound(each.row.target), each.verdict.value]
    figures = [f"{value:.2f}" for value in ratios.medians(each.pairs)]
    return [*told, *figures, f"{interval.value:.3f}", _span(interval, 3), _bound(each.row.target), _judged(each)]


def _bound(target: Target | None) -> str:
    if target is None:
        return ""
    return f"≤ {target.most:g} µs" if target.absolute else f"≤ {target.most:g}"


def _judged(each: Compared) -> str:
    """The verdict, and the interval that it rests on where that is not the one of the ratio."""
    target = each.row.target
    interval = target.judged(each.pairs) if target and target.absolute else None
    return f"{each.verdict.value} (now {_span(interval, 2)} µs)" if interval else each.verdict.value


def _span(interval: Interval, digits: int) -> str:
    return f"{interval.low:.{digits}f} – {interval.high:.{digits}f}"
