"""A call in a code fence that is the whole message. In any other message a fence is a quotation, and stays text.

What the fence holds is read as a message of its own while it comes. Held: the whole message, until the first byte
that rules this out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from converters.shapes.end_of_text import OnlyEndTokens
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Event, Removed, Text
from converters.text.scanner import LONGEST_RUN
from converters.values.json.output import Flow

_OPENING = re.compile(rf"(?P<run>`{{3,{LONGEST_RUN}}}|~{{3,{LONGEST_RUN}}})[^\n`]{{0,256}}(?P<line_end>\n|\Z)")

_SPACE = 4096
"""How much white space may stand around the calls."""


class Reader(Protocol):
    """Reads a text as a message of its own."""

    syntax: Syntax | None

    def feed(self, text: str) -> list[Event]: ...

    def finish(self) -> list[Event]: ...

    def arguments_lease(self) -> Flow | None: ...


def _over(_text: str) -> bool:
    return True


class FencedMessage:
    """Holds the message while its reader finds nothing but calls in the fence. A CallsParser."""

    def __init__(self, reader: Reader, own_ends: tuple[str, ...] = ()) -> None:
        """`own_ends` are end-of-turn tokens that the table does not have."""
        self._reader = reader
        self._lease: Flow | None = None  # the lease of the reader, for more arguments of the last call
        self._call = 0
        self._events: list[Event] = []
        self._fed: list[str] = []
        self._context = ""
        self._closing = ""  # the line end and the run that close the fence
        self._left = ""  # half an opening, or what may become the closing
        self._behind: list[str] = []
        self._around = 0  # how much white space stands around the calls
        self._ending = OnlyEndTokens(own_ends)
        self._state: Callable[[str], bool] = self._open
        self.over = False
        self.refused = False
        self.rest = ""

    @property
    def syntax(self) -> Syntax | None:
        """The row of the call in the fence."""
        return self._reader.syntax

    def feed(self, text: str) -> list[Event]:
        self._fed.append(text)
        if not self._state(text):
            self._refuse()
        return []

    def lease(self) -> Flow | None:
        """Nothing leaves before the end."""
        return None

    def finish(self, end: End) -> list[Event]:
        if end is End.CUT or self._state in (self._open, self._inside):
            self._refuse()
            return []
        events = [*self._events, *self._reader.finish()]
        if not _only_calls(events) or not any(isinstance(event, CallStart) for event in events):
            self._refuse()
            return []
        self.over, self._state = True, _over
        behind = self._closing + "".join(self._behind)
        self.rest = behind.lstrip("`~ \t\r\n")
        closing = behind[: len(behind) - len(self.rest)]
        return [Removed(self._context, "marker"), *events, Removed(closing, "marker")]

    def _refuse(self) -> None:
        self.over = self.refused = True
        self._state = _over
        self.rest = "".join(self._fed)

    # -- the states: each takes a piece, and says whether the message may still be a call ----------------------------

    def _open(self, text: str) -> bool:
        """In the line that opens the fence."""
        self._left += text
        opening = _OPENING.match(self._left)
        if opening is None or not opening["line_end"]:
            return opening is not None
        self._context, self._closing = opening.group(), opening["run"]
        text, self._left = self._left[opening.end() :], ""
        self._state = self._inside
        return self._inside(text)

    def _inside(self, text: str) -> bool:
        """In the fence, up to the line that closes it."""
        text, self._left = self._left + text, ""
        closing = "\n" + self._closing
        end = text.find(closing)
        if end >= 0:
            self._state = self._on_closing_line
            return self._read(text[: end + 1]) and self._on_closing_line(text[end + len(closing) :])
        start = text.rfind("\n")
        if start >= 0 and closing.startswith(text[start:]):
            text, self._left = text[:start], text[start:]
        return self._read(text)

    def _on_closing_line(self, text: str) -> bool:
        """Behind the run that closes the fence; it may be longer than the one that opens it."""
        behind = text.lstrip("`~")
        self._behind.append(text[: len(text) - len(behind)])
        if not behind:
            return True
        self._state = self._after
        return self._after(behind)

    def _after(self, text: str) -> bool:
        self._behind.append(text)
        return self._ending.fits(text)

    def _read(self, text: str) -> bool:
        if self._lease is not None and text and (delta := self._lease(text)) is not None:
            self._events.append(ArgumentsDelta(self._call, delta, text))
            return True
        events = self._reader.feed(text)
        self._lease = self._reader.arguments_lease()
        self._events += events
        self._call = next((event.index for event in reversed(events) if isinstance(event, CallStart)), self._call)
        self._around += sum(len(event.text) for event in events if isinstance(event, Text))
        return _only_calls(events) and self._around <= _SPACE


def _only_calls(events: list[Event]) -> bool:
    whole = all(event.how == "complete" and not event.unclosed for event in events if isinstance(event, CallEnd))
    return whole and not any(event.text.strip() for event in events if isinstance(event, Text))
