"""How the doctor reads answers: strictly, whatever comes, without an exception."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command.doctor import turn_probes
from command.doctor.answer import Answer, Call, read
from command.doctor.checks import wrong_calls, wrong_stream
from command.doctor.probe import Side
from command.doctor.questions import TOOLS
from tests.answers import DONE, chunk, frame, said
from tests.cases import in_one_test

STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def whole(body: object, status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(Answer(status, JSON, raw))


def streamed(*frames: bytes) -> Answer:
    return read(Answer(200, STREAM, b"".join(frames), streamed=True))


def message(finish: str = "tool_calls", **more: Any) -> Answer:
    found = {"role": "assistant", "content": None, **more}
    return whole({"choices": [{"index": 0, "message": found, "finish_reason": finish}]})


def call(arguments: object = "{}", name: object = "get_time", **more: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **more}


WRONG: dict[str, tuple[Answer, str]] = {
    "no answer": (Answer(error="refused"), "refused"),
    "a status": (whole({"error": {"message": "no"}}, 500), "refused"),
    "an error with 200": (whole({"error": "no"}), "refused"),
    "text": (whole(b"<html>"), "unreadable"),
    "a list": (whole([]), "unreadable"),
    "no choices": (whole({"choices": None}), "unreadable"),
    "no message": (whole({"choices": [{}]}), "unreadable"),
    "content is a list": (message("stop", content=[{"type": "text"}]), "unreadable"),
    "calls are an object": (message(tool_calls={}), "unreadable"),
    "a call is text": (message(tool_calls=["get_time"]), "unreadable"),
    "no id": (message(tool_calls=[call(id=None)]), "bad_call"),
    "no name": (message(tool_calls=[call(name=None)]), "bad_call"),
    "no type": (message(tool_calls=[call(type=None)]), "bad_call"),
    "arguments are an object": (message(tool_calls=[call({})]), "bad_arguments"),
    "arguments are empty": (message(tool_calls=[call("")]), "bad_arguments"),
    "arguments are a list": (message(tool_calls=[call("[]")]), "bad_arguments"),
    "another tool": (message(tool_calls=[call(name="get_rich")]), "undeclared"),
    "the finish reason": (message("stop", tool_calls=[call()]), "wrong_finish"),
    "nothing": (message("stop", content=""), "empty_answer"),
    "text that looks like a call": (message("stop", content="<my_tool_call>x</my_tool_call>"), "unknown_markup"),
    "a call in the reasoning": (
        message("stop", content="", reasoning_content='<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'),
        "call_in_reasoning",
    ),
    "a call in the text": (
        message("stop", content='<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'),
        "raw_markup",
    ),
    "an event is no JSON": (streamed(b"data: {\n\n", DONE), "unreadable"),
    "an error in a stream": (streamed(frame({"error": {"message": "no"}})), "refused"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(name: str) -> None:
    answer, fault = WRONG[name]
    found = wrong_calls(answer, TOOLS, "m")
    assert found is not None and (found.state, found.fault) == ("fail", fault), found


def test_what_is_right() -> None:
    assert wrong_calls(message(tool_calls=[call()]), TOOLS, "m") is None
    chose = wrong_calls(message("stop", content="Why should I?"), TOOLS, "m")
    assert chose is not None and chose.chose and chose.state == "warn"
    cut = wrong_calls(message("length", content="Let me th"), TOOLS, "m")
    assert cut is not None and cut.state == "warn" and not cut.chose


def test_a_stream_is_put_together() -> None:
    opened = chunk({"tool_calls": [call("", index=0)]})
    more = [chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in ('{"a"', ": 1}")]
    frames = [frame(each) for each in (chunk({"role": "assistant"}), opened, *more, chunk({}, "tool_calls"))]
    answer = streamed(*frames, DONE)
    assert [each.object for each in answer.calls] == [{"a": 1}] and answer.pieces == 3
    assert (answer.finish, answer.done, answer.faults) == ("tool_calls", True, [])
    assert wrong_stream(answer) is None
    assert wrong_stream(streamed(*frames)).fault == "no_done"  # type: ignore[union-attr]
    assert wrong_stream(streamed(*said("Hi", finish=None))).fault == "no_finish"  # type: ignore[union-attr]


def test_an_id_that_changes() -> None:
    frames = [frame(chunk({"tool_calls": [call("", index=0, id=each)]})) for each in ("a", "b")]
    assert streamed(*frames, DONE).faults == ["the id of call 0 changes"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "delta",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "content",
                    "usage",
                    "error",
                    "id",
                    "index",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_nothing_that_a_server_sends_raises(value: Any, stream: bool) -> None:
    answer = streamed(frame(value), DONE) if stream else whole(value)
    found = wrong_calls(answer, TOOLS, "m")
    assert found is None or found.said


@in_one_test(
    ("city", "state", "fault"),
    [("Rome", "fail", "quoted_called"), ("Seoul", "warn", "")],
    ids=["the example itself", "another call"],
)
def test_only_the_quoted_call_itself_is_an_example_that_was_run(city: str, state: str, fault: str) -> None:
    arguments = json.dumps({"city": city, "days": 1})
    called = Answer(200, finish="tool_calls", calls=[Call(0, "id", "function", "get_weather", arguments)])

    class Asked:
        model = "glm-4.5"

        def ask(self, _text: str, **_more: object) -> Answer:
            return called

    found = turn_probes.quoted(cast(Side, Asked()))
    assert (found.state, found.fault) == (state, fault)
