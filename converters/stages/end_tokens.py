"""End-of-turn tokens that a server left at the very end of the text are taken off; elsewhere they are text.

Held: such a token, or the start of one, with the white space and further tokens behind it, until something follows.
"""

from __future__ import annotations

import re

from converters.syntaxes import END_TOKENS
from converters.text.events import CallStart, End, Event, LeaseKind, Reasoning, Removed, Text
from converters.text.scanner import any_of

_TOKENS = frozenset(END_TOKENS)
_ENDING = re.compile(rf"(?:{any_of(_TOKENS)}\s*)+\Z")
_TOKEN = re.compile("|".join(map(re.escape, END_TOKENS)))
_HEADS = frozenset(token[0] for token in END_TOKENS)


def _may_end(event: Event) -> bool:
    kind = type(event)
    return (kind is Text or kind is Reasoning) and not _HEADS.isdisjoint(event.text)  # type: ignore[union-attr]


class EndTokens:
    """Filters Text and Reasoning."""

    __slots__ = ("_behind", "_held", "_kind")

    def __init__(self) -> None:
        self._held = ""
        self._kind: type[Text] | type[Reasoning] = Text
        self._behind: list[Event] = []  # events without text that came while something was held

    def feed(self, events: list[Event]) -> list[Event]:
        if not self._held and not any(map(_may_end, events)):
            return events
        out: list[Event] = []
        for event in events:
            if isinstance(event, Text | Reasoning):
                if self._behind or (self._held and type(event) is not self._kind):
                    self._release(out)
                self._kind = type(event)
                self._text(self._held + event.text, out)
            elif isinstance(event, CallStart) or not self._held:
                self._release(out)
                out.append(event)
            else:
                self._behind.append(event)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return not self._held

    def _text(self, text: str, out: list[Event]) -> None:
        ending = _ENDING.search(text)
        start = ending.start() if ending else len(text)
        if start:
            self._held = text[:start]
            self._release(out)
        self._held = text[start:]

    def _release(self, out: list[Event]) -> None:
        if self._held:
            out.append(self._kind(self._held))
        out += self._behind
        self._held, self._behind = "", []

    def finish(self, end: End) -> list[Event]:
        out: list[Event] = []
        while token := _TOKEN.match(self._held):
            out.append(Removed(token.group(), "end_token"))
            rest = self._held[token.end() :]
            space = rest[: len(rest) - len(rest.lstrip())]
            if space:
                out.append(self._kind(space))
            self._held = rest[len(space) :]
        self._release(out)
        return out
