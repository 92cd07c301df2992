"""Calls that count only if nothing else stands in the message that they stand in. Held: that message."""

from __future__ import annotations

from collections.abc import Sequence

from converters.shapes.machine import CallsParser, why_refused
from converters.text.events import End, Event
from converters.text.reasons import Reason
from converters.values.json.output import Flow


class SoleInMessage:
    """Holds the events of another parser until the message ends behind it. A CallsParser."""

    def __init__(self, parser: CallsParser, raw: str, ends: Sequence[str], next_header: str) -> None:
        """`raw` is the header of the first call; a message ends with one of `ends`, or where the next one begins."""
        self._parser = parser
        self._ends = tuple(ends)
        self._after = (*ends, next_header)
        self._fed = [raw]
        self._events: list[Event] = []
        self._behind: list[str] = []
        self._begun = False  # more than white space stands behind the calls
        self.over = False
        self.refused = False
        self.because: Reason | None = None
        self.rest = ""

    def lease(self) -> Flow | None:
        """Nothing leaves before the end."""
        return None

    def feed(self, text: str) -> list[Event]:
        self._fed.append(text)
        if self._parser.over:
            self._behind.append(text)
            if text.isspace() and not self._begun:
                return []
        else:
            self._events += self._parser.feed(text)
            self._behind = [self._parser.rest]
        return self._decide(End.MORE) if self._parser.over else []

    def finish(self, end: End) -> list[Event]:
        if not self._parser.over:
            self._events += self._parser.finish(end)
            self._behind = [self._parser.rest]
        return self._decide(end)

    def _decide(self, end: End) -> list[Event]:
        if self._parser.refused:
            return self._refuse()
        all_behind = "".join(self._behind)
        behind = all_behind.lstrip()
        self._begun = bool(behind)
        closed = bool(self._events) and self._events[-1].raw.rstrip().endswith(self._ends)
        if closed or behind.startswith(self._after) or (not behind and end is End.STOP):
            self.over, self.rest = True, all_behind
            return self._events
        if end is End.MORE and any(each.startswith(behind) for each in self._after):
            return []
        return self._refuse()

    def _refuse(self) -> list[Event]:
        self.because = why_refused(self._parser) or "in_message"
        self.over = self.refused = True
        self.rest = "".join(self._fed)
        return []
