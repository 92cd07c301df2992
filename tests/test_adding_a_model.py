"""docs/ADDING_A_MODEL.md, done: the made-up row of that document is added, and read and written like any other."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from converters.detect.detector import Detector
from converters.detect.openers import OpenerIndex
from converters.prompts import prompted
from converters.render import render_calls
from converters.stages.pipeline import Pipeline
from converters.stages.reasoning_calls import ReasoningCalls
from converters.stages.tool_choice import ToolChoice
from converters.syntaxes import SYNTAXES, Syntax
from converters.syntaxes.prompt import Prompt
from converters.text.events import ArgumentsDelta, CallStart, Event, Text
from converters.text.expectations import Expectations

DOCUMENT = Path(__file__).parent.parent / "docs/ADDING_A_MODEL.md"
TOOLS = {
    "get_weather": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    "ping": {"type": "object", "properties": {}},
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_weather", {"city": "서울 <b>", "days": 3}),
    ("ping", {}),
    ("get_weather", {"city": "a\n</with> b", "days": -1}),
]


@pytest.fixture(scope="module")
def parrot() -> Syntax:
    """The row, as it stands in the document."""
    code = re.search(r"```python\n(PARROT = .*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert code
    names: dict[str, Any] = {"Syntax": Syntax}
    exec(code[1], names)
    row = names["PARROT"]
    assert isinstance(row, Syntax)
    return row


def _read(parrot: Syntax, text: str, size: int) -> list[Event]:
    expectations = Expectations(tools=TOOLS)
    detector = Detector(OpenerIndex([*SYNTAXES, parrot]), expectations)
    parser = Pipeline(detector, [ReasoningCalls(expectations), ToolChoice(expectations)])
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_row_is_read_as_it_is_written(parrot: Syntax, size: int) -> None:
    text = f"Let me look.\n{render_calls(parrot, CALLS)}"
    events = _read(parrot, text, size)
    calls: list[list[str]] = []
    for event in events:
        if isinstance(event, CallStart):
            calls.append([event.name, ""])
        elif isinstance(event, ArgumentsDelta):
            calls[event.index][1] += event.delta
    assert [(name, json.loads(arguments)) for name, arguments in calls] == CALLS
    assert "".join(event.text for event in events if isinstance(event, Text)) == "Let me look."
    assert "".join(event.raw for event in events) == text


def test_the_sample_looks_as_the_model_writes_it(parrot: Syntax) -> None:
    text = render_calls(parrot, CALLS[:1])
    assert text == ("<squawk>\n<do get_weather>\n<with city>서울 <b></with>\n<with days>3</with>\n</do>\n</squawk>")


def test_its_tools_can_be_told_in_a_prompt(parrot: Syntax) -> None:
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "How is the weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "function": {"name": "ping", "arguments": ""}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "pong"},
    ]
    tools = [{"type": "function", "function": {"name": name, "parameters": TOOLS[name]}} for name in TOOLS]
    system, _, called, told = prompted(history, tools, parrot)
    assert f"<tools>\n{json.dumps(tools[0])}\n{json.dumps(tools[1])}\n</tools>" in system["content"]
    assert "exactly this format:\n<squawk>\n<do example_function_name>\n<with " in system["content"]
    assert called["content"] == "<squawk>\n<do ping>\n</do>\n</squawk>"
    assert told == {"role": "user", "content": "<tool_response>\npong\n</tool_response>"}


def test_the_document_names_every_field_of_a_prompt() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for field in fields(Prompt):
        assert f"`{field.name}`" in text, field.name
