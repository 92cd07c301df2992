"""The strings of near-JSON, keys included: read in pieces, written as strict JSON.

A string ends where its quote does; nothing inside it is guessed. It may not know what stands around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from converters.values.json.output import JsonOutput

ESCAPED = '\\"'
"""The quote of models that write their JSON as if it stood in a string already."""
_PLAIN = {
    '"': re.compile(r'(?:[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+'),
    ESCAPED: re.compile(r'[^"\\\x00-\x1f]+'),
    "'": re.compile(r"[^'\"\\\x00-\x1f]+"),
}
"""What goes on between two quotes as it stands."""
_CONTROL = {chr(code): json.dumps(chr(code))[1:-1] for code in range(32)}
_HEX = frozenset("0123456789abcdefABCDEF")


class JsonStrings(JsonOutput):
    """The state inside a string. What follows a string or a key is said by a subclass."""

    __slots__ = ("_hold", "_quote", "_state", "respelled")

    State = Callable[[str, int], int]
    """Reads what it can of a text at a place, and returns the next place, or -1 for "more, please"."""

    def __init__(self) -> None:
        super().__init__()
        self._state: JsonStrings.State
        self._quote = ""
        self._hold: list[str] = []  # what cannot be understood before more has come
        self.respelled = False
        """It is JSON in another spelling."""

    def _ended(self) -> None:
        """A value has ended."""
        raise NotImplementedError

    def _end_key(self) -> None:
        """A key has ended."""
        raise NotImplementedError

    def _begin_string(self, quote: str) -> None:
        self._quote = quote
        self.respelled = self.respelled or quote != '"'
        self._put('"')
        self._state = self._string

    def _begin_key(self, quote: str) -> None:
        self._key = []
        self._quote = quote
        self.respelled = self.respelled or quote != '"'
        self._state = self._string

    def _end_string(self, hold: str) -> None:
        if hold:  # a backslash with nothing behind it
            self.respelled = True
            self._put(json.dumps(hold, ensure_ascii=False)[1:-1])
        self._quote = ""
        if self._key is not None:
            self._end_key()
        else:
            self._put('"')
            self._ended()

    def _goes_on(self, text: str) -> str | None:
        """What leaves of a piece that only goes on with the string, and perhaps ends in half an escape; else None."""
        if self._hold:
            if self._hold != ["\\"]:
                return None
            text = "\\" + text
        plain = _PLAIN[self._quote].match(text)
        end = plain.end() if plain else 0
        if end == len(text):
            self._hold.clear()
            return text
        if text[end:] != "\\":
            return None
        self._hold = ["\\"]
        return text[:end]

    def _string(self, text: str, place: int) -> int:
        plain = _PLAIN[self._quote].match(text, place)
        if plain:
            self._put(plain.group())
            return plain.end()
        letter = text[place]
        if letter == self._quote:
            self._end_string("")
            return place + 1
        if letter == "\\":
            return self._escape(text, place)
        self.respelled = True  # a raw control character, or a double quote between others
        self._put(_CONTROL.get(letter, '\\"'))
        return place + 1

    def _escape(self, text: str, place: int) -> int:
        if place + 1 == len(text):
            return -1
        letter = text[place + 1]
        if letter == '"' and self._quote == ESCAPED:
            self._end_string("")
            return place + 2
        if letter == "u":
            digits = text[place + 2 : place + 6]
            if _HEX.issuperset(digits):
                if len(digits) < 4:
                    return -1
                self._put(text[place : place + 6])
                return place + 6
        elif letter in '"\\/bfnrt':
            self._put(text[place : place + 2])
            return place + 2
        self.respelled = True
        if letter == "'":  # Python's and JavaScript's way; JSON needs no backslash there
            self._put("'")
            return place + 2
        if letter == "\n":  # a line that Python would join: keep both characters
            self._put("\\\\\\n")
            return place + 2
        self._put("\\\\")  # no escape at all: a regex or a Windows path, so the backslash is meant
        return place + 1
