"""Keys and values of near-JSON that stand without quotes, and the spellings in which they may."""

from __future__ import annotations

import re
from math import isinf
from typing import NamedTuple

from converters.values.json.behind import IDENTIFIER
from converters.values.json.output import quote

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_NO_DECIMAL = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+"
    r"|NaN|nan|Infinity|inf)",
    re.ASCII,
)
_WORD = re.compile(r"[\w$.+-]+")
_SHORT = 300
"""Digits that every client's numbers can hold."""


class Spelling(NamedTuple):
    """What a value without quotes is made of, and the token around strings; empty if it is a quote.

    `words`: any words may stand without quotes, and the policy says what they are.
    """

    value_word: re.Pattern[str] = _WORD
    delimiter: str = ""
    words: bool = False
    key_word: re.Pattern[str] = IDENTIFIER


USUAL = Spelling()
KEY = Spelling(IDENTIFIER, words=True)
"""That of a key which is read by itself."""


def is_finite(number: str) -> bool:
    """Whether a decimal number is one for clients too, and not infinite."""
    if len(number) < _SHORT and "e" not in number and "E" not in number:
        return True
    return not isinf(float(number))


def strict_word(word: str) -> str | None:
    """The strict JSON of a value without quotes; None if it is neither a literal nor a number.

    Numbers that JSON does not spell (hex, leading zeros, NaN) and those too large are strings of what was written.
    """
    literal = _LITERALS.get(word)
    if literal is not None:
        return literal
    if NUMBER.fullmatch(word):
        return word if is_finite(word) else quote(word)
    return quote(word) if _NO_DECIMAL.fullmatch(word) else None
