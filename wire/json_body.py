"""A request's body as JSON, within bounds: what is wrong with it is told to the client by its place."""

from __future__ import annotations

import json
from typing import Any

from errors import RequestError

_CONTAINERS = (dict, list)
_DEEPEST = 128
"""Levels of a request's JSON. Schemas nest a dozen deep; what follows the levels must never run out of stack."""


def read_body(body: bytes) -> Any:
    """The JSON of a body. Raises RequestError for what is no JSON, no UTF-8, or nested too deep."""
    try:
        found = json.loads(body, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"The request body is not valid JSON: {error.msg} at {place}.") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"The request body is not valid UTF-8 at byte {error.start}.") from None
    except RecursionError:
        raise _too_deep() from None
    if body.count(b"{") + body.count(b"[") > _DEEPEST and _deeper_than(_DEEPEST, found):
        raise _too_deep()
    return found


def _deeper_than(levels: int, found: Any) -> bool:
    """Breadth-first: recursion could overflow the stack."""
    level = [found] if isinstance(found, _CONTAINERS) else []
    for _ in range(levels):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, _CONTAINERS)]
        if not level:
            return False
    return True


def _too_deep() -> RequestError:
    return RequestError(f"The request body is nested more than {_DEEPEST} levels deep.")


def _whole_number(text: str) -> int | float:
    """Python refuses to read thousands of digits. Whether such a number makes sense is the backend's to judge."""
    return int(text) if len(text) < 4000 else float("inf")
