"""One JSON value that comes in pieces: read leniently, emitted as strict JSON while it is read.

What has been emitted is always a prefix of strict JSON, and valid JSON comes out byte for byte. Slips of models are
repaired on the way: Python's `True`, `None` and quotes, keys without quotes, commas before a closer, raw control
characters and stray backslashes in strings, comments, and keys that come twice (the first one wins, as it has been
emitted).

This file knows about pieces; the grammar is next door. It may not know what the value is for.
"""

from __future__ import annotations

from converters.text.reasons import Reason
from converters.values.json.builder import ValueBuilder
from converters.values.json.grammar import JsonGrammar
from converters.values.json.output import Flow, JsonOutput
from converters.values.json.policy import VERBATIM, Policy
from converters.values.json.repairs import Repairs
from converters.values.json.strings import StringReader
from converters.values.json.words import USUAL, Spelling


class JsonReader:
    """`feed` takes pieces and returns strict JSON; `finish` ends the text and closes what is open.

    `done`: the value has ended, and `rest` is the text behind it. `stuck`: it does not go on as JSON, and `rest` is
    the text from there.
    """

    __slots__ = ("_grammar", "_output", "_pending", "_strings", "done", "repairs", "rest", "stuck")

    def __init__(self, policy: Policy = VERBATIM, spelling: Spelling = USUAL) -> None:
        self.repairs = Repairs()
        self._output = JsonOutput()
        self._pending: list[str] = []  # text that cannot be read before more has come
        self._strings = StringReader(self._output, self.repairs, self._pending, spelling.delimiter)
        builder = ValueBuilder(self._output, policy, self.repairs)
        self._grammar = JsonGrammar(self._output, self._strings, builder, self.repairs, spelling)
        self.done = False
        self.stuck = False
        self.rest = ""

    @property
    def codes(self) -> list[Reason]:
        """The reason codes of what was done to it."""
        return self.repairs.codes

    @property
    def unreadable(self) -> bool:
        """Whether a value was open at the end of the text."""
        return self.repairs.unreadable

    @property
    def flow(self) -> Flow | None:
        """The short way inside a string that leaves as it comes; None elsewhere."""
        return self._strings.flow if self._strings.quote and self._output.streams else None

    def feed(self, text: str) -> str:
        grammar = self._grammar
        if self._pending:
            self._pending.append(text)
            word = grammar.word
            if word and word.fullmatch(text):  # a long word is not read again for each piece
                return ""
            text = self._take_pending()
        pos, end = 0, len(text)
        while pos < end and not grammar.over:
            after = grammar.state(text, pos)
            if after < 0:
                self._pending.append(text[pos:])
                return self._output.take()
            pos = after
        if grammar.over:
            self.stuck = grammar.stuck
            self.done = not self.stuck
            self.rest = text[pos:]
        return self._output.take()

    def finish(self) -> str:
        """The text is over. Returns the rest of the JSON, in which all that was open is closed."""
        if self.done:
            return ""
        self._grammar.finish(self._take_pending())
        self.done = True
        return self._output.take()

    def _take_pending(self) -> str:
        text = "".join(self._pending)
        self._pending.clear()
        self._grammar.word = None
        return text


def strict(text: str, lenient: bool = False) -> str | None:
    """The strict JSON of a text that is one JSON value as a whole, or None.

    `lenient` also takes a text that only spells it differently, as Python does.
    """
    reader = JsonReader()
    out = reader.feed(text)
    if not reader.done:
        out += reader.feed(" ")  # ends a number or a word
    whole = reader.done and not reader.rest.strip() and not reader.repairs.guessed
    return out.strip() if whole and (lenient or not reader.repairs.respelled) else None
