"""`make attack`: every attack of DEFECTS C and of CONTRACT 13's bounds, in both ways of serving, as a table.

A victim sends small requests all the time. Its p99 while an attack runs may be 50 ms above its p99 before, or above
that of the same requests through another proxy, which nobody attacks: a busy machine makes anybody wait. What does not
hold is played twice more, before a fresh proxy. The exit code tells.

    python -m tests.attack [--quick] [--only C4 ...] [--how gunicorn|gthread|app ...] [--once] [--list]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from tests.attack import bodies, broken, clients, texts
from tests.attack.arena import Arena, Attack, Measured, arena_of, backend_process, measure
from tests.load.measure import machine, many_descriptors
from tests.servers import COMMANDS, How, Process

AGAIN = 2
"""How often what did not hold is played again."""
BOTH: tuple[How, ...] = ("gunicorn", "app")


def attacks() -> list[Attack]:
    every = [*texts.ATTACKS, *bodies.ATTACKS, *clients.ATTACKS, *broken.ATTACKS]
    return sorted(every, key=lambda attack: (attack.number[0] != "C", int(attack.number.lstrip("C"))))


def chosen(quick: bool, only: Sequence[str]) -> list[Attack]:
    """Those of these numbers, or whose names hold one of these texts; all where none is given."""
    return [
        attack
        for attack in attacks()
        if (attack.quick or not quick) and (not only or any(o == attack.number or o in attack.name for o in only))
    ]


def play(how: How, backend: Process, cases: Sequence[Attack], quick: bool, again: int = AGAIN) -> Iterator[Measured]:
    """Each attack before the same proxy; a new one after each that did not hold, so that it spoils none behind it."""
    stack = ExitStack()
    with stack:
        arena: Arena | None = None
        for attack in cases:
            if attack.only not in (None, how):
                continue
            for left in range(again, -1, -1):
                if arena is None:
                    arena = stack.enter_context(arena_of(how, backend, quick))
                found = measure(arena, attack)
                if found.failures():
                    stack.close()
                    arena = None
                if not found.failures() or not left:
                    break
            yield found


def row(found: Measured) -> str:
    held = "held" if not found.failures() else "NOT HELD"
    return f"| {found.attack.number:3} | {found.attack.name} | {found.how} | {found.bound} | {found.told} | {held} |"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer attacks, and shorter ones")
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="a number (C4), or part of a name")
    parser.add_argument("--how", nargs="+", choices=COMMANDS, default=[*BOTH], help="what serves (gunicorn app)")
    parser.add_argument("--once", action="store_true", help="do not play again what did not hold")
    parser.add_argument("--list", action="store_true", help="only the names")
    options = parser.parse_args(argv)
    cases = chosen(options.quick, options.only)
    if options.list:
        print("\n".join(f"{attack.number:3} {attack.name}" for attack in cases))
        return 0
    many_descriptors()
    print(machine())
    print("| no. | attack | served by | bound | measured | |\n|---|---|---|---|---|---|", flush=True)
    began, played, failed = time.monotonic(), 0, 0
    with backend_process() as backend:
        for how in options.how:
            for found in play(how, backend, cases, options.quick, 0 if options.once else AGAIN):
                played += 1
                failed += bool(found.failures())
                print(row(found), flush=True)
                for failure in found.failures() if found.failures() else []:
                    print(f"    {failure}", flush=True)
    print(f"{played} attacks, {failed} not held; {time.monotonic() - began:.0f} s")
    return 1 if failed or not played else 0


if __name__ == "__main__":
    sys.exit(main())
