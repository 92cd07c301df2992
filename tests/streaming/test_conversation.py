"""The end of a conversation, however it comes: exactly one, polite, and never silent."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from streaming.answer import Answer as BackendAnswer
from streaming.conversation import Pieces
from tests.servers import Answer, ScriptedBackend, ask, broken_stream, running_proxy, said


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(Answer(said("Hello", " world"))) as started:
        yield started


def test_a_fault_of_our_own_ends_the_stream_politely(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = BackendAnswer.steps
    asked = 0

    def steps(self: BackendAnswer, deadline: float | None) -> object:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise LookupError("a slip of ours")
        return whole(self, deadline)

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
