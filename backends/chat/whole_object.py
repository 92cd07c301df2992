"""Whether text that comes in pieces is one whole JSON object. Each character is looked at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backends.chat.fields import json_or_none

_MARK = re.compile(r'["\\{}\[\]]')
_REST_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)


class WholeObject:
    """Counts brackets as they come; where they match, the text is parsed, once."""

    __slots__ = ("_depth", "_left", "_read", "_state", "_string")

    def __init__(self) -> None:
        self._read = 0  # pieces that were looked at
        self._depth = 0
        self._string = False  # in a string
        self._left = ""  # a backslash at the end of the last piece
        self._state: bool | None = None  # whether it is one; None: it has not ended

    def ends(self, pieces: Sequence[str]) -> bool:
        """Whether `pieces`, those of the last time and more, are a whole object."""
        while self._read < len(pieces):
            piece = pieces[self._read]
            self._read += 1
            if self._state is None and self._closes(piece):
                self._state = isinstance(json_or_none("".join(pieces[: self._read])), dict)
            elif self._state and piece.strip(" \t\r\n"):
                self._state = False  # nothing but white space may follow
        return self._state is True

    def _closes(self, piece: str) -> bool:
        """Whether the object, or what stands in its place, ends in a piece."""
        if not self._depth and piece.strip(" \t\r\n")[:1] not in ("", "{"):
            self._state = False
            return False
        text, self._left = self._left + piece, ""
        pos = 0
        while pos < len(text):
            if self._string:
                rest = _REST_OF_STRING.match(text, pos)
                pos = rest.end() if rest else pos
                if pos == len(text):
                    break
                if text[pos] == "\\":  # the escape goes on in the next piece
                    self._left = "\\"
                    break
                self._string = False
                pos += 1
                continue
            mark = _MARK.search(text, pos)
            if mark is None:
                break
            pos = mark.end()
            self._string = mark.group() == '"'
            self._depth += (mark.group() in "{[") - (mark.group() in "}]")
            if self._depth <= 0 and mark.group() in "}]":
                return True
        return False
