"""Reading of a request's body as JSON of limited depth. Errors name the position of what is wrong.

A small body becomes objects as a whole. Of a large one only the members that somebody asks for are found, in slices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from errors import RequestError
from turns import Turns
from wire.json_depth import MAX_DEPTH, too_deep
from wire.json_slices import Entry, JsonFault, JsonText, TooDeep, place_of, utf8_of
from wire.json_values import ValueReader, integer

LARGE = 1 << 20
"""Bytes beyond which a body is read in slices. Below, it is read in about ten milliseconds."""

_FAULTS = (json.JSONDecodeError, JsonFault, UnicodeDecodeError, RecursionError, TooDeep)
_WITH_LONG_NUMBERS = json.JSONDecoder(parse_int=integer)
"""It calls a function of ours for each integer: ten times slower where there are nothing but numbers."""


def read_body(body: bytes) -> Any:
    """The decoded JSON of `body`. Raises RequestError if it is not JSON, not UTF-8, or nested too deeply."""
    try:
        value = _decoded(body.decode(json.detect_encoding(body), "surrogatepass"))
    except _FAULTS as fault:
        raise _told(fault, body) from None
    if too_deep(body, value):
        raise _too_deep()
    return value


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python makes a number of
        return _WITH_LONG_NUMBERS.decode(text)


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
