"""The end of a conversation, however it comes: exactly one, polite, and never silent."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backends import Backend, Timeouts
from backends.chat import ChatReplyReader
from config import Config
from dialects.chat import CHAT
from dialects.protocol import StreamWriter
from streaming.answer import UpstreamReply as BackendAnswer
from streaming.relay import ClientRequest, Pieces, Relay
from tests.plans import planning
from tests.servers import (
    Answer,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    read_stream,
    running_proxy,
    said,
    whole_stream,
)


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(Answer(said("Hello", " world"))) as started:
        yield started


def test_a_fault_of_our_own_ends_the_stream_politely(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = BackendAnswer.steps
    asked = 0

    def steps(self: BackendAnswer, deadline: float | None, writer: StreamWriter) -> object:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise LookupError("a slip of ours")
        return whole(self, deadline, writer)

    monkeypatch.setattr(BackendAnswer, "steps", steps)
    caplog.set_level(logging.ERROR)
    backend.answer = Answer([*said("Hello", finish=None, done=False), 0.1, *said()])
    with running_proxy(backend) as proxy:
        with proxy.client(ask()) as client:
            streamed = broken_stream(client.rest())
            assert not client.broken, "the end that was said was cut off"
        assert backend.last.closed.wait(1)
    assert streamed.errors[0]["code"] == "proxy_error"
    assert "a slip of ours" not in str(streamed.errors)
    assert "the stream failed" in caplog.text and "a slip of ours" in caplog.text


def closing(pieces: Iterator[bytes]) -> tuple[Pieces, list[str]]:
    closed: list[str] = []
    return Pieces(pieces, lambda: closed.append("closed")), closed


def test_a_body_that_was_read_is_closed_once() -> None:
    body, closed = closing(iter([b"one", b"two"]))
    assert list(body) == [b"one", b"two"]
    assert closed == ["closed"]
    body.close()
    assert closed == ["closed"]


def test_a_body_that_nobody_began_is_closed() -> None:
    body, closed = closing(iter([b"one"]))
    body.close()
    assert closed == ["closed"]


def test_a_body_that_breaks_is_closed_and_says_so() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionResetError

    body, closed = closing(broken())
    assert next(body) == b"one" and not closed
    with pytest.raises(ConnectionResetError):
        next(body)
    assert closed == ["closed"]


def test_a_stream_that_nobody_began_is_closed(backend: ScriptedBackend) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), threading.Event()])
    relay = Relay(
        Config.from_environment({"BACKEND_URL": backend.url}),
        Backend(backend.url, Timeouts(1, 5, 5)),
        ChatReplyReader,
        planning(backend.url),
    )
    reply = relay.converse(CHAT, ClientRequest("POST", "/v1/chat/completions", [], json.dumps(ask()).encode(), "r"))
    assert not backend.last.closed.wait(0.1)
    reply.body.close()  # type: ignore[union-attr]
    assert backend.last.closed.wait(1)


SAID = said("Hello", finish="stop", done=False)
SECOND = frame(chunk({"role": "assistant", "content": "Hi"}, index=1))


@pytest.mark.parametrize("ends", ["broken", "reset"])
@pytest.mark.parametrize(
    ("wanted", "pieces", "whole"),
    [
        (1, SAID, True),
        (2, SAID, False),
        (2, [*SAID, SECOND], False),
        (2, [*SAID, SECOND, frame(chunk({}, "stop", index=1))], True),
        (1, said("Hello", finish=None, done=False), False),
        (1, [*SAID, b"data: [DO"], True),
    ],
    ids=["said", "one of two", "one and a half of two", "both", "no finish reason", "half a [DONE]"],
)
def test_a_break_behind_the_last_finish_reason_costs_nothing(
    backend: ScriptedBackend, ends: Any, wanted: int, pieces: list[bytes], whole: bool
) -> None:
    """All that was asked for has been said, so an error event would throw a whole answer away."""
    backend.answer = Answer([*pieces, 0.05], ends=ends)
    with running_proxy(backend) as proxy:
        raw = proxy.streamed(ask(n=wanted))
    if whole:
        whole_stream(raw)
        return
    streamed = read_stream(raw)
    assert [error["code"] for error in streamed.errors] == ["backend_interrupted"] and streamed.done == 1


@pytest.mark.parametrize("torn", [b"d", b"data", b"data:", b'data: {"choices"', b"data: [DON", b"\r\ndata: {"])
def test_an_answer_that_ends_inside_an_event_is_an_error(backend: ScriptedBackend, torn: bytes) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), torn], framing="close")
    with running_proxy(backend) as proxy:
        assert broken_stream(proxy.streamed(ask())).errors[0]["code"] == "backend_interrupted"


@pytest.mark.parametrize("last", [b"", b": bye", b"retry: 3\n", b"event: end"])
def test_an_answer_that_ends_behind_an_event_is_whole(backend: ScriptedBackend, last: bytes) -> None:
    backend.answer = Answer([*said("Hello", finish="stop", done=False), last], framing="close")
    with running_proxy(backend) as proxy:
        whole_stream(proxy.streamed(ask()))
