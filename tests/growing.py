"""A text that grows and may end anywhere: what a parser makes of each beginning of it, without reading all of it anew.

A parser that has read a beginning is copied with all its state, and the copy is told that the text ends. So all ends
of a text cost about as much as reading it once, and a copy each. `tests/test_growing.py` holds the copies to parsers
that have read the beginnings themselves.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from converters import SYNTAXES, Expectations, Syntax
from converters.detect.openers import OpenerIndex
from converters.detect.reasoning import ReasoningState
from converters.shapes import grammar
from converters.shapes.machine import CallContext, Opener
from converters.stages.end_tokens import EndTokens
from converters.stages.pipeline import Pipeline, new_parser
from converters.syntaxes import ReasoningTag
from converters.text.events import Event, merge
from converters.text.scanner import Lookahead, MarkerPrefilter, Markers
from converters.text.templates import Pattern
from converters.values.json.policy import Verbatim
from converters.values.json.words import Spelling
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy

FEW = 4
"""Pieces that are read again in less time than a copy takes."""

_FIXED = (
    *(CallContext, Expectations, Lookahead, MarkerPrefilter, Markers, Node, Opener, OpenerIndex, Pattern),
    *(ReasoningTag, SchemaPolicy, Spelling, Syntax, Verbatim, re.Match, re.Pattern),
    type(EndTokens()._patterns),
    *{type(grammar(row)) for row in SYNTAXES},
)
"""Types whose values say the same for ever (what some of them cache is no state): copies share them."""

_shared: dict[int, Any] = {}
"""The values that the copies of a parser share, by their number; kept as long as one of the copies may be made."""


def _kept(value: Any) -> tuple[Callable[[int], Any], tuple[int]]:
    _shared[id(value)] = value
    return _shared_value, (id(value),)


def _shared_value(number: int) -> Any:
    return _shared[number]


def _reasoning(value: ReasoningState) -> tuple[Callable[..., ReasoningState], tuple[Any, ...], tuple[None, Any]]:
    """It holds tables of tags, which are fixed."""
    state = {name: getattr(value, name) for name in _STATE}
    return _new_reasoning, (_kept(value._opens)[1], _kept(value._late)[1]), (None, state)


def _new_reasoning(opens: tuple[int], late: tuple[int]) -> ReasoningState:
    return ReasoningState(active=False, opens=_shared[opens[0]], late=_shared[late[0]])


_STATE = [name for name in ReasoningState.__slots__ if name not in ("_opens", "_late")]


def _number_classes() -> None:
    """Give each class a number, which pickle finds faster than a name in a module."""
    named = [
        (each.__module__, each.__qualname__)
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] == "converters"
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == name
    ]
    others = [
        ("builtins", "getattr"),
        (__name__, "_shared_value"),
        (__name__, "_new_reasoning"),
        ("functools", "partial"),
    ]
    for number, (module_name, name) in enumerate([*named, *others], 1_000_000):
        copyreg.add_extension(module_name, name, number)


_number_classes()


class Copies:
    """Copies of a parser in its present state, each of which goes its own way."""

    def __init__(self, parser: Pipeline) -> None:
        """Raises AttributeError where a part of the parser holds a function of its own, which nothing can copy."""
        lease = parser._lease, parser._lease_known
        parser._lease, parser._lease_known = None, False  # to ask for another changes nothing
        try:
            sink = io.BytesIO()
            writer = pickle.Pickler(sink, pickle.HIGHEST_PROTOCOL)
            writer.dispatch_table = _TABLE
            writer.dump(parser)
        finally:
            parser._lease, parser._lease_known = lease
        self._state = sink.getvalue()

    def one(self) -> Pipeline:
        copied: Pipeline = pickle.loads(self._state)
        return copied


_TABLE: dict[type, Any] = {**dict.fromkeys(_FIXED, _kept), ReasoningState: _reasoning}


class Growing:
    """A text in pieces, which is asked for its beginnings, each at least as long as the last one."""

    def __init__(self, pieces: Sequence[str], expectations: Expectations, prior: Syntax | None) -> None:
        self._new = partial(new_parser, expectations, prior)
        self._pieces = pieces
        self._parser = self._new()
        self._count = 0  # of the pieces that it has read
        self._length = 0  # of those pieces together
        self._events: list[Event] = []  # of those pieces
        self._copies: Copies | None = None  # of the parser behind them

    def until(self, length: int, *, cut: bool) -> list[Event]:
        """The events of so many characters: of whole pieces, of the beginning of one, and of the end."""
        while self._count < len(self._pieces) and self._length + len(self._pieces[self._count]) <= length:
            self._events = merge([*self._events, *self._parser.feed(self._pieces[self._count])])
            self._length += len(self._pieces[self._count])
            self._count += 1
            self._copies = None
        parser = self._copied()
        events = list(self._events)
        if length > self._length:
            events += parser.feed(self._pieces[self._count][: length - self._length])
        return events + parser.finish(cut)

    def _copied(self) -> Pipeline:
        """A parser that has read the pieces."""
        if self._count > FEW:
            try:
                self._copies = self._copies or Copies(self._parser)
                return self._copies.one()
            except AttributeError:
                pass
        parser = self._new()
        for piece in self._pieces[: self._count]:
            parser.feed(piece)
        return parser
