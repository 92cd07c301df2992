"""Whether nothing follows a whole-message call but end-of-turn tokens and white space."""

from __future__ import annotations

import re

from converters.syntaxes import END_TOKENS
from converters.text.scanner import any_of, characters, folded

_HALF = re.compile(rf"(?:{any_of(END_TOKENS)})?\Z")
_TOKENS = "|".join("".join(characters(folded(token))) for token in END_TOKENS)
_ENDED = re.compile(rf"\s*(?:(?:{_TOKENS})\s*)*")


class OnlyEndTokens:
    """Whether a text that comes in pieces is nothing but end-of-turn tokens and white space, or half a token last."""

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def fits(self, text: str) -> bool:
        """Whether it still is, with this piece."""
        text = self._half + text
        ended = _ENDED.match(text)
        self._half = text[ended.end() if ended else 0 :]
        return _HALF.match(self._half) is not None
