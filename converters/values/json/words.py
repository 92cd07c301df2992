"""Keys and values of near-JSON that stand without quotes, and the spellings in which they may."""

from __future__ import annotations

import re
from typing import NamedTuple

from converters.values.json.output import quote

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_WORD = re.compile(r"[\w$.+-]+")


class Spelling(NamedTuple):
    """What a key and a value without quotes are made of, and the token around strings; empty if it is a quote."""

    key_word: re.Pattern[str] = _WORD
    value_word: re.Pattern[str] = _WORD
    delimiter: str = ""


USUAL = Spelling()


def strict_word(word: str) -> str:
    """The strict JSON of a value without quotes: a literal, a number, or else its text as a string."""
    return _LITERALS.get(word) or (word if _NUMBER.fullmatch(word) else quote(word))
