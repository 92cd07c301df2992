"""Calls written in a syntax: the inverse of reading. For past calls in a prompt, and half of our tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from converters.syntaxes import Syntax

Call = tuple[str, Mapping[str, Any]]
"""A function's name and its arguments."""


def render_calls(syntax: Syntax, calls: Iterable[Call]) -> str:
    """The calls as a model of that row would write them."""
    if not syntax.group:
        return syntax.between.join(_call(syntax, *call) for call in calls)
    opening, closing = syntax.group.split("{calls}")
    texts = [_call(syntax, *call) for call in calls]
    if syntax.grouped == "each":
        return syntax.between.join(f"{opening}{text}{closing}" for text in texts)
    return f"{opening}{syntax.between.join(texts)}{closing}"


def _call(syntax: Syntax, name: str, arguments: Mapping[str, Any]) -> str:
    if syntax.shape == "json_object":
        head, foot = syntax.call.split("{object}")
        return head + _json({"name": name, "arguments": arguments}) + foot
    head, foot = syntax.call.split("{parameters}")
    parameters = "".join(_parameter(syntax, key, value) for key, value in arguments.items())
    return head.replace("{name}", name) + parameters + foot


def _parameter(syntax: Syntax, key: str, value: Any) -> str:
    head, foot = syntax.parameter.split("{value}")
    text = value if isinstance(value, str) else _json(value)
    return head.replace("{key}", key) + text + foot.replace("{key}", key)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
