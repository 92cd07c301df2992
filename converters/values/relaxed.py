"""JSON as Gemma spells it: bare keys, which may hold blanks, and strings that stand raw between two tokens.

What else models write there is read too: quoted strings, and words without quotes, which the schema types. Such words
hold no quote, comma or bracket.
"""

from __future__ import annotations

import re
from functools import cache

from converters.values.json.between import BLANKS
from converters.values.json.words import Spelling

_NOT_IN_KEYS = r",:=\[\]{}()<>\"'`，：｛｝［］“”"
_KEY_WORD = re.compile(rf"[^\W\d](?:[^{_NOT_IN_KEYS}\n]{{0,254}}[^{_NOT_IN_KEYS}{BLANKS}])?")
_VALUE_WORD = re.compile(r"[^,\[\]{}\"'`，｛｝［］“”]+")


@cache
def relaxed_spelling(delimiter: str) -> Spelling:
    """The spelling whose strings stand between two `delimiter`s."""
    return Spelling(_VALUE_WORD, delimiter, words=True, key_word=_KEY_WORD)
