"""The arguments of a call as they are written: one JSON object, whatever the model did."""

from __future__ import annotations

import json
import time
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
    rest = ""
    for piece in pieces:
        out += reader.feed(rest + piece)
        rest = reader.rest
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
        ("[1, 2]", {"required": ["ids"]}, {"ids": [1, 2]}),
        ("17", {"required": ["n"]}, {"n": 17}),
        ("null", ONE, {}),
        ('"17"', NUMBER, {"n": 17}),
        ('"Seoul"', REFERRED, {"city": "Seoul"}),
        ('{"days": "3"}', REFERRED, {"days": 3}),
        (r'"{\"days\": \"3\"}"', SCHEMA, {"days": 3}),
        ('""', ONE, {}),
        ("{}", ONE, {}),
        ("", ONE, {}),
        ("{'city': 'x', 'days': 3,}", SCHEMA, {"city": "x", "days": 3}),
        ('{"city": "x", "days": 3', SCHEMA, {"city": "x", "days": 3}),
        ('{"arguments": {"city": "x"}}', SCHEMA, {"city": "x"}),
        ('{"input": {"city": "x", "days": "3"}}', SCHEMA, {"city": "x", "days": 3}),
        ('{"properties": {"town": "x"}}', SCHEMA, {"properties": {"town": "x"}}),
        ('{"arguments": {"city": "x"}, "city": "y"}', SCHEMA, {"arguments": {"city": "x"}, "city": "y"}),
        ('{"arguments": {"city": "x"', SCHEMA, {"city": "x"}),
        ('{"parameters": "x"}', SCHEMA, {"parameters": "x"}),
        ('{"arguments": {"city": "say "hi""}}', SCHEMA, {"city": 'say "hi"'}),
    ],
)
def test_one_json_value_becomes_an_object(text: str, schema: dict[str, Any], value: Any) -> None:
    for pieces in cuts(text):
        assert same_json(read_object(read(pieces, schema)[0]), value), pieces


def test_valid_json_that_fits_is_verbatim() -> None:
    text = '{ "city":"\\u00e9 서울" ,\n"days" : 12345678901234567890, "x": {"y": [1.50]} }'
    for pieces in cuts(text):
        assert read(pieces, SCHEMA)[0] == text


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ('{"city": "x', SCHEMA),
        ('{"city"', SCHEMA),
        ('{"city": ', SCHEMA),
        ('"Seoul"', TWO),
        ('"Seoul"', SCHEMA),
        ('"Seoul"', NUMBER),
        ("[]", SCHEMA),
        ("[1]", NUMBER),
        ("17", SCHEMA),
        ("{...}", SCHEMA),
        ("<args-json-object>", SCHEMA),
        ("...", ONE),
        ("15:30", NUMBER),
        ('{"city": "x"}, "days": 3}', SCHEMA),
        ('{"city": {"a": 1}}, "days": 3}', SCHEMA),
        ('{"city": "say "hi"", "town": "x"}', SCHEMA),
    ],
)
def test_what_cannot_be_delivered_is_unreadable(text: str, schema: dict[str, Any]) -> None:
    """Defects A2, A8: an open value, or arguments that are no object and fit nowhere."""
    for pieces in cuts(text):
        assert read(pieces, schema)[1].unreadable, pieces


@pytest.mark.parametrize("text", ['{"city": "x"', '{"days": 3', '{"tags": [', '"Seoul', "17", ""])
def test_nothing_is_closed_where_the_text_may_end_anywhere(text: str) -> None:
    """Defect A8: the request names strings that stop the text."""
    reader = JsonArguments({**SCHEMA, "required": ["days"]}, stops=True)
    reader.feed(text)
    assert (reader.finish(), reader.unreadable) == ("", True)


@pytest.mark.parametrize("text", ['{"city": "x"}', '{"days": 3} ', "{}"])
def test_what_the_model_closed_is_complete_all_the_same(text: str) -> None:
    reader = JsonArguments(SCHEMA, stops=True)
    assert read_object(reader.feed(text) + reader.finish()) is not None
    assert not reader.unreadable


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("{", False),
        ('{"city"', False),
        ('{"city":', True),
        ("{}", True),
        ("{.", False),
        ('{"arguments": {"ci', False),
        ('{"arguments": {"city": "x"}}', False),
        ('{"arguments": {"city": "x"}}\n<', True),
        ('"Seoul"<', True),
        ('"Seoul', False),
        ("...", False),
    ],
)
def test_the_first_thing_fits(text: str, fits: bool) -> None:
    reader = JsonArguments(ONE)
    reader.feed(text)
    assert reader.fits is fits


def test_a_wrapper_in_text_values_is_left_out() -> None:
    """Defect A11: the wrapper is the only argument, and holds an object with declared keys."""
    inside = '{"city": "x", "days": "3"}'
    assert read_object(written(("arguments", inside))) == {"city": "x", "days": 3}
    assert read_object(written(("input", inside), ("city", "y"))) == {"input": json.loads(inside), "city": "y"}
    assert read_object(written(("properties", '{"town": 1}'))) == {"properties": {"town": 1}}
    assert read_object(written(("parameters", "x"))) == {"parameters": "x"}


def test_blanks_behind_the_value_are_fed_again_until_something_follows() -> None:
    reader = JsonArguments(SCHEMA)
    assert reader.feed('{"city": "x"}\n') == '{"city": "x'
    assert (reader.done, reader.rest) == (False, "\n")
    assert reader.feed("\n</tool_call>") == '"}'
    assert (reader.done, reader.rest) == (True, "\n</tool_call>")


def test_what_comes_behind_is_the_rest() -> None:
    assert read(['{"city": "x"}}</tool_call>'], SCHEMA)[1].rest == "}</tool_call>"


def test_what_stands_behind_quotes_costs_linear_time() -> None:
    """Blanks, commas, closers and quotes without end, a character at a time."""

    def seconds(fill: str, size: int) -> float:
        text = '{"city": "x' + fill * (size // len(fill))
        reader, rest, began = JsonArguments(SCHEMA), "", time.process_time()
        for piece in text:
            if not reader.done:
                reader.feed(rest + piece)
                rest = reader.rest
        return time.process_time() - began

    for fill in ('" ,  ', '", "', '"}', '",[', "\\", '"x: ', '" \n', '" /', "  ", '"y" z '):
        assert min(seconds(fill, 16_000) for _ in range(2)) < 12 * max(
            min(seconds(fill, 4_000) for _ in range(3)), 0.01
        )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"city": "Seoul"</tool_call>', {"city": "Seoul"}),
        ('{"city": "Seoul", "days": 3\n</tool_call>', {"city": "Seoul", "days": 3}),
        ('{"tags": ["a"</tool_call>', {"tags": ["a"]}),
        ('{"city": "say "hi""</tool_call>', None),
        ('{"city": </tool_call>', None),
        ('{"city"</tool_call>', None),
        ('{"days": x</tool_call>', None),
    ],
)
def test_closers_may_be_missing_before_the_marker_that_ends_the_call(text: str, value: Any) -> None:
    for pieces in cuts(text):
        reader = JsonArguments(SCHEMA, ends_at=["</tool_call>"])
        out = rest = ""
        for piece in pieces:
            if reader.done:
                rest += piece
            else:
                out += reader.feed(rest + piece)
                rest = reader.rest
        if value is None:
            assert (reader.finish(), reader.unreadable) == ("", True), pieces
        else:
            assert (read_object(out), rest.lstrip(), reader.closed) == (value, "</tool_call>", True), pieces
