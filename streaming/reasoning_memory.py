"""What a backend's earlier answers taught us of how its models reason: kept for each backend and model."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Literal

Habit = Literal["inside", "outside", "splits"]
"""Answers begin inside the reasoning; they do not; the server tells the two apart itself."""

_MODELS = 1024


class ReasoningMemory:
    """The last habit seen of each model of each backend. Bounded; shared by threads."""

    def __init__(self) -> None:
        self._habits: OrderedDict[tuple[str, str], Habit] = OrderedDict()
        self._lock = Lock()

    def recall(self, backend: str, model: str) -> Habit | None:
        return self._habits.get((backend, model))

    def learn(self, backend: str, model: str, habit: Habit) -> None:
        with self._lock:
            self._habits[backend, model] = habit
            self._habits.move_to_end((backend, model))
            while len(self._habits) > _MODELS:
                self._habits.popitem(last=False)
