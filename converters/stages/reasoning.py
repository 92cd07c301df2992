"""Where reasoning goes: left in the text with its tags, or dropped. Holds nothing."""

from __future__ import annotations

from converters.text.events import End, Event, LeaseKind, Reasoning, Removed, Text


class KeepReasoning:
    """REASONING_FIELD=content: reasoning and its tags stay text."""

    def feed(self, events: list[Event]) -> list[Event]:
        return [
            Text(event.raw) if isinstance(event, Reasoning) or (isinstance(event, Removed) and event.tag) else event
            for event in events
        ]

    def permits(self, kind: LeaseKind) -> bool:
        return kind != "reasoning"  # it becomes text

    def finish(self, end: End) -> list[Event]:
        return []


class DropReasoning:
    """REASONING_FIELD=none: nobody wants it."""

    def feed(self, events: list[Event]) -> list[Event]:
        return [Removed(event.raw, "reasoning_off") if isinstance(event, Reasoning) else event for event in events]

    def permits(self, kind: LeaseKind) -> bool:
        return kind != "reasoning"

    def finish(self, end: End) -> list[Event]:
        return []
