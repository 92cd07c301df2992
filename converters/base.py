"""What third parties subclass: two methods make a converter that works buffered and streamed.

    class MyModelConverter(ToolCallConverter):
        def can_handle_model(self, model_name): return model_name.startswith("mymodel")
        def parse_tool_calls(self, content): ...

`WholeTextParser` makes it stream. Without a hint it must hold a reply to its end, so that nothing of a call can leak;
`start_markers` lets everything before the first marker flow at once.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from converters.stages.pipeline import OutputParser
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Removed, Text
from converters.text.expectations import Expectations
from converters.text.scanner import Markers
from converters.values.writer import JsonArguments


class ToolCallConverter(ABC):
    """Finds tool calls in what some models write. Only the two abstract methods are needed."""

    start_markers: tuple[str, ...] = ()
    """Literals of which one opens every call. Text in front of the first one is not held."""

    @abstractmethod
    def can_handle_model(self, model_name: str) -> bool:
        """Whether this converter is for that model."""

    @abstractmethod
    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        """The calls in a text, in order: OpenAI tool-call objects, or `{"name", "arguments"}`; the id is optional.

        `arguments` may be a JSON text or an object. No calls: an empty list.
        """

    def strip_tool_calls(self, content: str) -> str:
        """What of a text that holds calls is meant for the user. Nothing, unless a subclass knows better."""
        clean = getattr(self, "_clean_content", None)  # what converters written for the lineage call it
        return str(clean(content) or "") if clean is not None else ""

    def new_parser(self, expectations: Expectations) -> OutputParser:
        """A parser for one answer. Override it to stream better than WholeTextParser can."""
        return WholeTextParser(self, expectations)


class WholeTextParser:
    """Streams for a converter that only knows whole texts: holds from the first start marker to the end."""

    def __init__(self, converter: ToolCallConverter, expectations: Expectations) -> None:
        self._converter = converter
        self._expectations = expectations
        markers = converter.start_markers
        self._markers = Markers([markers] if isinstance(markers, str) else markers) if markers else None
        self._held: list[str] = []
        self._tail = ""

    def feed(self, text: str) -> list[Event]:
        if self._markers is None or self._held:
            self._held.append(text)
            return []
        text = self._tail + text
        match = self._markers.search(text)
        start = match.start() if match else len(text)
        if match and match.group() in self._markers.literals:
            self._held.append(text[start:])
            self._tail = ""
        else:
            self._tail = text[start:]
        return [Text(text[:start])] if start else []

    def finish(self, cut: bool = False) -> list[Event]:
        content = "".join(self._held) + self._tail
        calls = self._converter.parse_tool_calls(content) if content else []
        if not calls:
            return [Text(content)] if content else []
        text = self._converter.strip_tool_calls(content)
        events: list[Event] = [Removed(content, "custom_converter")]
        if text:
            events.append(Text(text, restored=True))
        for index, call in enumerate(calls):
            events += self._call(index, call)
        return events

    def _call(self, index: int, call: dict[str, Any]) -> list[Event]:
        function = call.get("function", call)
        name = str(function["name"])
        name = self._expectations.declared(name) or name
        arguments = function.get("arguments") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        reader = JsonArguments(self._expectations.schema(name))
        delta = reader.feed(text)
        if not reader.done:
            delta += reader.finish()
        call_id = call.get("id")
        return [
            CallStart(index, name, str(call_id) if call_id else None),
            ArgumentsDelta(index, delta),
            CallEnd(index),
        ]


class StreamingToolCallHandler:
    """A relic: converters written for the lineage import this name. Nothing here uses it."""

    def __init__(self, converter: ToolCallConverter | None = None) -> None:
        self.converter = converter
