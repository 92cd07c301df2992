"""Shape F: Gemma's `call:name{...}`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.converters.shapes import calls, read

Q = '<|"|>'


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (f"{{city:{Q}Seoul{Q},days:3}}", {"city": "Seoul", "days": 3}),
        (f'{{city:{Q}it\'s "x" {{y}} <tool_call|> \\d{Q}}}', {"city": 'it\'s "x" {y} <tool_call|> \\d'}),
        ("{}", {}),
        (f"{{city:{Q}true{Q}}}", {"city": "true"}),
        (f"{{city:{Q}00123{Q}}}", {"city": "00123"}),
        (f"{{city:{Q}a{Q},days:{Q}3{Q}}}", {"city": "a", "days": 3}),
        ('{"city": "Seoul", "days": "3"}', {"city": "Seoul", "days": 3}),
    ],
)
def test_arguments(arguments: str, meant: Any) -> None:
    assert calls(f"<|tool_call>call:get_weather{arguments}<tool_call|>", "gemma4") == [("get_weather", meant)]


def test_two_calls() -> None:
    assert (
        calls("<|tool_call>call:ping{}<tool_call|><|tool_call>call:ping{}<tool_call|>", "gemma4") == [("ping", {})] * 2
    )


def test_a_marker_in_prose_is_text() -> None:
    text = "Gemma writes <|tool_call> before call:name."
    assert read(text, "gemma4").content == text
