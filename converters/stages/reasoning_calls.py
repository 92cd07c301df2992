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

    __slots__ = ("_expectations", "_held", "_rejecting")

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self._held: list[Event] = []
        self._rejecting = False  # in a call that stays reasoning

    def feed(self, events: list[Event]) -> list[Event]:
        if not self._held and not self._rejecting and not any(map(_starts_in_reasoning, events)):
            return events
        out: list[Event] = []
        for event in events:
            self._one(event, out)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        return not self._held and not self._rejecting

    def _one(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, CallStart):
            if not event.in_reasoning:
                self._release(out)
            elif self._expectations.declared(event.name) is None:
                self._release(out)
                self._rejecting = True
        if self._rejecting:
            out += _as_reasoning(event)
            self._rejecting = not isinstance(event, CallEnd)
        elif self._held or (isinstance(event, CallStart) and event.in_reasoning):
            self._hold(event, out)
        else:
            out.append(event)

    def _hold(self, event: Event, out: list[Event]) -> None:
        if _follows(event):
            self._release(out)
            out.append(event)
            return
        self._held.append(event)
        if isinstance(event, CallEnd) and (event.how != "complete" or event.unclosed):
            self._release(out)

    def _release(self, out: list[Event]) -> None:
        """Something followed them: they stay reasoning."""
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
    markup = isinstance(event, CallStart | ArgumentsDelta | CallEnd) or (
        isinstance(event, Removed) and event.reason == "marker" and not event.tag
    )
    if not markup:
        return [event]
    return [Reasoning(event.raw)] if event.raw else []
