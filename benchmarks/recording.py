"""What recording costs: CPU time of a worker process for each setting beside RECORD=off, in interleaved rounds.

    python -m benchmarks.recording [rounds]

A round starts all settings anew and asks each of them the same, in an order that is reversed in every second round.
The status is 1 if a target is missed, 2 if one could not be decided, else 0.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import ratios, targets, wire
from benchmarks.paired import ROWS, Row, cost, workers
from benchmarks.proxies import let_settle
from benchmarks.ratios import Target, Verdict
from benchmarks.show import aligned

ROUNDS = 9
_ASKED = ("prose-stream", "request", "call-stream", "call-request")
_MOST: Mapping[str, Mapping[str, float]] = {
    "meta": {"chunk": 1.03, "answer": 1.05},
    "full, SQLite": {"chunk": 1.25, "answer": 1.25},
}
"""The targets, as ratios to RECORD=off: for each chunk of a stream, and for each buffered answer."""


def settings(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """What is compared, each with its variables."""
    return {
        "off": {"RECORD": "off"},
        "meta": {"RECORD": "meta"},
        "full, SQLite": {"RECORD": "full", "RECORD_DB": f"sqlite:///{folder / 'records.sqlite'}"},
    }


def measure(rounds: int) -> Mapping[str, Mapping[str, list[float | None]]]:
    """Microseconds by row and setting, one for each round; None where an answer went wrong."""
    rows = [row for row in ROWS if row.name in _ASKED]
    with wire.upstream() as upstream, tempfile.TemporaryDirectory() as folder:
        compared = settings(Path(folder))
        found: dict[str, dict[str, list[float | None]]] = {row.name: {name: [] for name in compared} for row in rows}
        for number in range(rounds):
            with ExitStack() as stack:
                started = {
                    name: stack.enter_context(targets.running("gevent", upstream, more=more))
                    for name, more in compared.items()
                }
                for row in rows:
                    for name in list(compared)[:: -1 if number % 2 else 1]:
                        found[row.name][name].append(_asked(row, started[name]))
            print(f"round {number + 1} of {rounds}", flush=True)
    return found


def _asked(row: Row, target: targets.Target) -> float | None:
    assert row.case is not None
    figures = wire.load(target.port, row.case.arguments, workers(target.pids))
    let_settle(target)
    return cost(row, figures)


def main(arguments: Sequence[str]) -> int:
    found = measure(int(arguments[0]) if arguments else ROUNDS)
    lines = [["CPU time, µs", "setting", "off", "with", "ratio", "95 % interval", "target", "verdict"]]
    verdicts: set[Verdict] = set()
    for row in ROWS:
        for name, most in _MOST.items() if row.name in found else ():
            both = zip(found[row.name]["off"], found[row.name][name], strict=True)
            pairs = [(before, now) for before, now in both if before and now]
            target = Target(most[row.unit])
            interval = ratios.ratio(pairs)
            verdict = target.verdict(pairs)
            verdicts.add(verdict)
            if interval is not None:
                off, on = ratios.medians(pairs)
                told = [f"{off:.2f}", f"{on:.2f}", f"{interval.value:.3f}", f"{interval.low:.3f} – {interval.high:.3f}"]
            else:
                told = ["-"] * 4
            lines.append([row.title, name, *told, f"≤ {target.most:g}", verdict.value])
    print(aligned(lines, left=2))
    return 1 if Verdict.MISSED in verdicts else 2 if Verdict.NOT_MEASURED in verdicts else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
