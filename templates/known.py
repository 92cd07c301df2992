"""What servers have answered of their models' chat templates, and what was learned from each template, by its hash.

In memory here; backends/learned/template_file.py keeps the same in STATE_FILE.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

MOST_MODELS = 1000
"""Models of which an answer is kept: clients choose names."""
MOST_TEMPLATES = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has answered about one model."""

    key: str
    """Under which what its template tells is kept; empty if it has told none."""
    why: str
    """Why it has told none, in one line of our own words; empty if it has told one."""
    at: float
    """When it was asked, in seconds since 1970."""


class KnownTemplates(Protocol):
    """Shared by all threads. What it cannot keep is forgotten, and it never raises."""

    def answers(self, backend: str) -> dict[str, Answer]:
        """What is known of a backend, by the names of its models."""
        ...

    def answer(self, backend: str, model: str) -> Answer | None: ...

    def keep(self, backend: str, model: str, answer: Answer) -> None: ...

    def told(self, key: str) -> str | None:
        """What was learned from a template, as `templates/stored.py` writes it."""
        ...

    def tell(self, key: str, text: str, at: float) -> None: ...


class InMemory:
    """A KnownTemplates of one process."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer] = {}
        self._told: dict[str, str] = {}
        self._lock = threading.Lock()

    def answers(self, backend: str) -> dict[str, Answer]:
        with self._lock:
            return {model: answer for (of, model), answer in self._answers.items() if of == backend}

    def answer(self, backend: str, model: str) -> Answer | None:
        return self._answers.get((backend, model))

    def keep(self, backend: str, model: str, answer: Answer) -> None:
        with self._lock:
            self._answers.pop((backend, model), None)
            self._answers[backend, model] = answer
            while len(self._answers) > MOST_MODELS:
                del self._answers[next(iter(self._answers))]

    def told(self, key: str) -> str | None:
        return self._told.get(key)

    def tell(self, key: str, text: str, at: float) -> None:
        with self._lock:
            self._told[key] = text
            while len(self._told) > MOST_TEMPLATES:
                del self._told[next(iter(self._told))]
