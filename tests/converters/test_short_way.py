"""A lease lets pieces past the parser: it must bring what reading them would have brought."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import SYNTAXES, Expectations, Syntax, new_parser
from converters.render import render_calls
from converters.stages.pipeline import Pipeline
from converters.text.events import ArgumentsDelta, Event, Reasoning, Text, merge
from tests.helpers import meaning

TOOLS: dict[str, Any] = {"write": {"type": "object", "properties": {"text": {"type": "string"}}}}
LETTERS = st.sampled_from(
    [*"ab \\\"'`<>{}[](),|:/\n\t01xuU", "주", "\\n", "\\'", '\\"', "\\x41", "\\u00e9", "</", "<|"]
)
PIECES = st.lists(st.lists(LETTERS, min_size=1, max_size=5).map("".join), min_size=1, max_size=6)
MARKUP = '<tool_call>\n{"name": "write", "arguments": {"text": "a b"}}\n</tool_call>'
WORDS = st.sampled_from(
    [
        *("a", "b c", " ", "  ", "\n", "\n\n", "\t", "주", "`", "```", "~", "~~~", "<", "<th", "[", "{", '"', "\\"),
        *("a" * 300, " " * 4100, "<think>", "</think>", "<|im_end|>", "</s>", "<tool_response>", MARKUP),
    ]
)
PROSE = st.lists(st.lists(WORDS, min_size=1, max_size=3).map("".join), min_size=1, max_size=12)
CHEAP = settings(
    max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class LongWay(Pipeline):
    """A parser that reads every piece in full."""

    __slots__ = ()

    def lease(self) -> None:
        return None


def parser_of(syntax: Syntax | None, short: bool, **options: Any) -> Pipeline:
    parser = new_parser(Expectations(tools=TOOLS, **options), syntax)
    if not short:
        parser.__class__ = LongWay
    return parser


def begun(syntax: Syntax, short: bool, heal: bool = True) -> Pipeline:
    """A parser that has read a call up to the middle of a string."""
    rendered = render_calls(syntax, [("write", {"text": "one two"})])
    parser = parser_of(syntax, short, heal=heal)
    for letter in rendered[: rendered.index(" two")]:
        parser.feed(letter)
    return parser


def by_lease(parser: Pipeline, piece: str, feed: Callable[[str], list[Event]], reasoning: bool = False) -> list[Event]:
    """What a piece brings to whoever asks for a lease first, as the backend's side does."""
    lease = parser.lease()
    if lease is None or (reasoning and lease.kind != "reasoning"):
        return feed(piece)
    held, prefilter = lease.held, lease.prefilter
    quiet = prefilter is not None and prefilter.in_string(json.dumps(piece, ensure_ascii=False)[1:-1].encode()) is None
    taken = lease.take(piece)
    if quiet and not held and (piece[-1] != " " or not lease.holds_space):
        assert taken == piece
    if taken is None:
        assert lease.held == held
        return feed(piece)
    if lease.kind == "arguments":
        return [ArgumentsDelta(lease.call, taken, piece)]
    assert len(taken) - len(held) == len(piece) - len(lease.held)
    return [Text(taken) if lease.kind == "text" else Reasoning(taken)]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@given(pieces=PIECES, heal=st.booleans())
@CHEAP
def test_it_brings_what_reading_brings(syntax: Syntax, pieces: list[str], heal: bool) -> None:
    leased, short, long = begun(syntax, True, heal), begun(syntax, True, heal), begun(syntax, False, heal)
    taken: list[Event] = []
    found: list[Event] = []
    read: list[Event] = []
    for piece in pieces:
        taken += by_lease(leased, piece, leased.feed)
        found += short.feed(piece)
        read += long.feed(piece)
        assert merge(taken) == merge(found) == merge(read)
    assert merge([*taken, *leased.finish()]) == merge([*found, *short.finish()]) == merge([*read, *long.finish()])


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_every_syntax_grants_one_unless_its_call_is_the_whole_message(syntax: Syntax) -> None:
    lease = begun(syntax, short=True).lease()
    assert (lease is None) == syntax.whole_message
    assert lease is None or (lease.kind, lease.call) == ("arguments", 0)


@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        *({}, {"translate": False}, {"reasoning": "keep"}, {"reasoning": "drop"}, {"whole_calls": True}),
        *({"starts_inside": True}, {"strip_end_tokens": False}, {"choice": "none"}),
    ],
)
@given(pieces=PROSE)
@CHEAP
def test_prose_passes_as_it_is_read(options: dict[str, Any], splits: bool, pieces: list[str]) -> None:
    leased, short, long = (
        parser_of(None, True, **options),
        parser_of(None, True, **options),
        parser_of(None, False, **options),
    )
    taken: list[Event] = []
    found: list[Event] = []
    read: list[Event] = []
    for number, piece in enumerate(pieces):
        reasons = splits and number < len(pieces) // 2
        feeds = [each.feed_reasoning if reasons else each.feed for each in (leased, short, long)]
        if splits and not reasons and (lease := leased.lease()) is not None and lease.kind == "reasoning":
            taken += feeds[0](piece)
        else:
            taken += by_lease(leased, piece, feeds[0], reasons)
        found += feeds[1](piece)
        read += feeds[2](piece)
        assert merge(taken) == merge(found) == merge(read)
    taken, found, read = (
        [*events, *parser.finish()] for events, parser in ((taken, leased), (found, short), (read, long))
    )
    assert merge(taken) == merge(found) == merge(read)
    if not splits:
        whole = parser_of(None, True, **options)
        assert meaning([*whole.feed("".join(pieces)), *whole.finish()]) == meaning(taken)


def test_a_lease_tells_the_index_that_the_client_is_told() -> None:
    parser = new_parser(Expectations(tools={"write": TOOLS["write"]}, allowed=frozenset({"write"})))
    parser.feed('<tool_call>\n{"name": "read", "arguments": {}}\n</tool_call>')
    parser.feed('\n<tool_call>\n{"name": "write", "arguments": {"text": "a')
    lease = parser.lease()
    assert lease is not None and (lease.kind, lease.call, lease.take("b")) == ("arguments", 0, "b")
    assert parser.feed("c") == [ArgumentsDelta(0, "c", "c")]
