"""JSON that keeps the spelling of numbers, the order of keys and non-ASCII characters when it is written again."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class Number(float):
    """A number that keeps its spelling in `text`. It is for writing only: its value is always 0."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, 0.0)
        number.text = text
        return number


class Exact(Number):
    """A number that keeps its spelling and has its value, so that others can write it, too."""

    __slots__ = ()

    def __new__(cls, text: str) -> Exact:
        number = float.__new__(cls, text)
        number.text = text
        return number


def loads(text: str | bytes) -> Any:
    """Like `json.loads`, with every number, NaN and Infinity as a Number. Raises ValueError or RecursionError."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def loads_exact(text: str | bytes, strict: bool = False) -> Any:
    """Like `json.loads`, with fractions, NaN and Infinity as an Exact. Raises ValueError or RecursionError.

    `strict`: NaN and Infinity are a ValueError, as they are no JSON.
    """
    return json.loads(text, parse_float=Exact, parse_int=_integer, parse_constant=_no_number if strict else Exact)


def dumps(value: Any) -> str:
    """The JSON of what `loads` or `loads_exact` returned, with one space after `,` and `:`."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dumps(key)}: {dumps(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _integer(text: str) -> int | Exact:
    """An int, but for what Python does not read or write as one: thousands of digits, and -0."""
    return int(text) if len(text) < 4000 and text != "-0" else Exact(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON.")
