"""The arguments of a Python call in pieces, from behind its opening bracket on, emitted as JSON while they come.

A string is emitted as it comes where the schema allows one; any other value is held until it ends, as its type is not
known before. Nothing is evaluated: an argument that is no literal becomes a string of its source text. A quote ends its
string only before a comma, a bracket or another string, as models forget to escape quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from converters.text.expectations import Schema
from converters.values.json.output import Flow, in_string, quote
from converters.values.json.reader import strict
from converters.values.python.literals import ESCAPE, literal, unescaped
from converters.values.schema import properties
from converters.values.typed import read_text, typed
from converters.values.writer import ArgumentsWriter

_SEPARATORS = re.compile(r"[\s,]*")
_SPACE = re.compile(r"\s*")
_KEYWORD = re.compile(r"([A-Za-z_]\w{0,255})\s{0,64}=(?!=)")
_HALF_KEYWORD = re.compile(r"[A-Za-z_]\w{0,255}\s{0,64}=?\Z")
_STRING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
_HALF_STRING = re.compile(r"[rRuU]?(?:'{0,2}|\"{0,2})\Z")
_PLAIN = {"'": re.compile(r"[^\\']+"), '"': re.compile(r'[^\\"]+')}
_CONTINUES = {quote: re.compile(rf"(?:[^\\{quote}]+|\\[^0-7xuU])+", re.DOTALL).match for quote in _PLAIN}
"""What continues a string, except numeric escapes, as a piece may end inside one."""
_HALF_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-7]{1,2})?\Z")
_BEHIND_STRING = re.compile(
    r"\s{0,4096}(?:(?P<ends>[,)\]])|(?P<more>[rRuU]?['\"])|(?P<waits>[rRuU]?\Z|\.\w{0,64}\Z|[+%*]\s{0,64}\Z)"
    r"|(?P<expression>\.\w{1,64}\(|[+%*]\s{0,64}[\w'\"(\[{]))"
)
_STRING_BODY = {
    quotes: re.compile(rf"[^\\{quotes[0]}]*(?:(?:\\.{more})[^\\{quotes[0]}]*)*", re.DOTALL)
    for quotes, more in (("'", ""), ('"', ""), ("'''", "|'{1,2}(?=[^'])"), ('"""', '|"{1,2}(?=[^"])'))
}
"""The inside of a string, up to the quotes that end it."""
_NEUTRAL = re.compile(r"[^()\[\]{}'\",]+")


class PythonArguments:
    """`feed` returns the JSON that can be emitted.

    `done` says that the closing bracket was read, or the text finished; `rest` is the text behind the bracket.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._out = _Writer(schema)
        self._buffer = ""
        self._pos = 0
        self._sent: list[str] = []
        self._key = ""
        self._value: list[str] = []  # the value that is held
        self._depth = 0  # open brackets in it
        self._quotes = ""  # what ends the current string
        self._raw = False  # the current string has no escapes
        self._begun = False  # the value that is held begins with a string that has been emitted
        self._finishing = False
        self._state: Callable[[], bool] = self._argument
        self.done = False
        self.rest = ""

    def feed(self, text: str) -> str:
        self._buffer += text
        while not self.done and self._state():
            pass
        self._buffer, self._pos = self._buffer[self._pos :], 0
        if self.done:
            self.rest, self._buffer = self._buffer, ""
        return self._taken()

    def finish(self) -> str:
        """The text is over: what is open is closed."""
        self._finishing = True
        sent = self.feed("")
        if not self.done:
            left = self._buffer
            if self._state == self._string:
                self._sent += [self._out.text(left), self._out.end()]
            elif self._state != self._argument and (left or self._value):
                self._value.append(left)
                self._end_value()
            self._sent.append(self._out.close())
            self.done = True
        return sent + self._taken()

    def _taken(self) -> str:
        sent = "".join(self._sent)
        self._sent.clear()
        return sent

    def _advance(self, pos: int) -> str:
        """Consume the buffer up to a position; returns what was consumed."""
        taken = self._buffer[self._pos : pos]
        self._pos = pos
        return taken

    def _waits(self, half: re.Pattern[str]) -> bool:
        """Whether the buffer ends inside something that more text could complete."""
        return not self._finishing and half.match(self._buffer, self._pos) is not None

    unreadable = False

    @property
    def fits(self) -> bool:
        """The first argument, or the closing bracket, has been read."""
        return self.done or bool(self._key)

    @property
    def duplicate_key(self) -> bool:
        """Whether a key came twice."""
        return self._out.duplicate_key

    # -- the states: each consumes from the buffer and returns whether to go on; False waits for more text -------------

    def _argument(self) -> bool:
        """Before an argument, or the closing bracket."""
        separators = _SEPARATORS.match(self._buffer, self._pos)
        assert separators
        self._advance(separators.end())
        if self._pos == len(self._buffer):
            return False
        if self._buffer[self._pos] in ")]}":
            self._advance(self._pos + 1)
            self._sent.append(self._out.close())
            self.done = True
            return False
        keyword = _KEYWORD.match(self._buffer, self._pos)
        if _HALF_KEYWORD.match(self._buffer, self._pos):
            return False
        self._key = keyword[1] if keyword else self._out.positional()
        self._advance(keyword.end() if keyword else self._pos)
        self._state = self._before_value
        return True

    def _before_value(self) -> bool:
        space = _SPACE.match(self._buffer, self._pos)
        assert space
        self._advance(space.end())
        if self._waits(_HALF_STRING) or self._pos == len(self._buffer):
            return False
        self._begun = False
        opener = _STRING.match(self._buffer, self._pos)
        if opener is None or not self._out.takes_string(self._key):
            return self._hold()
        self._sent.append(self._out.key(self._key, is_string=True))
        return self._open_string(opener)

    def _open_string(self, opener: re.Match[str]) -> bool:
        self._raw, self._quotes = opener[1] in ("r", "R"), opener[2]
        self._advance(opener.end())
        self._state = self._string
        return True

    def _string(self) -> bool:
        """Inside a string that is emitted as it comes."""
        plain = _PLAIN[self._quotes[0]].match(self._buffer, self._pos)
        if plain:
            self._sent.append(self._out.text(self._advance(plain.end())))
        if self._pos == len(self._buffer):
            return False
        if self._buffer[self._pos] == "\\":
            return self._escape()
        if self._buffer.startswith(self._quotes, self._pos):
            return self._quote()
        if not self._finishing and self._quotes.startswith(self._buffer[self._pos :]):
            return False
        self._sent.append(self._out.text(self._advance(self._pos + 1)))
        return True

    def _escape(self) -> bool:
        if self._waits(_HALF_ESCAPE):
            return False
        escape = ESCAPE.match(self._buffer, self._pos)
        end = escape.end() if escape else self._pos + 1
        if self._raw:
            end = min(self._pos + 2, len(self._buffer))
        taken = self._advance(end)
        self._sent.append(self._out.text(taken) if self._raw or not escape else self._out.unescaped(unescaped(escape)))
        return True

    def _quote(self) -> bool:
        """At quotes that may end the string. This is the one place that decides it."""
        pos = self._pos + len(self._quotes)
        behind = _BEHIND_STRING.match(self._buffer, pos)
        if behind and behind["waits"] is not None and not self._finishing:
            return False
        if behind and behind["more"]:
            return self._join(behind.start("more"))
        if behind and behind["expression"]:
            self._begun = self._hold()
            self._value.append(self._advance(pos))
            return True
        if behind and (behind["ends"] or behind["waits"] is not None):
            self._advance(pos)
            self._sent.append(self._out.end())
            self._state = self._argument
        else:
            self._sent.append(self._out.text(self._advance(self._pos + 1)))
        return True

    def _join(self, pos: int) -> bool:
        """At another string directly behind one: Python concatenates them."""
        if not self._finishing and _HALF_STRING.match(self._buffer, pos):
            return False
        opener = _STRING.match(self._buffer, pos)
        assert opener
        return self._open_string(opener)

    # -- values that are held ------------------------------------------------------------------------------------------

    def _hold(self) -> bool:
        self._value, self._depth = [], 0
        self._state = self._held
        return True

    def _held(self) -> bool:
        """Outside of strings in a value that is held."""
        while self._pos < len(self._buffer):
            char = self._buffer[self._pos]
            if char in "'\"":
                return self._hold_string()
            if self._depth == 0 and char in ",)]}":
                self._end_value()
                self._state = self._argument
                return True
            piece = _NEUTRAL.match(self._buffer, self._pos)
            self._depth += (char in "([{") - (char in ")]}")
            self._value.append(self._advance(piece.end() if piece else self._pos + 1))
        return False

    def _hold_string(self) -> bool:
        if self._waits(_HALF_STRING):
            return False
        opener = _STRING.match(self._buffer, self._pos)
        assert opener
        self._quotes = opener[2]
        self._value.append(self._advance(opener.end()))
        self._state = self._held_string
        return True

    def _held_string(self) -> bool:
        body = _STRING_BODY[self._quotes].match(self._buffer, self._pos)
        assert body
        ends = self._buffer.startswith(self._quotes, body.end())
        self._value.append(self._advance(body.end() + len(self._quotes) * ends))
        if ends:
            self._state = self._held
        return ends

    def _end_value(self) -> None:
        text = "".join(self._value).strip()
        self._value = []
        if (
            self._begun
        ):  # an expression, such as 'a' + f(x): its text is the value, and its first quote has been emitted
            text = text[:-1] if text.endswith(self._quotes[0]) else text
            self._sent += [self._out.text(text), self._out.end()]
        else:
            self._sent.append(self._out.held(self._key, text))

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that is emitted as it comes; None elsewhere."""
        return self._continue if self._out.flow is not None and self._state == self._string else None

    def _continue(self, text: str) -> str | None:
        """What to emit for a piece inside the string, which may end in half an escape; None if `feed` must take it."""
        if self._buffer not in ("", "\\"):
            return None
        text = self._buffer + text
        found = _CONTINUES[self._quotes[0]](text)
        end = found.end() if found else 0
        if text[end:] not in ("", "\\") or (self._raw and "\\" in text):
            return None
        plain = text[:end]
        plain = ESCAPE.sub(unescaped, plain) if "\\" in plain else plain
        if not plain:
            return None
        self._buffer = text[end:]
        return in_string(plain)


class _Writer(ArgumentsWriter):
    """Arguments whose values are Python literals."""

    __slots__ = ("_names",)

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._names = iter(properties(schema))

    def positional(self) -> str:
        """The name of the next argument that is given without one; empty if the schema has no more."""
        return next((name for name in self._names if name not in self._keys), "")

    def takes_string(self, key: str) -> bool:
        """Whether the argument may be a string."""
        return bool(key) and self._schema.member(key).takes_strings

    def held(self, key: str, text: str) -> str:
        """Write a whole argument that was held. Without a name it is dropped."""
        if not key:
            return ""
        self.key(key, is_string=False)
        self._node = self._schema.member(key)
        self.text(text)
        return self.end()

    def unescaped(self, text: str) -> str:
        """Write the text of an escape. Half a surrogate pair stays escaped, as it is no character by itself."""
        is_half = len(text) == 1 and "\ud800" <= text <= "\udfff"
        return f"\\u{ord(text):04x}" if is_half and not self._drops else self.text(text)

    def value(self, text: str) -> str:
        """The JSON of a literal, of near-JSON, or else of the source text; converted to the type of its schema."""
        value = literal(text)
        if value is None:
            value = strict(text, lenient=True)
        if value is None:
            quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
            value = quote(text[1:-1] if quoted else text)
        if value[0] in "[{":
            return typed(value, self._node)
        if value[0] == '"' and not self._node.takes_strings:
            return read_text(str(json.loads(value)), self._node)
        return value
