"""Shape A: a marker, then an object that carries the name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls, read

SEOUL = ("get_weather", {"city": "Seoul"})
PING: tuple[str, Any] = ("ping", {})


@pytest.mark.parametrize(
    ("inside", "meant"),
    [
        ('{"name": "get_weather", "arguments": {"city": "Seoul"}}', [SEOUL]),
        ('{"arguments": {"city": "Seoul"}, "name": "get_weather"}', [SEOUL]),
        ('{"name": "get_weather", "parameters": {"city": "Seoul"}}', [SEOUL]),
        ('{"name": "get_weather", "arguments": "{\\"city\\": \\"Seoul\\"}"}', [SEOUL]),
        ('{"name": "get_weather", "arguments": "Seoul"}', [SEOUL]),
        ("{'name': 'get_weather', 'arguments': {'city': 'Seoul',},}", [SEOUL]),
        ('{"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Seoul"}}}', [SEOUL]),
        ('{"name": "get_weather", "arguments": {"city": "Seoul"}}}', [SEOUL]),
        ('{"name": "get_weather", "arguments": {"city": "Seoul"}', [SEOUL]),
        ('{"name": "functions.Get-Weather", "arguments": {"city": "Seoul"}}', [SEOUL]),
        (
            '{"name": "get_weather", "arguments": {"city": "Seoul", "days": "3"}}',
            [("get_weather", SEOUL[1] | {"days": 3})],
        ),
        ('{"name": "get_weather", "arguments": {"city": "</tool_call>"}}', [("get_weather", {"city": "</tool_call>"})]),
        ('{"name": "ping"}', [PING]),
        ('{"name": "ping", "arguments": null}', [PING]),
        ('[{"name": "ping"}, {"name": "ping", "arguments": {}}]', [PING, PING]),
        ('{"name": "ping"}\n{"name": "ping"}', [PING, PING]),
    ],
)
def test_objects(inside: str, meant: list[tuple[str, Any]]) -> None:
    assert calls(f"<tool_call>\n{inside}\n</tool_call>", "hermes") == meant


@pytest.mark.parametrize(
    "text",
    ['<tool_call>{"foo": 1}</tool_call>', "<tool_call> is a tag", 'x <tool_call>{"name": "nobody"}</tool_call>'],
)
def test_what_is_no_call_is_text(text: str) -> None:
    message = read(text, "hermes")
    assert (message.content, message.calls) == (text, [])


@pytest.mark.parametrize(
    ("text", "arguments", "ending"),
    [
        ('<tool_call>{"name": "get_weather", "arguments": {"city": "Seo', '{"city": "Seo', "cut"),
        ('<tool_call>{"name": "get_weather", "arguments": {"city": "Seoul"}}', '{"city": "Seoul"}', "cut"),
        ('<tool_call>{"name": "get_weather"', "", "cut"),
    ],
)
def test_a_call_that_max_tokens_cut_is_delivered_as_it_came(text: str, arguments: str, ending: str) -> None:
    message = read(text, "hermes", cut=True)
    assert (message.calls, message.endings) == ([("get_weather", arguments, None)], [ending])


def test_a_call_cut_before_its_name_is_removed() -> None:
    message = read('Hi <tool_call>{"name": "get_we', "hermes", cut=True)
    assert (message.content, message.calls, message.removed) == ("Hi", [], ["whitespace", "cut"])


def test_a_model_that_stopped_inside_the_arguments() -> None:
    """Defect A8: half a value is not delivered; of a stream, its beginning has left."""
    text = '<tool_call>{"name": "get_weather", "arguments": {"city": "Seo'
    whole = read(text, "hermes", buffered=True)
    assert (whole.content, whole.calls, whole.noted) == (text, [], ["arguments_unreadable"])
    streamed = read(text, "hermes")
    assert (streamed.calls, streamed.endings) == ([("get_weather", '{"city": "Seo', None)], ["unreadable"])
