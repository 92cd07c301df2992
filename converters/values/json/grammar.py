"""The grammar of one JSON value, read leniently: a state for each place between two tokens.

A state reads what it can of a text from a position on, writes strict JSON and chooses the next state. What is inside
a token belongs to `strings` and `words`, what stands between tokens to `between`, what ends a string to `behind`;
`builder` knows what the values mean, and `repairs` keeps what was done. It may not know what the value is for.

Nothing is invented: what no spelling explains makes the value unreadable (`_stop`).
"""

from __future__ import annotations

import re

from converters.values.json import between
from converters.values.json.behind import COLONS, COMMAS, end_at
from converters.values.json.builder import LEVELS, ValueBuilder
from converters.values.json.judge import Judge
from converters.values.json.output import CLOSER, JsonOutput, in_string
from converters.values.json.repairs import Repairs
from converters.values.json.strings import ESCAPED, QUOTES, TRIPLE, State, StringReader
from converters.values.json.words import Spelling, strict_word

_ASCII = {"：": ":", "，": ",", "｝": "}", "］": "]", "｛": "{", "［": "["}
"""Full-width punctuation, which counts where nothing else fits."""


class JsonGrammar:
    """`state` reads on from a position and returns the next one, or -1 if more text must come first.

    `over` says that the value has ended, or that it cannot be read on: then it is `stuck`.
    """

    __slots__ = (
        *("_builder", "_ends_in_word", "_fenced", "_has_surplus", "_is_first", "_output", "_repairs", "_spelling"),
        *("begun", "finishing", "judge", "over", "state", "strings", "stuck", "waiting_for"),
    )

    def __init__(
        self,
        output: JsonOutput,
        builder: ValueBuilder,
        repairs: Repairs,
        spelling: Spelling,
        judge: Judge,
        pending: list[str],
    ) -> None:
        self._output = output
        self._repairs = repairs
        self._builder = builder
        self._spelling = spelling
        self.judge = judge
        self.strings = StringReader(output, repairs, pending, spelling.delimiter, self.judge.ends, self._stop)
        self._fenced = self._ends_in_word = False
        self._is_first = False  # directly behind the opener of the whole value
        self._has_surplus = False  # a closer that closes nothing
        self.state: State = self._value
        self.waiting_for: re.Pattern[str] | None = None
        """What more of the same changes nothing where a state waits: more of a word, or blanks."""
        self.begun = False
        """A key with its colon has been read, or the end of an object."""
        self.finishing = False
        self.over = False
        self.stuck = False

    def finish(self, stops: bool) -> None:
        """All text has been read: what is open is closed where every value is complete.

        This is the one place that decides whether what is open is unreadable. `stops`: the text may end anywhere.
        """
        if stops and (self._ends_in_word or self._repairs.unclosed):
            self._stop(0)
        if self.over or self.state in (self._behind, self._behind_fenced):
            self.over = True
            return
        frames = self._output.frames
        is_complete = not self.strings.quote and self.state in (self._after, self._item, self._member)
        if self.state == self._value and (not frames or frames[-1].opener == "["):
            is_complete = True
        if not is_complete or (frames and (stops or self._has_surplus or self._repairs.inner_quotes)):
            self._stop(0)
            return
        self._close_all()

    # -- the states: each reads what it can from a position and returns the next, or -1 to wait for more --------------

    def _value(self, text: str, pos: int) -> int:
        char = text[pos]
        if char.isalnum():
            return self._value_word(text, pos)
        if char in "{[":
            return self._open(text, pos)
        if char == '"' or char in QUOTES:
            return self._open_string(text, pos)
        if char in "]}":
            return self._closer(text, pos, char)
        special = self._special(text, pos)
        return self._value_word(text, pos) if special is None else special

    def _item(self, text: str, pos: int) -> int:
        """The first item of an array, or its end."""
        if text[pos] not in between.PLAIN_SPACE:
            self.state = self._value
            after = self._value(text, pos)
            if self.state == self._value:  # nothing was read but blanks
                self.state = self._item
            return after
        return self._space(text, pos)

    def _member(self, text: str, pos: int) -> int:
        """A key, or the end of the object."""
        char = text[pos]
        is_first, self._is_first = self._is_first, False
        if char == '"' or char in QUOTES:
            self._begin_key(QUOTES[char])
            return pos + 1
        if char == "{" and is_first:  # doubled, as in a format string; the second closer is one too many
            self._repairs.respelled = True
            return pos + 1
        if char in "]}":
            return self._closer(text, pos, char)
        special = self._special(text, pos)
        if special is None and end_at(text, pos, self.judge.ends_at):
            return self._at_end(text, pos)
        return self._key_word(text, pos) if special is None else special

    def _colon(self, text: str, pos: int) -> int:
        if text[pos] in COLONS:
            self.state = self._value
            self._repairs.respelled = self._repairs.respelled or text[pos] != ":"
            self._output.put(":")
            self.begun = True
            return pos + 1
        end = self._space(text, pos)
        return self._stop(pos) if end == pos else end

    def _after(self, text: str, pos: int) -> int:
        """Behind a member or an item: a comma, or the closer."""
        char = text[pos]
        if char in COMMAS:
            self._repairs.respelled = self._repairs.respelled or char != ","
            self.state = self._member if self._output.frames[-1].opener == "{" else self._value
            self._output.put_comma()
            return pos + 1
        char = _ASCII.get(char, char)
        if char in "]}":
            return self._closer(text, pos, char)
        end = self._space(text, pos)
        return self._at_end(text, pos) if end == pos else end

    def _at_end(self, text: str, pos: int) -> int:
        """Where every value is complete, but something follows that is no JSON: what ends the arguments, or nothing."""
        found = end_at(text, pos, self.judge.ends_at)
        if found == between.WAIT and not self.finishing:
            self.judge.taken = pos
            return -1
        if found and not self._repairs.inner_quotes and not self._has_surplus:
            self._close_all()
            return pos
        return self._stop(pos)

    def _close_all(self) -> None:
        self._output.discard_comma()
        self._repairs.unclosed = bool(self._output.frames)
        while self._output.frames:
            self._output.close()
        self.over = True

    def _behind(self, text: str, pos: int) -> int:
        """Behind the whole value: what the row allows there, or the value was not over."""
        found = self.judge.behind(text, pos)
        if found.what == "over" and not self.finishing:
            self.judge.taken = pos
            return -1
        if found.what == "misfit" and not self.finishing:
            return self._stop(pos)
        self.over = True
        return pos

    def _behind_fenced(self, text: str, pos: int) -> int:
        """Behind a value that a fence opened in front of: the fence that closes it, if it is there."""
        if text[pos] in between.PLAIN_SPACE:
            return pos + 1
        end = between.closing_fence_end(text, pos)
        self.over = end != between.WAIT or self.finishing
        return between.behind_backticks(text, pos) if end is None else len(text) if self.finishing and end < 0 else end

    # -- what may stand between tokens -------------------------------------------------------------------------------

    def _space(self, text: str, pos: int) -> int:
        """Blanks and comments; the position itself if there are none."""
        end = between.blanks_end(text, pos, partly=not self.finishing)
        if end == between.WAIT:
            return self._wait()
        if end > pos:
            space = between.strict_space(text[pos:end])
            self._repairs.respelled = self._repairs.respelled or len(space) < end - pos
            self._output.put_space(space)
        return end

    def _special(self, text: str, pos: int) -> int | None:
        """Where a key or a value begins: something else that may stand there; None if nothing such does."""
        delimiter = self._spelling.delimiter
        char = text[pos]
        if delimiter and char == delimiter[0]:
            return self._delimiter(text, pos)
        if char == "`" and not self._output.frames and not self._fenced:
            return self._open_fence(text, pos)
        if char == "\\" and text[pos + 1 : pos + 2] in ("", '"') and not delimiter:
            return self._escaped_quote(text, pos)
        end = self._space(text, pos)
        if end != pos:
            return end
        char = _ASCII.get(char, "")
        if char and char in "]}":
            return self._closer(text, pos, char)
        if char and char in "{[" and self.state != self._member:
            return self._open(text, pos)
        return self._stop(pos) if char else None

    def _delimiter(self, text: str, pos: int) -> int | None:
        delimiter = self._spelling.delimiter
        if text.startswith(delimiter, pos):
            if self.state == self._member:
                self._begin_key(delimiter)
            else:
                self._begin_string(delimiter)
            return pos + len(delimiter)
        if not delimiter.startswith(text[pos : pos + len(delimiter)]):
            return None
        self.judge.taken = pos if self.judge.ends_at else -1
        return self._wait()

    def _open_fence(self, text: str, pos: int) -> int:
        end = between.opening_fence_end(text, pos)
        if end is None:
            return self._stop(pos)
        if end == between.WAIT:
            return self._wait()
        self._repairs.respelled = self._fenced = True
        return end

    def _escaped_quote(self, text: str, pos: int) -> int:
        """JSON as it stands in a string: quotes as `\\"`."""
        if pos + 1 == len(text):
            return self._wait()
        if self.state == self._member:
            self._begin_key(ESCAPED)
        else:
            self._begin_string(ESCAPED)
        return pos + 2

    # -- strings and words -------------------------------------------------------------------------------------------

    def _begin_key(self, quote: str) -> None:
        self._output.capture()
        self.state = self.strings.begin(quote, self._key_ended, is_key=True)

    def _key_ended(self) -> None:
        self._put_key(self._output.release())

    def _put_key(self, key: str) -> None:
        output = self._output
        if not output.put_key(key):
            self._repairs.duplicate_key = True
        frame = output.frames[-1]
        self.state = self._colon
        if self._repairs.inner_quotes and (
            self._repairs.duplicate_key or (frame.has_inner_quotes and frame.has_undeclared)
        ):
            self._stop(0)

    def _open_string(self, text: str, pos: int) -> int:
        """At a quote where a value begins. Three open one string if what follows them could not follow a value."""
        char = text[pos]
        if text.startswith(char, pos + 1) or pos + 1 == len(text):
            quotes = len(text) - pos - len(text[pos:].lstrip(char)) if char in "\"'" else 1
            if pos + quotes == len(text) and quotes < 4 and not self.finishing and char in "\"'":
                return self._wait()
            if quotes == 3:
                found = self.judge.behind(text, pos + 3)
                if found.what in ("waits", "over") and not self.finishing:
                    return self._wait()
                if found.what in ("misfit", "expression"):
                    self._begin_string(TRIPLE[char == "'"])
                    return pos + 3
        self._begin_string(QUOTES[char])
        return pos + 1

    def _begin_string(self, quote: str) -> None:
        if self._builder.takes_string():
            self._output.put('"')
            self.state = self.strings.begin(quote, self._string_ended)
        else:
            self._output.capture()
            self.state = self.strings.begin(quote, self._captured_ended)

    def _string_ended(self) -> None:
        self._output.put('"')
        self._ended()

    def _captured_ended(self) -> None:
        """A string ended that may not stay one."""
        self._builder.put_captured()
        self._ended()

    def _key_word(self, text: str, pos: int) -> int:
        """A key without quotes: an identifier, directly before its colon unless that is how the row writes."""
        word = self._spelling.key_word.match(text, pos)
        if word is None:
            return self._stop(pos)
        end = word.end()
        if end == len(text) or (self._spelling.delimiter and between.blanks_end(text, end) == len(text)):
            self.waiting_for = word.re if end == len(text) else None
            return self._wait()
        if not self._spelling.delimiter:
            self._repairs.respelled = True
            if text[end] not in COLONS:
                return self._stop(pos)
        self._put_key(in_string(word.group()))
        return end

    def _value_word(self, text: str, pos: int) -> int:
        """A number or a literal; or any words, where the spelling has them."""
        word = self._spelling.value_word.match(text, pos)
        if word is None:
            return self._stop(pos)
        end = word.end()
        if end == len(text) and not self.finishing:
            self.waiting_for = word.re  # it may continue in the next piece
            return -1
        self._ends_in_word = end == len(text)
        written = between.EDGES.sub("", word.group())
        strict = strict_word(written)
        if self._spelling.words:
            self._repairs.respelled = self._repairs.respelled or not self._spelling.delimiter
            found = self.judge.behind(text, end)
            if found.what in ("waits", "ending") and not self.finishing:
                return -1
            if found.what not in ("fits", "key", "over") and not (strict and end == len(text)):
                return self._stop(pos)
            self._builder.put_word(written)
        elif strict is None:
            return self._stop(pos)
        else:
            self._repairs.respelled = self._repairs.respelled or strict != written
            self._output.put(strict)
        self._ended()
        return end

    # -- containers --------------------------------------------------------------------------------------------------

    def _open(self, text: str, pos: int) -> int:
        self._is_first = not self._output.frames
        if len(self._output.frames) == LEVELS:
            return self._stop(pos)
        end = self._builder.open(text, pos, lambda after: self.judge.can_follow(text, after))
        if end > 0:
            self.begun = True
            self._ended()
            return end
        self.state = self._member if text[pos] in "{｛" else self._item
        return pos + 1

    def _closer(self, text: str, pos: int, char: str) -> int:
        frames = self._output.frames
        is_after_key = self.state == self._value and bool(frames) and frames[-1].opener == "{"
        if not frames or is_after_key:
            return self._stop(pos)
        if char != CLOSER[frames[-1].opener]:
            if any(char == CLOSER[frame.opener] for frame in frames):
                return self._stop(pos)
            self._repairs.respelled = self._has_surplus = True
            return pos + 1  # one too many: it closes nothing that is open
        if self._output.drop_comma():
            self._repairs.respelled = True
        self._repairs.respelled = self._repairs.respelled or text[pos] != char
        self._output.close()
        self.begun = True
        self._ended()
        return pos + 1

    def _ended(self) -> None:
        """A value has ended: it was the whole one, or its container goes on."""
        if self._output.frames:
            self.state = self._after
        elif self._fenced:
            self.state = self._behind_fenced
        elif self.judge.follow == "anything":
            self.over = True
        else:
            self.state = self._behind

    def _wait(self) -> int:
        """Something has begun that more text must complete."""
        return self._stop(0) if self.finishing else -1

    def _stop(self, pos: int) -> int:
        """What stands here cannot be read without inventing something."""
        self._repairs.unreadable = self.over = self.stuck = True
        return pos
