"""A call in a code fence: only if the fence is the whole message."""

from __future__ import annotations

import pytest

from tests.converters.shapes import calls, read

OBJECT = '{"name": "get_weather", "arguments": {"city": "Seoul"}}'
MARKED = f"<tool_call>\n{OBJECT}\n</tool_call>"


@pytest.mark.parametrize("inside", [OBJECT, MARKED])
@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```\n", "\n~~~xml\n{}\n~~~", "````\n{}\n````"])
def test_a_fence_that_is_the_whole_message(inside: str, fence: str) -> None:
    assert calls(fence.replace("{}", inside), "hermes") == [("get_weather", {"city": "Seoul"})]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{OBJECT}\n```\nDone",
        f"Look:\n```json\n{OBJECT}\n```",
        f"Look:\n```\n{MARKED}\n```\nand so on",
        f"```\n{MARKED}\n```\n```\n{MARKED}\n```",
        f"```json\n{OBJECT}",
        f"```json\n# a comment\n{OBJECT}\n```",
        '```json\n{"a": 1}\n```',
        "```\n```",
        "```",
    ],
)
def test_any_other_fence_is_text(text: str) -> None:
    message = read(text, "hermes")
    assert (message.content, message.calls) == (text, [])


def test_a_fence_that_was_asked_for_is_text() -> None:
    text = f"```json\n{OBJECT}\n```"
    assert read(text, "hermes", json_answer=True).content == text
