"""The request as the backend should see it: the bytes that were received, unless something in it must go.

A body that is changed keeps its unknown fields, the order of its keys, the digits of its numbers, and non-ASCII.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class _Number(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, 0.0)
        number.text = text
        return number


def body_for_backend(raw: bytes, body: Mapping[str, Any]) -> bytes:
    """`tools: []` changes how servers behave, and a choice among no tools is an error to some: both go."""
    unwanted = [name for name in ("tools", "functions") if body.get(name) == []]
    if not body.get("tools") and not body.get("functions"):
        choices = ("tool_choice", "function_call")
        unwanted += [name for name in choices if isinstance(body.get(name), str | dict)]
    if not unwanted:
        return raw
    exact = json.loads(raw, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    kept = {name: value for name, value in exact.items() if name not in unwanted}
    return _written(kept).encode(errors="surrogatepass")


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
