"""Strict JSON as it is put together."""

from __future__ import annotations

import json

import pytest

from converters.values.json.output import JsonOutput, decoded, quote


def put_member(output: JsonOutput, key: str, value: str, behind: str = "") -> None:
    output.put_key(key)
    output.put(":" + value)
    output.put_comma()
    output.put_space(behind)


def closed(output: JsonOutput) -> str:
    output.drop_comma()
    output.close()
    return output.take()


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([], "{}"),
        ([("a", "1")], '{"a":1}'),
        ([("a", "1"), ("b", "2")], '{"a":1,"b":2}'),
        ([("a", "1"), ("a", "2")], '{"a":1}'),
        ([("a", "1"), ("a", "2"), ("b", "3")], '{"a":1,"b":3}'),
        ([("a", "1"), ("\\u0061", "2"), ("c", "3")], '{"a":1,"c":3}'),
        ([("a", "1"), ("A", "2")], '{"a":1,"A":2}'),
    ],
)
def test_the_first_of_two_keys_stays_and_no_comma_trails(members: list[tuple[str, str]], text: str) -> None:
    output = JsonOutput()
    output.open("{", None)
    for key, value in members:
        put_member(output, key, value)
    assert closed(output) == text


def test_a_comma_leaves_once_something_follows() -> None:
    output = JsonOutput()
    output.open("{", None)
    put_member(output, "a", "1", behind="\n ")
    assert output.take() == '{"a":1'
    put_member(output, "b", "2")
    assert output.take() == ',\n "b":2'


def test_white_space_behind_a_trailing_comma_stays() -> None:
    output = JsonOutput()
    output.open("{", None)
    put_member(output, "a", "1", behind="\n")
    assert closed(output) == '{"a":1\n}'


@pytest.mark.parametrize("text", ["", "서울 😀", 'a"b\\c\n\x00', "\u2028"])
def test_quote_and_back(text: str) -> None:
    assert json.loads(quote(text)) == text
    assert decoded(quote(text)[1:-1]) == text
    assert all(letter in quote(text) for letter in text if not letter.isascii())


def test_decoded_takes_every_spelling() -> None:
    assert decoded(r"\u0061\/") == "a/"
