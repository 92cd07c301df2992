"""Calls written in a syntax: the inverse of reading. For past calls in a prompt, and half of our tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from converters.syntaxes import Syntax

Call = tuple[str, Mapping[str, Any]]
"""A function's name and its arguments."""


def render_calls(syntax: Syntax, calls: Iterable[Call]) -> str:
    """The calls as a model of that row would write them."""
    return _run(syntax, list(calls)) + syntax.end


def _run(syntax: Syntax, calls: Sequence[Call]) -> str:
    if not syntax.group:
        return syntax.between.join(_call(syntax, *call, place) for place, call in enumerate(calls))
    opening, closing = syntax.group.split("{calls}")
    texts = [_call(syntax, *call, place) for place, call in enumerate(calls)]
    if syntax.grouped == "each":
        openings = [opening.replace("{name}", name) for name, _ in calls]
        return syntax.between.join(f"{head}{text}{closing}" for head, text in zip(openings, texts, strict=True))
    return f"{opening}{syntax.between.join(texts)}{closing}"


def _call(syntax: Syntax, name: str, arguments: Mapping[str, Any], place: int) -> str:
    if syntax.shape == "json_object":
        head, foot = syntax.call.split("{object}")
        return head.replace("{name}", name) + _json(_object(syntax, name, arguments, place)) + foot
    if syntax.shape == "pythonic":
        keywords = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        return syntax.call.replace("{name}", name).replace("{arguments}", keywords)
    if syntax.shape in ("named_json", "relaxed"):
        head, foot = syntax.call.split("{arguments}")
        spelled = _relaxed(arguments, syntax.delimiter) if syntax.delimiter else _json(arguments)
        return _header(syntax, head, name, place) + spelled + foot
    head, foot = syntax.call.split("{parameters}")
    parameters = "".join(_parameter(syntax, key, value) for key, value in arguments.items())
    return _header(syntax, head, name, place) + parameters + foot


def _header(syntax: Syntax, head: str, name: str, place: int) -> str:
    return head.replace("{id}", _id(syntax, place)).replace("{name}", name)


def _id(syntax: Syntax, place: int) -> str:
    return syntax.id.replace("{place}", str(place)).replace("{number}", str(place + 1))


def _object(syntax: Syntax, name: str, arguments: Mapping[str, Any], place: int) -> dict[str, Any]:
    name_key, arguments_key = syntax.keys
    named = {name_key: name, arguments_key: arguments} if name_key else {name: arguments}
    return {syntax.id_key: _id(syntax, place), **named} if syntax.id_key else named


def _relaxed(value: Any, delimiter: str) -> str:
    """JSON with bare keys, and strings between delimiters."""
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
    key = escape(key) if syntax.escaped else key
    return head.replace("{type}", _type(syntax, value)).replace("{key}", key) + text + foot.replace("{key}", key)


def _type(syntax: Syntax, value: Any) -> str:
    """What a syntax says of a value's type: whether it is a string, or which type of JSON it is."""
    if syntax.string_types[0] == "true":
        return "true" if isinstance(value, str) else "false"
    kinds: dict[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), "number")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
