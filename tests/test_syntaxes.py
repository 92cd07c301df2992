"""The corpus: every case of every row in every cut, cut off at every length, and written back.

A text has one meaning however it comes (I1), every character of it has one owner (I2), and what leaves of a call's
arguments is always the beginning of one JSON object (I3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from converters import Expectations
from converters.render import render_calls
from converters.text.events import Event
from tests.cases import in_one_test, in_one_test_each
from tests.growing import Growing
from tests.helpers import (
    CORPUS,
    EVERY_PAIR,
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
    random_cut,
    read_json,
    read_object,
    same_json,
    spans,
    truncations,
    without_half,
)
from tests.scale import of, share

CASES = corpus()
WHOLE_ROWS = {name for name, syntax in ROWS.items() if syntax.whole_message}
"""Rows without a marker: nothing may stand around their calls."""
AT_THE_START = {"hyperclovax"}
"""Rows whose marker counts at the start of an answer only."""
DRAFTS = [case for case in CASES if any(opener in case.reasoning for opener in openers(case.row))]
"""Their drafts would be calls if nothing had followed them."""
PLAIN = ("single", "parallel", "zero_argument")


def by_row(cases: Iterable[Case]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.row, []).append(case)
    return found


each_case = in_one_test_each("case", by_row(CASES), str)
"""One test for each row, which tries all cases of the row."""
each_row = pytest.mark.parametrize("row", ROWS)


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


@in_one_test("row", ROWS)
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
    """A text has one meaning (I1), and every character of it one owner (I2)."""
    whole = meaning(_read(case))
    for pieces in cuts(case.text):
        events = _read(case, pieces=pieces)
        assert spans(events) == case.text, pieces
        assert meaning(events) == whole, pieces


@each_case
def test_the_bytes_decide_and_not_the_name(case: Case) -> None:
    for prior in share(case.priors, 3, len(case.text)):
        _check(assemble(_read(case, prior=prior)), case)


@in_one_test_each("case", by_row(c for c in CASES if ROWS[c.row].shape == "json_object" and not c.repaired), str)
def test_valid_json_passes_verbatim(case: Case) -> None:
    for _, text, _ in assemble(_read(case)).calls:
        assert text in case.text


# -- cut off ---------------------------------------------------------------------------------------------------------


def _cut_off(case: Case, *, cut: bool) -> Iterator[tuple[str, Message]]:
    """Each text that the case's could have ended as, and its message, which is the same however it came.

    The two tests that ask for it cut differently: the end of a text is read after pieces of both kinds. They take turns
    at the places where a text may end, unless everything is run.
    """
    ways = [random_cut(case.text, seed) for seed in range(7)] if cut else [chunks(case.text, n) for n in range(1, 8)]
    expectations = Expectations(case.tools, buffered=not cut, **case.expectations)
    growing = [Growing(pieces, expectations, ROWS[case.row]) for pieces in ways]
    for text in share(list(truncations(case.text)), 4, cut):
        way = len(text) // 4 % len(ways)
        whole = _read(case, text, cut=cut, buffered=not cut)
        events = growing[way].until(len(text), cut=cut)
        assert spans(whole) == spans(events) == text
        assert meaning(events) == meaning(whole), (text, ways[way])
        yield text, assemble(whole)


@each_case
def test_cut_by_max_tokens(case: Case) -> None:
    """No call is closed or completed by us, and no marker leaks.

    A strict prefix of a marker is text. Once an opener is complete and what follows fits, it is the call's; inside
    the reasoning it is a draft then, and stays what it is written in.
    """
    full = assemble(_read(case)).calls
    for text, message in _cut_off(case, cut=True):
        if case.row in WHOLE_ROWS:
            assert message.calls == [], f"{text!r}: what has no marker is a call once it is whole"
            continue
        if case not in DRAFTS:
            _check_beginning(full, message, text)
        content, reasoning = without_half(message.content), without_half(message.reasoning)
        assert_no_marker(_without(content, case.content), case.row)
        assert case.content.startswith(content), text
        if not case.reasoning.startswith(reasoning):
            _check_again(case, text, message)


def _check_beginning(full: Sequence[tuple[str, str, str | None]], message: Message, text: str) -> None:
    """What left of the calls is the beginning of what the whole text says, and only the last is cut."""
    assert len(message.calls) <= len(full), text
    for (name, arguments, _), (whole_name, whole, _) in zip(message.calls, full, strict=False):
        assert name == whole_name, text
        assert whole.startswith(arguments), text
    assert all(how == "complete" for how in message.endings[:-1]), text
    assert message.calls[:-1] == full[: len(message.calls[:-1])], text


@each_case
def test_stopped(case: Case) -> None:
    """The model stopped by itself inside a call, which has not left yet: closers may be missing, but no value.

    Either the call is delivered with all that was written, or it is text from its opener on, never both.
    """
    for text, message in _cut_off(case, cut=False):
        assert len(message.arguments) == len(message.calls), text
        if case.row in WHOLE_ROWS and not case.calls:
            continue  # it would be a call, but for what follows
        if case not in DRAFTS:
            assert message.names == case.names[: len(message.names)], text
            for arguments, call in zip(message.arguments, case.calls, strict=False):
                assert list(arguments) == list(call["arguments"])[: len(arguments)], text
        content, reasoning = without_half(message.content), without_half(message.reasoning)
        kept = case.content.startswith(content) and case.reasoning.startswith(reasoning)
        if case.row not in WHOLE_ROWS and not kept:
            _check_again(case, text, message)


def _check_again(case: Case, text: str, message: Message) -> None:
    """From one opener on, all of the text is said again; what stands before it means what it does by itself."""
    for place in _places(text, case.row):
        rest, before = text[place:].rstrip(), _before(case, text[:place])
        for said, other in ((message.content, before.content), (message.reasoning, before.reasoning)):
            if rest and said.rstrip().endswith(rest) and said.rstrip().removesuffix(rest).rstrip() == other.rstrip():
                assert message.names == before.names, text
                return
    raise AssertionError(f"{text!r}: {message} holds what is neither said nor a call from its opener on")


_befores: dict[str, Message] = {}
"""Many endings of a text share the beginning before a call."""


def _before(case: Case, text: str) -> Message:
    """What the beginning of a case's text says by itself."""
    key = f"{case}\n{text}"
    if key not in _befores:
        _befores[key] = assemble(_read(case, text, cut=True))
    return _befores[key]


ANY_OPENER = re.compile("|".join(sorted({re.escape(each) for row in ROWS for each in openers(row)}, reverse=True)))


def _places(text: str, row: str) -> list[int]:
    """Where calls may open in a text: at the opener of any row, or at what begins another call of a run."""
    inner = {"json_object": [r"\{"], "pythonic": [r"(?<![\w.])\w[\w.]*\(", r"[\s,;]+\w[\w.]*\(", r"\w+ = \w+\("]}
    opens = [ANY_OPENER, *map(re.compile, inner.get(ROWS[row].shape, []))]
    start = {0} if ROWS[row].prefilled_call else set()  # its opener may stand in the prompt
    return sorted(start | {found.start() for each in opens for found in each.finditer(text)})


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
@in_one_test("calls", SETS.values(), ids=SETS)
def test_written_calls_are_read_back(row: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    text = render_calls(ROWS[row], calls)
    for pieces in cuts(text, pairs=of(EVERY_PAIR, 0)):  # the corpus has these texts with other words, at every cut
        message = assemble(parse(text, SCHEMAS, pieces, row=row))
        assert message.content == ""
        assert message.names == [name for name, _ in calls]
        for read, (_, arguments) in zip(message.arguments, calls, strict=True):
            assert same_json(read, arguments), pieces


@in_one_test("row", ROWS)
@in_one_test("calls", SETS.values(), ids=SETS)
def test_undeclared_calls_have_one_meaning(row: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Whether they are calls or text, they are not both, and not the one when streamed and the other when whole."""
    text = render_calls(ROWS[row], calls)
    whole = meaning(parse(text, ["another_tool"], row=row))
    for pieces in (chunks(text, 1), chunks(text, 3), random_cut(text, 0), random_cut(text, 1)):
        events = parse(text, ["another_tool"], pieces, row=row)
        assert spans(events) == text, pieces
        assert meaning(events) == whole, pieces


@in_one_test("case", [c for c in CASES if c.name in PLAIN], ids=str)
def test_written_as_in_the_corpus(case: Case) -> None:
    """What we write in a row is what the row's models write."""
    calls = [(call["name"], call["arguments"]) for call in case.calls]
    assert render_calls(ROWS[case.row], calls) == case.text.strip("\n")


# -- the failures that users reported --------------------------------------------------------------------------------


def _told(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


TEXTS = {"content", "deltas"}
FAILURES = [path for path in sorted((CORPUS / "failures").glob("*.json")) if TEXTS & _told(path)["backend"].keys()]
"""Those that are a matter of the text alone; tests/test_reported.py has all of them."""


@pytest.mark.parametrize("path", FAILURES, ids=lambda path: path.stem)
def test_reported_failure(path: Any) -> None:
    told = _told(path)
    backend, expect = told["backend"], told["expect"]
    tools = {tool["name"]: tool["parameters"] for tool in told["tools"]}
    cut = backend["finish_reason"] == "length"
    text = backend.get("content") or "".join(backend["deltas"])
    request = told.get("request", {})
    expectations = {"translate": bool(tools), "choice": request.get("tool_choice", "auto")}
    expectations["parallel"] = request.get("parallel_tool_calls", True)
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
