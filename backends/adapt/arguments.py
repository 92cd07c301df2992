"""Adaptations of the arguments of past calls, which some servers want as text and some templates as objects."""

from __future__ import annotations

from typing import Any

from backends.adapt.messages import Message
from wire.json_depth import too_deep
from wire.lossless_json import dumps, loads_exact

RAW = "_raw"
"""The name under which arguments stand that are no JSON object."""


def arguments_object(call: Message) -> Message:
    """Arguments become objects, if they are the text of one."""
    function = call.get("function")
    text = function.get("arguments") if isinstance(function, dict) else None
    found = read_object(text) if isinstance(text, str) else None
    return call if found is None else _with(call, found)


def arguments_raw(call: Message) -> Message:
    """Arguments that are no JSON object become one that quotes them; none become an empty object."""
    function = call.get("function")
    if not isinstance(function, dict):
        return call
    arguments = function.get("arguments")
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return _with(call, "{}")
    if isinstance(arguments, dict) or (isinstance(arguments, str) and read_object(arguments) is not None):
        return call
    return _with(call, dumps({RAW: arguments}))


def arguments_text(call: Message) -> Message:
    """Arguments that are an object become its JSON."""
    function = call.get("function")
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return _with(call, dumps(arguments)) if isinstance(arguments, dict | list) else call


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, with the spelling of its numbers; None if it is none, or nests too deeply."""
    try:
        found = loads_exact(text, strict=True)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and not too_deep(text, found) else None


def _with(call: Message, arguments: Any) -> Message:
    return {**call, "function": {**call["function"], "arguments": arguments}}
