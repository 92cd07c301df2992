"""The suites: what is asked of each target, in rounds in which every target has its turn, and what came of it.

The order is reversed in every second round, so that nobody always comes after the same neighbour. Each run of the
load generator is a line of JSON in the results file; `figures.py` makes medians and ratios of them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import targets, wire
from benchmarks.targets import OFF, Missing, Target

_REFERENCES = ("direct", "nginx")
_QUICK_EXCHANGES = (*_REFERENCES, "litellm", *targets.OURS)
_PROXIES = ("nginx", *targets.OURS)


_PAUSE = 0.3
_PATIENCE = 30.0
"""Seconds between two looks whether a target has come to rest, and after which nobody waits for it."""


@dataclass(frozen=True)
class Case:
    """One thing to ask of a target. `play` is for the upstream, the rest for the generator."""

    name: str
    play: str
    connections: int = 1
    seconds: float = 2.0
    ramp: float = 0.0
    warm: float = 0.5
    alive: float = 1.0
    buffered: bool = False
    who: Sequence[str] = (*_REFERENCES, *targets.OURS)
    fresh: bool = False
    """Asked of a process that has not done anything else, as memory that was once taken is seldom given back."""

    @property
    def arguments(self) -> list[str]:
        options = {
            "--play": self.play,
            "--connections": self.connections,
            "--ramp": self.ramp,
            "--warm": self.warm,
            "--seconds": self.seconds,
            "--alive": self.alive,
        }
        flags = ["--buffered"] if self.buffered else []
        return flags + [str(part) for option in options.items() for part in option]

    @property
    def asked(self) -> float:
        """Chunks per second that the upstream sends in all; 0 if it is not paced."""
        every = [int(word.partition("=")[2]) for word in self.play.split() if word.startswith("every=")]
        return self.connections * 1000 / every[0] if every else 0.0


def _buffered(connections: int) -> Case:
    return Case(f"buffered-{connections}", "kind=text", connections, buffered=True, who=_QUICK_EXCHANGES)


def _streams(count: int, ramp: float, warm: float, seconds: float, more: Sequence[str] = ()) -> Case:
    who = (*_REFERENCES, *targets.OURS, *more)
    return Case(f"streams-{count}", "kind=text pieces=2000 every=20", count, seconds, ramp, warm, who=who)


def _flat_call(kind: str, pieces: int) -> Case:
    size = f"{pieces * 8 / 1000:g}kB"
    return Case(f"call-{kind}-{size}", f"kind={kind} pieces={pieces}", 4, 1.5, warm=0.3, who=targets.OURS)


def _paced_call(kind: str) -> Case:
    return Case(f"call-{kind}-paced", f"kind={kind} pieces=100 every=20", 16, 4.0, 0.5)


_SWITCHED_OFF = tuple(name + OFF for name in targets.OURS)

SUITES: dict[str, Sequence[Case]] = {
    "buffered": [_buffered(1), _buffered(16), _buffered(64)],
    "first": [Case("first-token", "kind=text pieces=10 group=16", who=_QUICK_EXCHANGES)],
    "streams": [
        _streams(64, 1, 0.7, 3, ("litellm", *_SWITCHED_OFF)),
        _streams(256, 2, 1, 4),
        _streams(1000, 5, 2, 5),
    ],
    "saturation": [
        Case("saturation", "kind=text pieces=1000", 8, 3, who=(*_REFERENCES, *targets.OURS, *_SWITCHED_OFF))
    ],
    "calls": [
        *[_paced_call(kind) for kind in ("glm", "hermes")],
        *[_flat_call(kind, pieces) for kind in ("glm", "hermes") for pieces in (100, 1000, 10000)],
    ],
    "close": [
        Case("chunked", "kind=text pieces=100 every=20", 8, 3),
        Case("close-delimited", "kind=text pieces=100 every=20 close=1", 8, 3),
    ],
    "idle": [Case("idle", "kind=text pieces=100 every=5000", 1000, 10, 5, 1, alive=5.5, who=_PROXIES, fresh=True)],
}


@dataclass
class Run:
    """Some suites before some targets, written to a file as they are measured."""

    cases: Sequence[Case]
    names: Sequence[str]
    rounds: int
    results: Path
    before: str | None = None
    missing: set[str] = field(default_factory=set)

    def measure(self) -> None:
        with wire.upstream() as upstream, ExitStack() as stack:
            started = dict(self._started(upstream, stack))
            for number in range(self.rounds):
                for case in self.cases:
                    for name in self._order(case, number):
                        self._turn(case, name, number, upstream, started)

    def _started(self, upstream: int, stack: ExitStack) -> Iterator[tuple[str, Target]]:
        for name in self.names:
            if not any(name in case.who and not case.fresh for case in self.cases):
                continue
            try:
                yield name, stack.enter_context(targets.running(name, upstream, self.before))
            except Missing as missing:
                print(f"{name} is left out: {missing}", flush=True)
                self.missing.add(name)

    def _order(self, case: Case, number: int) -> Sequence[str]:
        names = [name for name in self.names if name in case.who and name not in self.missing]
        return names[:: -1 if number % 2 else 1]

    def _turn(self, case: Case, name: str, number: int, upstream: int, started: dict[str, Target]) -> None:
        if not case.fresh:
            self._ask(case, started[name], number, {})
            return
        try:
            with targets.running(name, upstream, self.before) as target:
                wire.load(target.port, ["--play", "kind=text pieces=10", "--seconds", "0.5"], target.pids)
                self._ask(case, target, number, {"pss_before_kb": _memory(target)})
        except Missing as missing:
            print(f"{name} is left out: {missing}", flush=True)
            self.missing.add(name)

    def _ask(self, case: Case, target: Target, number: int, more: dict[str, Any]) -> None:
        figures = wire.load(target.port, case.arguments, target.pids)
        line = {"case": case.name, "target": target.name, "round": number, "load": os.getloadavg()[0]}
        keep(self.results, line | {"asked": case.asked} | more | figures)
        print(_shown(line | figures), flush=True)
        let_settle(target)


def let_settle(target: Target) -> None:
    """Until the streams that the generator left behind are cleared away: the next target has the same core."""
    until = time.monotonic() + _PATIENCE
    time.sleep(_PAUSE)
    spent = targets.ticks(target.pids)
    while time.monotonic() < until:
        time.sleep(_PAUSE)
        before, spent = spent, targets.ticks(target.pids)
        if spent - before <= 1:
            return


def _memory(target: Target) -> int:
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in target.pids]
    return sum(int(line.split()[1]) for lines in rollups for line in lines if line.startswith("Pss:"))


def keep(results: Path, line: dict[str, Any]) -> None:
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _shown(line: dict[str, Any]) -> str:
    amounts = f"{line['answers'] / line['seconds']:9.0f} answers/s {line['chunks'] / line['seconds']:9.0f} chunks/s"
    wrong = line["failed"] + line["cut_short"] + line["refused"] + line["lost"]
    return f"{line['round']} {line['case']:18} {line['target']:12} {amounts} {line['cpu_s']:7.3f} s CPU {wrong:5} wrong"
