"""A client that leaves: the backend is told within a second, however the proxy is served."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import NoReturn

import pytest

from backends import Backend, Timeouts
from backends.chat import ChatReplyReader
from config import Config
from dialects.chat import CHAT
from errors import ClientLeft
from streaming import ExchangeRecord, exchange_ended
from streaming.relay import ClientRequest, Relay
from tests.cases import in_one_test
from tests.plans import planning
from tests.servers import (
    PATIENCE,
    Answer,
    Json,
    Piece,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_of,
    proxy_process,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    HELLO,
    REFUSAL,
    dying,
    never,
    spoken,
)


@pytest.fixture(scope="module", params=["app", "gunicorn", "gthread"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedBackend, Proxy]]:
    """A backend with the proxy before it, in each way of serving it."""
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend())
        if request.param == "app":
            proxy: Proxy = stack.enter_context(running_proxy(backend))
        else:
            proxy = stack.enter_context(proxy_process(request.param, backend))
        yield backend, proxy


ON: list[Piece] = [frame(chunk({"content": " on"})), 0.01]
MOMENTS: dict[str, tuple[Answer, Json, bytes]] = {
    "during prefill": (Answer(before=[never()]), ask(), b""),
    "behind the head": (Answer([never()]), ask(), b""),
    "in mid-stream": (Answer([HELLO, never()]), ask(), b"Hello"),
    "in mid-stream without tools": (Answer([HELLO, never()], framing="close"), ask(tools=[]), b"Hello"),
    "while it flows": (Answer([HELLO, *ON * 900]), ask(), b"on"),
    "inside a call": (
        Answer([frame(chunk({"content": "<tool_call>\n<function=write_file>\n<parameter=path>\n/tm"})), never()]),
        ask(),
        b"write_file",
    ),
    "while text is held": (Answer([HELLO, frame(chunk({"content": " <tool"})), never()]), ask(), b"Hello"),
    "before a buffered answer": (Answer(before=[never()]), ask(stream=False), b""),
    "in a buffered answer": (
        Answer([b'{"choices": [', never()], headers=[("Content-Type", "application/json")]),
        ask(stream=False),
        b"",
    ),
}


@in_one_test("reset", [False, True], ids=["closed", "reset"])
@in_one_test("moment", MOMENTS)
def test_the_backend_is_hung_up_on_when_the_client_leaves(
    place: tuple[ScriptedBackend, Proxy], moment: str, reset: bool
) -> None:
    backend, proxy = place
    backend.answer, body, seen = MOMENTS[moment]
    left_soon(backend, proxy, body, "/v1/chat/completions", seen, reset)


@in_one_test("moment", ["before the head", "in the body"])
def test_a_forwarded_request_is_hung_up_too(place: tuple[ScriptedBackend, Proxy], moment: str) -> None:
    backend, proxy = place
    backend.answer = Answer(before=[never()]) if moment == "before the head" else Answer([HELLO, never()])
    seen = b"" if moment == "before the head" else b"Hello"
    left_soon(backend, proxy, {"prompt": "x", "stream": True}, "/v1/completions", seen, False)


LEFT = 3.0
"""Seconds until the backend is told. It takes milliseconds, and a busy machine more."""


def left_soon(backend: ScriptedBackend, proxy: Proxy, body: Json, target: str, seen: bytes, reset: bool) -> None:
    backend.requests.clear()
    with proxy.client(body, target) as client:
        received = backend.request()
        if seen:
            client.until(seen)
        assert not received.closed.wait(0.1), "the proxy hung up by itself"
        client.leave(reset)
        assert received.closed.wait(LEFT), "the backend still works for nobody"
    assert not received.answered


def test_a_client_that_only_waits_is_not_taken_for_gone(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = Answer(said("ok"), before=[0.6])
    assert message_of(whole_stream(proxy.streamed(ask()))) == spoken("ok")


def test_the_record_tells_how_an_exchange_ended(backend: ScriptedBackend, proxy: Proxy) -> None:
    own = [("X-Request-Id", "this-one")]  # exchanges of other tests may end only now
    ended: list[ExchangeRecord] = []
    more = threading.Condition()

    def note(exchange: ExchangeRecord) -> None:
        with more:
            if exchange.request_id == "this-one":
                ended.append(exchange)
                more.notify()

    with exchange_ended.connected_to(note):
        backend.answer = Answer(said("Hi. ", *CALL))
        proxy.streamed(ask(), headers=own)
        backend.answer = dying("chunked, closed", HELLO)
        proxy.streamed(ask(), headers=own)
        backend.answer = Answer([HELLO, never()])
        with proxy.client(ask(), headers=own) as client:
            client.until(b"Hello")
        backend.answer = json_answer(completion("ok"))
        proxy.buffered(ask(stream=False), headers=own)
        backend.answer = json_answer(REFUSAL, 429)
        with proxy.client(ask(), headers=own) as client:
            client.rest()
        with more:
            assert more.wait_for(lambda: len(ended) == 5, PATIENCE), f"{len(ended)} of 5 exchanges have ended"
    told = [(one.status, one.outcome, one.notes.calls, one.stream) for one in ended if not one.error]
    assert sorted(told) == [(200, "translated", 1, True), (200, "untouched", 0, False)]
    errors = sorted(one.error for one in ended if one.error)
    assert errors == ["backend_interrupted", "backend_status_429", "client_left"]


def test_nobody_reads_a_long_request_of_a_client_that_has_left() -> None:
    """To read it would take seconds, which others wait for."""
    ended: list[str | None] = []

    def note(record: ExchangeRecord) -> None:
        ended.append(record.error)

    class Reads(type(CHAT)):  # type: ignore[misc]
        def parse_request(self, *_: object) -> NoReturn:
            raise AssertionError("it was read")

    backend = Backend("http://127.0.0.1:9", Timeouts(1, None, None))
    relay = Relay(Config.from_environment({}), backend, ChatReplyReader, planning())
    client, ours = socket.socketpair()
    with client, ours, exchange_ended.connected_to(note):
        request = partial(ClientRequest, "POST", "/v1/chat/completions", [], b" " * (2 << 20), "id", ours.fileno())
        with pytest.raises(AssertionError):
            relay.converse(Reads(), request())
        client.close()
        with pytest.raises(ClientLeft):
            relay.converse(Reads(), request())
    assert ended == ["client_left"]
