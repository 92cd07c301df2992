"""The events: all that a model's text can mean, in the order in which it was written.

Every character that is fed to a parser belongs to the `raw` span of exactly one event, and the spans stand in
the order of the text, so that nothing is lost, doubled or invented.

Events are values: nobody changes one that somebody else has seen. They are not `frozen=True` only because a
frozen dataclass costs three times as much to make, and one is made for every piece that a model writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from converters.reasons import Reason


@dataclass(slots=True)
class Text:
    """Something said to the user. Its span is the text itself."""

    text: str
    again: bool = False
    """White space given back: it was removed before a call, but more text has followed. Its span is empty."""

    @property
    def raw(self) -> str:
        return "" if self.again else self.text


@dataclass(slots=True)
class Reasoning:
    """Something the model thought before it spoke. Its span is the text itself."""

    text: str
    again: bool = False

    @property
    def raw(self) -> str:
        return "" if self.again else self.text


@dataclass(slots=True)
class CallStart:
    """A call begins; `name` is final. `id` is what the model's own syntax gave it, if it carries one."""

    index: int
    name: str
    id: str | None = None
    raw: str = ""
    inside: bool = False
    """Written inside the reasoning: a draft, unless it proves to be the last thing the model did."""


@dataclass(slots=True)
class ArgumentsDelta:
    """More of a call's arguments. All deltas of a call joined are the JSON text of one object."""

    index: int
    delta: str
    raw: str = ""


Ending = Literal["complete", "closed", "cut"]


@dataclass(slots=True)
class CallEnd:
    """A call is over: `complete`, `closed` by us because its rest cannot be read, or `cut` by max_tokens."""

    index: int
    raw: str = ""
    how: Ending = "complete"
    unclosed: bool = False
    """The model stopped before it had closed the last value or the arguments, so it may have meant to go on."""


@dataclass(slots=True)
class Removed:
    """Text that no client should see, and the reason why not."""

    raw: str
    reason: Reason
    tag: bool = False
    """It is a tag that opens or closes the reasoning."""


@dataclass(slots=True)
class Noted:
    """A decision worth a line in the record that removed nothing. Its span is empty."""

    code: Reason
    detail: str = ""

    @property
    def raw(self) -> str:
        return ""


Event = Text | Reasoning | CallStart | ArgumentsDelta | CallEnd | Removed | Noted


def merge(events: Iterable[Event]) -> list[Event]:
    """Join neighbours that differ only in how the text was cut: two streams of one text merge to the same list."""
    merged: list[Event] = []
    for event in events:
        joined = _join(merged[-1], event) if merged else None
        if joined is None:
            merged.append(event)
        else:
            merged[-1] = joined
    return merged


def _join(last: Event, event: Event) -> Event | None:
    """The two as one event, or None if they are not two pieces of one."""
    match last, event:
        case Text(), Text() if last.again == event.again:
            return Text(last.text + event.text, event.again)
        case Reasoning(), Reasoning() if last.again == event.again:
            return Reasoning(last.text + event.text, event.again)
        case ArgumentsDelta(), ArgumentsDelta() if last.index == event.index:
            return ArgumentsDelta(event.index, last.delta + event.delta, last.raw + event.raw)
        case Removed(), Removed() if (last.reason, last.tag) == (event.reason, event.tag):
            return Removed(last.raw + event.raw, event.reason, event.tag)
    return None
