"""The adaptation of last resort: the tools stand in the prompt, in the model's own syntax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.adapt.facts import Facts, Request
from backends.adapt.messages import calls_of, is_result, without
from backends.adapt.stand_in import prompted as in_prompt
from backends.adapt.tools import functions, named_in
from converters.text.expectations import Choice

_GONE = ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call")


def prompted(body: Request, facts: Facts) -> Request:
    """Tools, past calls and results are written into the messages; the request knows of no tools."""
    body = functions(body, facts)
    messages = body.get("messages")
    tools = body.get("tools")
    if not isinstance(messages, list) or not (tools or any(calls_of(each) or is_result(each) for each in messages)):
        return body
    choice = body.get("tool_choice")
    named = named_in(choice)
    declared = _declared(tools, choice)
    told = [each for each in messages if isinstance(each, dict)]
    written = in_prompt(told, declared, facts.syntax, _demand(choice), named)
    return {**without(body, *_GONE), "messages": written}


_CHOICES: Mapping[str, Choice] = {"none": "none", "required": "required", "any": "required"}


def _demand(choice: Any) -> Choice:
    """What a choice demands."""
    if isinstance(choice, str):
        return _CHOICES.get(choice, "auto")
    if not isinstance(choice, dict):
        return "auto"
    allowed = choice.get("allowed_tools")
    if choice.get("type") == "allowed_tools" and isinstance(allowed, dict):
        return "required" if allowed.get("mode") == "required" else "auto"
    return "required" if named_in(choice) else "auto"


def _declared(tools: Any, choice: Any) -> list[dict[str, Any]]:
    """The tools that may be called."""
    found = [each for each in tools if isinstance(each, dict)] if isinstance(tools, list) else []
    allowed = choice.get("allowed_tools") if isinstance(choice, dict) else None
    listed = allowed.get("tools") if isinstance(allowed, dict) else None
    if not isinstance(listed, list):
        return found
    names = [each for tool in listed if (each := named_in(tool)) is not None]
    return [each for each in found if named_in(each) in names]
