"""JSON read and written with the digits of its numbers, the order of its keys and its letters as they were."""

from __future__ import annotations

import json
from typing import Any


class Number(float):
    """A number that remembers how it was written. It is for writing only: its value is 0."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, 0.0)
        number.text = text
        return number


def read(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def written(value: Any) -> str:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
