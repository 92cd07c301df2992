"""A body read at once, of which it is known how its members were spelled: what is passed on need not be written again.

It says the same of every body as `wire.json_body.read_body`, to which it leaves all that is wrong with one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from json import decoder
from typing import Any

from wire.json_body import read_body
from wire.json_depth import too_deep
from wire.json_values import integer

_SCAN: Callable[[str, int], tuple[Any, int]] = getattr(json.JSONDecoder(parse_int=integer), "scan_once")  # noqa: B009
"""Makes an object of the value at a place, and says where it ends."""
_SCAN_STRING: Callable[[str, int], tuple[str, int]] = getattr(decoder, "scanstring")  # noqa: B009
"""The same for a string, from behind its opening quote."""
_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(slots=True)
class SpelledBody:
    """A body, and where the values of its members stand in its text."""

    value: Any
    text: str = ""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def spelling(self, name: str) -> bytes | None:
        """A member as it was spelled, in UTF-8; None if it is not known. Lone surrogates become question marks."""
        place = self.places.get(name)
        return None if place is None else self.text[slice(*place)].encode(errors="replace")


def read_spelled(body: bytes) -> SpelledBody:
    """The decoded JSON of `body`. Raises RequestError as `read_body` does."""
    try:
        text = body.decode("utf-8")
        found = _members(text) if text[:1] == "{" else None
    except (ValueError, StopIteration, IndexError, RecursionError):
        found = None
    if found is None or too_deep(body, found.value):
        return SpelledBody(read_body(body))
    return found


def _members(text: str) -> SpelledBody | None:
    """The object that is the whole text; None, or ValueError, StopIteration or IndexError, if there is none."""
    fields: dict[str, Any] = {}
    places: dict[str, tuple[int, int]] = {}
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
        fields[name], at = _SCAN(text, start)
        places[name] = start, at
        at = _end(blanks(text, at))
        if text[at] == "}":
            return SpelledBody(fields, text, places) if _end(blanks(text, at + 1)) == len(text) else None
        if text[at] != ",":
            return None
        at = _end(blanks(text, at + 1))
    return None


def _end(found: re.Match[str] | None) -> int:
    assert found is not None  # it takes no blanks, too
    return found.end()
