"""Where one token of markup ends and the next begins, and what two texts have in common up to such a border.

Tokens are the tokenizer's special tokens where they are known, tags, blanks, words, and single characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = r"<\|[^<>{}\n]{1,64}?\|>|</?[^<>\s{}\"'=]{1,64}>|<｜[^<>{}]{1,64}｜>|\[/?[A-Z_]{2,64}\]|\w+|\s|."
_MARKUP = re.compile(r"<\|[^<>{}\n]{1,64}?\|>|<[^<>\s]{1,64}>|\[[^\[\]\s]{1,64}\]|[^\w\s]{2}\S{0,64}")


class Tokens:
    """Splits texts into tokens."""

    def __init__(self, special: Iterable[str] = ()) -> None:
        self.special = frozenset(token for token in special if token.strip())
        known = "".join(f"{re.escape(token)}|" for token in sorted(self.special, key=len, reverse=True))
        self._token = re.compile(known + _TOKEN, re.DOTALL)

    def split(self, text: str) -> list[str]:
        return self._token.findall(text)

    def is_markup(self, token: str) -> bool:
        """Whether a token is markup rather than a word or a sign of prose."""
        return token in self.special or _MARKUP.fullmatch(token) is not None

    def prefix(self, first: str, second: str) -> str:
        """What both texts begin with, in whole tokens."""
        length = 0
        for one, other in zip(self._token.finditer(first), self._token.finditer(second), strict=False):
            if one.group() != other.group():
                break
            length = one.end()
        return first[:length]

    def suffix(self, first: str, second: str) -> str:
        """What both texts end in, in whole tokens."""
        length = 0
        for one, other in zip(reversed(self.split(first)), reversed(self.split(second)), strict=False):
            if one != other:
                break
            length += len(one)
        return first[len(first) - length :]


def common_ending(*texts: str) -> str:
    """What all texts end in, by character."""
    shortest = min(texts, key=len)
    length = next(
        (size for size in range(len(shortest)) if len({text[len(text) - 1 - size] for text in texts}) > 1),
        len(shortest),
    )
    return shortest[len(shortest) - length :]
