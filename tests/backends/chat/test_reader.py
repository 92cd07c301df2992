"""A backend's reply to steps: as received where nothing must change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from backends.chat import ChatReplyReader
from backends.protocol import ReplyContext
from converters import Expectations, new_parser
from converters.text.events import Reasoning, Text
from reply import Extension, Finish, ReplyHead, Step, Usage
from tests.helpers import assemble, chunks
from wire.sse import DONE, frame_of

PING = '<tool_call>\n{"name": "ping"}\n</tool_call>'
CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "ping", "arguments": "{}"}}


def reader() -> ChatReplyReader:
    expectations = Expectations({"ping": {}})
    return ChatReplyReader(ReplyContext(lambda: new_parser(expectations), expectations))


def chunk(reason: str | None = None, index: int = 0, **delta: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": reason}
    return frame_of(json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice]}))


def read(*frames: bytes) -> list[Step]:
    reply = reader()
    steps = [step for frame in frames for step in reply.read(frame)]
    return [*steps, *(reply.finish() if not reply.done else [])]


def raw(steps: list[Step]) -> bytes:
    assert all(step.raw is not None for step in steps)
    return b"".join(step.raw or b"" for step in steps)


def events(steps: Sequence[Step], index: int = 0) -> list[Any]:
    return [event for step in steps for place, event in step.events if place == index]


def finishes(steps: Sequence[Step], index: int = 0) -> list[str]:
    return [event.reason for event in events(steps, index) if isinstance(event, Finish)]


RIGHT = [
    [chunk(role="assistant", content=""), chunk(content="Hi"), chunk(content=" you"), chunk("stop")],
    [chunk(role="assistant", content=None), chunk(tool_calls=[CALL]), chunk("tool_calls")],
    [chunk(role="assistant"), chunk(reasoning_content="hm"), chunk(content="Hi"), chunk("length")],
    [chunk(role="assistant", refusal="No."), chunk("content_filter")],
    [
        b": comment\n\n",
        chunk(role="assistant", content="a < b"),
        chunk("stop"),
        frame_of('{"choices": [], "usage": {"n": 1}}'),
    ],
]


@pytest.mark.parametrize("frames", RIGHT)
def test_a_right_answer_leaves_as_the_bytes_received(frames: list[bytes]) -> None:
    assert raw(read(*frames)) == b"".join(frames)


@pytest.mark.parametrize("usage", ["NaN", "7", '"x"', "[1]", "{}", "true"])
def test_token_counts_that_are_no_object_are_none(usage: str) -> None:
    """Writers of other APIs asked them for members: an AttributeError, and a 500 (defect C6)."""
    choice = '{"index": 0, "delta": {"content": "x"}, "finish_reason": null}'
    frames = [frame_of(f'{{"choices": [{choices}], "usage": {usage}}}') for choices in ("", choice)]
    whole = reader().read_whole(f'{{"choices": [{choice.replace("delta", "message")}], "usage": {usage}}}'.encode())
    found = [event for _, event in (*whole.events, *(each for step in read(*frames, DONE) for each in step.events))]
    assert not [event for event in found if isinstance(event, Usage)]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("reason", ["stop", None, "eos", "tool_calls"])
def test_calls_in_the_text_are_translated(size: int, reason: str | None) -> None:
    frames = [chunk(role="assistant"), *(chunk(content=piece) for piece in chunks(f"Hi {PING}", size))]
    steps = read(*frames, *([chunk(reason)] if reason else [DONE]))
    message = assemble(event for event in events(steps) if not isinstance(event, Finish | ReplyHead))
    assert (message.content, message.names, finishes(steps)) == ("Hi", ["ping"], ["tool_calls"])


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_reasons_that_always_win(reason: str) -> None:
    assert finishes(read(chunk(role="assistant", content=PING), chunk(reason))) == [reason]


@pytest.mark.parametrize(
    ("reason", "told"), [("tool_calls", "stop"), ("eos", "stop"), (None, "stop"), ("stop", "stop")]
)
def test_without_a_call_it_is_a_stop(reason: str | None, told: str) -> None:
    steps = read(chunk(role="assistant", content="Hi"), *([chunk(reason)] if reason else [DONE]))
    assert finishes(steps) == [told]


def test_one_finish_reason_for_each_choice() -> None:
    frames = [
        chunk(role="assistant", content="a"),
        chunk("stop"),
        chunk("stop"),
        chunk(index=1, role="assistant", content="b"),
    ]
    steps = read(*frames, DONE)
    assert (finishes(steps, 0), finishes(steps, 1)) == (["stop"], ["stop"])


def test_a_forgotten_role_is_told_first() -> None:
    steps = read(chunk(content="Hi"), chunk("stop"))
    assert steps[0] == Step(None, [(0, ReplyHead(id="x"))])
    assert steps[1].raw == chunk(content="Hi")


def test_reasoning_says_under_which_name_it_came() -> None:
    steps = read(chunk(role="assistant", reasoning="hm"), chunk("stop"))
    [features] = [step.features for step in steps if Reasoning("hm") in [event for _, event in step.events]]
    assert features == {"reasoning"}


def test_fields_beside_what_is_rewritten_survive() -> None:
    steps = read(chunk(role="assistant", content=PING, vendor={"a": 1}), chunk("stop"))
    assert Extension({"vendor": {"a": 1}}) in events(steps)


def test_an_error_ends_the_stream() -> None:
    reply = reader()
    reply.read(chunk(role="assistant", content="Hi <tool"))
    steps = reply.read(frame_of('{"error": {"message": "No."}}'))
    assert reply.done
    assert steps[-1].raw == b'data: {"error": {"message": "No."}}\n\n'
    assert not finishes(steps)


def test_done_and_frames_without_data() -> None:
    reply = reader()
    assert reply.read(b"retry: 5\n\n") == []
    assert reply.read(b": hi\n\n") == [Step(b": hi\n\n")]
    assert reply.read(DONE) == []
    assert reply.done


@pytest.mark.parametrize(
    "data", ['{"choices": [7]}', '{"choices": null}', "[]", "not json", '{"choices": [{"index": "x", "delta": []}]}']
)
def test_odd_chunks_raise_nothing(data: str) -> None:
    reader().read(frame_of(data))


def test_a_whole_reply() -> None:
    reply = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": f"Hi {PING}"}, "finish_reason": "stop"}]
    }
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", **reply}
    read = reader().read_whole(json.dumps(whole).encode())
    steps = [Step(None, read.events)]
    assert (read.raw, finishes(steps), events(steps)[1]) == (None, ["tool_calls"], Text("Hi"))
    reply["choices"][0]["message"]["content"] = "Hi"  # type: ignore[index]
    assert reader().read_whole(body := json.dumps(whole).encode()).raw == body
