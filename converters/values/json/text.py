"""One JSON value that comes in pieces: read leniently, emitted as strict JSON while it is read.

What has been emitted is always the beginning of strict JSON, and JSON that was valid comes out as it was, byte for
byte. What models get wrong and what can be put right without guessing is put right on the way: Python's `True`,
`None` and quotes, keys without quotes, commas before a closer, raw control characters and stray backslashes in
strings, comments, and keys that stand twice (the first wins, as it has been sent already). Inside a string nothing
is guessed: it ends where its quote does.

It may not know what the value is for.
"""

from __future__ import annotations

import re
from typing import Any

from converters.text.reasons import Reason
from converters.values.json.comments import JsonComments
from converters.values.json.output import CLOSER, Flow, quote
from converters.values.json.strings import ESCAPED, JsonStrings
from converters.values.json.whole import read_whole

_SPACE = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"[\w$.+-]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}


_WORTHWHILE = 32
"""Characters from which on it pays to try whether a value has come whole."""
_TRIES = 8
"""How often that may fail, as every time costs a look at all that has come."""


class JsonText(JsonComments):
    """`feed` takes pieces and returns strict JSON; `done` says that the value has ended, `rest` what came behind it.

    `stuck` says that it does not go on as JSON: `rest` is from there. `finish` closes what is open. `respelled` tells
    that it was spelled otherwise, `guessed` that putting it right took more than spelling, `unclosed` that containers
    were open at the end, and `closed` that a value was.
    """

    __slots__ = (
        *("_closed_by", "_tries", "_word"),
        *("closed", "guessed", "rest", "retyped", "stuck", "unclosed"),
    )

    key_word = value_word = _WORD
    """What a key or a value without quotes is made of."""

    def __init__(self) -> None:
        super().__init__()
        self._state: JsonStrings.State = self._value
        self._word: re.Pattern[str] | None = None  # what goes on with the word that is held
        self._tries = _TRIES
        self.guessed = False
        self.retyped = False
        self.closed = False
        self.unclosed = False
        self.stuck = False
        self.rest = ""

    @property
    def altered(self) -> bool:
        """It was not JSON, or not all of it."""
        return self.respelled or self.unclosed

    @property
    def codes(self) -> list[Reason]:
        """What had to be done to it."""
        found: list[tuple[bool, Reason]] = [
            (self.guessed, "arguments_guessed"),
            (self.respelled and not self.guessed, "arguments_repaired"),
            (self.doubled, "duplicate_key"),
            (self.retyped, "arguments_retyped"),
            (self.unclosed and not self.closed, "arguments_closed"),
        ]
        return [code for holds, code in found if holds]

    @property
    def flow(self) -> Flow | None:
        """Inside a string that leaves as it comes."""
        return self._goes_on if self._quote and not self._mute and self._key is None else None

    def feed(self, text: str) -> str:
        if self._hold:
            self._hold.append(text)
            if self._word and self._word.fullmatch(text):  # not read again from its beginning: it may be long
                return ""
            text = self._held_text()
        place = 0
        while place < len(text) and not self.done and not self.stuck:
            after = self._state(text, place)
            if after < 0:
                self._hold.append(text[place:])
                return self._taken()
            place = after
        if self.done or self.stuck:
            self.rest = text[place:]
        return self._taken()

    def finish(self) -> str:
        """The value is over: what was held is read as it stands and what is open is closed."""
        if self.done:
            return ""
        hold = self._held_text()
        if self._state in (self._line_comment, self._block_comment):
            self._state = self._behind
        elif self._key is not None or self._quote:
            self._finish_string(hold)
        elif self._state == self._value:  # elsewhere it is half a key or half the opener of a comment
            self._bare(hold.strip())
        if not self.done and self._state != self._unfence:
            self._close_all()
        self.done = True
        return self._taken()

    def _held_text(self) -> str:
        """What was held, which is no longer."""
        text = "".join(self._hold)
        self._hold.clear()
        self._word = None
        return text

    def _finish_string(self, hold: str) -> None:
        """The text ended inside a string. Half a key is dropped: nobody has seen it yet."""
        if self._key is not None:
            self._key, self._comma, self._quote = None, "", ""
            self._state = self._member
        else:
            self.closed = True
            self._end_string(hold)

    def _close_all(self) -> None:
        self._comma = ""
        self.unclosed = True
        self.closed = self.closed or self._state in (self._colon, self._value)
        if self._state == self._colon:
            self._put(":null")
        elif self._state == self._value and (not self._frames or self._frames[-1].opener == "{"):
            self._put("null")
        while self._frames:
            self._close()

    # -- the states: each reads what it can at a place and returns the next, or -1 for "more, please" ----------------

    def _value(self, text: str, place: int) -> int:
        letter = text[place]
        if letter.isalnum():
            return self._value_word(text, place)
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter in "{[":
            end = self._whole(text, place)
            if end > 0:
                return end
            self._open(letter, self._about())
            self._state = self._member if letter == "{" else self._item
            return place + 1
        if letter in "\"'":
            self._begin_string(letter)
            return place + 1
        if letter in "]}":
            return self._closer(text, place)
        if letter in ",:":
            return self._guess(place + 1)
        special = self._special(text, place)
        return self._value_word(text, place) if special is None else special

    def _value_word(self, text: str, place: int) -> int:
        """A number, a literal, or another word that stands where a value should."""
        word = self.value_word.match(text, place)
        if word is None:
            return self._stop(place)
        if word.end() == len(text):
            return self._more_of_word(word)
        self._bare(word.group().strip())
        return word.end()

    def _whole(self, text: str, place: int) -> int:
        """The end of an object or an array that has come whole and needs nothing; -1 for what must be looked at."""
        if not self._tries or len(text) - place < _WORTHWHILE:
            return -1
        whole = read_whole(text, place)
        if whole is None or not self._passes(whole[0]):
            self._tries -= 1
            return -1
        self._put(text[place : whole[1]])
        self._ended()
        return whole[1]

    def _passes(self, value: Any) -> bool:
        """Whether nothing in a value has to be changed, for subclasses."""
        return True

    def _about(self) -> Any:
        """What is known of the value that begins here, for subclasses."""
        return None

    def _special(self, text: str, place: int) -> int | None:
        """Something that may stand where a key or a value begins, and is neither; None if nothing such is here."""
        if text[place] == "`" and not self._frames:
            return self._fence(text, place)
        return self._between(text, place)

    def _between(self, text: str, place: int) -> int | None:
        """Something that may stand between any two tokens: a comment, or white space in its escaped spelling."""
        letter = text[place]
        if letter == "/":
            return self._comment(text, place)
        if letter == "#" and self._state in (self._member, self._after):  # a value could begin so
            return self._begin_comment(self._line_comment, place + 1)
        return self._escaped(text, place) if letter == "\\" else None

    def _escaped(self, text: str, place: int) -> int:
        """JSON as it stands in a string: white space as `\\n`, quotes as `\\"`."""
        if place + 1 == len(text):
            return -1
        letter = text[place + 1]
        if letter == '"' and self._state in (self._value, self._member):
            begin = self._begin_key if self._state == self._member else self._begin_string
            begin(ESCAPED)
        elif letter not in "nrt":
            return self._stop(place + 1)  # the backslash may have been held
        self.respelled = True
        return place + 2

    def _item(self, text: str, place: int) -> int:
        """The first item of an array or its end."""
        self._state = self._value
        if text[place] in " \t\r\n":
            after = self._space(text, place)
            self._state = self._item
            return after
        return self._value(text, place)

    def _member(self, text: str, place: int) -> int:
        """A key, or the end of the object."""
        letter = text[place]
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter in "]}":
            return self._closer(text, place)
        if letter in "\"'":
            self._begin_key(letter)
            return place + 1
        if letter in ",:{[":
            return self._guess(place + 1)
        special = self._special(text, place)
        if special is not None:
            return special
        word = self.key_word.match(text, place)
        if word is None:
            return self._stop(place)
        if word.end() == len(text):
            return self._more_of_word(word)
        self.respelled = True
        self._key = [quote(word.group().strip())[1:-1]]
        self._end_key()
        return word.end()

    def _colon(self, text: str, place: int) -> int:
        letter = text[place]
        if letter == ":":
            self._state = self._value
            self._put(":")
            return place + 1
        if letter in " \t\r\n":
            return self._space(text, place)
        between = self._between(text, place)
        if between is not None:
            return between
        self._state = self._value
        self._put(":")
        return self._guess(place + 1 if letter == "=" else place)

    def _after(self, text: str, place: int) -> int:
        """Behind a member or an item: a comma or the closer."""
        letter = text[place]
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter in "]}":
            return self._closer(text, place)
        between = None if letter == "," else self._between(text, place)
        if between is not None:
            return between
        self._state = self._member if self._frames[-1].opener == "{" else self._value
        if self._mute == len(self._frames):
            self._mute = 0  # the dropped member ended
        if letter != "," and not self._may_follow(letter):
            return self._stop(place)
        self._comma = ","
        return place + 1 if letter == "," else self._guess(place)

    def _more_of_word(self, word: re.Match[str]) -> int:
        """A word may go on in the next piece."""
        self._word = word.re
        return -1

    def _may_follow(self, letter: str) -> bool:
        """Whether a member or an item may begin so, though the comma before it is missing."""
        return letter in "\"'" or letter.isalnum() or (letter == "{" and self._frames[-1].opener == "[")

    # -- pieces of states --------------------------------------------------------------------------------------------

    def _space(self, text: str, place: int) -> int:
        space = _SPACE.match(text, place)
        assert space
        self._put_space(space.group())
        return space.end()

    def _end_key(self) -> None:
        self._put_key()
        self._state = self._colon

    def _bare(self, word: str) -> None:
        if not word:
            return
        strict = _WORDS.get(word) or (word if _NUMBER.fullmatch(word) else quote(word))
        self.respelled = self.respelled or strict != word
        self.guessed = self.guessed or strict[0] == '"'
        self._put(strict)
        self._ended()

    def _closer(self, text: str, place: int) -> int:
        letter = text[place]
        if not self._frames:
            return self._guess(place + 1)
        if self._state == self._value and self._frames[-1].opener == "{":
            self._guess(place)
            self._put("null")
            self._state = self._after
        if letter != CLOSER[self._frames[-1].opener]:
            self._guess(place)
            if all(letter != CLOSER[frame.opener] for frame in self._frames):
                return place + 1  # closes nothing that is open
        if self._drop_comma():
            self.respelled = True
        self._close()
        return place + 1 if letter == self._closed_by else place

    def _stop(self, place: int) -> int:
        """Here is something that no JSON holds."""
        self.respelled = self.guessed = self.stuck = True
        return place

    def _guess(self, place: int) -> int:
        """Something that no spelling puts right was passed over."""
        self.respelled = self.guessed = True
        return place

    def _close(self) -> None:
        self._closed_by = self._pop()
        self._ended()

    def _ended(self) -> None:
        """A value has ended: it was the whole, or its container goes on."""
        if self._frames:
            self._state = self._after
        elif self._fenced:
            self._state = self._unfence
        else:
            self.done = True


def strict(text: str, lenient: bool = False) -> str | None:
    """The strict JSON of a text that is one JSON value as a whole, or None.

    `lenient` also takes a text that only spells it differently, as Python does.
    """
    reader = JsonText()
    out = reader.feed(text)
    if not reader.done:
        out += reader.feed(" ")  # ends a number or a word
    whole = reader.done and not reader.rest.strip() and not reader.guessed
    return out.strip() if whole and (lenient or not reader.respelled) else None
