"""Templates as functions: they write turns between tokens of ChatML, and calls as a row of the table says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from converters.learning.conversations import NotRendered, Render
from converters.render import render_calls
from converters.syntaxes import SYNTAXES, Syntax

ROWS = {row.name: row for row in SYNTAXES}
WriteCalls = Callable[[Sequence[tuple[str, Mapping[str, Any]]]], str]


def template(write: WriteCalls, end: str = "<|im_end|>\n", opens: str = "") -> Render:
    """A template; `opens` is what it writes at the end of a prompt."""

    def render(variables: Mapping[str, Any]) -> str:
        text = ""
        for message in variables["messages"]:
            text += f"<|im_start|>{message['role']}\n{_said(message, write)}{end}"
        if variables.get("tools"):
            text = f"<|im_start|>tools\n{json.dumps(variables['tools'])}{end}{text}"
        return text + (f"<|im_start|>assistant\n{opens}" if variables["add_generation_prompt"] else "")

    return render


def _said(message: Mapping[str, Any], write: WriteCalls) -> str:
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        raise NotRendered("the content is no text")
    calls = [call["function"] for call in message.get("tool_calls") or []]
    if any(isinstance(call["arguments"], str) for call in calls):
        raise NotRendered("the arguments are text")
    reasoning = message.get("reasoning_content")
    thought = f"<think>{reasoning}</think>\n" if reasoning else ""
    return thought + (content or "") + (write([(call["name"], call["arguments"]) for call in calls]) if calls else "")


def writes(row: Syntax) -> Render:
    """A template of a model that writes a row."""
    return template(lambda calls: render_calls(row, calls))
