"""What is made once is made by one thread, whoever asks meanwhile (converters/text/once.py)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from converters.text.once import made_once, made_once_property

ASKING = 16


def test_all_that_ask_get_what_the_first_makes() -> None:
    made: list[str] = []

    @made_once()
    def longer(word: str, by: int = 1) -> str:
        made.append(word)
        time.sleep(0.05)
        return word + "!" * by

    with ThreadPoolExecutor(ASKING) as pool:
        assert set(pool.map(longer, ["a"] * ASKING)) == {"a!"}
    assert made == ["a"]
    assert (longer("a", by=2), longer("a", by=2), longer("a")) == ("a!!", "a!!", "a!")
    assert made == ["a", "a"]


def test_a_property_is_made_by_the_first_that_reads_it() -> None:
    made: list[object] = []

    class Thing:
        @made_once_property
        def part(self) -> object:
            time.sleep(0.05)
            made.append(self)
            return object()

    thing, other = Thing(), Thing()
    with ThreadPoolExecutor(ASKING) as pool:
        parts = set(pool.map(lambda _: thing.part, range(ASKING)))
    assert parts == {thing.part} and made == [thing]
    assert other.part is not thing.part


def test_what_is_made_may_ask_for_other_things() -> None:
    @made_once()
    def outer() -> int:
        return inner() + 1

    @made_once()
    def inner() -> int:
        return 1

    assert outer() == 2


def test_the_oldest_is_forgotten_and_what_fails_is_not_kept() -> None:
    @made_once(most=2)
    def inverse(number: int) -> float:
        return 1 / number

    assert [inverse(each) for each in (1, 2, 4)] == [1, 0.5, 0.25]
    assert list(inverse.kept) == [(2,), (4,)]
    with pytest.raises(ZeroDivisionError):
        inverse(0)
    assert (0,) not in inverse.kept
