"""What the record of an exchange says was decided, and what the client is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backends.chat import ChatReplyReader
from backends.protocol import ReplyContext
from converters.stages.pipeline import new_parser
from converters.text.expectations import Expectations
from dialects.chat import CHAT
from streaming.record import ExchangeRecord

F = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"n": {"type": "integer"}}}}}
G = {"type": "function", "function": {"name": "g"}}


def hermes(name: str, arguments: str = "{}") -> str:
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


def native(*names: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [
        {"id": f"c{at}", "type": "function", "function": {"name": n}} for at, n in enumerate(names)
    ]
    return [{"index": at, **call, "function": {**call["function"], "arguments": "{}"}} for at, call in enumerate(calls)]


def answered(
    content: str | None, calls: list[dict[str, Any]] | None = None, **request: Any
) -> Iterator[ExchangeRecord]:
    """The records of a reply that is read whole, and of the same one streamed letter by letter."""
    chat = CHAT.parse_request(json.dumps({"tools": [F, G], **request}).encode())
    reason = "tool_calls" if calls else "stop"
    top = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    message = {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {})}
    reply = {**top, "choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    context = ReplyContext(lambda: new_parser(chat.expectations), chat.expectations)
    whole = ChatReplyReader(context)
    whole.read_whole(json.dumps(reply).encode())
    yield recorded(whole)
    reader = ChatReplyReader(context)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": letter} for letter in content or ""] + [{"tool_calls": [call]} for call in calls or []]
    for delta, why in [*((delta, None) for delta in deltas), ({}, reason)]:
        choice = {"index": 0, "delta": delta, "finish_reason": why}
        chunk = {**top, "object": "chat.completion.chunk", "choices": [choice]}
        reader.read(f"data: {json.dumps(chunk)}\n\n".encode())
    yield recorded(reader)


def recorded(reader: ChatReplyReader) -> ExchangeRecord:
    record = ExchangeRecord("r", "/")
    record.keep(reader.notes)
    return record


ONLY_F = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("content", "calls", "request_", "outcome", "codes", "details"),
    [
        ("plain", None, {}, "untouched", set(), set()),
        (hermes("f"), None, {}, "translated", {"marker"} - {"marker"}, set()),
        (hermes("f", '{"n": "x"}'), None, {}, "translated", {"arguments_misfit"}, {"f/properties/n/type"}),
        (hermes("f", "{'n': 1}"), None, {}, "translated", {"arguments_repaired"}, set()),
        ("say <tool_call> aloud", None, {}, "abstained", {"marker_left"}, set()),
        ("plain", None, {"tool_choice": "required"}, "untouched", {"required_unmet"}, set()),
        (hermes("f"), None, {"tool_choice": "required"}, "translated", set(), set()),
        (None, native("f"), {"tool_choice": "required"}, "untouched", set(), set()),
        (
            hermes("g"),
            None,
            {"tool_choice": ONLY_F},
            "translated",
            OTHER := {"choice_none", "choice_other", "required_unmet"},
            set(),
        ),
        (None, native("f"), {"tool_choice": ONLY_F}, "untouched", set(), set()),
        (
            None,
            native("g"),
            {"tool_choice": ONLY_F},
            "repaired",
            {"choice_other", "finish_reason", "required_unmet"},
            set(),
        ),
    ],
)
def test_what_the_record_says(
    content: str | None,
    calls: list[dict[str, Any]] | None,
    request_: dict[str, Any],
    outcome: str,
    codes: set[str],
    details: set[str],
) -> None:
    for record in answered(content, calls, **request_):
        assert (record.outcome, record.notes.codes) == (outcome, codes)
        assert {detail.split(" ")[1] for detail in record.notes.details} == details


def test_a_named_function_is_the_only_one_that_is_delivered() -> None:
    for record in answered(hermes("g") + hermes("f") + hermes("f"), tool_choice=ONLY_F, parallel_tool_calls=False):
        assert record.notes.calls == 1
        assert {"choice_other", "parallel_off"} <= record.notes.codes
    for record in answered(None, native("g", "f"), tool_choice=ONLY_F):
        assert record.notes.calls == 1


def test_expectations_without_a_choice_allow_every_function() -> None:
    assert Expectations().allows("f")
    assert not Expectations(allowed=frozenset({"g"})).allows("f")
