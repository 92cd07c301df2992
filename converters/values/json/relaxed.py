"""JSON as Gemma spells it, in pieces: bare keys, and strings that stand raw between two tokens. It comes out strict.

What else models put there is taken too: quoted strings, and bare words, which are strings if they are no literal.
"""

from __future__ import annotations

import re

from converters.values.json.output import in_string
from converters.values.json.text import JsonText


class RelaxedText(JsonText):
    """JsonText with a `delimiter` around strings."""

    __slots__ = ("_delimiter",)

    key_word = re.compile(r"[^,:\[\]{}\"']+")
    value_word = re.compile(r"[^,\[\]{}\"']+")

    def __init__(self, delimiter: str) -> None:
        super().__init__()
        self._delimiter = delimiter

    def _goes_on(self, text: str) -> str | None:
        if self._quote != self._delimiter:
            return super()._goes_on(text)
        if not self._hold and self._delimiter[0] not in text:
            return in_string(text)
        text = "".join([*self._hold, text])
        if self._delimiter in text:
            return None
        end = len(text) - self._begun(text, 0)
        self._hold = [text[end:]] if end < len(text) else []
        return in_string(text[:end])

    def _special(self, text: str, place: int) -> int | None:
        if not self._delimiter.startswith(text[place : place + len(self._delimiter)]):
            return None
        if not text.startswith(self._delimiter, place):
            return -1
        self.respelled = True
        if self._state == self._member:
            self._key = []
        else:
            self._put('"')
        self._quote = self._delimiter
        self._state = self._raw
        return place + len(self._delimiter)

    def _raw(self, text: str, place: int) -> int:
        """Inside a string: up to its delimiter, or to what could become it."""
        end = text.find(self._delimiter, place)
        if end == place:
            self._end_string("")
            return place + len(self._delimiter)
        if end < 0:
            end = len(text) - self._begun(text, place)
        if end == place:
            return -1
        self._put(in_string(text[place:end]))
        return end

    def _begun(self, text: str, place: int) -> int:
        """How many characters at the end of the text could be the beginning of the delimiter."""
        longest = min(len(self._delimiter) - 1, len(text) - place)
        return next((kept for kept in range(longest, 0, -1) if self._delimiter.startswith(text[-kept:])), 0)
