"""Where reasoning goes: left in the text with its tags, or dropped. Holds nothing."""

from __future__ import annotations

from converters.text.events import ArgumentsDelta, Event, Reasoning, Removed, Text


class KeepReasoning:
    """REASONING_FIELD=content: reasoning and its tags stay text."""

    def feed(self, events: list[Event]) -> list[Event]:
        return [
            Text(event.raw) if isinstance(event, Reasoning) or (isinstance(event, Removed) and event.tag) else event
            for event in events
        ]

    def lets_flow(self, text: str, inside: bool) -> bool:
        return not inside  # there it becomes text

    def lets_pass(self, event: ArgumentsDelta) -> bool:
        return True

    def finish(self, cut: bool) -> list[Event]:
        return []


class DropReasoning:
    """REASONING_FIELD=none: nobody wants it."""

    def feed(self, events: list[Event]) -> list[Event]:
        return [Removed(event.raw, "reasoning_off") if isinstance(event, Reasoning) else event for event in events]

    def lets_pass(self, event: ArgumentsDelta) -> bool:
        return True

    def finish(self, cut: bool) -> list[Event]:
        return []

    def lets_flow(self, text: str, inside: bool) -> bool:
        return not inside
