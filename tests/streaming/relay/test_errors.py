"""Errors of the backend: with their status before the first byte, as an event after it."""

from __future__ import annotations

from typing import Any

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    KEEP_ALIVE,
    TOOLS,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    json_answer,
    message_of,
    read_stream,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    CALLED,
    DEATHS,
    REFUSAL,
    dying,
    never,
    spoken,
    text_of,
)

BEAT = 0.3
"""KEEPALIVE_SECONDS where heartbeats are watched."""


def test_an_error_before_the_first_heartbeat_keeps_its_status(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(REFUSAL, 429, [("Retry-After", "7")], before=[BEAT / 3])
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT) as proxy, proxy.client(ask()) as client:
        assert client.status == 429
        assert client.header("retry-after") == "7"
        assert client.header("content-type") == "application/json"
        assert client.json() == REFUSAL


def test_an_error_after_a_heartbeat_is_an_event(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(REFUSAL, 429, before=[BEAT * 2.5])
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT) as proxy:
        raw = proxy.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    assert broken_stream(raw).errors == [REFUSAL["error"]]


@in_one_test("body", [b"<html>Bad gateway</html>", b"", b'{"error": "no"}', b'{"detail": "no"}', b"[1]"])
def test_an_error_event_has_the_shape_of_openai_whatever_the_backend_said(
    backend: ScriptedBackend, body: bytes
) -> None:
    backend.answer = Answer([body] if body else [], 502, [], "length", before=[0.3])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1) as proxy:
        broken_stream(proxy.streamed(ask()))


@in_one_test("how", DEATHS)
@in_one_test("tools", [TOOLS, []], ids=["tools", "no tools"])
def test_a_backend_that_dies_in_mid_stream_is_an_error(
    backend: ScriptedBackend, proxy: Proxy, how: str, tools: list[Json]
) -> None:
    backend.answer = dying(how, *said("Hello", " wor", finish=None, done=False))
    streamed = broken_stream(proxy.streamed(ask(tools=tools)))
    assert text_of(streamed) == "Hello wor"


def test_text_that_was_held_is_let_go_before_the_error(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Is 1 <tool", finish=None, done=False))
    assert text_of(broken_stream(proxy.streamed(ask()))) == "Is 1 <tool"


def test_a_backend_that_dies_inside_a_call_finishes_nothing(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Hi. ", *CALL[:3], finish=None, done=False))
    message = message_of(broken_stream(proxy.streamed(ask())))
    assert message["content"] == "Hi."
    assert CALLED["arguments"].startswith(message["calls"][0]["arguments"])


@in_one_test("how", DEATHS)
def test_a_backend_that_dies_in_mid_frame_is_an_error(backend: ScriptedBackend, proxy: Proxy, how: str) -> None:
    *whole, last = said("Hello", " world", finish=None, done=False)
    backend.answer = dying(how, *whole, last[:40])
    assert text_of(broken_stream(proxy.streamed(ask()))) == "Hello"


def test_a_backend_that_dies_after_done_did_its_work(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Hello"))
    assert message_of(whole_stream(proxy.streamed(ask()))) == spoken("Hello")


def test_a_backend_that_hangs_up_without_a_word_is_a_502(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(framing="raw")
    with proxy.client(ask()) as client:
        assert client.status == 502
        assert client.json()["error"]["message"]


def test_a_backend_that_falls_silent_is_an_error(backend: ScriptedBackend) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), never()])
    with running_proxy(backend, REQUEST_TIMEOUT=0.3) as proxy:
        streamed = broken_stream(proxy.streamed(ask()))
    assert text_of(streamed) == "Hello"
    assert "timeout" in streamed.errors[0]["code"]
    assert backend.request().closed.wait(5)


def test_a_first_byte_that_does_not_come_after_heartbeats_is_an_error_event(backend: ScriptedBackend) -> None:
    backend.answer = Answer(before=[never()])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1, FIRST_BYTE_TIMEOUT=0.5) as proxy:
        raw = proxy.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    assert broken_stream(raw).errors[0]["code"] == "backend_first_byte_timeout"
    assert backend.request().closed.wait(5)


@in_one_test("how", ["then done", "then the end", "then more"])
def test_the_backends_own_error_event_ends_the_stream(backend: ScriptedBackend, proxy: Proxy, how: str) -> None:
    more = {"then done": [DONE], "then the end": [], "then more": [frame(chunk({}, "stop")), DONE]}[how]
    backend.answer = Answer([*said("Hello ", "<tool", finish=None, done=False), frame(REFUSAL), *more])
    streamed = broken_stream(proxy.streamed(ask()))
    assert streamed.errors == [REFUSAL["error"]]
    assert text_of(streamed) == "Hello <tool"


def test_an_error_event_that_is_a_mere_text_becomes_an_object(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), frame({"error": "The model crashed"}), DONE])
    assert "The model crashed" in broken_stream(proxy.streamed(ask())).errors[0]["message"]


@in_one_test("framing", ["chunked", "close"])
def test_an_answer_without_any_event_is_no_silent_success(backend: ScriptedBackend, proxy: Proxy, framing: Any) -> None:
    """llama-cpp-python answers 200 and nothing when the prompt is too long; some clients would ask for ever."""
    backend.answer = Answer([], framing=framing)
    with proxy.client(ask()) as client:
        raw = client.rest()
        if client.status == 200:
            streamed = read_stream(raw)
            assert streamed.errors or streamed.reasons()
            assert streamed.done == 1


def test_an_error_as_a_json_body_with_status_200_is_told(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer({"error": {"message": "no such model", "type": "x", "code": None}})
    with proxy.client(ask()) as client:
        raw = client.rest()
        assert client.status >= 400 or broken_stream(raw).errors
        assert b"no such model" in raw
