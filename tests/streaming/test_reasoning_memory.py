"""What earlier answers taught."""

from __future__ import annotations

import pytest

from streaming.reasoning_memory import Habit, ReasoningMemory


@pytest.mark.parametrize(
    ("shown", "habit"),
    [
        ([], None),
        (["inside"], None),
        (["inside", "inside"], "inside"),
        (["inside", None, "inside"], None),
        (["inside", "outside", "inside"], None),
        (["inside", "inside", None, None], "inside"),
        (["inside", "inside", "outside"], None),
        (["inside", "inside", "outside", "outside"], "outside"),
        (["outside", "outside", "inside", "outside"], None),
        (["splits", "splits"], "splits"),
        (["splits", "splits", "inside"], None),
        (["inside", "inside", "splits", "splits"], "splits"),
    ],
)
def test_two_in_a_row_make_a_habit_and_one_other_ends_it(shown: list[Habit | None], habit: Habit | None) -> None:
    """Defect A1: one answer alone changes nothing for the next."""
    memory = ReasoningMemory()
    for each in shown:
        memory.learn("b", "m", each)
    assert memory.recall("b", "m") == habit


def test_each_model_of_each_backend_has_its_own() -> None:
    memory = ReasoningMemory()
    for _ in range(2):
        memory.learn("b", "m", "inside")
        memory.learn("b", "other", "splits")
    found = [memory.recall("b", "m"), memory.recall("b", "other"), memory.recall("c", "m"), memory.recall("b", "n")]
    assert found == ["inside", "splits", None, None]


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    memory = ReasoningMemory()
    for number in range(5000):
        for _ in range(2):
            memory.learn("b", str(number), "inside")
        memory.learn("b", "0", "inside")
    assert memory.recall("b", "0") == "inside"
    assert memory.recall("b", "4999") == "inside"
    assert memory.recall("b", "1") is None
