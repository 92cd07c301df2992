"""Finished arguments held against the tool's schema. What does not fit is reported, never changed: it has been sent.

Held: nothing. A copy of a call's arguments is kept until the call ends, if it is not very long.
"""

from __future__ import annotations

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Event, LeaseKind, Noted
from converters.text.expectations import Expectations, Schema
from converters.values.validate import misfits

_LONGEST = 1_000_000
"""Characters of arguments that are kept to be judged."""


class SchemaCheck:
    """Passes every event on, and says behind the end of a call what in its arguments does not fit."""

    __slots__ = ("_arguments", "_expectations", "_length", "_name", "_schema")

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self._name = ""
        self._schema: Schema = {}
        self._arguments: list[str] = []
        self._length = 0

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            out.append(event)
            kind = type(event)
            if kind is ArgumentsDelta:
                self.keep(event.delta)  # type: ignore[union-attr]
            elif isinstance(event, CallStart):
                self._name, self._schema = event.name, self._expectations.schema(event.name)
                self._arguments, self._length = [], 0
            elif kind is CallEnd and self._schema and event.how == "complete":  # type: ignore[union-attr]
                out += self._misfits()
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return True

    def keep(self, delta: str) -> None:
        """More arguments of the call."""
        if not self._schema:
            return
        self._length += len(delta)
        if self._length > _LONGEST:
            self._schema = {}
            self._arguments.clear()
        else:
            self._arguments.append(delta)

    def _misfits(self) -> list[Event]:
        found = misfits("".join(self._arguments), self._schema)
        return [Noted("arguments_misfit", f"{self._name}{pos}") for pos in found]

    def finish(self, end: End) -> list[Event]:
        return []
