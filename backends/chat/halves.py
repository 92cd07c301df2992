"""Halves of surrogate pairs, which servers send where they cut their JSON escapes: `\\ud83d`, then `\\ude00`."""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


def has_half(text: str) -> bool:
    return not text.isascii() and _HALF.search(text) is not None


def joined(text: str) -> tuple[str, str]:
    """(the text with halves joined, and U+FFFD for a half alone; the first half of a pair in which it ends)"""
    end = len(text) - ("\ud800" <= text[-1:] <= "\udbff")
    return text[:end].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), text[end:]
