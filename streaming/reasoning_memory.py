"""What earlier answers of each backend and model showed of their reasoning; kept in memory only."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Literal

Habit = Literal["inside", "outside", "splits"]
"""`inside`: answers begin inside the reasoning. `outside`: they do not. `splits`: the server separates it itself."""

_MAX_MODELS = 1024


class ReasoningMemory:
    """The habit of each model, the one forgotten first that has not answered for longest. Shared by threads.

    One answer may mislead, as where a model writes about tags. So a habit takes two answers in a row that show the
    same, and one that shows another undoes it. An answer that shows nothing leaves a habit, and begins the count anew.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[Habit | None, Habit | None]] = OrderedDict()
        self._lock = Lock()

    def recall(self, backend: str, model: str) -> Habit | None:
        """The habit of a model on the backend with this URL; None if nothing is known."""
        return self._known.get((backend, model), (None, None))[0]

    def learn(self, backend: str, model: str, shown: Habit | None) -> None:
        """Note what one more answer has shown; None for nothing."""
        with self._lock:
            habit, before = self._known.pop((backend, model), (None, None))
            if shown is not None and shown == before:
                habit = shown
            elif shown is not None and shown != habit:
                habit = None
            if habit is not None or shown is not None:
                self._known[backend, model] = habit, shown
            while len(self._known) > _MAX_MODELS:
                self._known.popitem(last=False)
