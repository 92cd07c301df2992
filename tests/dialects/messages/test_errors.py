"""Errors and heartbeats in the shape of the Messages API, whoever made them and whenever they come."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dialects.messages import Messages
from errors import ErrorInfo, Interrupted, ProxyError
from tests.cases import in_one_test
from tests.dialects.messages.reading import asking, conversed, events_of, read_stream, replied
from tests.dialects.test_toy import ENTRY, OneAnswer
from tests.servers import (
    DONE,
    Answer,
    Proxy,
    ScriptedBackend,
    chunk,
    completion,
    frame,
    json_answer,
    running_proxy,
    said,
)

BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
    422: "api_error",
}


@in_one_test("status", BY_STATUS)
def test_the_type_of_an_error_follows_its_status(status: int) -> None:
    told = json.loads(Messages().write_error(ErrorInfo(status, {"message": "No: 서울."}, b'{"error": {"code": 7}}')))
    assert told == {"type": "error", "error": {"type": BY_STATUS[status], "message": "No: 서울."}}
    assert json.loads(Messages().write_error(ErrorInfo(status, {})))["error"]["message"]


@in_one_test("stream", [True, False])
def test_an_error_before_the_first_byte_keeps_its_status(stream: bool) -> None:
    backend = OneAnswer(b'{"error": {"message": "Too much."}}', status=429, kind="application/json")
    reply = replied(backend, asking(stream=stream))
    assert isinstance(reply.body, bytes) and reply.status == 429
    assert json.loads(reply.body)["error"] == {"type": "rate_limit_error", "message": "Too much."}


FAULTS: dict[str, tuple[bytes, ProxyError | None, str]] = {
    "the backend reports an error": (
        b'data: {"error": {"message": "Out of memory.", "code": 503}}\n\n' + DONE,
        None,
        "overloaded_error",
    ),
    "the connection breaks": (b"", Interrupted("It broke."), "api_error"),
    "the body ends without a finish": (b"", None, "api_error"),
    "a call is left open": (
        frame(chunk({"content": "<tool_call>f\n<arg_key>b</arg_key><arg_value>/ho"}, "stop")) + DONE,
        None,
        "api_error",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_in_mid_stream_is_the_last_event(name: str) -> None:
    rest, fault, kind = FAULTS[name]
    first = frame(chunk({"role": "assistant", "content": "So it"}))
    raw = conversed(OneAnswer(first, rest, fault=fault), stream=True)
    message = read_stream(raw)
    assert message["content"][0]["text"] == "So it"
    assert message["error"]["type"] == kind and message["error"]["message"]
    assert "stop" not in message and len(message["comments"]) == 1
    assert events_of(raw)[0][-1]["type"] == "error"


def test_a_call_that_was_left_open_is_not_closed() -> None:
    """A client must not take it for a whole one."""
    entry = {**ENTRY, "function": {"name": "f", "arguments": '{"a": '}}
    first = frame(chunk({"role": "assistant", "content": None})) + frame(chunk({"tool_calls": [entry]}))
    message = read_stream(conversed(OneAnswer(first, fault=Interrupted("It broke.")), stream=True))
    assert message["content"][-1]["open"] and message["error"]


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


def post(proxy: Proxy, body: Any, **more: Any) -> tuple[int, Any]:
    with proxy.client(body, "/v1/messages?beta=true", **more) as client:
        return client.status, client.json()


def test_errors_of_the_proxy_have_the_shape_too(backend: ScriptedBackend) -> None:
    backend.answer = Answer(said("ok"))
    with running_proxy(backend, PROXY_API_KEYS="good", MAX_REQUEST_BYTES=2000) as proxy:
        key = [("Authorization", "Bearer good")]
        status, told = post(proxy, asking())
        assert (status, told["type"], told["error"]["type"]) == (401, "error", "authentication_error")
        status, told = post(proxy, asking(max_tokens=None), headers=key)
        assert (status, told["error"]["type"]) == (400, "invalid_request_error")
        assert "max_tokens" in told["error"]["message"]
        status, told = post(proxy, b"{", headers=key)
        assert (status, told["error"]["type"]) == (400, "invalid_request_error")
        status, told = post(proxy, asking(system="x" * 3000), headers=key)
        assert (status, told["error"]["type"]) == (413, "request_too_large")
        with proxy.client({}, "/v1/messages/batches", headers=[], method="POST") as client:
            assert client.status == 401 and client.json()["type"] == "error"
        assert not backend.requests


def test_a_backend_that_is_not_there() -> None:
    with running_proxy("http://127.0.0.1:9", CONNECT_RETRY=0) as proxy:
        for stream in (True, False):
            with proxy.client(asking(stream=stream), "/messages") as client:
                told = client.json()
                assert (client.status, told["error"]["type"]) == (502, "api_error")
                assert client.header("retry-after")
        with proxy.get("/v1/models", [("anthropic-version", "2023-06-01")]) as client:
            assert client.status == 502 and client.json()["type"] == "error"
            assert client.header("retry-after")
        with proxy.get("/v1/models") as client:
            assert client.status == 502 and "type" not in client.json()


def test_a_heartbeat_is_a_ping_and_an_error_behind_it_an_event(backend: ScriptedBackend) -> None:
    go = threading.Event()
    backend.answer = json_answer({"error": {"message": "no room"}}, 429, before=[go])
    with (
        running_proxy(backend, KEEPALIVE_SECONDS=1) as proxy,
        proxy.client(asking(stream=True), "/v1/messages") as client,
    ):
        client.until("event: ping")
        assert client.status == 200
        go.set()
        events, comments = events_of(client.rest())
        assert [event["type"] for event in events if event["type"] != "ping"] == ["error"]
        assert events[-1]["error"] == {"type": "rate_limit_error", "message": "no room"}
        assert len(comments) == 1


def test_the_head_of_a_stream(backend: ScriptedBackend) -> None:
    backend.answer = Answer(said("So ", "it is."))
    with running_proxy(backend) as proxy, proxy.client(asking(stream=True), "/v1/messages?beta=true") as client:
        message = read_stream(client.rest())
        assert message["content"] == [{"type": "text", "text": "So it is."}] and message["ended"]
        assert client.header("content-type") == "text/event-stream; charset=utf-8"
        assert client.header("cache-control") == "no-cache" and client.header("x-request-id")
    assert backend.last.target.startswith("/v1/chat/completions")


def test_outcomes_stand_in_headers_and_in_a_comment(backend: ScriptedBackend) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    backend.answer = Answer(said("So"))
    body = asking(stream=True, tools=[search])
    with running_proxy(backend) as proxy, proxy.client(body, "/v1/messages") as client:
        assert read_stream(client.rest())["comments"] == ["dragoman outcome=untouched codes=tool_skipped"]
    body = asking(tools=[search])
    backend.answer = json_answer(completion("So"))
    with running_proxy(backend) as proxy, proxy.client(body, "/v1/messages") as client:
        assert client.json()["content"] == [{"type": "text", "text": "So"}]
        assert client.header("x-dragoman-codes") == "tool_skipped"


def test_a_face_that_the_backend_serves_itself_is_forwarded(backend: ScriptedBackend) -> None:
    backend.answer = json_answer({"theirs": 1})
    with running_proxy(backend, FORWARD="messages") as proxy:
        for target in ("/v1/messages?beta=true", "/v1/messages/count_tokens"):
            with proxy.client({"any": "thing"}, target) as client:
                assert client.json() == {"theirs": 1}
            assert (backend.last.target, backend.last.json()) == (target, {"any": "thing"})
