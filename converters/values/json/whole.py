"""Strict JSON that has come whole, read by the standard library. Only what needs no change at all is."""

from __future__ import annotations

import json
import re
from typing import Any


class _NotStrict(ValueError):
    """The library accepts it, but arguments may not hold it: a key that comes twice, NaN or Infinity."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotStrict
    return members


def _no_constant(name: str) -> None:
    raise _NotStrict(name)


_SPECIAL = re.compile(r"\\u[dD][89a-fA-F]|[eE]\+?[0-9]{3}|[0-9]{300}")
"""Perhaps half a surrogate pair, or a number that is infinite for a client."""
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def read_whole(text: str, pos: int = 0) -> tuple[Any, int] | None:
    """(the value at a position, the position behind it); None if it is incomplete, not strict or nested too deep."""
    try:
        value, end = _DECODER.raw_decode(text, pos)
    except (ValueError, RecursionError):
        return None
    return None if _SPECIAL.search(text, pos, end) else (value, end)


def levels(value: Any) -> int:
    """How deep containers stand in each other."""
    found = 0
    level = [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        found += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return found
