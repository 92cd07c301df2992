"""What a model may write against the others: repeated tokens, what never closes, values that raise (C1, C6, C9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from converters.syntaxes import SYNTAXES
from converters.syntaxes.tokens import END_TOKENS
from tests.attack.arena import Arena, Attack, asking, coded
from tests.servers import tool

SIZE = 200_000
"""Bytes of a text of repeated tokens."""
LIMIT = 64
"""MiB of an answer that may be held (CONTRACT 13)."""
OTHERS = (
    *(
        "```\n",
        "~~~\n",
        "`a ",
        "`` ` ",
        "<think>",
        "</think>",
        "<think></think>",
        '{"name": ',
        '{"',
        "[",
        "{",
        "[{",
        '"',
    ),
    *(
        "\\",
        '\\\\"',
        "'",
        "<",
        "<|",
        "&lt;",
        "\n",
        " ",
        "\t\n",
        "(",
        "f(",
        "f(a=",
        "<!--",
        "<tool_response>",
        "**",
        "> ",
    ),
    *(
        "\ud83d\ude00",
        "é",
        "\u2028",
        "<|start|>assistant<|channel|>",
        "to=functions.",
        "[TOOL_CALLS]",
        "\r\n",
        "0",
        "1e9",
    ),
)


def _literals() -> list[str]:
    """Every literal of every row."""
    found = {part for row in SYNTAXES for part in _parts(row.group + row.call + row.parameter)}
    return sorted(found - set(END_TOKENS))


def _parts(sample: str) -> Iterator[str]:
    yield from (part for part in re.split(r"\{\w*\}|\s+", sample) if len(part) > 2)


def tokens(quick: bool) -> Iterator[tuple[str, list[str]]]:
    """Names of groups of tokens, and the tokens."""
    every = [
        ("end tokens", list(END_TOKENS)),
        ("literals of rows", _literals()),
        ("fences, thoughts, quotes", [*OTHERS]),
    ]
    for name, group in every:
        yield name, group[:: max(1, len(group) // 8)] if quick else group


def _repeated(name: str, way: str) -> Attack:
    def play(arena: Arena) -> None:
        groups = dict(tokens(arena.quick))
        for token in groups[name]:
            size = SIZE if way != "pieces" else SIZE // 4
            told = arena.post(asking(way != "whole"), coded("text", token, size, way))
            assert told.status == 200, f"{token!r}: {told.status} {told.body[:200]!r}"
            assert way == "whole" or told.ended, f"{token!r}: no end {told.body[-200:]!r}"
            assert told.seconds < 3, f"{token!r}: {told.seconds:.1f} s for {size} bytes"

    return Attack("C1", f"repeated {name}, {way}", play, seconds=0)


def _unclosed(name: str, opening: str, piece: str, way: str) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(way != "whole"), coded("never_closed", opening, piece, way))
        if way == "whole":
            assert told.status == 502, f"{told.status} {told.body[:200]!r}"
        else:
            assert told.ended and told.code, f"no error: {told.status} {told.body[-300:]!r}"

    # the text, what is made of it, and what waits to be read
    return Attack("C9", f"{name}, {way}, never closed", play, memory=3 * LIMIT, seconds=0)


VALUES = (
    "1e9999999999999999999",
    "-1e-9999999999999999999",
    "9" * 6000,
    "0." + "9" * 6000,
    "0x" + "F" * 6000,
    "[" * 5000,
    '{"a":' * 3000,
    "NaN",
    "\\ud800",
    '"\\ud800"',
    "1_0",
    "",
    "٣",
    "1e400",
    "-",
    "true" * 2000,
)
_DEEP: dict[str, object] = {"type": "integer"}
for _ in range(60):
    _DEEP = {"anyOf": [_DEEP, {"type": "array", "items": _DEEP}]}
SCHEMAS: dict[str, object] = {
    "integer": {"type": "integer"},
    "number with bounds": {"type": "number", "multipleOf": 1e-300, "maximum": 10**400, "minimum": -(10**400)},
    "5,000 digits in a reference": {"$ref": "#/anyOf/" + "9" * 5000},
    "a reference to itself": {"$ref": "#"},
    "references in a ring": {"$ref": "#/properties/b", "anyOf": [{"$ref": "#/properties/a"}]},
    "a pattern that backtracks": {"type": "string", "pattern": "^(a+)+$"},
    "names that backtrack": {"type": "object", "patternProperties": {"^(a|a)*$": {"type": "integer"}}},
    "not a pattern": {"type": "string", "pattern": "(((("},
    "a huge enum": {"enum": [*range(20_000)]},
    "of no type": {"type": ["integer", None, 7, {}], "properties": 7, "required": 3, "anyOf": {"a": 1}},
    "true": True,
    "wide and deep": _DEEP,
}


def _schemas(name: str) -> Attack:
    def play(arena: Arena) -> None:
        parameters = {"type": "object", "properties": {"a": SCHEMAS[name], "b": SCHEMAS[name]}, "required": ["a", 7]}
        declared = tool("f")
        declared["function"]["parameters"] = parameters
        for value in [*VALUES, "a" * 40 + "!"]:
            for way in ("whole", "pieces"):
                for call in _calls(value):
                    told = arena.post(asking(way != "whole", tools=[declared]), coded("text", call, 1, way))
                    assert told.status == 200, f"{value[:30]!r}: {told.status} {told.body[:200]!r}"
                    assert way == "whole" or told.ended, f"{value[:30]!r}: {told.body[-200:]!r}"
            if arena.quick and value == VALUES[3]:
                return

    return Attack("C6", f"hostile values for a schema: {name}", play, seconds=0, quick=name in list(SCHEMAS)[::3])


def _calls(value: str) -> Iterator[str]:
    if len(value) < 3000:  # in a header
        yield f"<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>{value}</arg_value>\n</tool_call>"
    yield f'<tool_call>\n{{"name": "f", "arguments": {{"a": {value}}}}}\n</tool_call>'


ATTACKS = [
    *(_repeated(name, way) for name, _ in tokens(True) for way in ("whole", "one", "pieces")),
    _unclosed("a bare call", '{"name": "get_weather", "arguments": {"city": "', "x", "streamed"),
    _unclosed("a bare call", '{"name": "get_weather", "arguments": {"city": "', "x", "whole"),
    _unclosed("a key of a bare call", '{"name": "get_weather", "', "x", "streamed"),
    _unclosed("white space", "Hi", " ", "streamed"),
    _unclosed("a call in Python", "[get_weather(city='", "x", "streamed"),
    *(_schemas(name) for name in SCHEMAS),
]
