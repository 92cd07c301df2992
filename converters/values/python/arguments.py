"""The arguments of a Python call in pieces, from behind its opening bracket on, emitted as JSON while they come.

A string is emitted as it comes where the schema allows one; any other value is held until it ends, as its type is not
known before. Nothing is evaluated, and nothing is invented: an argument that is no literal makes all of them
unreadable. What ends a string is decided by `converters/values/json/behind.py`, as in near-JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from converters.text.expectations import Schema
from converters.text.reasons import Reason
from converters.values.json.behind import SEEMS_CLOSED, SEEN, Found, end_at, look, python_key, verdict
from converters.values.json.between import BLANK, EDGES, WAIT, blanks_end
from converters.values.json.output import Flow, in_string, paired
from converters.values.python import tokens
from converters.values.python.literals import ESCAPE, HALF_ESCAPE, HALF_PAIR, HIGH, PAIR, unescaped
from converters.values.python.writer import PythonWriter

_LONGEST_UNSURE = 4096
"""How long a first value without a name may be. Until it ends, nothing shows that this is a call, and all of it may be
read again as text: many openers in a row would cost quadratic time."""


class PythonArguments:
    """`feed` returns the JSON that can be emitted.

    `done` says that the closing bracket was read, or that the arguments are `unreadable`; `rest` is the text behind the
    bracket, or from where they cannot be read on, and `back` what stands before that there in earlier pieces. While
    they are not done, `rest` is to be fed again: blanks behind a bracket that may have closed the call.
    """

    def __init__(self, schema: Schema, stops: bool = False, ends_at: Sequence[str] = ()) -> None:
        """`stops`: the text may end anywhere. `ends_at`: what ends the call though its bracket is missing."""
        self._ends_at = ends_at
        self._schema = schema
        self._stops = stops
        self._out = PythonWriter(schema)
        self._buffer = ""
        self._pos = 0
        self._sent: list[str] = []
        self._key, self._named = "", False  # once an argument was named, none without a name may follow
        self._value: list[str] = []  # the value that is held
        self._length = 0  # how long it is so far
        self._depth = 0  # open brackets in it
        self._quotes = ""  # what ends the current string
        self._raw = False  # the current string has no escapes
        self._count = 0  # quotes inside it, escaped ones included
        self._has_data = False  # one of them was not escaped
        self._last = ""  # the last characters of it, as they are spelled
        self._blanks: list[str] = []
        self._patient = self._finishing = False  # blanks alone do not end the wait; no more text comes
        self._untaken = -1  # where blanks begin behind a bracket that may have closed the call
        self._state: Callable[[], bool] = self._argument
        self.inner_quotes = False
        """A quote that was not escaped was part of its string."""
        self.fits = False
        """Whether their first thing fits: a name, a value without one that the tool can take, or the bracket's end."""
        self.done = False
        self.unreadable = False
        """Whether they cannot be delivered: open at the end, or not to be read without inventing something."""
        self.rest = self.back = ""

    @property
    def undecided(self) -> int:
        return len(self._buffer) + sum(map(len, self._blanks))

    def feed(self, text: str) -> str:
        if self._patient and BLANK.fullmatch(text):
            self._blanks.append(text)  # they change nothing, and all behind the quote would be looked at again
            return ""
        self._buffer = "".join([self._buffer, *self._blanks, text])
        self._blanks, self._patient = [], False
        while not self.done and self._state():
            pass
        self.rest = self._buffer[self._untaken :] if self._untaken >= 0 else ""
        self._buffer = self._buffer[self._pos : len(self._buffer) - len(self.rest)]
        self._pos, self._untaken = 0, -1
        if self.done:
            place = max(0, len(self._buffer) - len(text))
            self.back, self.rest, self._buffer = self._buffer[:place], self._buffer[place:], ""
        return self._taken()

    def finish(self) -> str:
        """The text is over: the closing bracket is added if every value is complete."""
        self._finishing = True
        untaken = self.rest
        sent = self.feed("")
        if self.done:
            self.rest = self.rest or untaken
            return "" if self.unreadable else sent
        is_word = self._state == self._held and not self._depth and bool(self._value)
        if is_word and not self._stops:
            sent += self._end_value() or self._taken()
        is_complete = self._state in (self._argument, self._after) and not BLANK.sub("", self._buffer[self._pos :])
        if self.done or not is_complete or self._stops or self.inner_quotes:
            self._fail()
            return ""
        self._sent.append(self._out.close())
        self.done = True
        return sent + self._taken()

    def _taken(self) -> str:
        sent, self._sent = self._sent, []
        return "".join(sent)

    def _advance(self, pos: int) -> str:
        """Consume the buffer up to a position; returns what was consumed."""
        taken = self._buffer[self._pos : pos]
        self._pos = pos
        return taken

    def _waits(self, half: re.Pattern[str]) -> bool:
        """Whether the buffer ends inside something that more text could complete."""
        return not self._finishing and half.match(self._buffer, self._pos) is not None

    def _fail(self) -> bool:
        """They cannot be read on without inventing something."""
        self.unreadable = self.done = True
        return False

    @property
    def codes(self) -> list[Reason]:
        repaired: list[Reason] = ["arguments_repaired"] if self.inner_quotes else []
        return [*repaired, *self._out.codes]

    # -- the states: each consumes from the buffer and returns whether to go on; False waits for more text -------------

    def _skip(self) -> bool:
        """Pass blanks and comments; whether something follows."""
        end = blanks_end(self._buffer, self._pos, partly=not self._finishing)
        if end == WAIT:
            return self._fail() if self._finishing else False
        self._advance(end)
        return end < len(self._buffer) and (self._finishing or blanks_end(self._buffer, end) != WAIT)

    def _argument(self) -> bool:
        """Before an argument, or the closing bracket."""
        if not self._skip():
            return False
        if self._buffer[self._pos] == ")":
            return self._close()
        keyword = tokens.KEYWORD.match(self._buffer, self._pos)
        if self._waits(tokens.HALF_KEYWORD):
            return False
        if keyword:
            self._key = keyword[1]
            self._named = self.fits = True
            self._advance(keyword.end())
        else:
            self._key = "" if self._named else self._out.positional()
            if tokens.TWO_WORDS.match(self._buffer, self._pos):
                return self._fail()
            if not self._key or not tokens.BEGINS_VALUE.match(self._buffer, self._pos):
                return self._fail()
        if not self._may_be_key(self._key):
            return self._fail()
        self._state = self._before_value
        return True

    def _may_be_key(self, key: str) -> bool:
        """In repaired arguments no key may come twice, nor be one that the tool does not declare."""
        return not self.inner_quotes or (key not in self._out.keys and self._out.declares(key))

    def _close(self) -> bool:
        self._advance(self._pos + 1)
        self._sent.append(self._out.close())
        self.fits = self.done = True
        return False

    def _after(self) -> bool:
        """Behind a value."""
        if not self._skip():
            return False
        if self._buffer[self._pos] == ")":
            return self._close()
        if self._buffer[self._pos] not in ",，":
            return self._bracket_missing()
        self._advance(self._pos + 1)
        self._state = self._argument
        return True

    def _bracket_missing(self) -> bool:
        """Every value is complete, but something follows that belongs to no call."""
        found = end_at(self._buffer, self._pos, self._ends_at)
        if found == WAIT and not self._finishing:
            self._untaken = self._pos
            return False
        if not found or (self._stops and found == WAIT) or self.inner_quotes:
            return self._fail()
        self._sent.append(self._out.close())
        self.fits = self.done = True
        return False

    def _before_value(self) -> bool:
        if not self._skip() or self._waits(tokens.HALF_STRING):
            return False
        opener = tokens.STRING.match(self._buffer, self._pos)
        if opener is None or not self._out.takes_string(self._key):
            return self._hold()
        if len(opener[2]) == 3:
            found = self._behind(opener.end())
            if found.what in ("waits", "over") and not self._finishing:
                return False
            if found.what not in ("misfit", "expression"):
                return self._fail()
        self.fits = True
        self._sent.append(self._out.key(self._key, is_string=True))
        self._count, self._has_data = 0, False
        return self._open_string(opener)

    def _open_string(self, opener: re.Match[str]) -> bool:
        self._raw, self._quotes, self._last = opener[1] in ("r", "R"), opener[2], ""
        self._advance(opener.end())
        self._state = self._string
        return True

    def _text(self, text: str, spelled: str = "") -> bool:
        self._last = (self._last + (spelled or text))[-SEEN:]
        self._sent.append(self._out.text(text))
        return True

    def _string(self) -> bool:
        """Inside a string that is emitted as it comes."""
        plain = tokens.PLAIN[self._quotes[0]].match(self._buffer, self._pos)
        if plain:
            self._text(self._advance(plain.end()))
        if self._pos == len(self._buffer):
            return False
        if self._buffer[self._pos] == "\\":
            return self._escape()
        if self._buffer.startswith(self._quotes, self._pos):
            return self._quote()
        if not self._finishing and self._quotes.startswith(self._buffer[self._pos :]):
            return False
        return self._text(self._advance(self._pos + 1))

    def _escape(self) -> bool:
        if self._waits(HALF_ESCAPE) or (not self._raw and self._waits(HALF_PAIR) and self._waits(HIGH)):
            return False
        escape = ESCAPE.match(self._buffer, self._pos)
        end = min(self._pos + 2, len(self._buffer)) if self._raw else escape.end() if escape else self._pos + 1
        pair = None if self._raw else PAIR.match(self._buffer, self._pos)
        taken = self._advance(pair.end() if pair else end)
        self._count += taken.endswith(self._quotes[0])
        if pair:
            return self._text(paired(chr(int(pair[1], 16)) + chr(int(pair[2], 16))), taken)
        return self._text(taken if self._raw or not escape else paired(unescaped(escape)), taken)

    def _behind(self, pos: int) -> Found:
        """What stands behind a quote that stands before this position."""
        return look(self._buffer, pos, "(", "call", self._ends_at, key=python_key, positional=not self._named)

    def _quote(self) -> bool:
        """At quotes that may end the string."""
        quotes = self._quotes
        pos = self._pos + len(quotes)
        if len(quotes) == 3:
            if pos == len(self._buffer) and not self._finishing:
                return False
            if self._buffer.startswith(quotes[0], pos):
                return self._fail()  # three exactly
        elif quotes == "'" and self._last[-1:].isalpha():
            if pos == len(self._buffer) and not self._finishing:
                return False
            if self._buffer[pos : pos + 1].isalpha():
                return self._data(counts=False)
        if not self._has_data and (joined := tokens.JOINED.match(self._buffer, pos)):
            return self._join(joined.end())
        found = self._behind(pos)
        told = verdict(found, self._has_data, self._count % 2 == 1, self._out.declares(found.key), self._finishing)
        if told == "waits":
            self._patient = found.what == "waits"
            self._untaken = -1 if self._patient else found.end
            return False
        if told == "unreadable" or (told == "data" and len(quotes) == 3):
            return self._fail()
        if told == "data":
            return self._data()
        self._advance(pos)
        self._sent.append(self._out.end())
        self._state = self._after
        return True

    def _data(self, counts: bool = True) -> bool:
        if not self._has_data and SEEMS_CLOSED.search(self._last):
            return self._fail()
        self._has_data = self.inner_quotes = True
        self._count += counts
        if self._out.duplicate_key or not all(map(self._out.declares, self._out.keys)):
            return self._fail()
        return self._text(self._advance(self._pos + 1))

    def _join(self, pos: int) -> bool:
        """At another string on the line behind one: Python concatenates them."""
        if not self._finishing and tokens.HALF_STRING.match(self._buffer, pos):
            return False
        opener = tokens.STRING.match(self._buffer, pos)
        return self._open_string(opener) if opener else self._fail()

    # -- values that are held ------------------------------------------------------------------------------------------

    def _hold(self) -> bool:
        self._value, self._length, self._depth = [], 0, 0
        self._state = self._held
        return True

    def _keep(self, pos: int) -> None:
        """The value that is held goes on up to a position."""
        self._value.append(self._advance(pos))
        self._length += len(self._value[-1])

    def _wait(self) -> bool:
        """More of the value that is held must come, if it is not too long for what may still prove to be no call."""
        return self._fail() if self._length > _LONGEST_UNSURE and not self.fits else False

    def _held(self) -> bool:
        """Outside of strings in a value that is held."""
        while self._pos < len(self._buffer):
            char = self._buffer[self._pos]
            if char in "'\"":
                return self._hold_string()
            if char == "#":
                return self._hold_comment()
            if self._depth == 0 and char in ",)]}":
                return not self._end_value() and not self.done
            piece = tokens.NEUTRAL.match(self._buffer, self._pos)
            self._depth += (char in "([{") - (char in ")]}")
            self._keep(piece.end() if piece else self._pos + 1)
        return self._wait()

    def _hold_comment(self) -> bool:
        end = blanks_end(self._buffer, self._pos)
        if end == WAIT and not self._finishing:
            return False
        if end in (WAIT, self._pos):
            return self._fail()
        self._advance(end)
        return True

    def _hold_string(self) -> bool:
        if self._waits(tokens.HALF_STRING):
            return False
        opener = tokens.STRING.match(self._buffer, self._pos)
        assert opener
        self._quotes = opener[2]
        self._keep(opener.end())
        self._state = self._held_string
        return True

    def _held_string(self) -> bool:
        body = tokens.STRING_BODY[self._quotes].match(self._buffer, self._pos)
        assert body
        ends = self._buffer.startswith(self._quotes, body.end())
        self._keep(body.end() + len(self._quotes) * ends)
        if ends:
            self._state = self._held
        return ends or self._wait()

    def _end_value(self) -> str:
        """The value that was held has ended. Returns nothing: what it is is sent, or all is unreadable."""
        text = EDGES.sub("", "".join(self._value))
        self._value = []
        too_long = self._length > _LONGEST_UNSURE and not self.fits
        value = None if too_long else self._out.read(self._key, text, positional=not self._named)
        if value is None:
            self._fail()
        else:
            self.fits = True
            self._sent.append(self._out.held(self._key, value))
            self._state = self._after
        return ""

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that is emitted as it comes; None elsewhere."""
        return self._continue if self._out.flow is not None and self._state == self._string else None

    def _continue(self, text: str) -> str | None:
        """What to emit for a piece inside the string, which may end in half an escape; None if `feed` must take it."""
        if self._buffer not in ("", "\\"):
            return None
        text = self._buffer + text
        quote = self._quotes[0]
        found = tokens.CONTINUES[quote](text)
        end = found.end() if found else 0
        if text[end:] not in ("", "\\") or (self._raw and "\\" in text):
            return None
        plain = text[:end]
        self._count += plain.count(quote)  # all of them are escaped
        plain = ESCAPE.sub(unescaped, plain) if "\\" in plain else plain
        if not plain:
            return None
        self._last = (self._last + text[:end])[-SEEN:]
        self._buffer = text[end:]
        return in_string(plain)
