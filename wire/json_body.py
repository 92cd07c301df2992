"""Reading of a request's body as JSON of limited depth. Errors name the position of what is wrong.

A small body becomes objects as a whole. Of a large one only the members that somebody asks for are found, in slices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

import orjson

from errors import RequestError
from turns import Turns
from wire.json_depth import MAX_DEPTH, looked_through
from wire.json_slices import Entry, JsonFault, JsonText, TooDeep, place_of, utf8_of
from wire.json_values import ValueReader, integer

LARGE = 1 << 20
"""Bytes beyond which a body is read in slices. Below, it is read in about ten milliseconds."""

_LONGEST_PATH = 200
"""Characters of a path in an error: the names in it are the client's."""
_FAULTS = (json.JSONDecodeError, JsonFault, UnicodeDecodeError, RecursionError, TooDeep)


class _NotFinite(ValueError):
    """A number is larger than any, or none."""


def _finite(spelled: str) -> float:
    number = float(spelled)
    if not isfinite(number):
        raise _NotFinite
    return number


def _finite_integer(spelled: str) -> int:
    number = integer(spelled)
    if isinstance(number, float):  # it is larger than any
        raise _NotFinite
    return number


def _no_number(_spelled: str) -> float:
    raise _NotFinite


_ANY = json.JSONDecoder(), json.JSONDecoder(parse_int=integer)
_FINITE = (
    json.JSONDecoder(parse_float=_finite, parse_constant=_no_number),
    json.JSONDecoder(parse_int=_finite_integer, parse_float=_finite, parse_constant=_no_number),
)
"""(a decoder, one for integers of more digits than Python makes a number of). The second calls a function of ours for
each integer: ten times slower where there are nothing but numbers."""
_Decoders = tuple[json.JSONDecoder, ...]


def read_body(body: bytes) -> Any:
    """The decoded JSON of `body`. Raises RequestError if it is not JSON, not UTF-8, or nested too deeply."""
    return _read(body, _ANY)


def read_finite(body: bytes, item: str = "[{}]") -> Any:
    """The same for what is written as JSON again: it raises RequestError for NaN, Infinity and 1e999, too.

    The error names the field; `item` is how the place in a list is told.
    """
    try:
        return _read(body, _FINITE)
    except _NotFinite:
        pass
    value = read_body(body)
    where = _where_not_finite(value, "", item)
    if where is None:
        return value  # a later member of the same name counts
    where = where[:_LONGEST_PATH]
    told = f"'{where}' is" if where else "The request body holds"
    raise RequestError(f"{told} a number that is not finite.", param=where or None)


def _where_not_finite(value: Any, where: str, item: str) -> str | None:
    """The path to the first such number; None if there is none."""
    if isinstance(value, float):
        return None if isfinite(value) else where
    members: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        members = ((f"{where}.{name}" if where else name, member) for name, member in value.items())
    elif isinstance(value, list):
        members = ((where + item.format(place), member) for place, member in enumerate(value))
    return next((found for at, each in members if (found := _where_not_finite(each, at, item)) is not None), None)


def _read(body: bytes, decoders: _Decoders) -> Any:
    try:
        value = orjson.loads(body)
        deep, large = looked_through(value)
    except orjson.JSONDecodeError:
        large = True
    if large:  # wrong, or what only Python's own reader takes: NaN, half characters, integers of more than 64 bits
        value = _patiently(body, decoders)
        deep, _ = looked_through(value)
    if deep:
        raise _too_deep()
    return value


def _patiently(body: bytes, decoders: _Decoders) -> Any:
    try:
        return _decoded(body.decode(json.detect_encoding(body), "surrogatepass"), decoders)
    except _FAULTS as fault:
        raise _told(fault, body) from None


def _decoded(text: str, decoders: _Decoders) -> Any:
    usual, patient = decoders
    try:
        return usual.decode(text)
    except (json.JSONDecodeError, _NotFinite):
        raise
    except ValueError:
        return patient.decode(text)


def find_members(body: bytes, names: frozenset[str]) -> tuple[JsonText, dict[str, Entry]]:
    """The members with these names of the object `body`, which was walked to its end, and the text they stand in.

    Raises RequestError as `read_body` does, and if the body is no object.
    """
    turns = Turns()
    try:
        text = JsonText(utf8_of(body, turns), turns)
        start = text.blanks(0)
        if text.text[start : start + 1] != b"{":
            text.check()
            raise RequestError("The request body must be a JSON object.")
        found, end = text.named(start, names)
        text.no_more(end)
    except _FAULTS as fault:
        raise _told(fault, body) from None
    return text, found


class LongList:
    """A list of a large body that was walked. Each time it is gone through, items are made one after the other."""

    def __init__(self, text: JsonText, start: int) -> None:
        self._text = text
        self._start = start

    def __iter__(self) -> Iterator[Any]:
        reader = ValueReader(self._text)
        for each in reader.items(self._start, 1):
            if isinstance(each, Entry):
                yield reader.value(each.start, each.end, 2)
            else:
                yield from each


def read_large(body: bytes, names: frozenset[str], long: str) -> dict[str, Any]:
    """The members with these names of a large object, of which the list `long` becomes a LongList.

    Raises RequestError as `find_members` does.
    """
    text, members = find_members(body, names)
    reader = ValueReader(text)
    return {
        name: LongList(text, each.start)
        if name == long and text.text[each.start : each.start + 1] == b"["
        else reader.value(each.start, each.end, 1)
        for name, each in members.items()
    }


def _told(fault: Exception, body: bytes) -> RequestError:
    """What is wrong with the body."""
    if isinstance(fault, json.JSONDecodeError):
        return _invalid(fault.msg, fault.lineno, fault.colno)
    if isinstance(fault, JsonFault):
        turns = Turns()
        return _invalid(fault.reason, *place_of(utf8_of(body, turns), fault.at, turns))
    if isinstance(fault, UnicodeDecodeError):
        return RequestError(f"The request body is not valid UTF-8 at byte {fault.start}.")
    return _too_deep()


def _invalid(reason: str, line: int, column: int) -> RequestError:
    return RequestError(f"The request body is not valid JSON: {reason} at line {line}, column {column}.")


def _too_deep() -> RequestError:
    return RequestError(f"The request body is nested more than {MAX_DEPTH} levels deep.")
