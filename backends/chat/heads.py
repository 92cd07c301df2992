"""The heads of the choices of a stream: who speaks, and the id, time and model of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.chat.choices import Choices
from backends.chat.fields import delta_of, head_of, index_of
from reply import ChoiceEvent, Notes, ReplyHead, Step


class Heads:
    """Makes the ReplyHead events: one when a choice begins, and one when id, time or model change."""

    def __init__(self, choices: Choices, notes: Notes) -> None:
        self._choices = choices
        self._notes = notes
        self._head = ReplyHead()
        self._changed: set[int] = set()  # a choice whose chunk has changed the head
        self._begun: set[int] = set()
        self._roles: set[int] = set()  # choices that the backend has given a role

    def see(self, choice: Mapping[str, Any], chunk: Mapping[str, Any]) -> None:
        index = index_of(choice)
        if delta_of(choice).get("role"):
            self._roles.add(index)
        head = head_of(chunk)
        if head != self._head:
            self._head = head
            self._notes.identified(head)
            self._changed.add(index)

    def missing(self) -> list[Step]:
        """A step with the heads of choices whose role the backend left out."""
        if len(self._begun) == self._choices.count:
            return []  # in nearly all frames
        known = self._begun | self._roles
        found = [index for index in self._choices.indexes if index not in known]
        if not found:
            return []
        self._notes.repair("role_missing")
        self._begun.update(found)
        self._changed.difference_update(found)
        return [Step(None, [(index, self._head) for index in found])]

    def taken(self) -> list[ChoiceEvent]:
        """The heads of the other choices that begin now, and a head that has changed."""
        if not self._changed and len(self._begun) == self._choices.count:
            return []
        found = sorted({*self._changed, *self._choices.indexes} - (self._begun - self._changed))
        self._begun.update(found)
        self._changed.clear()
        return [(index, self._head) for index in found]
