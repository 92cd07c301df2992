"""Renders calls in a syntax, as a model of that syntax writes them: the inverse of parsing.

For the calls of a request's history in a prompt, and for tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from converters.syntaxes import Syntax

Call = tuple[str, Mapping[str, Any]]
"""A function's name and its arguments."""


def render_calls(syntax: Syntax, calls: Iterable[Call]) -> str:
    """Return the text of one turn with these calls."""
    return _run(syntax, list(calls)) + syntax.turn_end


def _run(syntax: Syntax, calls: Sequence[Call]) -> str:
    """All calls with their groups, without the end of the turn."""
    if not syntax.group:
        return syntax.between.join(_call(syntax, *call, index) for index, call in enumerate(calls))
    opening, closing = syntax.group.split("{calls}")
    texts = [_call(syntax, *call, index) for index, call in enumerate(calls)]
    if syntax.grouped == "each":
        openings = [opening.replace("{name}", name) for name, _ in calls]
        return syntax.between.join(f"{head}{text}{closing}" for head, text in zip(openings, texts, strict=True))
    return f"{opening}{syntax.between.join(texts)}{closing}"


def _call(syntax: Syntax, name: str, arguments: Mapping[str, Any], index: int) -> str:
    if syntax.shape == "json_object":
        head, foot = syntax.call.split("{object}")
        return head.replace("{name}", name) + _json(_object(syntax, name, arguments, index)) + foot
    if syntax.shape == "pythonic":
        keywords = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        return syntax.call.replace("{name}", name).replace("{arguments}", keywords)
    if syntax.shape in ("named_json", "relaxed"):
        head, foot = syntax.call.split("{arguments}")
        spelled = _relaxed(arguments, syntax.delimiter) if syntax.delimiter else _json(arguments)
        return _header(syntax, head, name, index) + spelled + foot
    head, foot = syntax.call.split("{parameters}")
    parameters = "".join(_parameter(syntax, key, value) for key, value in arguments.items())
    return _header(syntax, head, name, index) + parameters + foot


def _header(syntax: Syntax, head: str, name: str, index: int) -> str:
    return head.replace("{id}", _id(syntax, index)).replace("{name}", name)


def _id(syntax: Syntax, index: int) -> str:
    return syntax.id.replace("{index}", str(index)).replace("{number}", str(index + 1))


def _object(syntax: Syntax, name: str, arguments: Mapping[str, Any], index: int) -> dict[str, Any]:
    name_key, arguments_key = syntax.keys
    named = {name_key: name, arguments_key: arguments} if name_key else {name: arguments}
    return {syntax.id_key: _id(syntax, index), **named} if syntax.id_key else named


def _relaxed(value: Any, delimiter: str) -> str:
    """JSON with keys without quotes, and strings between delimiters."""
    if isinstance(value, str):
        return f"{delimiter}{value}{delimiter}"
    if isinstance(value, Mapping):
        members = (f"{key}:{_relaxed(each, delimiter)}" for key, each in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_relaxed(each, delimiter) for each in value) + "]"
    return _json(value)


def _parameter(syntax: Syntax, key: str, value: Any) -> str:
    head, foot = syntax.parameter.split("{value}")
    text = value if isinstance(value, str) else _json(value)
    key = escape(key) if syntax.escaped_keys else key
    return head.replace("{type}", _type(syntax, value)).replace("{key}", key) + text + foot.replace("{key}", key)


def _type(syntax: Syntax, value: Any) -> str:
    """What the row writes for `{type}`: whether the value is a string, or its JSON type."""
    if syntax.string_types[0] == "true":
        return "true" if isinstance(value, str) else "false"
    kinds: dict[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), "number")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
