"""A group around calls whose headers carry the names."""

from __future__ import annotations

import re

import pytest

from converters.shapes.grouped import named
from tests.converters.shapes import read

CALL = "<function={}>\n<parameter=a>\n1\n</parameter>\n</function>"


def kimi(*ids: str) -> str:
    calls = (f"<|tool_call_begin|>{each}<|tool_call_argument_begin|>{{}}<|tool_call_end|>" for each in ids)
    return f"<|tool_calls_section_begin|>{''.join(calls)}<|tool_calls_section_end|>"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"<tool_call>\n{CALL.format('ping')}\n</tool_call>", ["ping"]),
        (f"<tool_call>\n{CALL.format('nobody')}\n</tool_call>", ["nobody"]),
        (CALL.format("ping"), ["ping"]),
        (CALL.format("functions.Ping"), ["ping"]),
        (CALL.format("nobody"), []),
        (f"<tool_call>\n{CALL.format('ping')}", ["ping"]),
        (f"<tool_call>\n{CALL.format('ping')}\n</tool_call>\n" * 2, ["ping", "ping"]),
        ("<tool_call>\n<function=nobody>\n</function>\n</tool_call>", ["nobody"]),
        ("So <tool_call>\n<function=nobody>\n</function>\n</tool_call>", []),
        ("<tool_call>\n<function=nobody>\n</function>\n</tool_call> is how", []),
        ("So <tool_call>\n<function=ping>\n</function>\n</tool_call>", ["ping"]),
        ("<tool_call></tool_call>", []),
        ("<tool_call>", []),
    ],
)
def test_which_calls_are_believed(text: str, names: list[str]) -> None:
    message = read(text, "qwen3_coder")
    assert message.names == names
    if not names and "<function" in text:
        assert message.content == text


def test_many_calls_in_one_group() -> None:
    assert read(kimi("functions.ping:0", "functions.ping:1"), "kimi_k2").names == ["ping", "ping"]


def test_an_empty_group_is_removed() -> None:
    message = read(f"Hi {kimi()}", "kimi_k2")
    assert (message.content, message.calls) == ("Hi", [])


def test_text_around_a_group_stays() -> None:
    message = read(f"Before. {kimi('functions.ping:0')} After.", "kimi_k2")
    assert (message.content, message.names) == ("Before.  After.", ["ping"])


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("functions.f:0", ("f", "functions.f:0")),
        ("f:12", ("f", "f:12")),
        ("functions.a.b:3", ("a.b", "functions.a.b:3")),
        ("f", ("f", "f")),
    ],
)
def test_a_name_inside_an_id(header: str, found: tuple[str, str]) -> None:
    match = re.fullmatch("(?P<id>.*)", header)
    assert match
    assert named(match) == found
