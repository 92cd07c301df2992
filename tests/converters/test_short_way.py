"""More of a string in the arguments goes past the parsers: it must bring what reading it would have brought."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls
from converters.stages.pipeline import Pipeline
from converters.text.events import Event, merge

TOOLS: dict[str, Any] = {"write": {"type": "object", "properties": {"text": {"type": "string"}}}}
LETTERS = st.sampled_from(
    [*"ab \\\"'`<>{}[](),|:/\n\t01xuU", "주", "\\n", "\\'", '\\"', "\\x41", "\\u00e9", "</", "<|"]
)
PIECES = st.lists(st.lists(LETTERS, min_size=1, max_size=5).map("".join), min_size=1, max_size=6)


def begun(syntax: Syntax, short: bool, heal: bool = True) -> Pipeline:
    """A parser that has read a call up to the middle of a string."""
    rendered = render_calls(syntax, [("write", {"text": "one two"})])
    parser = new_parser(Expectations(tools=TOOLS, heal=heal), syntax)
    for letter in rendered[: rendered.index(" two")]:
        parser.feed(letter)
    return parser if short else long_way(parser)


def long_way(parser: Pipeline) -> Pipeline:
    parser._flow = None
    if parser._detector._calls is not None:
        parser._detector._calls.flow = None
    return parser


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@given(pieces=PIECES, heal=st.booleans())
@settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_brings_what_reading_brings(syntax: Syntax, pieces: list[str], heal: bool) -> None:
    short, long = begun(syntax, True, heal), begun(syntax, False, heal)
    found: list[Event] = []
    read: list[Event] = []
    for piece in pieces:
        found += short.feed(piece)
        read += long_way(long).feed(piece)
        assert merge(found) == merge(read)
    assert merge([*found, *short.finish()]) == merge([*read, *long.finish()])


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_every_syntax_has_one_unless_its_call_is_the_whole_message(syntax: Syntax) -> None:
    calls = begun(syntax, short=True)._detector._calls
    assert calls is not None
    assert (calls.flow is None) == syntax.whole_message
