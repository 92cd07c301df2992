"""How fast something grows with the size of what it is given: the exponent of time, and of memory."""

from __future__ import annotations

import gc
import math
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import NamedTuple

from converters import Expectations
from converters.stages.pipeline import new_parser
from converters.syntaxes import Syntax
from tests.growth.literals import TOOL, Cut, Hostile, of_size

MOST = 1.15
"""The largest exponent that passes. 1 is linear; the rest is noise, and what caches of the processor cost."""
SIZES = (20_000, 80_000, 320_000)
"""Characters, or parts of other things that add up to the like."""
LEAST = 0.01
"""Seconds below which a measurement is noise."""
_SURE = 1.02
"""An exponent between the two smaller sizes that leaves no room for one over the bound between the larger two."""

TOOLS = {
    TOOL: {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    "ping": {},
}
EXPECTED = {
    "tools": Expectations(TOOLS),
    "no tools": Expectations(),
    "plain": Expectations(translate=False),
    "whole": Expectations(TOOLS, whole_calls=True),
}
"""What the request lets us expect, by a word for it."""


class Growth(NamedTuple):
    """What a measurement says."""

    exponent: float
    seconds: float
    """At the largest size that was measured."""
    size: int


def growth(seconds: Callable[[int], float], sizes: Iterable[int] = SIZES) -> Growth:
    """The growth between the two largest sizes; where it seems too much, it is measured twice more."""
    small, middle, large = sizes
    first = min(seconds(small), seconds(small))
    second = seconds(middle)
    if _exponent(first, second, middle / small) < _SURE:
        return Growth(_exponent(first, second, middle / small), second, middle)
    third = seconds(large)
    for _ in range(2):
        if _exponent(second, third, large / middle) <= MOST:
            break
        second, third = min(second, seconds(middle)), min(third, seconds(large))
    return Growth(_exponent(second, third, large / middle), third, large)


def _exponent(less: float, more: float, times: float) -> float:
    return math.log(max(more, LEAST) / max(less, LEAST)) / math.log(times)


def read(pieces: Iterable[str], syntax: Syntax | None, expected: str) -> None:
    """Read a text as the answer of a model of a row."""
    parser = new_parser(EXPECTED[expected], syntax)
    for piece in pieces:
        parser.feed(piece)
    parser.finish()


def text_seconds(text: Hostile, cut: Cut, syntax: Syntax | None, expected: str) -> Callable[[int], float]:
    """What measures the reading of so many characters, in CPU seconds."""

    def seconds(size: int) -> float:
        given = list(cut(of_size(text, size)))
        started = time.process_time()
        read(given, syntax, expected)
        return time.process_time() - started

    return seconds


def text_memory(text: Hostile, cut: Cut, syntax: Syntax | None, expected: str) -> Callable[[int], int]:
    """What measures how much memory the reading of so many characters takes at most, in bytes."""

    def most(size: int) -> int:
        given = list(cut(of_size(text, size)))
        gc.collect()
        tracemalloc.start()
        try:
            read(given, syntax, expected)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return most
