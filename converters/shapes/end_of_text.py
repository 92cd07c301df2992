"""Whether nothing follows a whole-message call but end-of-turn tokens and white space."""

from __future__ import annotations

import re

from converters.syntaxes import END_TOKENS
from converters.text.once import made_once
from converters.text.scanner import any_of, characters, folded


@made_once(128)
def _patterns(own: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """(half a token at the end, or nothing; whole tokens and white space) of the table's tokens and a row's own."""
    known = (*END_TOKENS, *own)
    whole = "|".join("".join(characters(folded(token))) for token in known)
    return re.compile(rf"(?:{any_of(known)})?\Z"), re.compile(rf"\s*(?:(?:{whole})\s*)*")


class OnlyEndTokens:
    """Whether a text that comes in pieces is nothing but end-of-turn tokens and white space, or half a token last."""

    __slots__ = ("_ended", "_half", "_is_half")

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        """`own` are tokens that count beside those of the table."""
        self._is_half, self._ended = _patterns(own)
        self._half = ""

    def fits(self, text: str) -> bool:
        """Whether it still is, with this piece."""
        text = self._half + text
        ended = self._ended.match(text)
        self._half = text[ended.end() if ended else 0 :]
        return self._is_half.match(self._half) is not None
