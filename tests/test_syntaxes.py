"""The corpus: every case of every row in every cut, cut off at every length, and written back.

A text has one meaning however it comes (I1), every character of it has one owner (I2), and what leaves of a call's
arguments is always the beginning of one JSON object (I3).
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from converters.events import Event
from converters.render import render_calls
from tests.helpers import (
    CORPUS,
    ROWS,
    Case,
    Message,
    assemble,
    assert_no_marker,
    chunks,
    corpus,
    cuts,
    meaning,
    openers,
    parse,
    read_json,
    read_object,
    same_json,
    spans,
    truncations,
    without_half,
)

CASES = corpus()
WHOLE_ROWS = {name for name, syntax in ROWS.items() if syntax.whole}
"""Rows without a marker: nothing may stand around their calls."""
AT_THE_START = {"hyperclovax"}
"""Rows whose marker counts at the start of an answer only."""
PLAIN = ("single", "parallel", "zero_argument")
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_marked = pytest.mark.parametrize("case", [case for case in CASES if case.row not in WHOLE_ROWS], ids=str)
each_call_that_stays = pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.calls or c.row not in WHOLE_ROWS if not any(each in c.reasoning for each in openers(c.row))],
    ids=str,
)
"""All but drafts, which would be calls if nothing had followed them, and whole messages that are calls but for more."""
each_row = pytest.mark.parametrize("row", ROWS)
both_ends = pytest.mark.parametrize("cut", [True, False], ids=["length", "stop"])


def _read(case: Case, text: str | None = None, prior: str | None = "own", **options: Any) -> list[Event]:
    row = case.row if prior == "own" else prior
    return parse(case.text if text is None else text, case.tools, row=row, **case.expectations, **options)


def _check(message: Message, case: Case) -> None:
    """The message is the one that the case means, arguments with their types and in their order."""
    assert message.content == case.content
    assert message.reasoning == case.reasoning
    assert message.names == case.names
    assert [call_id for _, _, call_id in message.calls] == [call.get("id") for call in case.calls]
    for (_, text, _), call in zip(message.calls, case.calls, strict=True):
        assert same_json(read_object(text), call["arguments"]), text


@each_row
def test_every_row_has_every_kind_of_case(row: str) -> None:
    names = {case.name for case in CASES if case.row == row}
    assert names >= {"single", "parallel", "zero_argument", "nested_unicode", "multiline_code", "reasoning_before"}
    assert names & {"marker_in_value", "marker_in_string"}
    assert names & {"text_around", "text_before"} or row in AT_THE_START


@each_case
def test_message(case: Case) -> None:
    _check(assemble(_read(case)), case)


@each_case
def test_message_by_character(case: Case) -> None:
    _check(assemble(_read(case, pieces=case.text)), case)


@each_case
def test_same_at_every_cut(case: Case) -> None:
    whole = meaning(_read(case))
    for pieces in cuts(case.text):
        assert meaning(_read(case, pieces=pieces)) == whole, pieces


@each_case
def test_every_character_has_one_owner(case: Case) -> None:
    for pieces in cuts(case.text):
        assert spans(_read(case, pieces=pieces)) == case.text, pieces


@each_case
def test_the_bytes_decide_and_not_the_name(case: Case) -> None:
    for prior in case.priors:
        _check(assemble(_read(case, prior=prior)), case)


@pytest.mark.parametrize("case", [c for c in CASES if ROWS[c.row].shape == "json_object" and not c.repaired], ids=str)
def test_valid_json_passes_verbatim(case: Case) -> None:
    for _, text, _ in assemble(_read(case)).calls:
        assert text in case.text


# -- cut off ---------------------------------------------------------------------------------------------------------


@each_case
@both_ends
def test_truncated_has_one_meaning_and_loses_nothing(case: Case, cut: bool) -> None:
    for text in truncations(case.text):
        whole = _read(case, text, cut=cut)
        pieces = chunks(text, 1 + len(text) % 7)
        events = _read(case, pieces=pieces, cut=cut)
        assert spans(whole) == spans(events) == text
        assert meaning(events) == meaning(whole), pieces


@each_call_that_stays
def test_cut_by_max_tokens_arguments_are_a_beginning(case: Case) -> None:
    """They are never closed or completed by us: what left is the beginning of what the whole text says."""
    full = assemble(_read(case)).calls
    for text in truncations(case.text):
        message = assemble(_read(case, text, cut=True))
        assert len(message.calls) <= len(full), text
        for (name, arguments, _), (whole_name, whole, _) in zip(message.calls, full, strict=False):
            assert name == whole_name, text
            assert whole.startswith(arguments), text
        assert all(how == "complete" for how in message.endings[:-1]), text
        assert message.calls[:-1] == full[: len(message.calls[:-1])], text


@each_marked
def test_cut_by_max_tokens_leaks_no_marker(case: Case) -> None:
    """A strict prefix of a marker is text; once an opener is complete and what follows fits, it is the call's.

    Inside the reasoning it is a draft then, and stays what it is written in.
    """
    for text in truncations(case.text):
        message = assemble(_read(case, text, cut=True))
        content, reasoning = without_half(message.content), without_half(message.reasoning)
        assert_no_marker(_without(content, case.content), case.row)
        assert case.content.startswith(content), text
        if not case.reasoning.startswith(reasoning):
            _check_again(case, text, message)


@pytest.mark.parametrize("case", [c for c in CASES if c.name == "parallel" and c.row not in WHOLE_ROWS], ids=str)
def test_cut_by_max_tokens_between_calls_leaves_no_text(case: Case) -> None:
    """The opener of the group is complete, so that all that follows and fits belongs to its calls."""
    for text in truncations(case.text):
        assert without_half(assemble(_read(case, text, cut=True)).content) == "", text


@pytest.mark.parametrize("case", [c for c in CASES if c.row in WHOLE_ROWS], ids=str)
def test_cut_by_max_tokens_a_whole_message_is_text(case: Case) -> None:
    """What has no marker is a call once it is whole, and not before."""
    for text in truncations(case.text):
        message = assemble(_read(case, text, cut=True))
        assert message.calls == [], text
        assert text.endswith(message.content), text


@each_call_that_stays
def test_stopped_arguments_are_an_object(case: Case) -> None:
    """The model stopped by itself: what is open is closed, so that a call that is delivered can be read (I3)."""
    for text in truncations(case.text):
        message = assemble(_read(case, text))
        assert message.names == case.names[: len(message.names)], text
        assert len(message.arguments) == len(message.calls), text


@each_call_that_stays
def test_stopped_arguments_have_no_key_that_was_not_written(case: Case) -> None:
    """A key that the text ends in is no key."""
    for text in truncations(case.text):
        for arguments, call in zip(assemble(_read(case, text)).arguments, case.calls, strict=False):
            assert list(arguments) == list(call["arguments"])[: len(arguments)], text


@each_marked
def test_stopped_leaks_no_marker_of_a_call_that_is_delivered(case: Case) -> None:
    """The model stopped inside a call: either that is delivered, or it is text from its opener on. Never both."""
    for text in truncations(case.text):
        message = assemble(_read(case, text))
        content, reasoning = without_half(message.content), without_half(message.reasoning)
        if not (case.content.startswith(content) and case.reasoning.startswith(reasoning)):
            _check_again(case, text, message)


def _check_again(case: Case, text: str, message: Message) -> None:
    """From one opener on, all of the text is said again; what stands before it means what it does by itself."""
    for place in _places(text, case.row):
        rest, before = text[place:].rstrip(), assemble(_read(case, text[:place], cut=True))
        for said, other in ((message.content, before.content), (message.reasoning, before.reasoning)):
            if rest and said.rstrip().endswith(rest) and said.rstrip().removesuffix(rest).rstrip() == other.rstrip():
                assert message.names == before.names, text
                return
    raise AssertionError(f"{text!r}: {message} holds what is neither said nor a call from its opener on")


ANY_OPENER = re.compile("|".join(sorted({re.escape(each) for row in ROWS for each in openers(row)}, reverse=True)))


def _places(text: str, row: str) -> list[int]:
    """Where calls may open in a text: at the opener of any row, or at the brace of an object in an array of them."""
    opens = [ANY_OPENER, re.compile(r"\{")] if ROWS[row].shape == "json_object" else [ANY_OPENER]
    return sorted({found.start() for each in opens for found in each.finditer(text)})


def _without(content: str, meant: str) -> str:
    """A content without as much of it as is meant."""
    return content[len(content) if meant.startswith(content) else 0 :]


# -- written back ----------------------------------------------------------------------------------------------------

SCHEMAS: dict[str, dict[str, Any]] = {
    "get_weather": {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    "search": {"properties": {"q": {"type": "string"}, "opts": {"type": "object"}}},
    "write_file": {"properties": {"path": {"type": "string"}, "text": {"type": "string"}}},
    "ping": {"properties": {}},
}
WEATHER = ("get_weather", {"city": "서울", "days": 3})
SEARCH = ("search", {"q": 'a "b" <c> & d', "opts": {"lang": ["ko", "en"], "safe": True, "limit": None}})
WRITE = ("write_file", {"path": "a.py", "text": "def f():\n    return 1 < 2\n"})
PING: tuple[str, dict[str, Any]] = ("ping", {})
SETS = {
    "single": [WEATHER],
    "parallel": [WEATHER, SEARCH],
    "multiline": [WRITE],
    "zero_argument": [PING],
    "all": [WEATHER, PING, SEARCH, WRITE, PING],
}


@each_row
@pytest.mark.parametrize("calls", SETS.values(), ids=SETS)
def test_written_calls_are_read_back(row: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    text = render_calls(ROWS[row], calls)
    for pieces in cuts(text):
        message = assemble(parse(text, SCHEMAS, pieces, row=row))
        assert message.content == ""
        assert message.names == [name for name, _ in calls]
        for read, (_, arguments) in zip(message.arguments, calls, strict=True):
            assert same_json(read, arguments), pieces


@pytest.mark.parametrize("case", [c for c in CASES if c.name in PLAIN], ids=str)
def test_written_as_in_the_corpus(case: Case) -> None:
    """What we write in a row is what the row's models write."""
    calls = [(call["name"], call["arguments"]) for call in case.calls]
    assert render_calls(ROWS[case.row], calls) == case.text.strip("\n")


# -- the failures that users reported --------------------------------------------------------------------------------

FAILURES = sorted((CORPUS / "failures").glob("*.json"))


@pytest.mark.parametrize("path", FAILURES, ids=lambda path: path.stem)
def test_reported_failure(path: Any) -> None:
    told = json.loads(path.read_text(encoding="utf-8"))
    backend, expect = told["backend"], told["expect"]
    tools = {tool["name"]: tool["parameters"] for tool in told["tools"]}
    cut = backend["finish_reason"] == "length"
    text = backend.get("content") or "".join(backend["deltas"])
    expectations = {"translate": bool(tools), "choice": told.get("request", {}).get("tool_choice", "auto")}
    for pieces in [*cuts(text), backend.get("deltas", [text])]:
        message = assemble(parse(text, tools, pieces, cut, **expectations))
        assert message.content == (expect["content"] or "")
        assert message.reasoning == expect.get("reasoning_content", "")
        if "partial_call" in expect:
            [(name, arguments, _)] = message.calls
            assert name == expect["partial_call"]["name"]
            assert arguments == expect["partial_call"]["arguments_prefix"]
            continue
        assert message.names == [call["name"] for call in expect["tool_calls"]]
        for (_, arguments, _), call in zip(message.calls, expect["tool_calls"], strict=True):
            assert same_json(read_json(arguments), call["arguments"])
