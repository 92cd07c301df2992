"""How deep JSON may nest. Code that walks a value recurses, and must not overflow the stack."""

from __future__ import annotations

from itertools import chain
from typing import Any

MAX_DEPTH = 128
"""Levels of nesting. Real schemas have about a dozen."""
_START = 16_384
"""Characters at the start of a text. Most long ones hold as many brackets there as it takes to look closer."""
_LARGE = 2.0**63
"""An integer from here on is a float where a reader has 64 bits for it."""
_CONTAINERS = frozenset({dict, list})
"""What JSON is read into, and no class of it: a request has thousands of values, and all of them are looked at."""


def too_deep(text: str | bytes, value: Any) -> bool:
    """Whether `value`, which `text` is the JSON of, nests deeper than MAX_DEPTH."""
    return (_may_nest(text, _START) or _may_nest(text, len(text))) and looked_through(value)[0]


def looked_through(value: Any) -> tuple[bool, bool]:
    """(whether `value` nests deeper than MAX_DEPTH, whether it holds a float that may stand for a large integer).

    Breadth-first. Of what is too deep, only the first levels are looked through.
    """
    level: list[Any] = [value]
    large = False
    for _ in range(MAX_DEPTH):
        kinds = set(map(type, level))
        if float in kinds:
            large = large or any(abs(each) >= _LARGE for each in level if each.__class__ is float)
        if not kinds & _CONTAINERS:
            return False, large
        containers = [each for each in level if each.__class__ in _CONTAINERS]
        level = list(chain.from_iterable([each.values() if each.__class__ is dict else each for each in containers]))
    return any(each.__class__ in _CONTAINERS for each in level), large


def _may_nest(text: str | bytes, end: int) -> bool:
    if isinstance(text, bytes):
        return text.count(b"{", 0, end) + text.count(b"[", 0, end) > MAX_DEPTH
    return text.count("{", 0, end) + text.count("[", 0, end) > MAX_DEPTH
