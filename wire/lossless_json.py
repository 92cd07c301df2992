"""JSON that keeps the spelling of numbers, the order of keys and non-ASCII characters when it is written again."""

from __future__ import annotations

import json
from typing import Any


class Number(float):
    """A number that keeps its spelling in `text`. It is for writing only: its value is always 0."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, 0.0)
        number.text = text
        return number


def loads(text: str | bytes) -> Any:
    """Like `json.loads`, with every number, NaN and Infinity as a Number. Raises ValueError or RecursionError."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def dumps(value: Any) -> str:
    """The JSON of what `loads` returned, with one space after `,` and `:`."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dumps(key)}: {dumps(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
