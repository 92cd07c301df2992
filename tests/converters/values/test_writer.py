"""The arguments of a call as they are written: one JSON object, whatever the model did."""

from __future__ import annotations

from typing import Any

import pytest

from converters.values.writer import ArgumentsWriter, JsonArguments
from tests.helpers import cuts, read_object, same_json

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "tags": {"type": "array"}, "any": {}},
}


def written(*members: tuple[str, str], kinds: dict[str, bool] | None = None) -> str:
    writer = ArgumentsWriter(SCHEMA)
    out = ""
    for key, value in members:
        out += writer.key(key, (kinds or {}).get(key))
        out += "".join(map(writer.text, value)) + writer.end()
    return out + writer.close()


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ([], {}),
        ([("city", 'a "b"\n\\d'), ("days", "3")], {"city": 'a "b"\n\\d', "days": 3}),
        ([("city", "00123"), ("days", "007"), ("any", "true")], {"city": "00123", "days": "007", "any": True}),
        ([("city", ""), ("any", "")], {"city": "", "any": ""}),
        ([("days", "1"), ("days", "2"), ("city", "x")], {"days": 1, "city": "x"}),
        ([("tags", "['a', 1]")], {"tags": ["a", 1]}),
        ([('we"ird', "x")], {'we"ird': "x"}),
    ],
)
def test_keys_and_values_as_text(members: list[tuple[str, str]], value: Any) -> None:
    assert same_json(read_object(written(*members)), value)


def test_what_the_syntax_says_of_a_type() -> None:
    assert read_object(written(("any", "3"), ("other", "3"), kinds={"any": True, "other": False})) == {
        "any": "3",
        "other": 3,
    }


def test_strings_flow_and_others_wait() -> None:
    writer = ArgumentsWriter(SCHEMA)
    assert writer.key("city") + writer.text("Seo") == '{"city": "Seo'
    assert writer.text("ul") + writer.end() == 'ul"'
    assert writer.key("days") + writer.text("1") == ""
    assert writer.text("2") + writer.end() + writer.close() == ', "days": 12}'


def read(pieces: list[str], schema: dict[str, Any]) -> tuple[str, JsonArguments]:
    reader = JsonArguments(schema)
    out = ""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.done:
            break
    return out + ("" if reader.done else reader.finish()), reader


ONE = {**SCHEMA, "required": ["city"]}
TWO = {**SCHEMA, "required": ["city", "days"]}
NUMBER = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
REFERRED = {"$ref": "#/$defs/Args", "$defs": {"Args": ONE}}


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ('{"city": "x", "days": "3"}', SCHEMA, {"city": "x", "days": 3}),
        (' \n{"city": "x"}', SCHEMA, {"city": "x"}),
        (r'"{\"city\": \"x\", \"days\": 3}"', SCHEMA, {"city": "x", "days": 3}),
        (r'"{\"city\": \"{}\"}"', ONE, {"city": "{}"}),
        ('"Seoul"', ONE, {"city": "Seoul"}),
        ('"Seoul"', TWO, {}),
        ('"Seoul"', SCHEMA, {}),
        ("[1, 2]", {"required": ["ids"]}, {"ids": [1, 2]}),
        ("17", {"required": ["n"]}, {"n": 17}),
        ("null", ONE, {}),
        ('"17"', NUMBER, {"n": 17}),
        ('"Seoul"', REFERRED, {"city": "Seoul"}),
        ('{"days": "3"}', REFERRED, {"days": 3}),
        (r'"{\"days\": \"3\"}"', SCHEMA, {"days": 3}),
        ('""', ONE, {}),
        ("[]", SCHEMA, {}),
        ("{}", ONE, {}),
        ("", ONE, {}),
        ("{'city': 'x', 'days': 3,}", SCHEMA, {"city": "x", "days": 3}),
        ('{"city": "x", "days": 3', SCHEMA, {"city": "x", "days": 3}),
        ('{"city": "x', SCHEMA, {"city": "x"}),
        ('{"city": ', SCHEMA, {"city": None}),
    ],
)
def test_one_json_value_becomes_an_object(text: str, schema: dict[str, Any], value: Any) -> None:
    for pieces in cuts(text):
        assert same_json(read_object(read(pieces, schema)[0]), value), pieces


def test_valid_json_that_fits_is_verbatim() -> None:
    text = '{ "city":"\\u00e9 서울" ,\n"days" : 12345678901234567890, "x": {"y": [1.50]} }'
    for pieces in cuts(text):
        assert read(pieces, SCHEMA)[0] == text


@pytest.mark.parametrize(("text", "unreadable"), [('{"city": "x"', False), ('{"city": "x', True), ('{"city"', True)])
def test_what_is_closed_inside_a_value_is_told(text: str, unreadable: bool) -> None:
    assert read([text], SCHEMA)[1].unreadable is unreadable


def test_what_comes_behind_is_the_rest() -> None:
    assert read(['{"city": "x"}}</tool_call>'], SCHEMA)[1].rest == "}</tool_call>"
