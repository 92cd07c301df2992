"""Calls without a marker: only as the whole message."""

from __future__ import annotations

import pytest

from converters import Expectations, new_parser
from converters.shapes import grammar
from converters.shapes.machine import CallContext
from converters.shapes.whole import WholeMessage
from converters.text.events import CallStart, End, Text, merge
from tests.converters.shapes import TOOLS, calls, read
from tests.helpers import ROWS

OPENING = CallContext("", whole=True)
SEOUL = '{"name": "get_weather", "parameters": {"city": "Seoul"}}'


@pytest.mark.parametrize("row", ["llama3_json", "hermes"])
@pytest.mark.parametrize(
    "text",
    [SEOUL, f"\n {SEOUL}\n", '{"parameters": {"city": "Seoul"}, "name": "get_weather", "type": "function", "id": "a"}'],
)
def test_a_whole_message(row: str, text: str) -> None:
    assert calls(text, row) == [("get_weather", {"city": "Seoul"})]


@pytest.mark.parametrize(
    "text",
    [
        f"{SEOUL} ok",
        f"ok {SEOUL}",
        '{"name": "get_weather", "parameters": {"city": "Seoul"}, "x": 1}',
        '{"name": "nobody", "parameters": {}}',
        '{"city": "Seoul"}',
        '{"name": "get_weather", "parameters": {"city": "Seo',
        '{"name": "get_weather"',
        "{}",
        "[]",
        "[1] says so",
    ],
)
def test_anything_else_is_text(text: str) -> None:
    message = read(text, "llama3_json")
    assert (message.content, message.calls) == (text, [])


def test_json_that_was_asked_for_is_text() -> None:
    assert read(SEOUL, "llama3_json", json_answer=True).content == SEOUL


def test_what_cannot_be_a_call_flows_at_once() -> None:
    parser = new_parser(Expectations(TOOLS), ROWS["llama3_json"])
    assert parser.feed('{"na') == []
    assert merge(parser.feed('mes": ["')) == [Text('{"names": ["')]


def test_a_cut_message_is_text() -> None:
    assert read(SEOUL, "llama3_json", cut=True).content == SEOUL


@pytest.mark.parametrize("rows", [("llama3_json", "xlam", "pythonic"), ("pythonic", "xlam"), ("xlam", "pythonic")])
def test_a_row_that_refuses_hands_all_of_it_to_the_next(rows: tuple[str, ...]) -> None:
    for text in ("[ping()]", '[{"name": "ping", "arguments": {}}]'):
        message = WholeMessage([grammar(ROWS[row]) for row in rows], OPENING, Expectations(TOOLS))
        for letter in text:
            assert message.feed(letter) == []
        events = message.finish(End.STOP)
        assert [event.name for event in events if isinstance(event, CallStart)] == ["ping"]
        assert message.syntax and message.syntax.shape == ("pythonic" if "(" in text else "json_object")


def test_what_fits_no_row_is_handed_back_at_the_byte_that_rules_out_the_last() -> None:
    message = WholeMessage([grammar(ROWS["pythonic"]), grammar(ROWS["xlam"])], OPENING, Expectations(TOOLS))
    for letter in '[{"name": "ping", "x':
        message.feed(letter)
    assert not message.over
    message.feed('"')
    assert (message.refused, message.rest) == (True, '[{"name": "ping", "x"')
