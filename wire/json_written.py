"""JSON of values that were read from JSON: in one go, or in slices where it may be long.

For a program in one go by orjson, as each request of an API that is translated is written again: 82 kB take 36 µs, and
240 µs by the standard library.
"""

from __future__ import annotations

from typing import Any

import orjson

from turns import Turns
from wire.json_values import BLANKS, NO_BLANKS, compact, spaced, spelled_whole


def as_json(value: Any, turns: Turns | None = None) -> bytes:
    """The JSON of a value, in UTF-8 and without blanks; half a character becomes `?`.

    With `turns` others take theirs meanwhile. Without, the value holds none of `wire.json_values`' own, and all its
    numbers are finite, as `wire.json_body.read_finite` sees to: orjson would write null for others.
    """
    if turns is not None:
        return spelled_whole(value, turns, NO_BLANKS)
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, or half a character
        return compact(value).encode(errors="replace")


def as_models_write_json(value: Any, turns: Turns | None = None) -> str:
    """The same with a blank behind each comma and colon, as chat templates show it to models."""
    if turns is not None:
        return spelled_whole(value, turns, BLANKS).decode()
    return spaced(value)
