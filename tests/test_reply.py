"""Ids of calls."""

from __future__ import annotations

import re

from reply import Ids


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
