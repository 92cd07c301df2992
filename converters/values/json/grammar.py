"""The grammar of one JSON value, read leniently: a state for each place between two tokens.

A state reads what it can of a text from a position on, writes strict JSON and chooses the next state. What is inside
a token belongs to `strings`, `comments` and `words`; `builder` knows what the values mean, and `repairs` keeps what
was done. It may not know what the value is for.
"""

from __future__ import annotations

import re

from converters.values.json import comments
from converters.values.json.builder import ValueBuilder
from converters.values.json.output import CLOSER, JsonOutput, in_string
from converters.values.json.repairs import Repairs
from converters.values.json.strings import ESCAPED, State, StringReader
from converters.values.json.words import Spelling, strict_word

_SPACE = re.compile(r"[ \t\r\n]+")


class JsonGrammar:
    """`state` reads on from a position and returns the next one, or -1 if more text must come first.

    `over` says that the value has ended, or that it does not go on as JSON: then it is `stuck`.
    """

    __slots__ = (
        *("_builder", "_closed_by", "_comment_closer", "_fenced", "_gap", "_output", "_repairs", "_resumed"),
        *("_spelling", "_strings", "_unwrapped", "_wrapper"),
        *("over", "state", "stuck", "word"),
    )

    def __init__(
        self, output: JsonOutput, strings: StringReader, builder: ValueBuilder, repairs: Repairs, spelling: Spelling
    ) -> None:
        self._output = output
        self._strings = strings
        self._repairs = repairs
        self._builder = builder
        self._spelling = spelling
        self._fenced = False
        self._unwrapped = False  # inside the object whose key was left out
        self.state: State = self._value
        self.word: re.Pattern[str] | None = None
        """What continues the word that must wait for more text; None if no word waits."""
        self.over = False
        self.stuck = False

    def finish(self, pending: str) -> None:
        """The text is over: what is pending is read as it stands and what is open is closed.

        This is the one place that decides whether the value is unreadable.
        """
        in_value = self._finish_token(pending)
        has_ended = self.over and not self.stuck
        if not has_ended and self.state != self._behind_fenced:
            in_value = in_value or self.state in (self._colon, self._value)
            self._close_all()
        self._repairs.unreadable = in_value

    def _finish_token(self, pending: str) -> bool:
        """The text ended in some token. Returns whether that was a string value."""
        if self._strings.quote and self._strings.ended == self._key_ended:
            self._strings.drop()  # half a key: nothing of it has been emitted
            self._output.release()
            self._output.discard_comma()
            self.state = self._member
        elif self._strings.quote:
            is_converted = self._output.captured is not None  # it loses half an escape, others keep it as text
            self._strings.finish("" if is_converted else pending)
            return True
        elif self.state == self._comment:
            self.state = self._resumed
        elif self.state == self._value:  # elsewhere half a key, or half the opener of a comment, is pending
            self._bare(pending.strip())
        return False

    def _close_all(self) -> None:
        output = self._output
        output.discard_comma()
        self._repairs.unclosed = True
        if self.state == self._colon:
            output.put(":null")
        elif self.state == self._value and (not output.frames or output.frames[-1].opener == "{"):
            output.put("null")
        while output.frames:
            self._close()

    # -- the states: each reads what it can from a position and returns the next, or -1 to wait for more --------------

    def _value(self, text: str, pos: int) -> int:
        char = text[pos]
        if char.isalnum():
            return self._value_word(text, pos)
        if char in " \t\r\n":
            return self._space(text, pos)
        if char in "{[":
            return self._open(text, pos)
        if char in "\"'":
            self._begin_string(char)
            return pos + 1
        if char in "]}":
            return self._closer(text, pos)
        if char in ",:":
            return self._guess(pos + 1)
        special = self._special(text, pos)
        return self._value_word(text, pos) if special is None else special

    def _item(self, text: str, pos: int) -> int:
        """The first item of an array, or its end."""
        self.state = self._value
        if text[pos] in " \t\r\n":
            after = self._space(text, pos)
            self.state = self._item
            return after
        return self._value(text, pos)

    def _member(self, text: str, pos: int) -> int:
        """A key, or the end of the object."""
        char = text[pos]
        if char in " \t\r\n":
            return self._space(text, pos)
        if char in "]}":
            return self._closer(text, pos)
        if char in "\"'":
            self._begin_key(char)
            return pos + 1
        if char in ",:{[":
            return self._guess(pos + 1)
        special = self._special(text, pos)
        return self._key_word(text, pos) if special is None else special

    def _colon(self, text: str, pos: int) -> int:
        char = text[pos]
        if char == ":":
            self.state = self._value
            self._output.put(":")
            return pos + 1
        if char in " \t\r\n":
            return self._space(text, pos)
        between = self._between(text, pos)
        if between is not None:
            return between
        self.state = self._value
        self._output.put(":")
        return self._guess(pos + 1 if char == "=" else pos)

    def _after(self, text: str, pos: int) -> int:
        """Behind a member or an item: a comma, or the closer."""
        char = text[pos]
        if char in " \t\r\n":
            return self._space(text, pos)
        if char in "]}":
            return self._closer(text, pos)
        between = None if char == "," else self._between(text, pos)
        if between is not None:
            return between
        in_object = self._output.frames[-1].opener == "{"
        self.state = self._member if in_object else self._value
        may_begin = char in ",\"'" or char.isalnum() or (char == "{" and not in_object)
        if not may_begin:
            return self._stop(pos)
        self._output.put_comma()
        return pos + 1 if char == "," else self._guess(pos)

    def _comment(self, text: str, pos: int) -> int:
        """Inside a comment; afterwards the previous state resumes."""
        end, has_ended = comments.comment_end(text, pos, self._comment_closer)
        if has_ended:
            self.state = self._resumed
        return end

    def _behind_fenced(self, text: str, pos: int) -> int:
        """Behind a value that a fence opened in front of: the fence that closes it, if it is there."""
        if text[pos] in " \t\r\n":
            return pos + 1
        end = comments.closing_fence_end(text, pos)
        self.over = end != comments.WAIT
        return comments.behind_backticks(text, pos) if end is None else end

    def _behind_wrapper(self, text: str, pos: int) -> int:
        """Behind a key that may be left out: an object stands for the whole value, anything else is the key's value."""
        char = text[pos]
        if char in " \t\r\n" or (char == ":" and ":" not in self._gap):
            self._gap += char
            return pos + 1
        if char == "{":
            self._unwrapped = self._repairs.unwrapped = True
            self.state = self._member
            return pos + 1
        self._put_key(self._wrapper)
        if ":" in self._gap:
            self._output.put(self._gap)
            self.state = self._value
        return pos

    # -- what may stand between tokens -------------------------------------------------------------------------------

    def _space(self, text: str, pos: int) -> int:
        space = _SPACE.match(text, pos)
        assert space
        self._output.put_space(space.group())
        return space.end()

    def _special(self, text: str, pos: int) -> int | None:
        """Where a key or a value begins: something else that may stand there; None if nothing such does."""
        if self._spelling.delimiter:
            return self._delimiter(text, pos)
        if text[pos] == "`" and not self._output.frames:
            return self._open_fence(text, pos)
        return self._between(text, pos)

    def _delimiter(self, text: str, pos: int) -> int | None:
        delimiter = self._spelling.delimiter
        if text.startswith(delimiter, pos):
            if self.state == self._member:
                self._begin_key(delimiter)
            else:
                self._output.put('"')
                self.state = self._strings.begin(delimiter, self._string_ended)
            return pos + len(delimiter)
        return -1 if delimiter.startswith(text[pos : pos + len(delimiter)]) else None

    def _open_fence(self, text: str, pos: int) -> int:
        end = comments.opening_fence_end(text, pos)
        if end is None:
            return self._stop(comments.behind_backticks(text, pos))  # they may have been pending
        if end != comments.WAIT:
            self._repairs.respelled = self._fenced = True
        return end

    def _between(self, text: str, pos: int) -> int | None:
        """A comment, or white space in its escaped spelling; None if nothing such is here."""
        char = text[pos]
        if char == "/":
            opener = text[pos : pos + 2]
            if opener in comments.COMMENTS:
                return self._begin_comment(opener, pos)
            return -1 if opener == "/" else self._stop(pos + 1)  # the slash may have been pending
        if char == "#" and self.state in (self._member, self._after):  # elsewhere a value could begin so
            return self._begin_comment(char, pos)
        return self._escaped(text, pos) if char == "\\" else None

    def _begin_comment(self, opener: str, pos: int) -> int:
        self._repairs.respelled = True
        self._comment_closer = comments.COMMENTS[opener]
        self._resumed = self.state
        self.state = self._comment
        return pos + len(opener)

    def _escaped(self, text: str, pos: int) -> int:
        """JSON as it stands in a string: white space as `\\n`, quotes as `\\"`."""
        if pos + 1 == len(text):
            return -1
        char = text[pos + 1]
        if char == '"' and self.state == self._member:
            self._begin_key(ESCAPED)
        elif char == '"' and self.state == self._value:
            self._begin_string(ESCAPED)
        elif char not in "nrt":
            return self._stop(pos + 1)  # the backslash may have been pending
        self._repairs.respelled = True
        return pos + 2

    # -- strings and words -------------------------------------------------------------------------------------------

    def _begin_key(self, quote: str) -> None:
        self._output.capture()
        self.state = self._strings.begin(quote, self._key_ended)

    def _key_ended(self) -> None:
        self._end_key(self._output.release())

    def _end_key(self, key: str) -> None:
        if not self._unwrapped and self._builder.unwraps(key):
            self._wrapper, self._gap = key, ""
            self.state = self._behind_wrapper
        else:
            self._put_key(key)

    def _put_key(self, key: str) -> None:
        if not self._output.put_key(key):
            self._repairs.duplicate_key = True
        self.state = self._colon

    def _begin_string(self, quote: str) -> None:
        if self._builder.takes_string():
            self._output.put('"')
            self.state = self._strings.begin(quote, self._string_ended)
        else:
            self._output.capture()
            self.state = self._strings.begin(quote, self._captured_ended)

    def _string_ended(self) -> None:
        self._output.put('"')
        self._ended()

    def _captured_ended(self) -> None:
        """A string ended that may not stay one."""
        self._builder.put_captured()
        self._ended()

    def _key_word(self, text: str, pos: int) -> int:
        """A key without quotes."""
        word = self._spelling.key_word.match(text, pos)
        if word is None:
            return self._stop(pos)
        if word.end() == len(text):
            self.word = word.re  # it may continue in the next piece
            return -1
        self._repairs.respelled = True
        self._end_key(in_string(word.group().strip()))
        return word.end()

    def _value_word(self, text: str, pos: int) -> int:
        """A number, a literal, or another word that stands where a value should."""
        word = self._spelling.value_word.match(text, pos)
        if word is None:
            return self._stop(pos)
        if word.end() == len(text):
            self.word = word.re  # it may continue in the next piece
            return -1
        self._bare(word.group().strip())
        return word.end()

    def _bare(self, word: str) -> None:
        if not word:
            return
        strict = strict_word(word)
        if strict != word:
            self._repairs.respelled = True
        if strict[0] == '"':
            self._repairs.guessed = True
        self._output.put(strict)
        self._ended()

    # -- containers --------------------------------------------------------------------------------------------------

    def _open(self, text: str, pos: int) -> int:
        end = self._builder.open(text, pos)
        if end > 0:
            self._ended()
            return end
        self.state = self._member if text[pos] == "{" else self._item
        return pos + 1

    def _closer(self, text: str, pos: int) -> int:
        char = text[pos]
        frames = self._output.frames
        if not frames:
            return self._guess(pos + 1)
        if self.state == self._value and frames[-1].opener == "{":  # a key without its value
            self._guess(pos)
            self._output.put("null")
            self.state = self._after
        if self._unwrapped and len(frames) == 1 and char == "}":
            return self._close_wrapper(pos)
        if char != CLOSER[frames[-1].opener]:
            self._guess(pos)
            if all(char != CLOSER[frame.opener] for frame in frames):
                return pos + 1  # closes nothing that is open
        if self._output.drop_comma():
            self._repairs.respelled = True
        self._close()
        return pos + 1 if char == self._closed_by else pos

    def _close_wrapper(self, pos: int) -> int:
        """The object ends whose key was left out: members that follow it join its own."""
        self._unwrapped = False
        self._output.drop_comma()
        self.state = self._after if self._output.frames[0].keys else self._member
        return pos + 1

    def _close(self) -> None:
        self._closed_by = self._output.close()
        self._ended()

    def _ended(self) -> None:
        """A value has ended: it was the whole one, or its container goes on."""
        if self._output.frames:
            self.state = self._after
        elif self._fenced:
            self.state = self._behind_fenced
        else:
            self.over = True

    def _stop(self, pos: int) -> int:
        """Here is something that no JSON holds."""
        self._repairs.respelled = self._repairs.guessed = True
        self.over = self.stuck = True
        return pos

    def _guess(self, pos: int) -> int:
        """Something was passed over or added that no spelling explains."""
        self._repairs.respelled = self._repairs.guessed = True
        return pos
