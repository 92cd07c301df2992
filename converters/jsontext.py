"""One JSON value that comes in pieces: read leniently, emitted as strict JSON while it is read.

What has been emitted is always the beginning of strict JSON, and JSON that was valid comes out as it was, byte for
byte. What models get wrong and what can be put right without guessing is put right on the way: Python's `True`,
`None` and quotes, keys without quotes, commas before a closer, raw control characters and stray backslashes in
strings, comments, and keys that stand twice (the first wins, as it has been sent already). Inside a string nothing
is guessed: it ends where its quote does.

It may not know what the value is for.
"""

from __future__ import annotations

import json
import re
from typing import Any

from converters.jsonoutput import CLOSER, JsonOutput, quote

_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\"\\\x00-\x1f]+")}
_SPACE = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"[\w$.+-]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_CONTROL = {chr(code): json.dumps(chr(code))[1:-1] for code in range(32)}


class JsonText(JsonOutput):
    """`feed` takes pieces and returns strict JSON; `done` says that the value has ended, `rest` what came behind it.

    `stuck` says that it does not go on as JSON: `rest` is from there. `finish` closes what is open. `altered` tells
    that it was not JSON, `guessed` that putting it right took more than spelling, `closed` that it ended in a value.
    """

    __slots__ = (
        *("_behind", "_closed_by", "_hold", "_quote", "_state", "_word"),
        *("altered", "closed", "done", "guessed", "rest", "stuck"),
    )

    key_word = value_word = _WORD
    """What a key or a value without quotes is made of."""

    def __init__(self) -> None:
        super().__init__()
        self._state = self._behind = self._value
        self._hold: list[str] = []  # what cannot be understood before more has come
        self._word: re.Pattern[str] | None = None  # what goes on with the word that is held
        self._quote = ""
        self.done = False
        self.altered = False
        self.guessed = False
        self.closed = False
        self.stuck = False
        self.rest = ""

    @property
    def flows(self) -> bool:
        """Inside a string that leaves as it comes, and nothing is held."""
        return bool(self._quote) and not self._hold and not self._mute and self._key is None

    def feed(self, text: str) -> str:
        if self._quote and not self._hold and not self._mute and self._key is None and text:
            plain = _PLAIN[self._quote].match(text) if self._quote in _PLAIN else None
            if plain and plain.end() == len(text):  # by far the most pieces: more of a string
                return text
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
        if not self.done:
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
        self.altered = True
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
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter in "{[":
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
        if special is not None:
            return special
        word = self.value_word.match(text, place)
        if word is None:
            return self._stop(place)
        if word.end() == len(text):
            return self._more_of_word(word)
        self._bare(word.group().strip())
        return word.end()

    def _about(self) -> Any:
        """What is known of the value that begins here, for subclasses."""
        return None

    def _special(self, text: str, place: int) -> int | None:
        """Something that may stand where a key or a value begins, and is neither; None if nothing such is here."""
        return self._comment(text, place) if text[place] == "/" else None

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
            self._key = []
            self._quote = letter
            self.altered = self.altered or letter == "'"
            self._state = self._string
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
        self.altered = True
        self._key = [quote(word.group().strip())[1:-1]]
        self._end_key()
        return word.end()

    def _colon(self, text: str, place: int) -> int:
        letter = text[place]
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter == "/":
            return self._comment(text, place)
        self._state = self._value
        self._put(":")
        if letter == ":":
            return place + 1
        return self._guess(place + 1 if letter == "=" else place)

    def _after(self, text: str, place: int) -> int:
        """Behind a member or an item: a comma or the closer."""
        letter = text[place]
        if letter in " \t\r\n":
            return self._space(text, place)
        if letter == "/":
            return self._comment(text, place)
        if letter in "]}":
            return self._closer(text, place)
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
        self.altered = True  # a raw control character, or a double quote between single ones
        self._put(_CONTROL.get(letter, '\\"'))
        return place + 1

    # -- pieces of states --------------------------------------------------------------------------------------------

    def _space(self, text: str, place: int) -> int:
        space = _SPACE.match(text, place)
        assert space
        self._put_space(space.group())
        return space.end()

    def _comment(self, text: str, place: int) -> int:
        opener = text[place : place + 2]
        if len(opener) < 2:
            return -1
        if opener not in ("//", "/*"):
            return self._stop(place + 1)  # the slash may have been held, and what was held is not handed back
        self.altered = True
        self._behind = self._state
        self._state = self._line_comment if opener == "//" else self._block_comment
        return place + 2

    def _line_comment(self, text: str, place: int) -> int:
        return self._comment_ends(text.find("\n", place), 1, len(text))

    def _block_comment(self, text: str, place: int) -> int:
        end = text.find("*/", place)
        if end < 0 and text.endswith("*"):
            return -1 if place == len(text) - 1 else len(text) - 1
        return self._comment_ends(end, 2, len(text))

    def _comment_ends(self, end: int, length: int, text_end: int) -> int:
        if end < 0:
            return text_end
        self._state = self._behind
        return end + length

    def _begin_string(self, quote: str) -> None:
        self._quote = quote
        self.altered = self.altered or quote == "'"
        self._put('"')
        self._state = self._string

    def _end_string(self, hold: str) -> None:
        if hold:  # a backslash with nothing behind it
            self.altered = True
            self._put(json.dumps(hold, ensure_ascii=False)[1:-1])
        self._quote = ""
        if self._key is not None:
            self._end_key()
        else:
            self._put('"')
            self._ended()

    def _end_key(self) -> None:
        self._put_key()
        self._state = self._colon

    def _escape(self, text: str, place: int) -> int:
        if place + 1 == len(text):
            return -1
        letter = text[place + 1]
        if letter == "u":
            digits = text[place + 2 : place + 6]
            if all(digit in "0123456789abcdefABCDEF" for digit in digits):
                if len(digits) < 4:
                    return -1
                self._put(text[place : place + 6])
                return place + 6
        elif letter in '"\\/bfnrt':
            self._put(text[place : place + 2])
            return place + 2
        self.altered = True
        if letter == "'":  # Python's and JavaScript's way; JSON needs no backslash there
            self._put("'")
            return place + 2
        if letter == "\n":  # a line that Python would join: keep both characters
            self._put("\\\\\\n")
            return place + 2
        self._put("\\\\")  # no escape at all: a regex or a Windows path, so the backslash is meant
        return place + 1

    def _bare(self, word: str) -> None:
        if not word:
            return
        strict = _WORDS.get(word) or (word if _NUMBER.fullmatch(word) else quote(word))
        self.altered = self.altered or strict != word
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
            self.altered = True
        self._close()
        return place + 1 if letter == self._closed_by else place

    def _stop(self, place: int) -> int:
        """Here is something that no JSON holds."""
        self.altered = self.guessed = self.stuck = True
        return place

    def _guess(self, place: int) -> int:
        """Something that no spelling puts right was passed over."""
        self.altered = self.guessed = True
        return place

    def _close(self) -> None:
        self._closed_by = self._pop()
        self._ended()

    def _ended(self) -> None:
        """A value has ended: it was the whole, or its container goes on."""
        if self._frames:
            self._state = self._after
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
    if not reader.done or reader.rest.strip() or reader.guessed or (reader.altered and not lenient):
        return None
    return out.strip()
