"""JSON typed by its schema: a string that is asked for is never looked into, another is read as what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from converters.values.json.reader import JsonReader
from converters.values.schema import Node
from converters.values.typed import SchemaPolicy
from tests.helpers import cuts, read_json, same_json

INTEGER = {"type": "integer"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"Ids": {"type": "array", "items": INTEGER}},
    "properties": {
        "text": {"type": "string"},
        "n": INTEGER,
        "x": {"type": "number"},
        "on": {"type": "boolean"},
        "either": {"type": ["string", "integer"]},
        "ids": {"type": "array", "items": INTEGER},
        "names": {"type": "array", "items": {"type": "string"}},
        "maybe_ids": {"anyOf": [{"type": "array", "items": INTEGER}, {"type": "null"}]},
        "ref_ids": {"$ref": "#/$defs/Ids"},
        "options": {"type": "object", "properties": {"deep": {"type": "boolean"}, "label": {"type": "string"}}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"n": INTEGER}}},
        "any": {},
    },
}


def read(pieces: Iterable[str], schema: dict[str, Any] = SCHEMA) -> str:
    reader = JsonReader(SchemaPolicy(Node(schema)))
    out = ""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.done or reader.unreadable:
            break
    return out + reader.finish()


STRINGS = [
    "it's, isn't it? 'yes'",
    r"^(?:\d+|\"[^\"]*\")\s*\{1,2\}$",
    r"C:\new\table\x64\user's",
    "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-a = {'k': [1]}\n+a = {\"k\": [2]}\n \\ No newline at end of file\n",
    "&lt;b&gt; &amp;amp; &quot;x&quot; &#39;",
    '{"a": 1, "b": [true]}',
    "[1, 2]",
    "true",
    "null",
    "None",
    "3",
    "00123",
    '"quoted"',
    "",
    "  lead and trail \n",
    "</tool_call><|im_end|>```json\n",
    "\x00\x1f\u2028\ud7ff😀",
]


@pytest.mark.parametrize("value", STRINGS)
@pytest.mark.parametrize("key", ["text", "either", "any", "unknown"])
def test_a_declared_string_is_never_looked_into(value: str, key: str) -> None:
    for text in (json.dumps({key: value, "names": [value]}), json.dumps({key: value}, ensure_ascii=False)):
        for pieces in cuts(text, pairs=90, randoms=1):
            assert read(pieces) == text, pieces


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"n": "3"}, {"n": 3}),
        ({"n": "-15.000"}, {"n": -15}),
        ({"n": "007"}, {"n": "007"}),
        ({"n": "0x10"}, {"n": "0x10"}),
        ({"n": "three"}, {"n": "three"}),
        ({"n": ""}, {"n": ""}),
        ({"n": "123456789012345678901234567890"}, {"n": 123456789012345678901234567890}),
        ({"x": "1.5"}, {"x": 1.5}),
        ({"x": "NaN"}, {"x": "NaN"}),
        ({"on": "true"}, {"on": True}),
        ({"on": "False"}, {"on": False}),
        ({"ids": "[1, 2]"}, {"ids": [1, 2]}),
        ({"ids": []}, {"ids": []}),
        ({"ids": ["1", "2"]}, {"ids": [1, 2]}),
        ({"names": ["1", "[2]"]}, {"names": ["1", "[2]"]}),
        ({"options": '{"deep": true, "label": "{}"}'}, {"options": {"deep": True, "label": "{}"}}),
        ({"options": "{'deep': True}"}, {"options": {"deep": True}}),
        ({"options": {"deep": "true", "label": "true"}}, {"options": {"deep": True, "label": "true"}}),
        ({"rows": [{"n": "1"}, {"n": 2}]}, {"rows": [{"n": 1}, {"n": 2}]}),
        ({"ref_ids": ["1"]}, {"ref_ids": [1]}),
        ({"maybe_ids": ["1"]}, {"maybe_ids": [1]}),
        ({"maybe_ids": "[1]"}, {"maybe_ids": [1]}),
        ({"maybe_ids": "null"}, {"maybe_ids": None}),
        ({"either": "17"}, {"either": "17"}),
        ({"n": "3", "text": "3"}, {"n": 3, "text": "3"}),
    ],
)
def test_a_string_is_read_where_none_is_asked_for(given: Any, meant: Any) -> None:
    text = json.dumps(given)
    for pieces in cuts(text):
        assert same_json(read_json(read(pieces)), meant), pieces


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r'{"\u006e": "3"}', {"n": 3}),
        ('{"n": "3", "n": "4"}', {"n": 3}),
        ("{'n': '3', 'text': '3'}", {"n": 3, "text": "3"}),
        (r'{"n": "\u0033"}', {"n": 3}),
        ('{"n": 123456789012345678901234567890, "x": 1.50}', {"n": 123456789012345678901234567890, "x": 1.5}),
        ('{"ids": ["1", "2"', {"ids": [1, 2]}),
    ],
)
def test_odd_spellings_are_typed_too(text: str, meant: Any) -> None:
    for pieces in cuts(text):
        assert same_json(read_json(read(pieces)), meant), pieces


def test_a_string_that_is_asked_for_flows() -> None:
    reader = JsonReader(SchemaPolicy(Node(SCHEMA)))
    assert reader.feed('{"text": "abc') == '{"text": "abc'
    assert reader.feed("def") == "def"


def test_a_string_that_is_not_asked_for_waits() -> None:
    reader = JsonReader(SchemaPolicy(Node(SCHEMA)))
    assert reader.feed('{"n": "1').rstrip() == '{"n":'
    assert reader.feed('2", "text') == ""
    assert reader.feed('": ') == '12, "text": '
