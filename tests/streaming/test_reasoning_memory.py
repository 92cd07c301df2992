"""What earlier answers taught."""

from __future__ import annotations

from streaming.reasoning_memory import ReasoningMemory


def test_the_last_habit_of_each_model_of_each_backend() -> None:
    memory = ReasoningMemory()
    assert memory.recall("b", "m") is None
    memory.learn("b", "m", "inside")
    memory.learn("b", "other", "splits")
    memory.learn("b", "m", "outside")
    assert [memory.recall("b", "m"), memory.recall("b", "other"), memory.recall("c", "m")] == [
        "outside",
        "splits",
        None,
    ]


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    memory = ReasoningMemory()
    for number in range(5000):
        memory.learn("b", str(number), "inside")
        memory.learn("b", "0", "inside")
    assert memory.recall("b", "0") == "inside"
    assert memory.recall("b", "4999") == "inside"
    assert memory.recall("b", "1") is None
