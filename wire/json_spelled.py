"""A body read at once, of which it is known how its members were spelled: what is passed on need not be written again.

It says the same of every body as `wire.json_body.read_body`, to which it leaves all that is wrong with one. Of a body
with NaN or Infinity, which are no JSON, no spelling is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from json import decoder
from typing import Any

from wire.json_body import read_body
from wire.json_depth import too_deep


def _no_json(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON.")


_SCAN: Callable[[str, int], tuple[Any, int]] = getattr(  # noqa: B009
    json.JSONDecoder(parse_constant=_no_json), "scan_once"
)
"""Makes an object of the value at a place, and says where it ends."""
_SCAN_STRING: Callable[[str, int], tuple[str, int]] = getattr(decoder, "scanstring")  # noqa: B009
"""The same for a string, from behind its opening quote."""
_HALF = re.compile(r"\\u[dD]")
"""What may be half a character."""
_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(slots=True)
class SpelledBody:
    """A body, and where the values of its members stand in its text."""

    value: Any
    text: str = ""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """The same for the items of lists that were asked for."""

    def spelling(self, name: str) -> bytes | None:
        """A member as it was spelled, in UTF-8; None if that is not known, or not fit to be passed on."""
        place = self.places.get(name)
        return self.text[slice(*place)].encode() if place is not None and self._fits(*place) else None

    def spellings(self, name: str) -> Sequence[str]:
        """The same for each item of a list that was asked for; none if there is no such list."""
        place = self.places.get(name)
        if place is None or not self._fits(*place):
            return ()
        return [self.text[start:end] for start, end in self.items.get(name, ())]

    def _fits(self, start: int, end: int) -> bool:
        """Not every reader takes half a character."""
        return self.text.find("\\u", start, end) < 0 or _HALF.search(self.text, start, end) is None


def read_spelled(body: bytes, lists: frozenset[str] = frozenset()) -> SpelledBody:
    """The decoded JSON of `body`, and where the items of some `lists` of it stand. Raises RequestError as `read_body`
    does."""
    try:
        text = body.decode("utf-8")
        found = _members(text, lists) if text[:1] == "{" else None
    except (ValueError, StopIteration, IndexError, RecursionError):
        found = None
    if found is None or too_deep(body, found.value):
        return SpelledBody(read_body(body))
    return found


def _members(text: str, lists: frozenset[str]) -> SpelledBody | None:
    """The object that is the whole text; None, or ValueError, StopIteration or IndexError, if there is none."""
    fields: dict[str, Any] = {}
    places: dict[str, tuple[int, int]] = {}
    items: dict[str, list[tuple[int, int]]] = {}
    blanks = _BLANKS.match
    at = _end(blanks(text, 1))
    if text[at] == "}":
        return SpelledBody(fields) if _end(blanks(text, at + 1)) == len(text) else None
    while text[at] == '"':
        name, at = _SCAN_STRING(text, at + 1)
        at = _end(blanks(text, at))
        if text[at] != ":":
            return None
        start = _end(blanks(text, at + 1))
        if name in lists and text[start] == "[":
            fields[name], items[name], at = _listed(text, start)
        else:
            fields[name], at = _SCAN(text, start)
            items.pop(name, None)
        places[name] = start, at
        at = _end(blanks(text, at))
        if text[at] == "}":
            return SpelledBody(fields, text, places, items) if _end(blanks(text, at + 1)) == len(text) else None
        if text[at] != ",":
            return None
        at = _end(blanks(text, at + 1))
    return None


def _listed(text: str, start: int) -> tuple[list[Any], list[tuple[int, int]], int]:
    """(the items, where they stand, where the list ends). Raises ValueError, StopIteration or IndexError for none."""
    values: list[Any] = []
    places: list[tuple[int, int]] = []
    blanks = _BLANKS.match
    at = _end(blanks(text, start + 1))
    if text[at] == "]":
        return values, places, at + 1
    while True:
        value, end = _SCAN(text, at)
        values.append(value)
        places.append((at, end))
        at = _end(blanks(text, end))
        if text[at] == "]":
            return values, places, at + 1
        if text[at] != ",":
            raise ValueError("It is no list.")
        at = _end(blanks(text, at + 1))


def _end(found: re.Match[str] | None) -> int:
    assert found is not None  # it takes no blanks, too
    return found.end()
