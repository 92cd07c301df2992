"""Calls without a marker: bare JSON, a bare list. They are calls only as the whole message, so they wait for its end.

Held: the whole message, until the first byte that fits no row; then it is text.
"""

from __future__ import annotations

from collections.abc import Sequence

from converters.shapes.end_of_text import OnlyEndTokens
from converters.shapes.machine import CallContext, CallsParser, Grammar
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Event, Text
from converters.text.expectations import Expectations
from converters.values.json.output import Flow

_GOES_ON = frozenset(",:]})")


class WholeMessage:
    """Feeds the first row that fits; if it refuses, the next one reads it all. A CallsParser.

    One row at a time, since they read nearly the same: as long as one of them fits, the message must wait anyway.
    """

    def __init__(
        self, rows: Sequence[Grammar], context: CallContext, expectations: Expectations, own_ends: tuple[str, ...] = ()
    ) -> None:
        """`own_ends` are end-of-turn tokens that the table does not have."""
        self._own_ends = own_ends
        self._expectations = expectations
        self._rows = iter(rows)
        self._context = context
        self._fed: list[str] = []
        self._lease: Flow | None = None  # that of the row's parser
        self._taken: list[str] = []  # what it returned for the last pieces
        self._call = context.index  # whose arguments they are
        self._parser: CallsParser
        self._events: list[Event]
        self._behind: list[str]
        self._ending: OnlyEndTokens
        self._fits = True
        self.syntax: Syntax | None = None
        self.over = False
        self.refused = False
        self.rest = ""
        self.with_text = False
        """A row took a call of a declared tool, but more than that stands in the message."""
        self._next_row()

    def feed(self, text: str) -> list[Event]:
        if self._lease is not None and text and (delta := self._lease(text)) is not None:
            self._taken.append(delta)
            self._fed.append(text)
            return []
        self._end_lease()
        self._fed.append(text)
        self._read(text)
        while not self._fits and self._next_row():
            pass
        self._lease = self._parser.lease()
        return []

    def lease(self) -> Flow | None:
        """Nothing leaves before the end."""
        return None

    def finish(self, end: End) -> list[Event]:
        self._end_lease()
        while not self.over and end is End.STOP:
            if not self._parser.over:
                self._take(self._parser.finish(end))
            if self._fits and self._believed():
                self.over = True
                self.rest = "".join([self._parser.rest, *self._behind])
                return self._events
            self._next_row()
        self._refuse()
        return []

    def _next_row(self) -> bool:
        """Let the next row read all that was fed. Returns whether there is one; refuses behind the last."""
        row = next(self._rows, None)
        if row is None:
            self._refuse()
            return False
        self.syntax = row.syntax
        self._parser = row.parser(self._context, self._expectations)
        self._events, self._behind = [], []
        self._ending, self._fits = OnlyEndTokens(self._own_ends), True
        self._read("".join(self._fed))
        return True

    def _read(self, text: str) -> None:
        if not self._parser.over:
            self._take(self._parser.feed(text))
        else:
            self._behind.append(text)
            self._fits = self._ending.fits(text)
            self._see_text(text)

    def _take(self, events: list[Event]) -> None:
        self._events += events
        self._call = next((event.index for event in reversed(events) if isinstance(event, CallStart)), self._call)
        if self._parser.over:
            self._fits = not self._parser.refused and self._ending.fits(self._parser.rest)
            self._see_text(self._parser.rest)

    def _see_text(self, behind: str) -> None:
        """Note whether what stands behind a call goes on as text, and not as JSON or a list does."""
        is_text = not self._fits and not self._parser.refused and behind.lstrip()[:1] not in _GOES_ON
        self.with_text = self.with_text or is_text

    def _end_lease(self) -> None:
        """Make one event of what was taken by lease."""
        self._lease = None
        if self._taken:
            raw = "".join(self._fed[-len(self._taken) :])
            self._events.append(ArgumentsDelta(self._call, "".join(self._taken), raw))
            self._taken.clear()

    def _refuse(self) -> None:
        self.syntax = None
        self.over = self.refused = True
        self.rest = "".join(self._fed)

    def _believed(self) -> bool:
        """Complete calls of declared tools, and nothing else."""
        calls = [event for event in self._events if isinstance(event, CallStart)]
        ends = [event for event in self._events if isinstance(event, CallEnd)]
        whole = len(ends) == len(calls) and all(each.how == "complete" and not each.unclosed for each in ends)
        others = [event for event in self._events if isinstance(event, Text) and event.raw.strip()]
        return bool(calls) and whole and not others and all(call.name in self._expectations.tools for call in calls)
