"""What is looked for in prose."""

from __future__ import annotations

import pytest

from converters.detect.openers import Turns, opener_index, reasoning_index
from converters.syntaxes import REASONING_TAGS, ReasoningTag
from converters.text.scanner import folded
from tests.helpers import ROWS

TAG = ReasoningTag("<|channel|>final<|message|>", (), turn_opener="<|start|>assistant")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("<|start|>assistant<|channel|>final<|message|>Hi", 18),
        ("<|start|>assistant<|channel|>final<", 18),
        ("<|start|>assistant<|channel|>final", None),
        ("<|start|>assistant", None),
        ("<|start|>assistant<|channel|>other", 0),
        ("<|start|>assistant to=self", 0),
        ("<|channel|>final<|message|>", 0),
    ],
)
def test_what_opens_a_turn(text: str, length: int | None) -> None:
    assert Turns([TAG]).look(text, 0) == length
    assert Turns([]).look(text, 0) == 0


def test_the_likeliest_row_is_tried_first() -> None:
    for row in ("hermes", "glm45", "qwen3_coder"):
        assert opener_index(ROWS[row]).entries["<tool_call>"][0][0].syntax.name == row


def test_entries_of_a_shorter_opener_are_tried_behind_those_of_a_longer() -> None:
    openers = [entry.opener for _, entry in opener_index(None).entries_at("<|open|>call")]
    assert openers == sorted(openers, key=len, reverse=True)
    assert {"<|open|>call", "<|open|>"} == set(openers)


def test_tags_that_could_be_the_texts_own_are_watched_for_one_row_only() -> None:
    own = [lane for lane in REASONING_TAGS if lane.only_for_row]
    for lane in own:
        assert folded(lane.opens) in opener_index(ROWS[lane.only_for_row]).markers.literals
        assert folded(lane.opens) not in opener_index(None).markers.literals


def test_markers_that_begin_with_a_blank_are_watched_for_at_the_start_only() -> None:
    watched = opener_index(None)
    assert {marker for marker in watched.first_markers.literals - watched.markers.literals if marker[0] == " "}
    assert not [marker for marker in watched.markers.literals if marker[0] == " "]


def test_without_tools_only_tags_are_watched_for() -> None:
    assert not reasoning_index().entries
    assert "<think>" in reasoning_index().markers.literals
    assert "<tool_call>" not in reasoning_index().markers.literals
