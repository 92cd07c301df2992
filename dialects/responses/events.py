"""The events of a streamed response, numbered from 0 without gaps."""

from __future__ import annotations

from typing import Any

from turns import Turns
from wire.json_values import SMALL, compact, spelled_whole

_LONG_LIST = 256
"""Items of a list that takes milliseconds to write."""
quoted = compact
"""A short text as a JSON string."""


class Events:
    """Writes events. A `silent` one only counts them: a buffered response is made as a stream that nobody reads."""

    __slots__ = ("count", "silent")

    def __init__(self, silent: bool = False) -> None:
        self.count = 0
        self.silent = silent

    def event(self, kind: bytes, *members: bytes) -> bytes:
        """An event of a type, with members as they are spelled."""
        number, self.count = self.count, self.count + 1
        if self.silent:
            return b""
        told = b",".join((b'"type":"%b"' % kind, b'"sequence_number":%d' % number, *members))
        return b"event: %b\ndata: {%b}\n\n" % (kind, told)


class Deltas:
    """Writes events that differ in a number and a text only."""

    __slots__ = ("_before", "_behind", "_events", "_middle")

    def __init__(self, events: Events, kind: bytes, members: bytes, behind: bytes = b"") -> None:
        """`members` stand before the text, `behind` behind it."""
        self._events = events
        self._before = b'event: %b\ndata: {"type":"%b","sequence_number":' % (kind, kind)
        self._middle = b',%b,"delta":' % members
        self._behind = b"%b}\n\n" % behind

    def event(self, text: str) -> bytes:
        """The event for a text of any length."""
        events = self._events
        number = events.count
        events.count = number + 1
        if events.silent:
            return b""
        delta = quoted(text).encode(errors="replace")
        return b"%b%d%b%b%b" % (self._before, number, self._middle, delta, self._behind)

    def events(self, text: str) -> bytes:
        """The events for a text, a long one in slices between which others take their turn."""
        if len(text) <= SMALL:
            return self.event(text)
        turns = Turns()
        told: list[bytes] = []
        for start in range(0, len(text), SMALL):
            told.append(self.event(text[start : start + SMALL]))
            turns.take()
        return b"".join(told)


def as_json(value: Any) -> bytes:
    """A value as JSON; texts and lists may be of any length."""
    long = SMALL if isinstance(value, str) else _LONG_LIST
    if isinstance(value, str | list) and len(value) > long:
        return spelled_whole(value, Turns(), (",", ":"))
    return compact(value).encode(errors="replace")
