"""What recording costs: CPU time of a worker process for each setting beside RECORD=off, in interleaved rounds.

    python -m benchmarks.recording [rounds] [stores]

A round starts all settings anew and asks each of them the same, in an order that is reversed in every second round.
What the thread that stores records does behind the last answer counts, too. With `stores`, stores that hang, are full,
are locked or are not there are compared with records in memory. The status is 1 if a target is missed, 2 if one could
not be decided, else 0.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import ratios, targets, wire
from benchmarks.paired import workers
from benchmarks.proxies import Case, let_settle
from benchmarks.ratios import Target, Verdict
from benchmarks.show import aligned
from tests.records.broken import closed, full, locked, silent

ROUNDS = 9
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Asked:
    """What is asked of each setting, and for what its CPU time is told."""

    title: str
    unit: str
    case: Case


def _streams(kind: str) -> Case:
    return Case(kind, f"kind={kind} pieces=1000 every=2", 8, 4.2, warm=0)


def _requests(kind: str) -> Case:
    return Case(kind, f"kind={kind} pieces=100", 16, 2.5, warm=0, buffered=True)


ASKED: Sequence[Asked] = (
    Asked("prose, 8 streams × 500/s", "chunk", _streams("text")),
    Asked("a GLM call, 8 streams × 500/s", "chunk", _streams("glm")),
    Asked("a buffered request", "answer", _requests("text")),
    Asked("a buffered GLM call", "answer", _requests("glm")),
)


@dataclass(frozen=True)
class Compared:
    """A setting beside the first one. The targets are ratios to that: for each chunk, and for each buffered answer."""

    variables: Mapping[str, str]
    most: Mapping[str, float] = field(default_factory=dict)


@contextmanager
def _settings(folder: Path) -> Iterator[Mapping[str, Compared]]:
    yield {
        "off": Compared({"RECORD": "off"}),
        "meta": Compared({"RECORD": "meta"}, {"chunk": 1.03, "answer": 1.05}),
        "full, SQLite": Compared(
            {"RECORD": "full", "RECORD_DB": f"sqlite:///{folder / 'records.sqlite'}"}, {"chunk": 1.25, "answer": 1.25}
        ),
    }


@contextmanager
def _stores(folder: Path) -> Iterator[Mapping[str, Compared]]:
    most = {"chunk": 1.05, "answer": 1.05}
    with ExitStack() as stack:
        broken = {each.__name__: stack.enter_context(each(folder)) for each in (locked, full, silent, closed)}
        yield {
            "in memory": Compared({"RECORD": "meta"}),
            **{name: Compared({"RECORD": "meta", "RECORD_DB": url}, most) for name, url in broken.items()},
        }


Figures = Mapping[str, Mapping[str, list[float | None]]]
"""Microseconds by row and setting, one for each round; None where an answer went wrong."""


def measure(rounds: int, compared: Mapping[str, Compared]) -> Figures:
    found: dict[str, dict[str, list[float | None]]] = {row.title: {name: [] for name in compared} for row in ASKED}
    with wire.upstream() as upstream:
        for number in range(rounds):
            with ExitStack() as stack:
                started = {
                    name: stack.enter_context(targets.running("gevent", upstream, more=each.variables))
                    for name, each in compared.items()
                }
                for row in ASKED:
                    for name in list(compared)[:: -1 if number % 2 else 1]:
                        found[row.title][name].append(_cost(row, started[name]))
            print(f"round {number + 1} of {rounds}", flush=True)
    return found


def _cost(row: Asked, target: targets.Target) -> float | None:
    """Microseconds of CPU time for each chunk or answer, with what is stored of them afterwards."""
    processes = workers(target.pids)
    before = targets.ticks(processes)
    figures = wire.load(target.port, row.case.arguments, processes)
    let_settle(target)
    spent = targets.ticks(processes) - before
    wrong = figures["failed"] + figures["cut_short"] + figures["refused"] + figures["lost"]
    count = figures["chunks" if row.unit == "chunk" else "answers"]
    return None if wrong or not count else spent / _TICKS / count * 1e6


def table(found: Figures, compared: Mapping[str, Compared]) -> tuple[str, set[Verdict]]:
    """(what came of it, the verdicts)"""
    base, *others = compared
    lines = [["CPU time, µs", "for each", "setting", base, "with it", "ratio", "95 % interval", "target", "verdict"]]
    verdicts: set[Verdict] = set()
    for row in ASKED:
        for name in others:
            both = zip(found[row.title][base], found[row.title][name], strict=True)
            pairs = [(before, now) for before, now in both if before and now]
            target = Target(compared[name].most[row.unit])
            interval = ratios.ratio(pairs)
            verdict = target.verdict(pairs)
            verdicts.add(verdict)
            told = ["-"] * 4
            if interval is not None:
                off, on = ratios.medians(pairs)
                told = [f"{off:.2f}", f"{on:.2f}", f"{interval.value:.3f}", f"{interval.low:.3f} – {interval.high:.3f}"]
            lines.append([row.title, row.unit, name, *told, f"≤ {target.most:g}", verdict.value])
    return aligned(lines, left=3), verdicts


def main(arguments: Sequence[str]) -> int:
    rounds = next((int(each) for each in arguments if each.isdigit()), ROUNDS)
    chosen = _stores if "stores" in arguments else _settings
    with tempfile.TemporaryDirectory() as folder, chosen(Path(folder)) as compared:
        text, verdicts = table(measure(rounds, compared), compared)
    print(text)
    return 1 if Verdict.MISSED in verdicts else 2 if Verdict.NOT_MEASURED in verdicts else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
