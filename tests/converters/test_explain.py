"""What becomes of each character of a text, and the sentences that say why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest

from converters.explain import Decision, explain
from converters.stages.tracing import EXCERPT, Became
from converters.text import reasons
from tests.cases import in_one_test_each
from tests.helpers import Case, assemble, corpus, parse
from tests.scale import share
from tests.streaming.test_reasons import CALL, LEFT_CASES, TOOLS


def by_row() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in corpus():
        found.setdefault(case.row, []).append(case)
    return found


def assert_covered(text: str, decisions: Sequence[Decision]) -> None:
    """Each character belongs to one decision, in the order of the text (I2 shown to the eye)."""
    at = 0
    for each in decisions:
        assert each.start == at <= each.end
        assert text[each.start : each.end][:EXCERPT].startswith(each.excerpt)
        assert each.sentence
        at = each.end
    assert at == len(text)


def told(text: str, decisions: Sequence[Decision], became: Became) -> str:
    return "".join(text[each.start : each.end] for each in decisions if each.became == became)


@in_one_test_each("case", by_row(), str)
def test_every_character_is_covered_once(case: Case) -> None:
    texts = (case.text, case.text[: len(case.text) // 2], f"{case.text}\n\nAnd then.\n")
    for text, cut in share([(text, cut) for cut in (False, True) for text in texts], 3, len(case.text)):
        assert_covered(text, explain(text, case.tools, syntax=case.row, cut=cut))
        if cut:
            assert_covered(text, explain(text, {}))


@in_one_test_each("case", by_row(), str)
def test_content_and_reasoning_are_those_of_the_answer(case: Case) -> None:
    decisions = explain(case.text, case.tools, syntax=case.row)
    message = assemble(parse(case.text, case.tools, row=case.row))
    assert told(case.text, decisions, "content") == message.content
    assert told(case.text, decisions, "reasoning") == message.reasoning


@pytest.mark.parametrize("size", [5_000, 20_000])
def test_long_texts_are_covered(size: int) -> None:
    text = f"{'Some words, <b>bold</b>. ' * (size // 25)}\n```\n{CALL}\n```\n{CALL * 3} and {'x' * size}"
    decisions = explain(text, TOOLS)
    assert_covered(text, decisions)
    (quoted,) = [each for each in decisions if each.code == "quoted"]
    assert quoted.start == text.index(CALL)


def test_the_decisions_about_one_answer() -> None:
    text = f"<think>Hm.</think>Sure. {CALL}</s>"
    found = [(text[each.start : each.end], each.became, each.code) for each in explain(text, TOOLS)]
    assert found == [
        ("<think>", "removed", "marker"),
        ("Hm.", "reasoning", None),
        ("</think>", "removed", "marker"),
        ("Sure.", "content", None),
        (" ", "removed", "whitespace"),
        ('<tool_call>{"name": "get_weather", "arguments": {"city":', "call", None),
        (' "Seoul"}', "arguments", None),
        ("}</tool_call>", "call", None),
        ("</s>", "removed", "end_token"),
    ]


@pytest.mark.parametrize(("name", "text", "codes"), LEFT_CASES, ids=[name for name, _, _ in LEFT_CASES])
def test_each_reason_has_its_place(name: str, text: str, codes: set[reasons.Reason]) -> None:
    decisions = explain(text, TOOLS)
    assert_covered(text, decisions)
    assert {each.code for each in decisions} & set(reasons.LEFT) == codes


def test_the_rows_of_models_and_of_their_names() -> None:
    text = "I think so.</think>Yes."
    assert told(text, explain(text, TOOLS, model="Qwen/QwQ-32B"), "reasoning") == "I think so."
    with pytest.raises(KeyError):
        explain(text, TOOLS, syntax="nothing")


def test_there_is_a_sentence_for_every_code() -> None:
    codes = [*get_args(reasons.Reason), *get_args(Became)]
    sentences = [reasons.sentence(code) for code in codes]
    assert all(sentences) and set(codes) == {*reasons.REMOVED, *reasons.NOTED, *reasons.BECAME}
