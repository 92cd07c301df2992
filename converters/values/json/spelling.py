"""JSON of a request's history, read and written again: numbers keep their spelling, keys their order.

`json.loads` would make 1e400 infinite and 0.10 shorter; both are what a model once wrote. Floats of another reader that
have their spelling in `text` are written as they are spelled, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from converters.values.json.whole import levels

DEEPEST = 128
"""Levels of containers that are read and written: what an answer's arguments may have, too."""
_TOO_DEEP = '"(nested too deep)"'


class Number(float):
    """A number that keeps its spelling. It is for writing only: its value is always 0."""

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, 0.0)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def read(text: str) -> Any:
    """The value of a JSON text. Raises ValueError where it is none, or nested deeper than DEEPEST."""
    try:
        value = json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if levels(value) > DEEPEST:
        raise ValueError("nested too deep")
    return value


class Layout(NamedTuple):
    """The white space of a JSON text, and the order of keys."""

    comma: str = ", "
    colon: str = ": "
    indent: int = 0
    """Blanks for each level; without any, all stands on one line."""
    ordered: bool = False
    """Whether keys are sorted."""


PLAIN = Layout()


def write(value: Any, layout: Layout = PLAIN) -> str:
    """The JSON of any value. What JSON cannot hold is written as a string of it."""
    return _written(value, 0, layout)


def _written(value: Any, level: int, layout: Layout) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _number(value)
    if level > DEEPEST:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: _key(member[0])) if layout.ordered else value.items()
        parts = [
            f"{_written(_key(key), level, layout)}{layout.colon}{_written(each, level + 1, layout)}"
            for key, each in members
        ]
        return _container("{}", parts, level, layout)
    if isinstance(value, list | tuple):
        return _container("[]", [_written(each, level + 1, layout) for each in value], level, layout)
    return json.dumps(str(value), ensure_ascii=False)


def _container(brackets: str, parts: list[str], level: int, layout: Layout) -> str:
    if not layout.indent or not parts:
        return brackets[0] + layout.comma.join(parts) + brackets[1]
    outer = "\n" + " " * (layout.indent * level)
    inner = outer + " " * layout.indent
    return brackets[0] + inner + ("," + inner).join(parts) + outer + brackets[1]


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key)


def _number(value: float) -> str:
    text = getattr(value, "text", None)
    if isinstance(text, str):
        return text
    try:
        return json.dumps(value)
    except ValueError:  # an integer of more digits than Python writes in decimal
        return json.dumps(hex(int(value)))
