"""Halves of surrogate pairs, which servers send where they cut their JSON escapes: `\\ud83d`, then `\\ude00`."""

from __future__ import annotations

import re

from backends.chat.large import PIECE, pieces_of

_HALF = re.compile("[\ud800-\udfff]")


def has_half(text: str) -> bool:
    if text.isascii():
        return False
    if len(text) <= PIECE:
        return _HALF.search(text) is not None
    return any(_HALF.search(piece) for piece in pieces_of(text))


def joined(text: str) -> tuple[str, str]:
    """(the text with halves joined, and U+FFFD for a half alone; the first half of a pair in which it ends)"""
    end = len(text) - ("\ud800" <= text[-1:] <= "\udbff")
    return text[:end].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), text[end:]
