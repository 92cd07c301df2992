"""Strict JSON as it is put together."""

from __future__ import annotations

import json

import pytest

from converters.values.json.output import JsonOutput, decoded, quote


class Writer(JsonOutput):
    """Opens up what a reader does with its output."""

    def member(self, key: str, value: str, behind: str = "") -> None:
        self._key = [key]
        self._put_key()
        self._put(":" + value)
        if self._mute == len(self._frames):
            self._mute = 0
        self._comma = "," + behind

    def closed(self) -> str:
        self._drop_comma()
        self._pop()
        return self._taken()


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
    writer = Writer()
    writer._open("{", None)
    for key, value in members:
        writer.member(key, value)
    assert writer.closed() == text


def test_a_comma_leaves_once_something_follows() -> None:
    writer = Writer()
    writer._open("{", None)
    writer.member("a", "1", behind="\n ")
    assert writer._taken() == '{"a":1'
    writer.member("b", "2")
    assert writer._taken() == ',\n "b":2'


def test_white_space_behind_a_trailing_comma_stays() -> None:
    writer = Writer()
    writer._open("{", None)
    writer.member("a", "1", behind="\n")
    assert writer.closed() == '{"a":1\n}'


@pytest.mark.parametrize("text", ["", "서울 😀", 'a"b\\c\n\x00', "\u2028"])
def test_quote_and_back(text: str) -> None:
    assert json.loads(quote(text)) == text
    assert decoded(quote(text)[1:-1]) == text
    assert all(letter in quote(text) for letter in text if not letter.isascii())


def test_decoded_takes_every_spelling() -> None:
    assert decoded(r"\u0061\/") == "a/"
