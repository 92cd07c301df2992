"""Defects C1 and C8 in operations instead of seconds: what is read, and how often, grows as the text does.

Counted are all calls of functions, ours and built-in ones, and the characters that are handed to what scans text. So
the result is the same on every machine. `make growth` measures time, for every literal.
"""

from __future__ import annotations

import cProfile
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from converters.text import scanner, templates
from tests.garbage import no_garbage_of_others
from tests.growth.literals import Cut, Hostile, hostile, inside, of_size, pieces, whole
from tests.growth.measure import EXPECTED, read
from tests.growth.streams import STREAMS, Stream, seconds
from tests.scale import of

SIZES = (8_000, 16_000, 24_000)
"""Characters: more than is ever held, in equal steps."""
PARTS = (200, 600)
MOST = 1.15
EVERY = of(550, 1650)


class Scanned:
    """Counts the characters from the place where a search begins to the end of its text."""

    def __init__(self) -> None:
        self.characters = 0

    @contextmanager
    def counting(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patched:
            for owner, name in (
                (scanner.Markers, "search"),
                (scanner.Lookahead, "look"),
                (templates.Pattern, "match"),
                (templates.Pattern, "may_match"),
            ):
                patched.setattr(owner, name, self._counted(getattr(owner, name)))
            yield

    def _counted(self, search: Callable[[object, str, int], object]) -> Callable[[object, str, int], object]:
        def counted(asked: object, text: str, pos: int = 0) -> object:
            self.characters += len(text) - pos
            return search(asked, text, pos)

        return counted


def _calls(profile: cProfile.Profile) -> int:
    return sum(entry.callcount for entry in profile.getstats())


def _is_linear(counted: list[int], least: int) -> bool:
    """Whether the second step costs what the first does; if all were read again, it would cost 1.7 times as much."""
    first, second, third = counted
    return third - second <= 1.3 * (second - first) + least


def _grows(small: int, large: int, times: float, least: int) -> float:
    return math.log(max(large, least) / max(small, least)) / math.log(times)


def _cut(text: Hostile, turn: int) -> Cut:
    return (whole, pieces(7), pieces(100), inside(text))[turn % 4]


SAMPLE = [(number, text) for number, text in enumerate(hostile(everywhere=True)[::EVERY])]


@pytest.mark.parametrize(("number", "text"), SAMPLE, ids=[text.name for _, text in SAMPLE])
def test_defect_c1_operations_grow_as_the_text_does(
    number: int, text: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = "tools" if number % 3 else list(EXPECTED)[number // 3 % len(EXPECTED)]
    syntax = text.syntax if number % 4 else None
    counted: list[tuple[int, int]] = []
    read(_cut(text, number)(of_size(text, SIZES[-1])), syntax, expected)  # makes the regexes
    for size in SIZES:
        given = list(_cut(text, number)(of_size(text, size)))
        scanned, profile = Scanned(), cProfile.Profile()
        with scanned.counting(monkeypatch), no_garbage_of_others():
            profile.runcall(read, given, syntax, expected)
        counted.append((_calls(profile), scanned.characters))
    assert _is_linear([calls for calls, _ in counted], 3000), counted
    assert _is_linear([characters for _, characters in counted], 30 * SIZES[0]), counted


@pytest.mark.parametrize(
    "stream",
    [pytest.param(each, marks=[pytest.mark.long] * (place % 2), id=each.name) for place, each in enumerate(STREAMS)],
)
def test_defect_c8_operations_grow_as_the_stream_does(stream: Stream) -> None:
    counted: list[int] = []
    seconds(stream, PARTS[1])  # makes what is made once
    for count in PARTS:
        profile = cProfile.Profile()
        with no_garbage_of_others():
            profile.runcall(seconds, stream, count)
        counted.append(_calls(profile))
    less, more = counted
    assert _grows(less, more, PARTS[1] / PARTS[0], 5000) <= MOST, (less, more)
