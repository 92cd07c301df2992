"""JSON that has come whole: the standard library reads it, and says whether it is as strict as ours must be."""

from __future__ import annotations

import json
from typing import Any


class _NotStrict(ValueError):
    """What the library takes, but a call's arguments may not hold: a key that stands twice, or NaN."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotStrict
    return members


def _no_constant(name: str) -> None:
    raise _NotStrict(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def read_whole(text: str, place: int = 0) -> tuple[Any, int] | None:
    """The value that begins at a place and the place behind it; None if it is not all there or not strict."""
    try:
        return _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):  # deeper than the library goes
        return None
