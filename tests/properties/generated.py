"""What is generated: names, arguments, calls of a row, texts and cuts; and what a text means at every cut.

What is left out because nobody could tell where a value ends: in rows of text values, a string that holds the row's
own closer with an opener or a closer of the row, or the end of the value, behind it, or the opener of a parameter at
a line start; in relaxed rows, a string that holds the delimiter, and a key that cannot stand without quotes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from converters import SYNTAXES
from converters.render import render_calls
from tests.fuzz import (
    FRAMED,
    JSONS,
    MARKERS,
    PROSE,
    QUOTES,
    SPACES,
    THINK,
    TOOLS,
    ambiguous,
)
from tests.helpers import ROWS, Message, assemble, cuts, meaning, parse, same_json, spans
from tests.scale import of

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def modest(examples: int) -> settings:
    """So many examples in `make test EVERYTHING=1`, and a third of them in `make test`; the same ones every time."""
    return settings(
        max_examples=of(examples, max(examples // 3, 4)),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=SLOW,
    )


WHOLE_ROWS = tuple(syntax.name for syntax in SYNTAXES if syntax.whole_message)
each_row = pytest.mark.parametrize("row", ROWS)
each_framed_row = pytest.mark.parametrize("row", FRAMED)

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WRITTEN = tuple(render_calls(syntax, [("ping", {}), ("get_weather", {"city": "x", "days": 1})]) for syntax in SYNTAXES)
AWKWARD = (
    "\n",
    "\r\n",
    '"',
    "'",
    "\\",
    '\\"',
    "\\n",
    "\\u12",
    "  ",
    "```",
    "`",
    "{",
    "}",
    "[1,",
    "]",
    "null",
    "07",
    "",
)
STRINGS = st.lists(
    st.one_of(UNICODE, st.sampled_from(MARKERS), st.sampled_from(WRITTEN), st.sampled_from(AWKWARD)), max_size=4
).map("".join)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
IDENTIFIERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(lambda name: name != "print")


def values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(STRINGS, NUMBERS, st.booleans(), st.none())
    nest = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
        max_leaves=5,
    )
    return st.one_of(STRINGS, nest)


def calls_of(row: str) -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    """Calls that the row can write; a tool that stands twice has one schema that fits both."""
    in_json = ROWS[row].shape in ("json_object", "named_json")
    keys = st.one_of(IDENTIFIERS, UNICODE) if in_json else IDENTIFIERS
    nested = IDENTIFIERS if ROWS[row].shape == "relaxed" else UNICODE
    arguments = st.dictionaries(keys, values(nested), max_size=4).filter(lambda found: not ambiguous(row, found))
    by_name = st.tuples(NAMES, arguments)
    return st.lists(by_name, min_size=1, max_size=3, unique_by=lambda call: call[0].casefold().replace("-", "_"))


TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def schemas(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {
        name: {"properties": {key: {"type": TYPES[type(value)]} for key, value in arguments.items()}}
        for name, arguments in calls
    }


LETTERS = st.characters(categories=["Ll", "Lu", "Lo", "Nd"])
STRETCHES = st.tuples(
    LETTERS,
    st.text(st.one_of(LETTERS, st.sampled_from(" \n\t.,;:!?-*/&%$#@'\"+")), max_size=30),
    LETTERS,
).map("".join)
PLACES = st.lists(st.integers(0, 1000), max_size=8)


def pieces_of(text: str, places: Sequence[int]) -> list[str]:
    """The text, cut at these thousandths of it."""
    ends = sorted(len(text) * place // 1000 for place in places)
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


PIECES = st.one_of(
    st.sampled_from(MARKERS),
    st.sampled_from(MARKERS).flatmap(lambda marker: st.integers(0, len(marker)).map(lambda end: marker[:end])),
    st.sampled_from(WRITTEN),
    st.sampled_from(WRITTEN).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end])),
    st.sampled_from(WRITTEN).flatmap(lambda text: st.integers(0, len(text)).map(lambda start: text[start:])),
    st.sampled_from([*THINK, *QUOTES, *SPACES, *PROSE, *JSONS]),
    UNICODE,
)
SOUP = st.lists(PIECES, max_size=10).map("".join)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "starts_inside": st.booleans(),
        "choice": st.sampled_from(("auto", "none")),
        "parallel": st.booleans(),
        "whole_calls": st.booleans(),
        "json_answer": st.booleans(),
        "translate": st.booleans(),
        "reasoning": st.sampled_from(("split", "keep", "drop")),
        "strip_end_tokens": st.booleans(),
    },
)

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "x"}}\n</tool_call>'
PING = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>'
WANTED = ("get_weather", {"city": "x"})


def same_at_every_cut(text: str, **options: Any) -> Message:
    """The message of a text, once it is the same in every cut."""
    whole = parse(text, TOOLS, **options)
    assert spans(whole) == text
    for pieces in cuts(text):
        assert meaning(parse(text, TOOLS, pieces, **options)) == meaning(whole), pieces
    return assemble(whole)


def said(text: str, **options: Any) -> tuple[str, str, list[str]]:
    """(content, reasoning, names of the calls)"""
    message = same_at_every_cut(text, **options)
    return message.content, message.reasoning, message.names


QWEN = "<function=get_weather>\n<parameter=city>\nx\n</parameter>\n</function>"
BARE = '{"name": "get_weather", "arguments": {"city": "x"}}'


def assert_calls(message: Message, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    assert message.names == [name for name, _ in calls]
    for got, (_, arguments) in zip(message.arguments, calls, strict=True):
        assert same_json(got, arguments), f"{json.dumps(got)} for {json.dumps(arguments)}"
    assert set(message.endings) <= {"complete"}


def in_front_of_the_name(row: str) -> str:
    text = render_calls(ROWS[row], [("get_weather", {})])
    return text[: text.index("get_weather")]
