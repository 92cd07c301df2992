"""Reading of a request's body as JSON of limited depth. Errors name the position of what is wrong."""

from __future__ import annotations

import json
from typing import Any

from errors import RequestError

_CONTAINERS = (dict, list)
_MAX_DEPTH = 128
"""Levels of nesting. Real schemas have about a dozen; code that recurses into the body must not overflow the stack."""


def read_body(body: bytes) -> Any:
    """The decoded JSON of `body`. Raises RequestError if it is not JSON, not UTF-8, or nested too deeply."""
    try:
        value = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except json.JSONDecodeError as error:
        pos = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"The request body is not valid JSON: {error.msg} at {pos}.") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"The request body is not valid UTF-8 at byte {error.start}.") from None
    except RecursionError:
        raise _too_deep() from None
    if body.count(b"{") + body.count(b"[") > _MAX_DEPTH and _deeper_than(_MAX_DEPTH, value):
        raise _too_deep()
    return value


def _deeper_than(levels: int, value: Any) -> bool:
    """Whether `value` nests deeper than `levels`. Breadth-first: recursion could overflow the stack."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(levels):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, _CONTAINERS)]
        if not level:
            return False
    return True


def _too_deep() -> RequestError:
    return RequestError(f"The request body is nested more than {_MAX_DEPTH} levels deep.")


def _integer(text: str) -> int | float:
    """`text` as an int, or infinity for thousands of digits, which Python refuses: the backend judges such numbers."""
    return int(text) if len(text) < 4000 else float("inf")


_DECODER = json.JSONDecoder(parse_int=_integer)
"""Made once: `json.loads` makes one for each body that it reads with a function of ours."""
