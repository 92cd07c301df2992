"""What refusals have taught about each model of a backend, so that the next request starts with it.

In memory, or in a file that several workers share (state_file.py). An entry is forgotten after some hours, when the
backend refuses the adapted request, by hand, and beyond 1,000 models the oldest first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

MOST_MODELS = 1000
"""Models of all backends together."""
_LONGEST_NAME = 512
"""Characters of the name of a model; of a longer one nothing is learned, as clients choose names."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One adaptation that a model needs."""

    adaptation: str
    why: str
    """What taught it, in our own words: never a backend's text, which may quote a prompt."""
    at: float
    """When it was learned, in seconds since 1970."""


class LessonStore(Protocol):
    """Keeps lessons by backend and model."""

    def load(self, backend: str, model: str) -> tuple[Lesson, ...]: ...

    def add(self, backend: str, model: str, lessons: tuple[Lesson, ...], oldest: float) -> None:
        """Keep these beside what is known of the model, in one step; what is from before `oldest` is forgotten."""
        ...

    def forget(self, backend: str, model: str) -> None: ...

    def all(self) -> list[tuple[str, str, tuple[Lesson, ...]]]:
        """(backend, model, its lessons), the oldest model first."""
        ...


def merged(known: tuple[Lesson, ...], new: tuple[Lesson, ...], oldest: float) -> tuple[Lesson, ...]:
    """What is known with new lessons behind it, each adaptation once; what is from before `oldest` is left out."""
    names = {each.adaptation for each in new}
    return (*(each for each in known if each.adaptation not in names and each.at > oldest), *new)


class Memory:
    """A LessonStore of one process."""

    def __init__(self) -> None:
        self._lessons: dict[tuple[str, str], tuple[Lesson, ...]] = {}
        self._lock = threading.Lock()

    def load(self, backend: str, model: str) -> tuple[Lesson, ...]:
        return self._lessons.get((backend, model), ())

    def add(self, backend: str, model: str, lessons: tuple[Lesson, ...], oldest: float) -> None:
        with self._lock:
            known = self._lessons.pop((backend, model), ())
            self._lessons[backend, model] = merged(known, lessons, oldest)
            while len(self._lessons) > MOST_MODELS:
                del self._lessons[next(iter(self._lessons))]

    def forget(self, backend: str, model: str) -> None:
        self._lessons.pop((backend, model), None)

    def all(self) -> list[tuple[str, str, tuple[Lesson, ...]]]:
        return [(backend, model, lessons) for (backend, model), lessons in list(self._lessons.items())]


class Learned:
    """The lessons of one backend. Shared by all threads."""

    def __init__(
        self, backend: str, hours: float, store: LessonStore | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`backend` is its base URL; `hours` is how long a lesson counts."""
        self._backend = backend
        self._seconds = hours * 3600
        self._store: LessonStore = store if store is not None else Memory()
        self._clock = clock

    def recall(self, model: str) -> frozenset[str]:
        """The adaptations that requests for a model start with."""
        oldest = self._clock() - self._seconds
        return frozenset(each.adaptation for each in self._store.load(self._backend, model) if each.at > oldest)

    def learn(self, model: str, reasons: Mapping[str, str]) -> None:
        """Remember adaptations with the reason of each. What was known of the model stays."""
        if len(model) > _LONGEST_NAME:
            return
        now = self._clock()
        new = tuple(Lesson(name, why, now) for name, why in reasons.items())
        self._store.add(self._backend, model, new, now - self._seconds)

    def forget(self, model: str | None = None) -> int:
        """Forget what is known of a model, or of all. Returns how many models that were."""
        known = [each for backend, each, _ in self._store.all() if backend == self._backend]
        gone = known if model is None else [each for each in known if each == model]
        for each in gone:
            self._store.forget(self._backend, each)
        return len(gone)

    def entries(self) -> list[Mapping[str, object]]:
        """All that is known, for people: `backend`, `model`, and `adaptations` with `name`, `why` and `at`."""
        oldest = self._clock() - self._seconds
        found: list[Mapping[str, object]] = []
        for backend, model, lessons in self._store.all():
            fresh = [{"name": each.adaptation, "why": each.why, "at": each.at} for each in lessons if each.at > oldest]
            if backend == self._backend and fresh:
                found.append({"backend": backend, "model": model, "adaptations": fresh})
        return found
