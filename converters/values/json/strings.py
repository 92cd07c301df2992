"""The strings of near-JSON, keys included: read in pieces, written as strict JSON.

`_at_quote` is the one place where a quote may end a string; whether it does is decided by `behind`, which sees what
follows. A lone half of a surrogate pair becomes U+FFFD; the halves of a pair leave together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from converters.values.json.behind import SEEMS_CLOSED, SEEN, Verdict
from converters.values.json.output import Flow, JsonOutput, in_string
from converters.values.json.repairs import Repairs

State: TypeAlias = Callable[[str, int], int]
"""Reads what it can of a text from a position on. Returns the next position, or -1 if more text must come first."""

Judge: TypeAlias = Callable[[str, int, bool, bool], Verdict]
"""Whether the quote before a position ends its string, given whether one in it was data and the number of them is
odd."""

ESCAPED = '\\"'
"""The quote of models that write their JSON as if it stood in a string already."""
TRIPLE = ('"""', "'''")
QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”", "‘": "’", "’": "’"}
"""What opens a string, and what ends it."""

_ESCAPES = (
    r'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})'
)
_PLAIN = {
    '"': re.compile(rf'(?:[^"\\\x00-\x1f]+|{_ESCAPES})+').match,
    "'": re.compile(r"[^'\"\\\x00-\x1f]+").match,
    "”": re.compile(r"[^”\"\\\x00-\x1f]+").match,
    "’": re.compile(r"[^’\"\\\x00-\x1f]+").match,
}
"""For each quote, what is the same inside a strict JSON string."""
_PLAIN |= {ESCAPED: re.compile(r'[^"\\\x00-\x1f]+').match, TRIPLE[0]: _PLAIN["'"], TRIPLE[1]: _PLAIN["'"]}
_CONTROL = {chr(code): in_string(chr(code)) for code in range(32)}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_HALF_HEX = re.compile(r"[0-9a-fA-F]{0,3}\Z")
_RAW = {"n": "\\n", "r": "\\r", "t": "\\t"}


def _nothing() -> None:
    pass


def _nowhere(pos: int) -> int:
    return pos


class StringReader:
    """Reads one string after the other: `begin` returns the state that reads the next one.

    `pending` is what the caller holds until more text comes; it is the same list for both. `delimiter` is a token
    between two of which nothing is escaped; empty if there is none.
    """

    __slots__ = (
        *("_count", "_delimiter", "_has_data", "_judge", "_last", "_output", "_pending", "_plain", "_repairs", "_stop"),
        *("ended", "finishing", "is_key", "quote"),
    )

    def __init__(
        self,
        output: JsonOutput,
        repairs: Repairs,
        pending: list[str],
        delimiter: str,
        judge: Judge,
        stop: Callable[[int], int],
    ) -> None:
        """`stop` is called where a string cannot be read on."""
        self._output = output
        self._repairs = repairs
        self._pending = pending
        self._delimiter = delimiter
        self._judge = judge
        self._stop = stop
        self._plain: Callable[[str, int], re.Match[str] | None]
        self._count = 0  # quotes inside the string, escaped ones included
        self._has_data = False  # one of them was not escaped
        self._last = ""  # the last characters of the string so far, as they are spelled
        self.is_key = False
        self.finishing = False
        """No more text comes."""
        self.quote = ""
        """What ends the string that is being read; empty outside of strings."""
        self.ended: Callable[[], None]
        """Called behind the closing quote."""

    def begin(self, quote: str, ended: Callable[[], None], is_key: bool = False) -> State:
        """The state that reads a string whose opening quote has been read; it calls `ended` behind the closing one."""
        self.quote = quote
        self.ended = ended
        self.is_key = is_key
        if quote == self._delimiter:
            return self._read_delimited
        if quote != '"':
            self._repairs.respelled = True
        self._count, self._has_data, self._last = 0, False, ""
        self._plain = _PLAIN[quote]
        if quote == ESCAPED:
            return self._read_escaped
        return self._read_triple if quote in TRIPLE else self._read

    def let_go(self) -> None:
        """No string follows. What is called of the grammar refers back to this."""
        self.ended, self._stop = _nothing, _nowhere

    @property
    def flow(self) -> Flow:
        """The short way inside a string whose text leaves as it comes."""
        return self._continue_delimited if self.quote == self._delimiter else self._continue

    def _at_quote(self, text: str, pos: int, end: int) -> int:
        """At a quote of the string: it ends the string, or is part of it. Returns the next position."""
        if not self.is_key:
            if self.quote in "'’" and self._last[-1:].isalpha():
                if end == len(text) and not self.finishing:
                    return -1
                if text[end : end + 1].isalpha():  # an apostrophe, which is not counted
                    return self._data(text, pos, end, counts=False)
            verdict = self._judge(text, end, self._has_data, self._count % 2 == 1)
            if verdict == "waits":
                return -1
            if verdict == "unreadable":
                return self._stop(pos)
            if verdict == "data":
                return self._data(text, pos, end)
        self.quote = ""
        self.ended()
        return end

    def _data(self, text: str, pos: int, end: int, counts: bool = True) -> int:
        if not self._has_data and SEEMS_CLOSED.search(self._last):
            return self._stop(pos)
        self._has_data = self._repairs.respelled = self._repairs.inner_quotes = True
        self._count += counts
        self._seen(text[pos:end])
        self._output.put(in_string(text[pos:end]))
        return end

    def _seen(self, text: str) -> None:
        self._last = (self._last + text)[-SEEN:]

    def _wait(self, text: str, pos: int) -> int:
        """Something has begun that more text must complete; at the end of all text the string is open."""
        return self._stop(len(text)) if self.finishing else -1

    # -- between quotes ----------------------------------------------------------------------------------------------

    def _continue(self, text: str) -> str | None:
        """What to emit for a piece inside the string; it may end in half an escape, nothing else undecided."""
        pending = self._pending
        if pending:
            if pending != ["\\"] or self.quote in (ESCAPED, *TRIPLE):
                return None
            text = "\\" + text
        plain = self._plain(text, 0)
        end = plain.end() if plain else 0
        if end == len(text):
            pending.clear()
            self._count += text.count('"')
            self._last = (self._last + text)[-SEEN:]
            return text
        if text[end:] != "\\":
            return None
        pending[:] = ["\\"]
        text = text[:end]
        self._count += text.count('"')
        self._seen(text)
        return text

    def _read(self, text: str, pos: int) -> int:
        plain = self._plain(text, pos)
        if plain:
            taken = plain.group()
            self._seen(taken)
            self._count += taken.count('"')
            self._output.put(taken)
            return plain.end()
        char = text[pos]
        if char == self.quote:
            return self._at_quote(text, pos, pos + 1)
        if char == "\\":
            return self._escape(text, pos, 1)
        return self._put_raw(char, pos + 1)

    def _put_raw(self, char: str, end: int) -> int:
        """A raw control character, or a double quote between others."""
        self._repairs.respelled = True
        self._seen(char)
        self._output.put(_CONTROL.get(char, '\\"'))
        return end

    def _escape(self, text: str, pos: int, width: int) -> int:
        """At a backslash that is `width` characters wide."""
        after = pos + width
        if after == len(text):
            return self._wait(text, pos)
        char = text[after]
        self._seen("\\" + char)
        if char == "u":
            return self._unicode_escape(text, pos, width)
        if char in '"\\/bfnrt':
            self._count += char == self.quote[-1]
            self._output.put("\\" + char)
            return after + 1
        self._repairs.respelled = True
        if char == "'":  # Python and JavaScript escape it; JSON does not
            self._count += char == self.quote[-1]
            self._output.put("'")
            return after + 1
        if char == "\n":  # Python would join the lines: keep both characters
            self._output.put("\\\\\\n")
            return after + 1
        self._output.put("\\\\")  # no escape, as in a regex or a Windows path: the backslash is meant
        return after

    def _unicode_escape(self, text: str, pos: int, width: int) -> int:
        """At `\\u`. Half a surrogate pair waits for the other half."""
        digits = _HEX4.match(text, pos + width + 1)
        if digits is None:
            if _HALF_HEX.match(text, pos + width + 1) and not self.finishing:
                return -1
            self._repairs.respelled = True
            self._output.put("\\\\")
            return pos + width
        code, end = digits.group(), digits.end()
        if not "d800" <= code.lower() <= "dfff":
            self._output.put("\\u" + code)
            return end
        if code.lower() < "dc00":
            opener = text[pos : pos + width + 1]
            low = text[end : end + width + 5]
            if len(low) < width + 5 and opener.startswith(low[: width + 1]) and not self.finishing:
                return -1
            if low.startswith(opener) and _HEX4.match(low, width + 1) and "dc00" <= low[width + 1 :].lower() <= "dfff":
                self._output.put(f"\\u{code}\\u{low[width + 1 :]}")
                return end + width + 5
        self._repairs.respelled = True
        self._output.put("\ufffd")
        return end

    # -- between escaped quotes: JSON as it stands in a string -------------------------------------------------------

    def _read_escaped(self, text: str, pos: int) -> int:
        plain = self._plain(text, pos)
        if plain:
            self._seen(plain.group())
            self._output.put(plain.group())
            return plain.end()
        char = text[pos]
        if char == '"':  # it would end the string that all of this stands in
            return self._stop(pos)
        if char != "\\":
            return self._put_raw(char, pos + 1)
        if pos + 1 == len(text):
            return self._wait(text, pos)
        char = text[pos + 1]
        if char == '"':
            return self._at_quote(text, pos, pos + 2)
        if char in _RAW:
            self._output.put(_RAW[char])
            return pos + 2
        if char == "u":
            return self._unicode_escape(text, pos, 1)
        if char != "\\":
            return self._escape(text, pos, 1)
        if text.startswith('\\\\\\"', pos):
            self._count += 1
            self._output.put('\\"')
            return pos + 4
        if text.startswith("\\\\\\\\", pos):
            self._output.put("\\\\")
            return pos + 4
        if pos + 2 == len(text) or (text[pos + 2] == "\\" and pos + 3 == len(text)):
            return self._wait(text, pos)
        return self._stop(pos) if text[pos + 2] == '"' else self._escape(text, pos, 2)

    # -- between three quotes, as in Python --------------------------------------------------------------------------

    def _read_triple(self, text: str, pos: int) -> int:
        plain = self._plain(text, pos)
        if plain:
            self._seen(plain.group())
            self._output.put(plain.group())
            return plain.end()
        char = text[pos]
        if char == "\\":
            return self._escape(text, pos, 1)
        if char != self.quote[0]:
            return self._put_raw(char, pos + 1) if char in _CONTROL or char == '"' else self._data_like(char, pos)
        end = pos
        while text[end : end + 1] == char:
            end += 1
        if end == len(text) and not self.finishing:
            return -1
        if end - pos < 3:
            self._output.put(in_string(text[pos:end]))
            return end
        if end - pos > 3:
            return self._stop(pos)
        verdict = self._judge(text, end, False, False)
        if verdict == "waits":
            return -1
        if verdict != "ends":
            return self._stop(pos)
        self.quote = ""
        self.ended()
        return end

    def _data_like(self, char: str, pos: int) -> int:
        self._output.put(in_string(char))
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
            self.quote = ""
            self.ended()
            return pos + len(self._delimiter)
        if end < 0:
            end = len(text) - self._half_delimiter(text, pos)
        if end == pos:
            return self._wait(text, pos)
        self._output.put(in_string(text[pos:end]))
        return end

    def _half_delimiter(self, text: str, pos: int) -> int:
        """The length of the longest start of the delimiter in which the text ends."""
        longest = min(len(self._delimiter) - 1, len(text) - pos)
        return next((length for length in range(longest, 0, -1) if self._delimiter.startswith(text[-length:])), 0)
