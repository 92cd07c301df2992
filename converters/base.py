"""The base class for third-party converters: two methods make one that works buffered and streamed.

    class MyModelConverter(ToolCallConverter):
        def can_handle_model(self, model_name): return model_name.startswith("mymodel")
        def parse_tool_calls(self, content): ...

`WholeTextParser` makes it stream. It holds an answer to its end, so that no part of a call leaks into the text. With
`start_markers`, it passes on at once the text before the first marker.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from converters.stages.pipeline import OutputParser
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Removed, Text
from converters.text.expectations import Expectations
from converters.text.scanner import Markers
from converters.values.writer import JsonArguments


class ToolCallConverter(ABC):
    """Finds the tool calls in the text of some models. Only the two abstract methods are required."""

    start_markers: tuple[str, ...] = ()
    """Every call begins with one of these literals. Text before the first of them is streamed at once."""

    @abstractmethod
    def can_handle_model(self, model_name: str) -> bool:
        """Whether this converter reads the answers of that model. `model_name` is as the request has it."""

    @abstractmethod
    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        """The calls in the text, in order; an empty list if there are none.

        A call is an OpenAI tool-call object, whose id is optional, or a dict with `name` and `arguments`. `arguments`
        is an object or its JSON text.
        """

    def strip_tool_calls(self, content: str) -> str:
        """The part of a text with calls that is meant for the user. By default it is empty."""
        clean = getattr(self, "_clean_content", None)  # the name of this method in converters for older proxies
        return str(clean(content) or "") if clean is not None else ""

    def new_parser(self, expectations: Expectations) -> OutputParser:
        """A parser for one answer. Override it to stream calls before the end of the answer."""
        return WholeTextParser(self, expectations)


class WholeTextParser:
    """Makes a stream parser from a converter of whole texts. It holds the text from the first start marker on."""

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
            found = self._call(index, call)
            if not found:
                return [Noted("arguments_unreadable"), Text(content)]
            events += found
        return events

    def _call(self, index: int, call: dict[str, Any]) -> list[Event]:
        """The events of a call; none if its arguments are unreadable."""
        function = call.get("function", call)
        name = str(function["name"])
        name = self._expectations.declared(name) or name
        arguments = function.get("arguments") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        reader = JsonArguments(self._expectations.schema(name))
        delta = reader.feed(text)
        if not reader.done:
            delta += reader.finish()
        if reader.unreadable:
            return []
        call_id = call.get("id")
        return [
            CallStart(index, name, str(call_id) if call_id else None),
            ArgumentsDelta(index, delta),
            CallEnd(index),
        ]


class StreamingToolCallHandler:
    """For compatibility only: converters written for older proxies import this name. Nothing here uses it."""

    def __init__(self, converter: ToolCallConverter | None = None) -> None:
        self.converter = converter
