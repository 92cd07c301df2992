"""The built-in syntaxes as converters, so that they have the same interface as registered ones."""

from __future__ import annotations

import re
from typing import Any

from converters.base import ToolCallConverter
from converters.stages.pipeline import OutputParser, new_parser
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, CallStart, Text
from converters.text.expectations import Expectations


def plain_name(model: str) -> str:
    """A model's name in the form that the table's patterns match: lower case, with `-` for `_`, `:` and spaces."""
    return re.sub(r"[_: ]", "-", model.lower())


class SyntaxConverter(ToolCallConverter):
    """Reads the syntax of one row. It also recognizes every other row, because the text counts more than the name."""

    def __init__(self, syntax: Syntax | None) -> None:
        self.syntax = syntax
        """The row that is expected; None for models whose name matches no row."""

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
