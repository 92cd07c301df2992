"""Damaged arguments, a small share of what `python -m tests.fuzz_arguments` reads: 0 altered."""

from __future__ import annotations

import ast
import json
from collections import Counter

import pytest

from tests import damage
from tests.damage import Damaged, check, damaged
from tests.helpers import random_cut
from tests.scale import of


@pytest.mark.parametrize("python", [False, True])
def test_damaged_arguments_are_read_as_they_were_or_not_at_all(python: bool) -> None:
    """Defects A2, A7: what comes is what was written, or unreadable, or at least nothing that nobody wrote."""
    found: Counter[str] = Counter()
    for number in range(of(1500, 500)):
        case = damaged(number, python)
        found[check(case, [list(case.text), random_cut(case.text, number)])] += 1
    assert found["same"] > of(500, 150)


def is_right(case: Damaged) -> bool:
    try:
        ast.parse(f"dict({case.text}") if case.python else json.loads(case.text)
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.parametrize("python", [False, True])
def test_inner_quotes_that_were_not_escaped_alter_nothing(python: bool) -> None:
    """All, or some, of the inner quotes lack their backslash: what is read is what was meant.

    But where the damaged text is right as it stands, it is read as it stands.
    """
    found: Counter[str] = Counter()
    for number in range(20_000, of(21_000, 20_400)):
        case = damaged(number, python, "inner quotes")
        forged = "rm -rf" in case.text or "undeclared" in case.text  # it could as well be a member, or no member
        if not is_right(case) and not forged:
            found[check(case, [])] += 1
    assert found["other"] == 0
    assert found["same"] > of(30, 10)


def test_valid_arguments_read_as_themselves_at_every_cut() -> None:
    for number in range(of(400, 150)):
        case = damaged(number, False, "none")
        text = case.text
        cuts = [[text[:place], text[place:]] for place in range(1, len(text), 3)]
        assert check(case, [list(text), *cuts]) == "same", text


def test_the_oracle_knows_what_was_invented() -> None:
    text = '{"a": "x\\"y", "n": 12}'
    for value, wrong in (({"a": 'x"y'}, None), ({"a": "xy"}, "xy"), ({"b": 1}, "b"), ({"n": 13}, "13")):
        assert damage.invented(value, text, [text, text.replace("\\", "")]) == wrong
    assert check(Damaged({"a": 1}, json.dumps({"a": 1}), "none", False), []) == "same"
