"""How deep JSON may nest. Code that walks a value recurses, and must not overflow the stack."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 128
"""Levels of nesting. Real schemas have about a dozen."""
_CONTAINERS = frozenset({dict, list})
"""What JSON is read into, and no class of it: a request has thousands of values, and all of them are looked at."""


def too_deep(text: str | bytes, value: Any) -> bool:
    """Whether `value`, which `text` is the JSON of, nests deeper than MAX_DEPTH. Breadth-first."""
    brackets = text.count(b"{") + text.count(b"[") if isinstance(text, bytes) else text.count("{") + text.count("[")
    level: list[Any] = [value] if brackets > MAX_DEPTH and value.__class__ in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        inner = [each.values() if each.__class__ is dict else each for each in level]
        level = [child for children in inner for child in children if child.__class__ in _CONTAINERS]
        if not level:
            return False
    return bool(level)
