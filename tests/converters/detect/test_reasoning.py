"""Reasoning without tools, and what shows that the prompt has opened it."""

from __future__ import annotations

from typing import Any

import pytest

from converters.stages.pipeline import new_parser
from converters.text.expectations import Expectations
from tests.helpers import ROWS, assemble, cuts, parse

CALL = '<tool_call>\n{"name": "ping"}\n</tool_call>'


def closes_prefill(pieces: list[str], cut: bool = False, **expectations: Any) -> bool:
    parser = new_parser(Expectations({"ping": {}}, **expectations))
    for piece in pieces:
        parser.feed(piece)
    parser.finish(cut)
    return parser.closes_prefill


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("So.\n</think>\n\nHi", True),
        ("So.</think>", True),
        ("So.</think> \t\nHi", True),
        (f"So.</think>\n{CALL}", True),
        ("So </think> it closes.\nThe </think>\nHi", True),
        ("So.[/THINK]\nHi", True),
        ("So.</think:opensource>\nHi", True),
        ("The tag </think> closes it.", False),
        ("So.</think>Hi", False),
        ("So.</think>`Hi`", False),
        (f"So.</think>{CALL}", False),
        ('Say "</think>"\nHi', False),
        ("Say `</think>`\nHi", False),
        ("```\n</think>\n```", False),
        ("</think>\nHi", False),
        ("\n</think>\nHi", False),
        (f"{CALL}\n</think>\nHi", False),
        ("<think>a</think>b\n</think>\nHi", False),
        ("Of <think> and\n</think>\nHi", False),
        ("Hi", False),
    ],
)
def test_defect_a1_evidence_that_the_prompt_opens_reasoning(text: str, shown: bool) -> None:
    for pieces in cuts(text):
        assert closes_prefill(pieces) is shown, pieces
        assert closes_prefill(pieces, translate=False) is (shown or text.startswith(CALL)), pieces
        assert not closes_prefill(pieces, starts_inside=True), pieces
    if text.endswith("</think>"):
        assert not closes_prefill([text], cut=True)


APRIEL = "Here are my reasoning steps:\nHm.\n[BEGIN FINAL RESPONSE]\nHi\n[END FINAL RESPONSE]"


@pytest.mark.parametrize("translate", [True, False])
@pytest.mark.parametrize(
    ("row", "text", "inside"),
    [
        ("granite3", "Here is my thought process:\nHm.\n\nHere is my response:\nHi", False),
        ("granite3", "Here's my thought process: Hm. Here's my response: Hi", False),
        ("jamba", APRIEL, False),
        ("jamba", APRIEL, True),
        ("jamba", APRIEL.partition("\n")[2], True),
        ("hyperclovax", "<|im_start|>assistant/think\nHm.<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>", False),
    ],
)
def test_defect_b11_the_own_words_of_a_row_count_with_and_without_tools(
    row: str, text: str, inside: bool, translate: bool
) -> None:
    assert row in ROWS
    for pieces in cuts(text):
        message = assemble(parse(text, {"ping": {}}, pieces, row=row, translate=translate, starts_inside=inside))
        assert (message.reasoning, message.content.strip(), message.noted) == ("Hm.", "Hi", []), pieces
    other = assemble(parse(text, {"ping": {}}, row="hermes", translate=translate))
    assert not other.reasoning


@pytest.mark.parametrize("token", ["<sep>", "<｜hy_eos:opensource｜>", "<｜hy_eos｜>"])
def test_defect_b11_end_tokens(token: str) -> None:
    message = assemble(parse(f"Hi{token}\n", {"ping": {}}))
    assert (message.content, message.removed) == ("Hi", ["end_token", "whitespace"])
