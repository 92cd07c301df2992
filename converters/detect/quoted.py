"""A call that is quoted: it is read to find where it ends, and all of it is text."""

from __future__ import annotations

from converters.shapes.machine import CallsParser
from converters.text.events import End, Event, Text
from converters.values.json.output import Flow


class QuotedCalls:
    """Text in place of the events of another parser. A CallsParser."""

    def __init__(self, parser: CallsParser) -> None:
        self._parser = parser
        self.over = False
        self.refused = False
        self.rest = ""

    def lease(self) -> Flow | None:
        """Each piece is read."""
        return None

    def feed(self, text: str) -> list[Event]:
        return self._quoted(self._parser.feed(text))

    def finish(self, end: End) -> list[Event]:
        return self._quoted(self._parser.finish(end))

    def _quoted(self, events: list[Event]) -> list[Event]:
        self.over, self.refused, self.rest = self._parser.over, self._parser.refused, self._parser.rest
        raw = "".join(event.raw for event in events)
        return [Text(raw)] if raw else []
