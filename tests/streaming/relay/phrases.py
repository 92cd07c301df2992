"""What the tests of the relay share: what a backend says, what it means, and how a client waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import (
    DONE,
    SOON,
    Answer,
    Client,
    Json,
    Proxy,
    ScriptedBackend,
    Streamed,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    read_stream,
    said,
    whole_stream,
)

CALL = ["<tool_call>\n", '{"name": "get_weather", ', '"arguments": {"city": "서울", ', '"days": 3}}', "\n</tool_call>"]
CALLED = {"name": "get_weather", "arguments": '{"city": "서울", "days": 3}'}
SPOKEN = {"role": "assistant", "content": "Hi.", "calls": [CALLED], "reasons": ["tool_calls"]}
"""What `Hi. ` and then CALL mean."""


def spoken(content: str, *calls: Json, reason: str = "stop", **more: str) -> Json:
    return {"role": "assistant", "content": content, "calls": list(calls), "reasons": [reason], **more}


def never() -> threading.Event:
    """What the backend waits for when it falls silent."""
    return threading.Event()


def so_far(client: Client) -> Streamed:
    """What of a stream has come."""
    return read_stream(client.body[: client.body.rfind(b"\n\n") + 2])


def read_until(client: Client, seen: Callable[[Streamed], bool], within: float = SOON) -> None:
    """Read until the stream shows this."""
    while not seen(so_far(client)):
        try:
            assert client.more(within), f"the stream ended: {client.body[-400:]!r}"
        except TimeoutError:
            pytest.fail(f"nothing more came within {within} s; there is {client.body[-400:]!r}")


def text_of(streamed: Streamed) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in streamed.choices())


def arguments_of(streamed: Streamed) -> str:
    calls = [call for choice in streamed.choices() for call in choice["delta"].get("tool_calls") or []]
    return "".join(call["function"].get("arguments") or "" for call in calls)


REFUSAL = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "busy"}}

HELLO = frame(chunk({"role": "assistant", "content": "Hello"}))

TEXTS = {"call": (["Hi. ", *CALL], SPOKEN), "text": (["Hi", " 서울", " there"], spoken("Hi 서울 there"))}

PAUSE = 0.0004
"""Seconds between two pieces, so that the proxy reads the first one alone."""

USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
ASKED: Json = {"stream_options": {"include_usage": True}}

WAYS = ["streamed", "buffered"]

DEATHS = {
    "chunked, closed": Answer(framing="chunked", ends="broken"),
    "chunked, reset": Answer(framing="chunked", ends="reset"),
    "close-delimited, reset": Answer(framing="close", ends="reset"),
    "too short": Answer(framing="length", ends="broken"),
}


def dying(how: str, *pieces: bytes) -> Answer:
    shape = DEATHS[how]
    # The pause lets what was sent be read: a reset throws away what nobody has fetched yet.
    return Answer([*pieces, 0.15], framing=shape.framing, ends=shape.ends)


Change = Callable[[list[bytes]], list[bytes]]


def between(*extra: bytes) -> Change:
    """These frames before each of the stream's own."""
    return lambda frames: [piece for each in frames for piece in (*extra, each)]


def deltas(change: Callable[[Json], Json | None]) -> Change:
    """Each chunk changed, or left out."""

    def apply(frames: list[bytes]) -> list[bytes]:
        chunks = [None if data == DONE else json.loads(data[6:]) for data in frames]
        changed = [(data, one and change(one)) for data, one in zip(frames, chunks, strict=True)]
        return [data if data == DONE else frame(one) for data, one in changed if one or data == DONE]

    return apply


def answered(backend: ScriptedBackend, proxy: Proxy, way: str, *texts: str, **request: Any) -> Json:
    """What a client gets of a text, in one of the two ways."""
    if way == "streamed":
        backend.answer = Answer(said(*texts))
        return message_of(whole_stream(proxy.streamed(ask(**request))))
    backend.answer = json_answer(completion("".join(texts)))
    return message_in(proxy.buffered(ask(stream=False, **request)))
