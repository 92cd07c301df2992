"""Shape B: a header that carries the name, then the arguments as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls, read

SEOUL = ("get_weather", {"city": "Seoul"})
PING: tuple[str, Any] = ("ping", {})


@pytest.mark.parametrize(
    ("text", "row", "meant"),
    [
        ('[TOOL_CALLS]get_weather[ARGS]{"city": "Seoul"}', "mistral_new", [SEOUL]),
        ('[TOOL_CALLS]get_weather{"city": "Seoul"}[TOOL_CALLS]ping{}', "mistral_new", [SEOUL, PING]),
        (
            '[TOOL_CALLS]get_weather[ARGS]{"city": "[TOOL_CALLS]"}',
            "mistral_new",
            [("get_weather", {"city": "[TOOL_CALLS]"})],
        ),
        ('<function=get_weather>{"city": "Seoul"}</function>', "function_json", [SEOUL]),
        ('<function=get_weather>{"city": "Seoul"}}</function>', "function_json", [SEOUL]),
        ('<function=get_weather>{"city": "Seoul"', "function_json", [SEOUL]),
        ("<function=get_weather>{'city': 'Seoul',}</function>", "function_json", [SEOUL]),
        ('<function=get_weather>{"days": "3"}</function>', "function_json", [("get_weather", {"days": 3})]),
        ("<function=ping>{}</function>", "function_json", [PING]),
    ],
)
def test_calls(text: str, row: str, meant: list[tuple[str, Any]]) -> None:
    assert calls(text, row) == meant


def test_the_id_that_the_syntax_carries_is_kept() -> None:
    message = read('[TOOL_CALLS]get_weather[CALL_ID]abcDEF123[ARGS]{"city": "Seoul"}', "mistral_new")
    assert message.calls == [("get_weather", '{"city": "Seoul"}', "abcDEF123")]


def test_the_name_is_taken_from_the_id() -> None:
    one = "<|tool_call_begin|>functions.ping:0<|tool_call_argument_begin|>{}<|tool_call_end|>"
    message = read(f"<|tool_calls_section_begin|>{one}{one.replace(':0', ':1')}<|tool_calls_section_end|>", "kimi_k2")
    assert message.calls == [("ping", "{}", "functions.ping:0"), ("ping", "{}", "functions.ping:1")]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("[TOOL_CALLS] is what Mistral writes", "mistral_new"),
        ("<function=nobody> is a tag", "function_json"),
        ("[TOOL_CALLS]", "mistral_new"),
    ],
)
def test_what_is_no_call_is_text(text: str, row: str) -> None:
    message = read(text, row)
    assert (message.content, message.calls) == (text, [])


def test_a_call_that_max_tokens_cut() -> None:
    message = read('[TOOL_CALLS]get_weather[ARGS]{"city": "Seo', "mistral_new", cut=True)
    assert (message.calls, message.endings) == ([("get_weather", '{"city": "Seo', None)], ["cut"])
