"""Closers that are left over behind calls: markup that closes nothing and means nothing.

They are removed while nothing but blanks, other such closers and the rest of one line stands between them and the call.
"""

from __future__ import annotations

import re

from converters.shapes.machine import Grammar
from converters.text.once import made_once
from converters.text.scanner import Markers, folded

_PAIRED = re.compile(r"([<\[])(\w+)([>\]])")


class Leftovers:
    """Looks for closers of one row behind its calls, as long as they count."""

    __slots__ = ("_allows_text", "_line", "_markers", "_match", "_text", "over")

    def __init__(self, row: Grammar, *, allows_text: bool) -> None:
        """`allows_text`: the rest of one line may stand before them."""
        self._allows_text = allows_text
        self._markers = _closers(row.leftovers, frozenset(entry.opener for entry in row.entries))
        self._text = ""  # the text that was searched last
        self._match: re.Match[str] | None = None  # what was found there
        self._line = ""  # what has come of the one line: nothing, "text", or "end" behind it
        self.over = self._markers is None
        """Such closers count no more."""

    def search(self, text: str, pos: int, last: int) -> tuple[int, int, bool] | None:
        """(where it begins, where it ends, whether it is whole) of the next closer, up to a `last` position.

        None if there is none, or none counts any more.
        """
        match = self._match
        if text is not self._text or (match is not None and match.start() < pos):
            match = self._markers.search(text, pos) if self._markers is not None else None
            self._text, self._match = text, match
        if match is None or match.start() > last or self._after(text[pos : match.start()]) is None:
            return None
        return match.start(), match.end(), folded(match.group()) in self._markers.literals  # type: ignore[union-attr]

    @property
    def directly(self) -> bool:
        """Nothing but blanks and closers has come since the call: half a closer at the end counts, too."""
        return not self._line

    def passed(self, text: str) -> None:
        """Text has gone by."""
        line = self._after(text)
        self.over = self.over or line is None
        self._line = line or ""

    def _after(self, text: str) -> str | None:
        """The state of the line behind a text; None if it holds more than the rest of one line."""
        line = self._line
        if "\n" not in text and (not text or text.isspace()):
            return line
        for part in re.split(r"(\n)", text):
            if part == "\n":
                line = "end" if line else ""
            elif part.strip():
                if line == "end" or not self._allows_text:
                    return None
                line = "text"
        return line


@made_once()
def _closers(closers: frozenset[str], openers: frozenset[str]) -> Markers | None:
    """The closers of a row, and those that its openers could have; None if there are none."""
    pairs = [pair for opener in openers if (pair := _PAIRED.fullmatch(opener))]
    found = {*closers, *(f"{pair[1]}/{pair[2]}{pair[3]}" for pair in pairs)}
    found = {each for each in found if len(each) > 1 and each[0] not in "`~"}
    return Markers(found) if found else None
