"""`make growth`: time grows with the size of hostile texts and streams as a line does, whatever they repeat.

    python -m tests.growth [--every 1] [--only REGEX] [--all]

Each literal of each row, alone, in many contexts and in one place of a call, is read whole or in pieces at 20 and
80 kB; where that leaves room for doubt, at 320 kB, and again before it is called a failure. `--all`: in each way, in
each place. Then streams of a backend, and memory. The exponent is that of time over size: 1 is linear, and more than
1.15 fails.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from converters.syntaxes import Syntax
from tests.growth.literals import Cut, Hostile, hostile, inside, pieces, whole
from tests.growth.measure import EXPECTED, MOST, Growth, growth, text_memory, text_seconds
from tests.growth.streams import STREAMS, head_seconds, seconds

PROCESSES = 2
PARTS = (600, 2400, 9600)
"""Of streams: frames, calls, lines."""
HEADS = (4000, 16000, 64000)
MOST_MEMORY = 1.15
SHOWN = 12
_MEMORY_EVERY = 40


class Case(NamedTuple):
    """A text of the list, and how it is read."""

    text: Hostile
    cut: str
    own: bool
    """Under the name of a model of its row; else of an unknown model."""
    expected: str

    @property
    def name(self) -> str:
        row = "own model" if self.own else "unknown model"
        return f"{self.text.name}; {self.cut}; {row}; {self.expected}"


class Found(NamedTuple):
    name: str
    growth: Growth


def _cuts(text: Hostile) -> dict[str, Cut]:
    return {"whole": whole, "pieces of 7": pieces(7), "pieces of 100": pieces(100), "cut inside": inside(text)}


def _cases(every: int, only: str, *, everything: bool) -> Iterator[Case]:
    """Each text in one cut, or each of them; under both names and with every request in turn."""
    for number, text in enumerate(hostile(everywhere=everything)[::every]):
        if not re.search(only, text.name):
            continue
        for turn, cut in enumerate(_cuts(text)):
            if everything or turn == number % 4:
                expected = list(EXPECTED)[number // 8 % len(EXPECTED)] if number % 3 == 0 else "tools"
                yield Case(text, cut, (number // 4 + turn) % 4 < 3, expected)


def _how(case: Case) -> tuple[Hostile, Cut, Syntax | None, str]:
    return case.text, _cuts(case.text)[case.cut], case.text.syntax if case.own else None, case.expected


def _measured(case: Case) -> Found:
    return Found(case.name, growth(text_seconds(*_how(case))))


def _memory(case: Case) -> tuple[str, float, float]:
    """(the case, how many times as much memory four times the text takes, bytes for each character)"""
    most = text_memory(*_how(case))
    most(20_000)
    less, more = most(20_000), most(80_000)
    return case.name, more / max(less, 200_000), more / 80_000


def _stream(number: int) -> Found:
    stream = STREAMS[number]
    return Found(f"stream: {stream.name}", growth(lambda count: seconds(stream, count), PARTS))


def _shown(results: Iterable[Found], count: int, began: float) -> Iterator[Found]:
    """The same results; what fails and every twentieth part of them is a line on the screen."""
    for number, each in enumerate(results, 1):
        if each.growth.exponent > MOST:
            print(_line(each), file=sys.stderr, flush=True)
        if number * 20 // count > (number - 1) * 20 // count:
            print(f"{number:,} of {count:,} texts, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        yield each


def _show(title: str, lines: Sequence[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(f"  {line}")


def _line(found: Found) -> str:
    exponent, taken, size = found.growth
    return f"{exponent:5.2f}  {taken:7.3f} s at {size:>6}  {found.name}"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.growth")
    asked.add_argument("--every", type=int, default=1, help="every so many of the texts")
    asked.add_argument("--only", default="", help="a regex, searched in the names of texts")
    asked.add_argument("--all", action="store_true", help="each text in each cut and each place")
    told = asked.parse_args(arguments)
    began = time.monotonic()
    cases = list(_cases(told.every, told.only, everything=told.all))
    with ProcessPoolExecutor(PROCESSES, initializer=gc.freeze) as processes:
        found = list(_shown(processes.map(_measured, cases, chunksize=20), len(cases), began))
        memory = list(processes.map(_memory, cases[::_MEMORY_EVERY], chunksize=5))
        streams = list(processes.map(_stream, range(len(STREAMS)))) if not told.only else []
    if not told.only:
        streams.append(Found("heads of a backend's answer, byte by byte", growth(head_seconds, HEADS)))
    every = [*found, *streams]
    failed = [each for each in every if each.growth.exponent > MOST]
    swollen = [each for each in memory if each[1] > 4**MOST_MEMORY]
    _show("Streams (exponent, seconds, parts)", list(map(_line, streams)))
    worst = sorted(every, key=lambda each: -each.growth.exponent)[:SHOWN]
    _show("Largest exponents", list(map(_line, worst)))
    slowest = sorted(found, key=lambda each: -each.growth.seconds / each.growth.size)[:SHOWN]
    _show(
        "Slowest texts",
        [f"{each.growth.seconds / each.growth.size * 1e8:5.0f} ms/100 kB  {each.name}" for each in slowest],
    )
    largest = sorted(memory, key=lambda each: -each[2])[:SHOWN]
    _show(
        "Most memory (bytes a character, growth from 20 to 80 kB)", [f"{b:5.0f}  {g:4.1f}  {n}" for n, g, b in largest]
    )
    _show("Failed", [*map(_line, failed), *(f"memory grows {g:.1f} times: {n}" for n, g, _ in swollen)])
    print(f"\n{len(every)} measured in {time.monotonic() - began:.0f} s, {len(failed) + len(swollen)} failed")
    return 1 if failed or swollen else 0


if __name__ == "__main__":
    sys.exit(main())
