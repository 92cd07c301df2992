"""Learns from templates in a process of its own (learning_child.py), so that no request waits for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from converters.learning.learn import Learned
from templates.child import Child
from templates.sources import Template
from templates.stored import FORMAT, NotStored, read, written
from version import VERSION

SECONDS = 90.0
"""Seconds for one template: the start of the process, the renderings within their own bounds, and the proof."""
_ROOT = str(Path(__file__).resolve().parents[1])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from templates.learning_child import main; main()"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A template that is to be learned from."""

    template: Template
    name: str
    """Of the row."""
    prior: str = ""
    """The row that the model's name speaks for."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The settings that the template's server sets where a request does not."""
    mends: tuple[str, ...] = ()
    """What of a history that server puts in order itself (`Learned.history`)."""

    @property
    def key(self) -> str:
        """The hash of all that what is learned depends on; the name is none of it."""
        others = [self.prior, dict(self.defaults), self.mends]
        told = json.dumps([VERSION, FORMAT, self.template.key, *others], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def line(self) -> str:
        """The lesson as the process gets it."""
        template = self.template
        told = {"template": template.text, "variables": dict(template.variables), "special": template.special}
        return json.dumps({**told, "name": self.name, "prior": self.prior, "defaults": dict(self.defaults)})


class LearningProcess:
    """A context manager: the process begins with the first lesson, and ends with it."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def learn(self, lesson: Lesson) -> str | None:
        """What was learned, as stored.py writes it; None if that did not end in time."""
        try:
            self._child = self._child or Child(["-c", _START, _ROOT], leads=True)
        except OSError:  # no more processes, or descriptors
            return None
        answer = self._child.ask(lesson.line(), SECONDS)
        if answer is None:
            self._child = None
            return None
        learned = learned_from(answer, lesson.name)
        if learned is None:
            return None
        history = {name: found for name, found in learned.history.items() if name not in lesson.mends}
        return written(replace(learned, history=history))

    def __enter__(self) -> LearningProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.close()


def learned_from(text: str, name: str) -> Learned | None:
    """What was learned, read again; None if somebody else has written it."""
    try:
        return read(text, name)
    except NotStored:
        return None
