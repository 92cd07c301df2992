"""A call written in the reasoning counts only if it is the last thing the model did; otherwise it stays reasoning.

If the reasoning ends with one or more complete calls of declared tools, and nothing but white space follows them
in the reasoning or behind it, they are delivered. All others stay the reasoning that they are written in.

Held: such calls with all that follows them, while they may still be the last thing.
"""

from __future__ import annotations

from converters.text.events import (
    ArgumentsDelta,
    CallEnd,
    CallStart,
    End,
    Event,
    LeaseKind,
    Noted,
    Reasoning,
    Removed,
    Text,
)
from converters.text.expectations import Expectations


def _starts_in_reasoning(event: Event) -> bool:
    return type(event) is CallStart and event.in_reasoning


class ReasoningCalls:
    """Filters calls that began in the reasoning."""

    __slots__ = ("_behind_draft", "_expectations", "_held", "_rejecting", "drafted")

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self._held: list[Event] = []
        self.drafted = False
        """A call has stayed reasoning."""
        self._rejecting = False  # in a call that stays reasoning
        self._behind_draft = False  # behind such a call: the closers of its group are the draft's, too

    def feed(self, events: list[Event]) -> list[Event]:
        if not self._busy and not any(map(_starts_in_reasoning, events)):
            return events
        out: list[Event] = []
        for event in events:
            self._one(event, out)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return not self._busy

    @property
    def _busy(self) -> bool:
        return bool(self._held) or self._rejecting or self._behind_draft

    def _one(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, CallStart):
            if not event.in_reasoning:
                self._release(out)
            elif self._expectations.declared(event.name) is None:
                self._release(out)
                self._rejecting = self.drafted = True
        if self._rejecting:
            out += _as_reasoning(event)
            self._rejecting = not isinstance(event, CallEnd)
            self._behind_draft = not self._rejecting
        elif self._behind_draft and isinstance(event, Removed) and _is_markup(event):
            out += _as_reasoning(event)
        elif self._held or (isinstance(event, CallStart) and event.in_reasoning):
            self._hold(event, out)
        else:
            self._behind_draft = self._behind_draft and not _follows(event) and not isinstance(event, Removed)
            out.append(event)

    def _hold(self, event: Event, out: list[Event]) -> None:
        if _follows(event):
            self._release(out)
            out.append(event)
            return
        self._behind_draft = False
        self._held.append(event)
        if isinstance(event, CallEnd) and (event.how != "complete" or event.unclosed):
            self._release(out)
            self._behind_draft = True

    def _release(self, out: list[Event]) -> None:
        """Something followed them: they stay reasoning."""
        self.drafted = self.drafted or bool(self._held)
        for event in self._held:
            out += _as_reasoning(event)
        self._held = []

    def finish(self, end: End) -> list[Event]:
        """Nothing followed: they are delivered."""
        held, self._held = self._held, []
        return held


def _follows(event: Event) -> bool:
    """Whether it shows that the calls before it were not the last thing: text, or a call that the server sent."""
    if isinstance(event, Text | Reasoning):
        return not event.text.isspace()
    return isinstance(event, Noted) and event.code == "native_follows"


def _as_reasoning(event: Event) -> list[Event]:
    if not _is_markup(event):
        return [event]
    return [Reasoning(event.raw)] if event.raw else []


def _is_markup(event: Event) -> bool:
    """Whether it is part of a call, or stands around it."""
    if isinstance(event, Removed):
        return event.reason == "marker" and not event.tag
    return isinstance(event, CallStart | ArgumentsDelta | CallEnd)
