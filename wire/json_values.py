"""Objects made of a JsonText in slices, and objects written as JSON in slices.

What nobody looks into need not become objects: a RawJson stands for it and is written as it was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Literal

from turns import Turns
from wire.json_slices import Entry, JsonText, Run
from wire.lossless_json import Number

SMALL = 1 << 16
"""Bytes that may be read, and characters that may be written, in one go: about a millisecond."""
_MOST_DIGITS = 4000
_QUOTE, _LIST, _OBJECT = b'"[{'


class RawJson:
    """A JSON value as it is spelled in UTF-8."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


class TooLong(ValueError):
    """The value is longer than the reader was told to take."""


class ValueReader:
    """Makes objects of values of a text that was walked before, so that it is known to be right."""

    def __init__(self, text: JsonText, most: int | None = None, leave_out: frozenset[str] = frozenset()) -> None:
        """`most` is how many bytes it makes objects of. Long members with names of `leave_out` are left out."""
        self._text = text
        self._most = most
        self.taken = 0
        """Bytes of which objects were made."""
        self._leave_out = leave_out

    def value(self, start: int, end: int, level: int = 0) -> Any:
        """The object for the value from `start` to `end`. Raises TooLong."""
        kind = self._text.text[start]
        if end - start <= SMALL:
            return self._small(start, end)
        if kind == _QUOTE:
            return self.string(start, end)
        if kind == _LIST:
            return self._list(start, level)
        if kind == _OBJECT:
            return self._object(start, level)
        return self._small(start, end)

    def string(self, start: int, end: int) -> str:
        """The string from `start` to `end`. Raises TooLong."""
        self._take(end - start)
        return "".join(self.pieces(start))

    def pieces(self, start: int) -> Iterator[str]:
        """The string at `start`, in pieces."""
        for begin, end in self._text.string_pieces(start):
            yield json.loads('"' + self._decoded(begin, end) + '"')

    def items(self, start: int, level: int = 0, only_objects: bool = False) -> Iterator[list[Any] | Entry]:
        """The items of the list at `start`: small ones as objects, many at a time, and where the others stand.

        `only_objects`: JSON objects matter, and others may be left out.
        """
        for each in self._text.entries(start, level):
            if only_objects and self._text.text.find(b"{", each.start, each.end) < 0:
                continue
            if isinstance(each, Run) or each.end - each.start <= SMALL:
                self._take(each.end - each.start)
                yield json.loads(f"[{self._decoded(each.start, each.end)}]", parse_int=integer)
                self._text.turns.take()
            else:
                yield each

    def members(self, run: Run) -> dict[str, Any]:
        """Neighbouring small members."""
        self._take(run.end - run.start)
        members: dict[str, Any] = json.loads("{" + self._decoded(run.start, run.end) + "}", parse_int=integer)
        return members

    def _list(self, start: int, level: int) -> list[Any]:
        found: list[Any] = []
        for each in self._text.entries(start, level):
            if isinstance(each, Run):
                self._take(each.end - each.start)
                found += json.loads(f"[{self._decoded(each.start, each.end)}]", parse_int=integer)
            else:
                found.append(self.value(each.start, each.end, level + 1))
        return found

    def _object(self, start: int, level: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self._text.entries(start, level):
            if isinstance(each, Run):
                found.update(self.members(each))
                continue
            name = self.string(each.name, each.start)
            if name not in self._leave_out or each.end - each.start <= SMALL // 16:
                found[name] = self.value(each.start, each.end, level + 1)
        return found

    def _small(self, start: int, end: int) -> Any:
        self._take(end - start)
        value = json.loads(self._decoded(start, end), parse_int=integer)
        self._text.turns.take()
        return value

    def _take(self, size: int) -> None:
        self.taken += size
        if self._most is not None and self.taken > self._most:
            raise TooLong

    def _decoded(self, start: int, end: int) -> str:
        return self._text.text[start:end].decode("utf-8", "surrogatepass")


def integer(text: str) -> int | float:
    """`text` as an int, or infinity for thousands of digits, which Python refuses: the backend judges such numbers."""
    return int(text) if len(text) < _MOST_DIGITS else float("inf")


def spelled(
    value: Any,
    turns: Turns,
    separators: tuple[str, str] = (", ", ": "),
    lone: Literal["replace", "backslashreplace"] = "replace",
) -> Iterator[bytes]:
    """`value` as JSON in UTF-8, in pieces, with each RawJson and each Number as it is spelled.

    `lone` says what becomes of lone surrogates: `?`, or their escapes.
    """
    comma, colon = separators
    if isinstance(value, RawJson):
        yield value.text
    elif isinstance(value, Number):
        yield value.text.encode()
    elif isinstance(value, str) and len(value) > SMALL:
        yield b'"'
        for start in range(0, len(value), SMALL):
            yield _dumped(value[start : start + SMALL], lone)[1:-1]
            turns.take()
        yield b'"'
    elif isinstance(value, dict):
        yield b"{"
        for place, (name, each) in enumerate(value.items()):
            yield (comma.encode() if place else b"") + _dumped(name, lone) + colon.encode()
            yield from spelled(each, turns, separators, lone)
        yield b"}"
    elif isinstance(value, list):
        yield b"["
        for place, each in enumerate(value):
            yield comma.encode() if place else b""
            yield from spelled(each, turns, separators, lone)
        yield b"]"
    else:
        yield _dumped(value, lone)
        turns.take()


def spelled_whole(
    value: Any,
    turns: Turns,
    separators: tuple[str, str] = (", ", ": "),
    lone: Literal["replace", "backslashreplace"] = "replace",
) -> bytes:
    """`value` as `spelled` writes it."""
    written = BytesIO()  # a hundred thousand pieces would be joined in one go, and a bytearray be copied
    written.writelines(spelled(value, turns, separators, lone))
    return written.getvalue()


_NO_JSON = {"NaN": "null", "Infinity": "1e999", "-Infinity": "-1e999"}
"""Numbers that Python writes and JSON does not spell, and what is written: JSON's `1e999` is what becomes infinite."""


def _dumped(value: Any, lone: str) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    return (_NO_JSON.get(text, text) if value.__class__ is float else text).encode(errors=lone)


BLANKS = (", ", ": ")
NO_BLANKS = (",", ":")
_ENCODERS = {
    separators: json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, separators=separators, check_circular=False
    ).encode
    for separators in (BLANKS, NO_BLANKS)
}
"""Made once: `json.dumps` makes one for each value. What was read from JSON has no circles to look for."""


def compact(value: Any) -> str:
    """`value` as JSON without blanks, whatever number or RawJson is in it."""
    return _written(value, NO_BLANKS)


def spaced(value: Any) -> str:
    """The same with a blank behind each comma and colon."""
    return _written(value, BLANKS)


def _written(value: Any, separators: tuple[str, str]) -> str:
    try:
        return _ENCODERS[separators](value)
    except (TypeError, ValueError):  # part of it is long and stayed as it was received, or is no number of JSON
        return spelled_whole(value, Turns(), separators).decode(errors="replace")
