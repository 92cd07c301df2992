"""JSON in pieces, read leniently, emitted as strict JSON while it is read.

What has been emitted is always a prefix of strict JSON, and valid JSON comes out byte for byte. Slips of models are
repaired on the way where nothing has to be invented: Python's `True`, `None` and quotes, keys without quotes, commas
before a closer, raw control characters, stray backslashes and quotes that were not escaped in strings, comments, and
keys that come twice (the first one wins, as it has been emitted).

This file knows about pieces; the grammar is next door. It may not know what the value is for.
"""

from __future__ import annotations

from collections.abc import Sequence

from converters.text.reasons import Reason
from converters.values.json.behind import Follow
from converters.values.json.between import BLANK
from converters.values.json.builder import ValueBuilder
from converters.values.json.grammar import JsonGrammar
from converters.values.json.judge import Judge
from converters.values.json.output import Flow, JsonOutput
from converters.values.json.policy import VERBATIM, Policy
from converters.values.json.repairs import Repairs
from converters.values.json.words import USUAL, Spelling


class JsonReader:
    """`feed` takes pieces and returns strict JSON; `finish` ends the text and closes what may be closed.

    `done`: the value has ended, and `rest` is the text behind it. `unreadable`: it cannot be read on, and `rest` is the
    text from there, at most the last piece, and `back` what stands before it there in earlier pieces; what has been
    emitted stays a prefix of JSON. While neither is so, `rest` is what was not taken of the last piece, because it may
    not belong to the value. It is to be fed again.
    """

    __slots__ = (
        *("_delimiter", "_ends_at", "_grammar", "_output", "_pending", "_strings"),
        *("back", "done", "repairs", "rest"),
    )

    def __init__(
        self,
        policy: Policy = VERBATIM,
        spelling: Spelling = USUAL,
        follow: Follow = "anything",
        ends_at: Sequence[str] = (),
    ) -> None:
        """`ends_at`: what ends the value though closers are missing, such as the marker that closes a call."""
        self.repairs = Repairs()
        self._output = JsonOutput()
        self._pending: list[str] = []  # text that cannot be read before more has come
        judge = Judge(self._output, self.repairs, follow, ends_at, spelling)
        builder = ValueBuilder(self._output, policy, self.repairs)
        self._grammar = JsonGrammar(self._output, builder, self.repairs, spelling, judge, self._pending)
        self._strings = self._grammar.strings
        self._delimiter = spelling.delimiter
        self._ends_at = ends_at
        self.done = False
        self.rest = self.back = ""

    @property
    def undecided(self) -> int:
        """How many characters were taken that nothing was made of yet."""
        return sum(map(len, self._pending))

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of what was done to it."""
        return self.repairs.codes

    @property
    def unreadable(self) -> bool:
        return self.repairs.unreadable

    @property
    def begun(self) -> bool:
        """A key with its colon has been read, or a whole container."""
        return self._grammar.begun

    @property
    def depth(self) -> int:
        """How many containers are open."""
        return len(self._output.frames)

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that leaves as it comes; None elsewhere."""
        return self._strings.flow if self._strings.quote and self._output.streams else None

    def feed(self, text: str) -> str:
        grammar = self._grammar
        fed = len(text)
        if self._pending:
            self._pending.append(text)
            same = BLANK if grammar.judge.waits else grammar.waiting_for
            if same and same.fullmatch(text):  # a long word is not read again for each piece
                return ""
            text = self._take_pending()
        out = self._read(text)
        if len(self.rest) > fed:  # it was known only now that it cannot be read on from before this piece
            place = len(self.rest) - fed
            self.back, self.rest = self.rest[:place], self.rest[place:]
        return out

    def finish(self, stops: bool = False) -> str:
        """The text is over. Returns the rest of the JSON, in which containers that were open are closed.

        `stops`: the text may have ended anywhere, so nothing that is open is complete.
        """
        grammar = self._grammar
        if grammar.over:
            return ""
        grammar.finishing = grammar.judge.finishing = self._strings.finishing = True
        untaken = self.rest
        out = self._read(self._take_pending())
        half = untaken.strip()
        may_end = not half or any(marker.startswith(half) for marker in self._ends_at)
        grammar.finish(stops or (self._delimiter.startswith(half) and not may_end))
        self.done = not grammar.stuck
        self._let_go()
        self.rest = self.rest or untaken
        return out + self._output.take() if self.done else ""

    def _read(self, text: str) -> str:
        grammar = self._grammar
        self.rest = ""
        grammar.judge.taken = -1
        pos, end = 0, len(text)
        while pos < end and not grammar.over:
            after = grammar.state(text, pos)
            if after < 0:
                taken = grammar.judge.taken
                if taken >= 0:
                    text, self.rest = text[:taken], text[taken:]
                if pos < len(text):
                    self._pending.append(text[pos:])
                return self._output.take()
            pos = after
        if grammar.over:
            self.done = not grammar.stuck
            self.rest = text[pos:]
            self._let_go()
        return self._output.take()

    def _let_go(self) -> None:
        """The value is over. The states of its grammar are methods, so only the garbage collector would find it."""
        self._grammar.state = _no_state
        self._strings.let_go()

    def _take_pending(self) -> str:
        text = "".join(self._pending)
        self._pending.clear()
        self._grammar.waiting_for = None
        self._grammar.judge.waits = False
        return text


def _no_state(_text: str, _pos: int) -> int:
    return -1


def strict(text: str, lenient: bool = False) -> str | None:
    """The strict JSON of a text that is one JSON value as a whole, or None.

    `lenient` also takes a text that only spells it differently, as Python does.
    """
    reader = JsonReader()
    out = reader.feed(text)
    if not reader.done and not reader.unreadable:
        out += reader.feed(" ")  # ends a number or a word
    repairs = reader.repairs
    whole = reader.done and not reader.rest.strip() and not repairs.inner_quotes
    return out.strip() if whole and (lenient or not repairs.respelled) else None
