"""What one answer may be at most: more ends as an error, never in memory without end."""

from __future__ import annotations

import pytest

from backends.chat import ChatReplyReader, choice
from backends.protocol import ReplyContext
from converters import Expectations, new_parser
from errors import TooMuch
from tests.servers import chunk, frame

EXPECTATIONS = Expectations({"f": {}})


def reader() -> ChatReplyReader:
    return ChatReplyReader(ReplyContext(lambda: new_parser(EXPECTATIONS), EXPECTATIONS))


def test_defect_c9_what_is_held_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "MOST_HELD", 1000)
    asked = reader()
    asked.read(frame(chunk({"content": '{"name": "f", "arguments": {"a": "'})))
    with pytest.raises(TooMuch) as raised:
        for _ in range(100):
            asked.read(frame(chunk({"content": "x" * 100})))
    assert raised.value.code == "held_too_long"


def test_defect_c8_choices_have_a_limit() -> None:
    asked = reader()
    with pytest.raises(TooMuch) as raised:
        for index in range(200):
            asked.read(frame(chunk({"content": "x"}, index=index)))
    assert raised.value.code == "too_many_choices"


def test_defect_c8_calls_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "MOST_CALLS", 3)
    asked = reader()
    with pytest.raises(TooMuch) as raised:
        for _ in range(5):
            asked.read(frame(chunk({"content": '<tool_call>{"name": "f", "arguments": {}}</tool_call>\n'})))
    assert raised.value.code == "too_many_calls"
