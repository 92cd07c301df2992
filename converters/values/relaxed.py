"""JSON as Gemma spells it, in pieces: bare keys, and strings that stand raw between two tokens. It comes out strict.

What else models write there is read too: quoted strings, and bare words, which are strings if they are no literal.
"""

from __future__ import annotations

import re
from functools import cache

from converters.text.reasons import Reason
from converters.values.json.output import Flow
from converters.values.json.reader import JsonReader
from converters.values.json.words import Spelling
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy

_KEY_WORD = re.compile(r"[^,:\[\]{}\"']+")
_VALUE_WORD = re.compile(r"[^,\[\]{}\"']+")


@cache
def relaxed_spelling(delimiter: str) -> Spelling:
    """The spelling whose strings stand between two `delimiter`s."""
    return Spelling(_KEY_WORD, _VALUE_WORD, delimiter)


class TypedRelaxedReader:
    """A reader of such JSON whose strict JSON passes through a reader that types it."""

    __slots__ = ("_relaxed", "_typed", "done", "rest", "stuck")

    def __init__(self, delimiter: str, node: Node) -> None:
        self._relaxed = JsonReader(spelling=relaxed_spelling(delimiter))
        self._typed = JsonReader(SchemaPolicy(node))
        self.done = False
        self.stuck = False
        self.rest = ""

    @property
    def codes(self) -> list[Reason]:
        """Those of the typing: its own spelling is how the row writes."""
        return self._typed.codes

    @property
    def unreadable(self) -> bool:
        return self._relaxed.unreadable

    @property
    def flow(self) -> Flow | None:
        return self._relaxed.flow if self._typed.flow else None  # else there is something to type

    def feed(self, text: str) -> str:
        out = self._typed.feed(self._relaxed.feed(text))
        self.done, self.stuck, self.rest = self._relaxed.done, self._relaxed.stuck, self._relaxed.rest
        return out + self._typed.finish() if self.done else out

    def finish(self) -> str:
        self.done = True
        return self._typed.feed(self._relaxed.finish()) + self._typed.finish()
