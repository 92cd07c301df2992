"""A call in a code fence: only if the fence is the whole message."""

from __future__ import annotations

import pytest

from converters import Expectations, new_parser
from tests.converters.shapes import TOOLS, calls, read
from tests.helpers import assemble, cuts, parse, spans

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


@pytest.mark.parametrize("text", ["```py\nx", "```json\n[1,", "```json\n{}", "```\n" + " " * 4097, "```" + "x" * 257])
def test_text_in_a_fence_flows_at_once(text: str) -> None:
    parser = new_parser(Expectations(TOOLS))
    assert spans([event for letter in text for event in parser.feed(letter)]).strip() == text.strip()


def test_every_cut_of_a_fence_means_the_same() -> None:
    for text in (f"```json\n\n  {OBJECT}\n````\n<|im_end|> \n", f"````\n```json\n{OBJECT}\n```\n````"):
        for pieces in cuts(text):
            message = assemble(parse(text, TOOLS, pieces))
            assert message.names == ([] if text[3] == "`" else ["get_weather"]), pieces
            assert message.content == (text if text[3] == "`" else ""), pieces
