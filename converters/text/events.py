"""The events: all that a model's text can mean, in the order in which it was written.

Every character that is fed to a parser belongs to the `raw` span of exactly one event, and the spans stand in
the order of the text, so that nothing is lost, doubled or invented.

Events are values: nobody changes one that somebody else has seen. They are not `frozen=True` only because a
frozen dataclass costs three times as much to make, and one is made for every piece that a model writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from typing import Literal

from converters.text.reasons import Reason


@dataclass(slots=True)
class Text:
    """Text for the user. Its span is the text itself."""

    text: str
    restored: bool = False
    """White space that was removed before a call, and comes back because text follows. Its span is empty."""

    @property
    def raw(self) -> str:
        return "" if self.restored else self.text


@dataclass(slots=True)
class Reasoning:
    """Reasoning of the model. Its span is the text itself."""

    text: str
    restored: bool = False

    @property
    def raw(self) -> str:
        return "" if self.restored else self.text


@dataclass(slots=True)
class CallStart:
    """A call begins; `name` is final. `id` is what the model's own syntax gave it, if it carries one."""

    index: int
    name: str
    id: str | None = None
    raw: str = ""
    in_reasoning: bool = False
    """Written in the reasoning: delivered only if it is the last thing the model did."""


@dataclass(slots=True)
class ArgumentsDelta:
    """More of a call's arguments. All deltas of a call joined are the JSON text of one object."""

    index: int
    delta: str
    raw: str = ""


Ending = Literal["complete", "cut", "unreadable"]


@dataclass(slots=True)
class CallEnd:
    """A call is over: `complete`, `cut` by max_tokens, or `unreadable`: a value was left open or cannot be read."""

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
    turn: bool = False
    """A turn begins here, so that the end-of-turn tokens before it are no text."""


@dataclass(slots=True)
class Noted:
    """A decision worth a line in the record that removed nothing. Its span is empty."""

    code: Reason
    detail: str = ""

    @property
    def raw(self) -> str:
        return ""


class End(Enum):
    """Whether a text ends here, and who ended it."""

    MORE = auto()
    """More text may come."""
    STOP = auto()
    """The model stopped by itself."""
    CUT = auto()
    """max_tokens cut it."""


LeaseKind = Literal["text", "reasoning", "arguments"]
"""What a piece may be more of: of the content, of the reasoning, or of the arguments of a call."""

Event = Text | Reasoning | CallStart | ArgumentsDelta | CallEnd | Removed | Noted


def merge(events: Iterable[Event]) -> list[Event]:
    """Join neighbours that differ only in how the text was cut: two streams of one text merge to the same list."""
    return [_joined(list(run)) for _, run in groupby(events, _continues)]


def joined_texts(events: list[Event]) -> list[Event]:
    """Events with neighbouring texts joined: a text that quotes much is read in parts, each a cost to each stage."""
    out: list[Event] = []
    parts: list[str] = []
    kind: type[Text] | type[Reasoning] = Text
    for event in events:
        if parts and type(event) is not kind:
            out.append(kind("".join(parts)))
            parts = []
        if type(event) is Text or type(event) is Reasoning:
            kind = type(event)
            parts.append(event.text)
        else:
            out.append(event)
    if parts:
        out.append(kind("".join(parts)))
    return out


def _continues(event: Event) -> object:
    """What neighbours have in common that are pieces of one."""
    match event:
        case Text(restored=restored) | Reasoning(restored=restored):
            return type(event), restored
        case ArgumentsDelta(index=index):
            return index
        case Removed(reason=reason, tag=tag, turn=turn):
            return reason, tag, turn
    return object()


def _joined(run: list[Event]) -> Event:
    if len(run) == 1:
        return run[0]
    raw = "".join(event.raw for event in run)
    match first := run[0]:
        case Text() | Reasoning():
            return type(first)("".join(event.text for event in run if isinstance(event, type(first))), first.restored)
        case ArgumentsDelta(index=index):
            return ArgumentsDelta(index, "".join(event.delta for event in run if isinstance(event, type(first))), raw)
        case Removed(reason=reason, tag=tag, turn=turn):
            return Removed(raw, reason, tag, turn)
    return first
