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
        ("city='a' 'b'\n r'\\n'", {"city": "ab\\n"}),
        ("city='a', city='b'", {"city": "a"}),
        ("city=5, any=None", {"city": 5, "any": None}),
        ("box={'n': '3'}, any=['3', {'a': (1,)}]", {"box": {"n": 3}, "any": ["3", {"a": [1]}]}),
        ("city='it's (very) fine', days=1", {"city": "it's (very) fine", "days": 1}),
        ("any='a' + str(1)", {"any": "a' + str(1)"}),
        ("any='a'.join(x, ')')", {"any": "a'.join(x, ')')"}),
        ("any=str(1), days=2", {"any": "str(1)", "days": 2}),
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
                sent += arguments.feed(piece)
                rest = arguments.rest
        assert arguments.done, pieces
        assert (read_json(sent), rest) == (meant, " x"), pieces


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("city='Seo", {"city": "Seo"}),
        ("city='Seoul'", {"city": "Seoul"}),
        ("city='a\\", {"city": "a\\"}),
        ("city='a', da", {"city": "a"}),
        ("city='a', days=", {"city": "a"}),
        ("city='a', days=3", {"city": "a", "days": 3}),
        ("city=", {}),
        ("cit", {}),
    ],
)
def test_what_is_open_is_closed_at_the_end(text: str, meant: Any) -> None:
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
