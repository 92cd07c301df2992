"""The strings of near-JSON, keys included: read in pieces, written as strict JSON.

`_at_quote` is the one place that decides what ends a string: today its quote always does, and nothing inside a
string is guessed. This file may not know what stands around a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from converters.values.json.output import Flow, JsonOutput, in_string
from converters.values.json.repairs import Repairs

State: TypeAlias = Callable[[str, int], int]
"""Reads what it can of a text from a position on. Returns the next position, or -1 if more text must come first."""

ESCAPED = '\\"'
"""The quote of models that write their JSON as if it stood in a string already."""

_PLAIN = {
    '"': re.compile(r'(?:[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+').match,
    ESCAPED: re.compile(r'[^"\\\x00-\x1f]+').match,
    "'": re.compile(r"[^'\"\\\x00-\x1f]+").match,
}
"""For each quote, what is the same inside a strict JSON string."""
_CONTROL = {chr(code): in_string(chr(code)) for code in range(32)}
_HEX = frozenset("0123456789abcdefABCDEF")


class StringReader:
    """Reads one string after the other: `begin` returns the state that reads the next one.

    `pending` is what the caller holds until more text comes; it is the same list for both. `delimiter` is a quote of
    more than one character between which nothing is escaped; empty if there is none.
    """

    __slots__ = ("_delimiter", "_output", "_pending", "_plain", "_repairs", "ended", "quote")

    def __init__(self, output: JsonOutput, repairs: Repairs, pending: list[str], delimiter: str) -> None:
        self._output = output
        self._repairs = repairs
        self._pending = pending
        self._delimiter = delimiter
        self._plain: Callable[[str, int], re.Match[str] | None]
        self.quote = ""
        """What ends the string that is being read; empty outside of strings."""
        self.ended: Callable[[], None]
        """Called behind the closing quote."""

    def begin(self, quote: str, ended: Callable[[], None]) -> State:
        """The state that reads a string whose opening quote has been read; it calls `ended` behind the closing one."""
        self.quote = quote
        self.ended = ended
        if quote != '"':
            self._repairs.respelled = True
        if quote == self._delimiter:
            return self._read_delimited
        self._plain = _PLAIN[quote]
        return self._read

    def finish(self, pending: str) -> None:
        """The text ended inside the string, behind `pending`: a backslash or half a delimiter, or nothing."""
        if pending:
            self._repairs.respelled = True
            self._output.put(in_string(pending))
        self.quote = ""
        self.ended()

    def drop(self) -> None:
        """The string is given up."""
        self.quote = ""

    @property
    def flow(self) -> Flow:
        """The short way inside a string whose text leaves as it comes."""
        return self._continue_delimited if self.quote == self._delimiter else self._continue

    def _at_quote(self, end: int) -> int:
        """At a quote of the string that stands before `end`: the string ends. Returns the next position."""
        self.quote = ""
        self.ended()
        return end

    # -- between quotes ----------------------------------------------------------------------------------------------

    def _continue(self, text: str) -> str | None:
        """What to emit for a piece inside the string; it may end in half an escape, nothing else undecided."""
        pending = self._pending
        if pending:
            if pending != ["\\"]:
                return None
            text = "\\" + text
        plain = self._plain(text, 0)
        end = plain.end() if plain else 0
        if end == len(text):
            pending.clear()
            return text
        if text[end:] != "\\":
            return None
        pending[:] = ["\\"]
        return text[:end]

    def _read(self, text: str, pos: int) -> int:
        plain = self._plain(text, pos)
        if plain:
            self._output.put(plain.group())
            return plain.end()
        char = text[pos]
        if char == self.quote:
            return self._at_quote(pos + 1)
        if char == "\\":
            return self._escape(text, pos)
        self._repairs.respelled = True  # a raw control character, or a double quote between others
        self._output.put(_CONTROL.get(char, '\\"'))
        return pos + 1

    def _escape(self, text: str, pos: int) -> int:
        if pos + 1 == len(text):
            return -1
        char = text[pos + 1]
        if char == '"' and self.quote == ESCAPED:
            return self._at_quote(pos + 2)
        if char == "u":
            digits = text[pos + 2 : pos + 6]
            if _HEX.issuperset(digits):
                if len(digits) < 4:
                    return -1
                self._output.put(text[pos : pos + 6])
                return pos + 6
        elif char in '"\\/bfnrt':
            self._output.put(text[pos : pos + 2])
            return pos + 2
        self._repairs.respelled = True
        if char == "'":  # Python and JavaScript escape it; JSON does not
            self._output.put("'")
            return pos + 2
        if char == "\n":  # Python would join the lines: keep both characters
            self._output.put("\\\\\\n")
            return pos + 2
        self._output.put("\\\\")  # no escape, as in a regex or a Windows path: the backslash is meant
        return pos + 1

    # -- between delimiters ------------------------------------------------------------------------------------------

    def _continue_delimited(self, text: str) -> str | None:
        """The same between delimiters; the piece may end in half a delimiter."""
        pending = self._pending
        if not pending and self._delimiter[0] not in text:
            return in_string(text)
        text = "".join([*pending, text])
        if self._delimiter in text:
            return None
        end = len(text) - self._half_delimiter(text, 0)
        pending[:] = [text[end:]] if end < len(text) else []
        return in_string(text[:end])

    def _read_delimited(self, text: str, pos: int) -> int:
        end = text.find(self._delimiter, pos)
        if end == pos:
            return self._at_quote(pos + len(self._delimiter))
        if end < 0:
            end = len(text) - self._half_delimiter(text, pos)
        if end == pos:
            return -1
        self._output.put(in_string(text[pos:end]))
        return end

    def _half_delimiter(self, text: str, pos: int) -> int:
        """The length of the longest start of the delimiter in which the text ends."""
        longest = min(len(self._delimiter) - 1, len(text) - pos)
        return next((length for length in range(longest, 0, -1) if self._delimiter.startswith(text[-length:])), 0)
