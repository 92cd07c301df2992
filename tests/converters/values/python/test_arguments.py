"""The arguments of a Python call: strings flow, other values wait for their end, and what leaves is always JSON."""

from __future__ import annotations

from typing import Any

import pytest

from converters.values.python.arguments import PythonArguments
from tests.helpers import cuts, read_json

SCHEMA: dict[str, Any] = {
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "any": {},
        "box": {"type": "object", "properties": {"n": {"type": "integer"}}},
    }
}


def read(pieces: list[str]) -> tuple[str, str]:
    """(the JSON that left, what came behind the bracket)"""
    arguments = PythonArguments(SCHEMA)
    sent = "".join(arguments.feed(piece) for piece in pieces if not arguments.done)
    return sent + ("" if arguments.done else arguments.finish()), arguments.rest


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", {}),
        ("city='a', days=3", {"city": "a", "days": 3}),
        ("'a', 3", {"city": "a", "days": 3}),
        ('city="", any="""a "b" c"""', {"city": "", "any": 'a "b" c'}),
        ("city='a\\n\\x41\\u00e9\\101\\'\\q'", {"city": "a\nAéA'\\q"}),
        ("city='\\ud83d\\ude00'", {"city": "😀"}),
        ("city=r'C:\\new', days='3'", {"city": "C:\\new", "days": 3}),
        ("city='a'\n'b'\n r'\\n'", {"city": "ab\\n"}),
        ("city='it's', days=1", {"city": "it's", "days": 1}),
        ('city="echo "hi""', {"city": 'echo "hi"'}),
        ("city='echo 'a', 'b''", {"city": "echo 'a', 'b'"}),
        ("city='a', city='b'", {"city": "a"}),
        ("city=5, any=None", {"city": 5, "any": None}),
        ("box={'n': '3'}, any=['3', {'a': (1,)}]", {"box": {"n": 3}, "any": ["3", {"a": [1]}]}),
        ("city='it's (very) fine', days=1", {"city": "it's (very) fine", "days": 1}),
        ("\n    city = 'a',\n", {"city": "a"}),
    ],
)
def test_arguments(text: str, meant: Any) -> None:
    for pieces in cuts(text + ") x"):
        arguments = PythonArguments(SCHEMA)
        sent = rest = ""
        for piece in pieces:
            if arguments.done:
                rest += piece
            else:
                sent += arguments.feed(rest + piece)
                rest = arguments.rest
        assert arguments.done, pieces
        assert not arguments.unreadable, pieces
        assert (read_json(sent), rest) == (meant, " x"), pieces


@pytest.mark.parametrize(
    "text",
    [
        "city='a' + str(1))",
        "city='/a' + '/b')",
        "any='a'.join(x, ')'))",
        "any=str(1), days=2)",
        "city='a' 'b')",
        "any=['a' 'b'])",
        "**args)",
        "...)",
        "the city)",
        "city=name)",
        "days=2 + 3)",
        "city='a' days=3)",
        "city='a', 3)",
        "1, 2, 3, 4, 5, 6)",
        "city='a 'b' c', city='d')",
        "city='a 'b' c', town='d')",
        "any=['it's'])",
        "city='a'",
        "city='Seo",
        "city='a\\",
        "city='a', da",
        "city='a', days=",
        "city=",
        "cit",
    ],
)
def test_what_is_no_literal_is_unreadable(text: str) -> None:
    """Defect A7: an expression, an argument that was never closed, or one that nobody wrote."""
    for pieces in cuts(text):
        arguments = PythonArguments(SCHEMA, stops=True)
        rest = ""
        for piece in pieces:
            if not arguments.done:
                arguments.feed(rest + piece)
                rest = arguments.rest
        if not arguments.done:
            assert arguments.finish() == ""
        assert arguments.unreadable, pieces


@pytest.mark.parametrize("text", ["city='a', ", "days=3", "'a'", "city='a' # why\n"])
def test_a_bracket_may_be_missing_only_where_nothing_stops_the_model(text: str) -> None:
    for stops in (False, True):
        arguments = PythonArguments(SCHEMA, stops)
        sent = arguments.feed(text) + arguments.finish()
        assert arguments.unreadable is stops
        if not stops:
            read_json(sent)


@pytest.mark.parametrize(("text", "fits"), [("city= ", True), (")", True), ("'a", True), ("...", False), ("*", False)])
def test_the_first_thing_fits(text: str, fits: bool) -> None:
    arguments = PythonArguments(SCHEMA)
    arguments.feed(text)
    assert arguments.fits is fits


@pytest.mark.parametrize(
    ("text", "meant"),
    [("city='Seoul'", {"city": "Seoul"}), ("city='a', days=3", {"city": "a", "days": 3}), ("", {})],
)
def test_what_is_complete_is_closed_at_the_end(text: str, meant: Any) -> None:
    for pieces in cuts(text):
        assert read_json(read(pieces)[0]) == meant, pieces


def test_what_leaves_is_always_a_beginning_of_the_whole() -> None:
    text = "city='a \"b\" \\n', box={'n': [1, 2]}, days='7', any='x')"
    whole, _ = read([text])
    for end in range(len(text)):
        assert whole.startswith(PythonArguments(SCHEMA).feed(text[:end]))


def test_a_string_flows() -> None:
    arguments = PythonArguments(SCHEMA)
    assert arguments.feed("city='Se") == '{"city": "Se'
    assert arguments.feed("oul") == "oul"
    assert arguments.feed("', days=1") == '"'
    assert arguments.feed("2)") == ', "days": 12}'
