"""A row of the table behind the face that third parties know, so that built-in and registered converters look alike."""

from __future__ import annotations

import re
from typing import Any

from converters.base import ToolCallConverter
from converters.stages.pipeline import OutputParser, new_parser
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, CallStart, Text
from converters.text.expectations import Expectations


def plain_name(model: str) -> str:
    """A model's name as the table's patterns expect it: lower case, `-` for `_`, `:` and blanks."""
    return re.sub(r"[_: ]", "-", model.lower())


class SyntaxConverter(ToolCallConverter):
    """Reads what models of one row write; and, as the bytes decide, every other row too."""

    def __init__(self, syntax: Syntax | None) -> None:
        self.syntax = syntax
        """None for models whose names say nothing."""

    def can_handle_model(self, model_name: str) -> bool:
        if self.syntax is None:
            return True
        return bool(self.syntax.models and re.search(self.syntax.models, plain_name(model_name)))

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        parser = self.new_parser(Expectations())
        for event in [*parser.feed(content), *parser.finish()]:
            if isinstance(event, CallStart):
                function = {"name": event.name, "arguments": ""}
                calls.append({"id": event.id, "type": "function", "function": function})
            elif isinstance(event, ArgumentsDelta):
                calls[event.index]["function"]["arguments"] += event.delta
        return calls

    def strip_tool_calls(self, content: str) -> str:
        parser = self.new_parser(Expectations())
        events = [*parser.feed(content), *parser.finish()]
        return "".join(event.text for event in events if isinstance(event, Text))

    def new_parser(self, expectations: Expectations) -> OutputParser:
        return new_parser(expectations, self.syntax)

    def starts_inside(self, model_name: str, thinking: bool | None = None) -> bool:
        """Whether the model's prompt has already opened its reasoning; `thinking` is what the request says of it."""
        if self.syntax is None or thinking is False:
            return False
        name = plain_name(model_name)
        patterns = [self.syntax.prefilled, self.syntax.prefilled_when_thinking if thinking else ""]
        return any(pattern and re.search(pattern, name) for pattern in patterns)
