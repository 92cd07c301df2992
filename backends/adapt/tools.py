"""Adaptations of the declared tools and of the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.adapt.calls import functions_in_history
from backends.adapt.facts import Apply, Facts, Request
from backends.adapt.messages import Message, on_messages, same, without
from backends.adapt.schemas import simple

_NO_PARAMETERS: Message = {"type": "object", "properties": {}}
_OF_TOOL = ("type", "function")
_OF_FUNCTION = ("name", "description", "parameters", "strict")
_functions_in_history = on_messages(functions_in_history)


def on_each_function(change: Callable[[Message], Message]) -> Apply:
    """The adaptation that changes each declared function by itself."""

    def of_tool(tool: Message) -> Message:
        function = tool.get("function")
        changed = change(function) if isinstance(function, dict) else function
        return tool if changed is function else {**tool, "function": changed}

    def apply(body: Request, facts: Facts) -> Request:
        body = _on_each(body, "functions", change)
        return _on_each(body, "tools", of_tool)

    return apply


def _on_each(body: Request, name: str, change: Callable[[Message], Message]) -> Request:
    items = body.get(name)
    if not isinstance(items, list):
        return body
    changed = [change(each) if isinstance(each, dict) else each for each in items]
    return body if same(changed, items) else {**body, name: changed}


def functions(body: Request, facts: Facts) -> Request:
    """The older API becomes today's: `functions` are tools, `function_call` is a choice or a call."""
    body = _functions_in_history(body, facts)
    declared = body.get("functions")
    if "tools" in body or not isinstance(declared, list):
        return body
    choice = body.get("function_call")
    renamed: Request = {}
    for name, value in body.items():
        if name == "functions":
            renamed["tools"] = [{"type": "function", "function": each} for each in declared]
        elif name != "function_call":
            renamed[name] = value
        elif "tool_choice" not in body:
            named = {"type": "function", "function": choice} if isinstance(choice, dict) else choice
            renamed["tool_choice"] = named
    return renamed


def tools_tidy(body: Request, facts: Facts) -> Request:
    """Each tool says what the API wants it to say, and no more."""
    body = _on_each(body, "tools", _tidy_tool)
    return _on_each(body, "functions", _tidy_function)


def _tidy_tool(tool: Message) -> Message:
    function = tool.get("function")
    if not isinstance(function, dict):
        return tool
    tidy = _tidy_function(function)
    extra = [name for name in tool if name not in _OF_TOOL]
    if tidy is function and not extra and tool.get("type") == "function":
        return tool
    return {**without(tool, *extra), "type": "function", "function": tidy}


def _tidy_function(function: Message) -> Message:
    gone = [name for name, value in function.items() if value is None or name not in _OF_FUNCTION]
    tidy = without(function, *gone)
    parameters = tidy.get("parameters")
    schema = _tidy_schema(parameters) if isinstance(parameters, dict) else _NO_PARAMETERS
    return tidy if parameters is schema else {**tidy, "parameters": schema}


def _tidy_schema(schema: Message) -> Message:
    missing = {name: value for name, value in _NO_PARAMETERS.items() if name not in schema}
    if schema.get("type", "object") != "object" or not missing:
        return schema
    return {**missing, **schema}


def functions_only(body: Request, facts: Facts) -> Request:
    """Tools that are no functions leave."""
    tools = body.get("tools")
    if not isinstance(tools, list):
        return body
    kept = [each for each in tools if not isinstance(each, dict) or isinstance(each.get("function"), dict)]
    if len(kept) == len(tools):
        return body
    return {**body, "tools": kept} if kept else without(body, "tools", "tool_choice", "parallel_tool_calls")


def strict(function: Message) -> Message:
    """A function does not ask for arguments that fit strictly."""
    return without(function, "strict")


def schema_simple(function: Message) -> Message:
    """A function's schema says only what a grammar can be made of."""
    schema = function.get("parameters")
    simpler = simple(schema) if isinstance(schema, dict) else schema
    return function if simpler is schema else {**function, "parameters": simpler}


def choice_required(body: Request, facts: Facts) -> Request:
    """A named choice becomes `required`, with the named tools alone."""
    named = named_in(body.get("tool_choice"))
    tools = body.get("tools")
    if named is None or not isinstance(tools, list):
        return body
    kept = [each for each in tools if named_in(each) == named]
    return {**body, "tools": kept or tools, "tool_choice": "required"}


def choice_auto(body: Request, facts: Facts) -> Request:
    """A choice that demands a call becomes `auto`."""
    choice = body.get("tool_choice")
    demands = choice in ("required", "any") if isinstance(choice, str) else isinstance(choice, dict)
    return {**body, "tool_choice": "auto"} if demands else body


def raw(body: Request, facts: Facts) -> Request:
    """The choice becomes `none` while the tools stay: the server parses nothing, and constrains nothing."""
    if not body.get("tools") or body.get("tool_choice") == "none":
        return body
    return {**body, "tool_choice": "none"}


def named_in(tool: Any) -> str | None:
    """The function that a tool declares, or that a choice names; None if it is something else."""
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None
