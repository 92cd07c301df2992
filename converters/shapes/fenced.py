"""A call in a code fence that is the whole message. In any other message a fence is a quotation, and stays text.

Held: the whole message, until something in it rules this out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from converters.events import CallEnd, CallStart, Event, Removed, Text
from converters.stages.endings import only_end_tokens

_OPENING = re.compile(r"(?P<run>`{3,}|~{3,})[^\n`]*\n\s*")
_BEGINS = re.compile(r"[<\[{\w>]|\Z")
"""What a call may begin with."""


class FencedMessage:
    """Holds the message and has its inside read at the end. A CallsParser."""

    def __init__(self, read: Callable[[str], list[Event]]) -> None:
        """`read` reads a text as a message of its own."""
        self._read = read
        self._text = ""
        self._searched = 0
        self._opening: re.Match[str] | None = None
        self._end = -1  # where the line of the closing fence begins
        self.over = False
        self.refused = False
        self.rest = ""

    def feed(self, text: str) -> list[Event]:
        self._text += text
        if self._opening is None:
            self._opening = _OPENING.match(self._text)
            if self._opening is None:
                if "\n" in self._text:
                    self._refuse()
                return []
            self._searched = self._opening.end()
        if not _BEGINS.match(self._text, self._opening.end()) or self._goes_on():
            self._refuse()
        return []

    def _goes_on(self) -> bool:
        """Whether the message goes on behind its fence."""
        assert self._opening
        if self._end < 0:
            self._end = self._text.find("\n" + self._opening["run"], self._searched)
            self._searched = max(self._searched, len(self._text) - len(self._opening["run"]))
        return self._end >= 0 and not only_end_tokens(self._text[self._end :].lstrip("`~\n"))

    def finish(self, cut: bool) -> list[Event]:
        opening = self._opening
        if opening is None or cut or self._end < 0:
            self._refuse()
            return []
        inner, behind = self._text[opening.end() : self._end + 1], self._text[self._end + 1 :]
        events = self._read(inner)
        if not _is_call(events):
            self._refuse()
            return []
        self.over = True
        self.rest = behind.lstrip("`~ \t\r\n")
        closing = behind[: len(behind) - len(self.rest)]
        return [Removed(opening.group(), "marker"), *events, Removed(closing, "marker")]

    def _refuse(self) -> None:
        self.over = self.refused = True
        self.rest = self._text


def _is_call(events: list[Event]) -> bool:
    calls = any(isinstance(event, CallStart) for event in events)
    whole = all(event.how == "complete" for event in events if isinstance(event, CallEnd))
    text = any(event.text.strip() for event in events if isinstance(event, Text))
    return calls and whole and not text
