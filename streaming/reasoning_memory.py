"""How earlier answers of each backend and model delivered their reasoning; kept in memory only."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Literal

Habit = Literal["inside", "outside", "splits"]
"""`inside`: answers begin inside the reasoning. `outside`: they do not. `splits`: the server separates it itself."""

_MAX_MODELS = 1024


class ReasoningMemory:
    """The last observed habit of each model, the least recently learned forgotten first. Shared by threads."""

    def __init__(self) -> None:
        self._habits: OrderedDict[tuple[str, str], Habit] = OrderedDict()
        self._lock = Lock()

    def recall(self, backend: str, model: str) -> Habit | None:
        """The habit of a model on the backend with this URL; None if nothing is known."""
        return self._habits.get((backend, model))

    def learn(self, backend: str, model: str, habit: Habit) -> None:
        """Record a habit in place of the one before."""
        with self._lock:
            self._habits[backend, model] = habit
            self._habits.move_to_end((backend, model))
            while len(self._habits) > _MAX_MODELS:
                self._habits.popitem(last=False)
