"""A stand-in for `converters.prompts.prompted` until that is there: tools as Hermes has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backends.adapt.arguments import read_object
from backends.adapt.messages import calls_of, is_result, joined, text_of, without
from converters.render import render_calls
from converters.syntaxes import Syntax
from converters.text.expectations import Choice


def prompted(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    syntax: Syntax,
    choice: Choice = "auto",
    named: str | None = None,
) -> list[dict[str, Any]]:
    """The messages with tools, calls and results in their texts."""
    found: list[dict[str, Any]] = []
    for each in messages:
        calls = [_call(call) for call in calls_of(each)]
        if calls:
            text = joined([each.get("content"), render_calls(syntax, calls)])
            found.append({**without(dict(each), "tool_calls"), "content": text})
        elif is_result(each):
            content = text_of(each.get("content"))
            text = content if content is not None else json.dumps(each.get("content"), ensure_ascii=False, default=str)
            found.append({"role": "user", "content": f"<tool_response>\n{text}\n</tool_response>"})
        else:
            found.append(dict(each))
    if not tools or choice == "none":
        return found
    names = "\n".join(json.dumps(each, ensure_ascii=False, default=str) for each in tools)
    demand = f"\nCall {named or 'a tool'}." if choice == "required" else ""
    declared = f"<tools>\n{names}\n</tools>{demand}"
    if found and found[0].get("role") in ("system", "developer"):
        return [{**found[0], "content": joined([found[0].get("content"), declared])}, *found[1:]]
    return [{"role": "system", "content": declared}, *found]


def _call(call: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    found = read_object(arguments) if isinstance(arguments, str) else arguments
    return str(function.get("name")), found if isinstance(found, dict) else {"_raw": arguments}
