"""What was learned survives as a line of JSON, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from converters.learning.learn import Learned, learn
from converters.syntaxes import ReasoningTag
from templates.stored import NotStored, read, written
from tests.cases import in_one_test
from tests.converters.learning.renderers import ROWS, writes
from tests.templates.answers import ANSWERS, REFUSED
from tests.templates.learning import learned_of


def kept(learned: Learned) -> Learned:
    """What is kept of it: the row that is used, not the one that was derived beside it, and no proof."""
    return replace(learned, derived=None, proof=None, derived_proof=None)


@in_one_test("template", [*ANSWERS, *REFUSED])
def test_what_a_made_up_template_told_comes_back(template: str) -> None:
    learned = learned_of(template)
    text = written(learned)
    assert "\n" not in text
    name = learned.row.name if learned.row is not None else "template:x"
    assert read(text, name) == kept(learned)


def test_a_row_of_the_table_comes_back_as_itself() -> None:
    learned = learn(writes(ROWS["glm45"]), "template:x", prior=ROWS["glm45"])
    found = read(written(learned), "template:y")
    assert found == kept(learned) and found.row == ROWS["glm45"]


def test_its_own_tokens_stay_with_it() -> None:
    row = replace(ROWS["hermes"], own_ends=("<zq>",), own_tags=(ReasoningTag("<a>", ("</a>",)),), own_results=("<r>",))
    assert read(written(Learned(row=row, is_listed=True)), "x").row == row


def test_the_name_is_that_of_the_model() -> None:
    text = written(learned_of("object_list"))
    found = read(text, "template:other")
    assert found.row is not None
    assert (found.row.name, found.row.source) == ("template:other", "chat template of template:other")


GOOD: dict[str, Any] = json.loads(written(learned_of("object_list")))
CHANGED: dict[str, Any] = {
    "another format": {**GOOD, "format": 0},
    "no row": {key: value for key, value in GOOD.items() if key != "row"},
    "an unknown field": {**GOOD, "row": {**GOOD["row"], "eval": "x"}},
    "another type": {**GOOD, "row": {**GOOD["row"], "whole_message": "yes"}},
    "a sample that is none": {**GOOD, "row": {**GOOD["row"], "call": "{name}{name}"}},
    "an unknown shape": {**GOOD, "row": {**GOOD["row"], "shape": "x"}},
    "an unknown row": {**GOOD, "listed": "nobody"},
    "tags of another type": {**GOOD, "row": {**GOOD["row"], "own_tags": [["<a>", "</a>"]]}},
    "a history that is none": {**GOOD, "history": []},
    "a list": [GOOD],
    "a number": 7,
}


@in_one_test("told", CHANGED.values(), ids=CHANGED)
def test_what_somebody_else_wrote_is_not_read(told: Any) -> None:
    with pytest.raises(NotStored):
        read(json.dumps(told), "template:x")


@in_one_test("text", ["", "{", "null", "[" * 100_000, '{"format": 1}'])
def test_nor_is_what_is_no_json(text: str) -> None:
    with pytest.raises(NotStored):
        read(text, "template:x")
