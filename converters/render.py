"""Renders calls in a syntax, as a model of that syntax writes them: the inverse of parsing.

For the calls of a request's history in a prompt, and for tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from converters.syntaxes import Syntax
from converters.values.json.spelling import write

Call = tuple[str, Mapping[str, Any]]
"""A function's name and its arguments."""


def render_calls(syntax: Syntax, calls: Iterable[Call]) -> str:
    """Return the text of one turn with these calls."""
    calls = list(calls)
    ids = [call_id(syntax, name, index) for index, (name, _) in enumerate(calls)]
    return _run(syntax, calls, ids) + syntax.turn_end


def render_around(syntax: Syntax, name: str, parameters: str) -> str:
    """Return the text of one turn with one call, whose parameters in tags are written already."""
    mark = "\0"  # in no sample
    whole = render_calls(syntax, [(name, {mark: mark})])
    return whole.replace(_parameter(syntax, mark, mark), parameters, 1)


def render_past(syntax: Syntax, calls: Sequence[Call], ids: Sequence[str]) -> str:
    """Return the text of a past turn with these calls and their ids, without its end: the chat template writes that."""
    return _run(syntax, calls, ids, syntax.prompt.last_id_key)


def call_id(syntax: Syntax, name: str, index: int) -> str:
    """Return what the row writes for `{id}` of a call of this function, where `index` counts from 0."""
    holes = {"name": name, "index": str(index), "number": str(index + 1)}
    return re.sub(r"\{(name|index|number)\}", lambda hole: holes[hole[1]], syntax.id)


def _run(syntax: Syntax, calls: Sequence[Call], ids: Sequence[str], last_id_key: str = "") -> str:
    """All calls with their groups, without the end of the turn."""
    texts = [_call(syntax, *call, each, last_id_key) for call, each in zip(calls, ids, strict=True)]
    if not syntax.group:
        return syntax.between.join(texts)
    opening, closing = syntax.group.split("{calls}")
    if syntax.grouped == "each":
        openings = [opening.replace("{name}", name) for name, _ in calls]
        return syntax.between.join(f"{head}{text}{closing}" for head, text in zip(openings, texts, strict=True))
    return f"{opening}{syntax.between.join(texts)}{closing}"


def _call(syntax: Syntax, name: str, arguments: Mapping[str, Any], own_id: str, last_id_key: str) -> str:
    if syntax.shape == "json_object":
        head, foot = syntax.call.split("{object}")
        members = _object(syntax, name, arguments, own_id) | ({last_id_key: own_id} if last_id_key else {})
        return head.replace("{name}", name) + write(members) + foot
    if syntax.shape == "pythonic":
        keywords = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        return syntax.call.replace("{name}", name, 1).replace("{arguments}", keywords, 1)
    if syntax.shape in ("named_json", "relaxed"):
        head, foot = syntax.call.split("{arguments}")
        spelled = relaxed(arguments, syntax.delimiter) if syntax.delimiter else write(arguments)
        return _header(head, name, own_id) + spelled + foot
    head, foot = syntax.call.split("{parameters}")
    parameters = "".join(_parameter(syntax, key, value) for key, value in arguments.items())
    return _header(head, name, own_id) + parameters + foot


def _header(head: str, name: str, own_id: str) -> str:
    return re.sub(r"\{(?:(id)|name)\}", lambda hole: own_id if hole[1] else name, head)


def _object(syntax: Syntax, name: str, arguments: Mapping[str, Any], own_id: str) -> dict[str, Any]:
    name_key, arguments_key = syntax.keys
    named = {name_key: name, arguments_key: arguments} if name_key else {name: arguments}
    return {syntax.id_key: own_id, **named} if syntax.id_key else named


def relaxed(value: Any, delimiter: str) -> str:
    """JSON with keys without quotes, and strings between delimiters."""
    if isinstance(value, str):
        return f"{delimiter}{value}{delimiter}"
    if isinstance(value, Mapping):
        members = (f"{key}:{relaxed(each, delimiter)}" for key, each in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(relaxed(each, delimiter) for each in value) + "]"
    return write(value)


def _parameter(syntax: Syntax, key: str, value: Any) -> str:
    head, foot = syntax.parameter.split("{value}")
    text = value if isinstance(value, str) else write(value)
    key = escape(key) if syntax.escaped_keys else key
    return head.replace("{type}", _type(syntax, value)).replace("{key}", key) + text + foot.replace("{key}", key)


def _type(syntax: Syntax, value: Any) -> str:
    """What the row writes for `{type}`: whether the value is a string, or its JSON type."""
    if syntax.string_types[0] == "true":
        return "true" if isinstance(value, str) else "false"
    kinds: dict[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), "number")
