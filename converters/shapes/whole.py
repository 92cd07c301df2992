"""Calls without a marker: bare JSON, a bare list. They are calls only as the whole message, so they wait for its end.

Held: the whole message, until the first byte that does not fit; then it is text.
"""

from __future__ import annotations

from collections.abc import Sequence

from converters.events import CallEnd, CallStart, Event, Text
from converters.expectations import Expectations
from converters.shapes.base import CallsParser, Grammar, Opening
from converters.stages.endings import only_end_tokens
from converters.syntaxes import Syntax


class WholeMessage:
    """Feeds every row that could fit; at the end the first that read it all has it. A CallsParser."""

    def __init__(self, rows: Sequence[Grammar], opening: Opening, expectations: Expectations) -> None:
        self._expectations = expectations
        self._fed = [opening.raw]
        self._readers: list[tuple[Grammar, CallsParser, list[Event]]] = [
            (row, row.parser(opening, expectations), []) for row in rows
        ]
        self.syntax: Syntax | None = None
        self.over = False
        self.refused = False
        self.rest = ""

    def feed(self, text: str) -> list[Event]:
        self._fed.append(text)
        for _, parser, events in self._readers:
            if parser.over:
                parser.rest += text
            else:
                events += parser.feed(text)
        self._readers = [reader for reader in self._readers if _fits(reader[1])]
        if not self._readers:
            self._refuse()
        return []

    def finish(self, cut: bool) -> list[Event]:
        for row, parser, events in self._readers if not cut else []:
            if not parser.over:
                events += parser.finish(cut)
            if _fits(parser) and self._believed(events):
                self.over = True
                self.rest = parser.rest
                self.syntax = row.syntax
                return events
        self._refuse()
        return []

    def _refuse(self) -> None:
        self.over = self.refused = True
        self.rest = "".join(self._fed)

    def _believed(self, events: list[Event]) -> bool:
        """Complete calls of declared tools, and nothing else."""
        calls = [event for event in events if isinstance(event, CallStart)]
        whole = all(event.how == "complete" for event in events if isinstance(event, CallEnd))
        others = [event for event in events if isinstance(event, Text) and event.raw.strip()]
        return bool(calls) and whole and not others and all(call.name in self._expectations.tools for call in calls)


def _fits(parser: CallsParser) -> bool:
    return not parser.refused and only_end_tokens(parser.rest)
