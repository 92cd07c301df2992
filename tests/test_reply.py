"""Ids of calls, and token counts."""

from __future__ import annotations

import math
import re

from reply import COUNTS_END, Ids, count_of


def test_new_ids_are_nine_letters_and_digits_and_unique() -> None:
    ids = Ids()
    taken = [ids.take() for _ in range(500)]
    assert len(set(taken)) == 500
    assert all(re.fullmatch("[A-Za-z0-9]{9}", each) for each in taken)


def test_a_wish_is_granted_once() -> None:
    ids = Ids(["old"])
    assert ids.take("functions.f:0") == "functions.f:0"
    for wish in ("functions.f:0", "old", "", None):
        assert re.fullmatch("[A-Za-z0-9]{9}", ids.take(wish))


def test_a_count_is_an_integer_of_things() -> None:
    for value, expected in ((0, 0), (7, 7), (7.0, 7), (COUNTS_END - 1, COUNTS_END - 1)):
        count = count_of({"n": value}, "n")
        assert count == expected and type(count) is int


def test_what_is_no_count_is_none() -> None:
    odd: list[object] = [None, True, -1, -1.0, 7.5, "7", [7], {}, COUNTS_END, 10**400, 1e308, math.inf, math.nan]
    for value in odd:
        assert count_of({"n": value}, "n") is None, value
    odd = [None, [], "n", 7, {}]
    for counts in odd:
        assert count_of(counts, "n") is None
