"""What users reported of servers and proxies (group 10): each test is named after the report's number."""

from __future__ import annotations

import gzip
import json
import runpy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import (
    DONE,
    KEEP_ALIVE,
    ROOT,
    TOP,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    whole_stream,
)

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "서울", "days": 3}}\n</tool_call>'
CALLED = {"name": "get_weather", "arguments": '{"city": "서울", "days": 3}'}
BEAT = 0.2


@pytest.fixture(scope="module")
def beating(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT) as running:
        yield running


@pytest.mark.parametrize("before", [True, False], ids=["before the head", "behind the head"])
def test_10_01_there_is_a_heartbeat_during_a_long_prefill(
    backend: ScriptedBackend, beating: Proxy, before: bool
) -> None:
    pause = [BEAT * 3.5]
    backend.answer = Answer([*([] if before else pause), *said("Hi")], before=pause if before else ())
    raw = beating.streamed(ask())
    assert raw.startswith(KEEP_ALIVE * 2)
    assert message_of(whole_stream(raw))["content"] == "Hi"


def test_10_02_arguments_flow_while_a_long_call_is_written(backend: ScriptedBackend, beating: Proxy) -> None:
    opening = '<tool_call>\n{"name": "write_file", "arguments": {"path": "a", "content": "first '
    backend.answer = Answer([*said(opening, finish=None, done=False), 5.0])
    with beating.client(ask()) as client:
        client.until("first", within=4)
        client.until(KEEP_ALIVE, within=4)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("moment", ["prefill", "decode"])
def test_10_03_the_backend_is_free_when_the_client_has_gone(
    backend: ScriptedBackend, proxy: Proxy, stream: bool, moment: str
) -> None:
    backend.answer = (
        Answer(said("Hi", done=False)[:2], before=[8.0]) if moment == "prefill" else Answer([*said("Hi")[:2], 8.0])
    )
    asked = len(backend.requests)
    with proxy.client(ask(stream)) as client:
        request = backend.request(asked)
        time.sleep(0.1)
        client.leave()
    assert request.closed.wait(5)


def test_10_04_the_shipped_service_does_not_kill_streams() -> None:
    """gunicorn's own settings would: one synchronous worker, ended after 30 s."""
    shipped = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert shipped["worker_class"] == "gevent"
    assert shipped["worker_connections"] >= 1024 and shipped["threads"] >= 64
    assert shipped["timeout"] == 0
    assert shipped["graceful_timeout"] >= 600


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("stream", [True, False])
def test_10_05_headers_are_true_of_the_body(backend: ScriptedBackend, proxy: Proxy, status: int, stream: bool) -> None:
    body = json.dumps(completion("Hi") if status == 200 else {"error": {"message": "No.", "type": "x", "code": 1}})
    coded = gzip.compress(body.encode())
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("ETag", '"1"')]
    backend.answer = Answer([coded], status, headers, "length")
    with proxy.client(ask(stream)) as client:
        raw = client.rest()
        assert client.header("content-encoding") is None and client.header("etag") is None
        assert client.header("content-length") in (None, str(len(raw)))
        assert backend.last.header("accept-encoding") == "identity"
        assert b"Hi" in raw if status == 200 else json.loads(raw)["error"]["message"] == "No."


def test_10_06_nobody_is_invited_to_buffer_a_stream(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([*said("Hi", finish=None, done=False), 5.0])
    with proxy.client(ask()) as client:
        client.until("Hi", within=4)
        assert client.header("cache-control") == "no-cache"
        assert client.header("x-accel-buffering") == "no"
        assert client.header("content-length") is None and client.header("content-encoding") is None


QUOTA: Json = {"error": {"message": "quota exceeded", "type": "quota", "param": None, "code": None}}


@pytest.mark.parametrize("error", [QUOTA, {"error": "quota exceeded"}])
def test_10_07_an_error_in_mid_stream_is_told(backend: ScriptedBackend, proxy: Proxy, error: Json) -> None:
    backend.answer = Answer([*said("Hi", finish=None, done=False), frame(error), DONE])
    streamed = broken_stream(proxy.streamed(ask()))
    assert streamed.errors[0]["message"] == "quota exceeded"


@pytest.mark.parametrize(("code", "status"), [(None, 502), (429, 429), ("rate_limit", 502), (200, 502)])
def test_10_07_an_error_before_the_first_word_has_a_status(
    backend: ScriptedBackend, proxy: Proxy, code: Any, status: int
) -> None:
    backend.answer = Answer([frame({"error": {**QUOTA["error"], "code": code}}), DONE])
    with proxy.client(ask()) as client:
        assert client.json()["error"]["message"] == "quota exceeded"
        assert client.status == status


def test_10_07_but_not_behind_a_heartbeat(backend: ScriptedBackend, beating: Proxy) -> None:
    backend.answer = Answer([BEAT * 1.5, frame(QUOTA), DONE])
    assert broken_stream(beating.streamed(ask())).errors == [QUOTA["error"]]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\r\n", b"retry: 5\n\n"])
@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_10_08_a_success_without_a_word_is_none(
    backend: ScriptedBackend, proxy: Proxy, body: bytes, framing: Any
) -> None:
    backend.answer = Answer([body] if body else [], framing=framing)
    with proxy.client(ask()) as client:
        assert client.json()["error"]["code"] == "backend_interrupted"
        assert client.status == 502


def test_10_08_a_backend_that_cannot_be_reached_is_no_200() -> None:
    with running_proxy("http://127.0.0.1:1") as proxy, proxy.client(ask()) as client:
        assert client.json()["error"]["code"] == "backend_unreachable"
        assert client.status == 502


@pytest.mark.parametrize("ends", ["broken", "reset"])
def test_10_09_a_backend_that_dies_is_told(backend: ScriptedBackend, proxy: Proxy, ends: Any) -> None:
    backend.answer = Answer([*said("Hi <tool", finish=None, done=False), 0.05], ends=ends)
    streamed = broken_stream(proxy.streamed(ask()))
    assert "".join(choice["delta"].get("content") or "" for choice in streamed.choices()) == "Hi <tool"
    body = json.dumps(completion("Hi")).encode()
    backend.answer = Answer([body[:40], 0.05], headers=[("Content-Type", "application/json")], ends=ends)
    with proxy.client(ask(stream=False)) as client:
        assert client.json()["error"]["code"] == "backend_interrupted"
        assert client.status == 502


@pytest.mark.parametrize("stream", [True, False])
def test_10_10_a_model_that_is_loading_is_told_as_the_backend_tells_it(
    backend: ScriptedBackend, proxy: Proxy, stream: bool
) -> None:
    error = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    backend.answer = json_answer(error, 503, [("Retry-After", "2")])
    with proxy.client(ask(stream)) as client:
        assert client.json() == error
        assert (client.status, client.header("retry-after")) == (503, "2")


def test_10_11_a_browser_is_told_what_it_may_send(backend: ScriptedBackend) -> None:
    asked = [
        ("Origin", "https://chat.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,x-stainless-helper-method"),
        ("Access-Control-Request-Private-Network", "true"),
    ]
    before = len(backend.requests)
    with running_proxy(backend, CORS_ORIGINS="https://chat.example", PROXY_API_KEYS="sk-1") as proxy:
        with proxy.get("/v1/chat/completions", asked, "OPTIONS") as client:
            client.rest()
            assert client.status in (200, 204)
            assert client.header("access-control-allow-origin") == "https://chat.example"
            assert "x-stainless-helper-method" in (client.header("access-control-allow-headers") or "").lower()
            assert client.header("access-control-allow-private-network") == "true"
        assert len(backend.requests) == before
        backend.answer = Answer(said("Hi"))
        headers = [asked[0], ("Authorization", "Bearer sk-1")]
        with proxy.client(ask(), headers=headers) as client:
            client.rest()
            assert client.header("access-control-allow-origin") == "https://chat.example"


@pytest.mark.parametrize("target", ["/v1/models", "/v1/models/", "/v1/models/some%20model"])
def test_10_12_models_are_those_of_the_backend(backend: ScriptedBackend, proxy: Proxy, target: str) -> None:
    body = b'{"object":"list","data":[{"id":"m","object":"model"}]}'
    backend.answer = json_answer(body)
    with proxy.get(target) as client:
        assert client.rest() == body


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("error", ["Error in iterating prediction stream", {"message": "context too small"}])
def test_10_13_an_error_under_200_is_an_error(backend: ScriptedBackend, proxy: Proxy, stream: bool, error: Any) -> None:
    backend.answer = json_answer({"error": error})
    with proxy.client(ask(stream)) as client:
        told = client.json()["error"]
        assert client.status == 502
        assert told["message"] == (error if isinstance(error, str) else error["message"])


# -- the backend's own parser fails ------------------------------------------------------------------------------------

QUOTES = {
    "hermes": (f"Failed to parse input at pos 0: {CALL}", "", CALLED),
    "text before": (f"Failed to parse input at pos 0: Let me see. {CALL}", "Let me see.", CALLED),
    "glm": (
        "Failed to parse input at pos 184: <tool_call>get_weather<arg_key>city</arg_key><arg_value>서울</arg_value>"
        "<arg_key>days</arg_key><arg_value>3</arg_value></tool_call>",
        "",
        CALLED,
    ),
    "another wording": (f"500: failed to parse the output: {CALL}", "", CALLED),
}
HOPELESS = {
    "no quote": "Internal server error",
    "no call": "Failed to parse input at pos 3: I cannot say.",
    "a call that broke off": 'Failed to parse input at pos 0: <tool_call>\n{"name": "get_weather", "arguments": {"ci',
    "a tool that nobody declared": f"Failed to parse input at pos 0: {CALL.replace('get_weather', 'rm')}",
    "the history": "Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] at line 1",
}


def failure(message: str, wrapped: bool = True) -> Json:
    return {"error": {"code": 500, "message": message, "type": "server_error"} if wrapped else message}


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("case", QUOTES)
@pytest.mark.parametrize("stream", [True, False])
def test_10_15_a_call_that_the_error_quotes_is_delivered(
    backend: ScriptedBackend, proxy: Proxy, case: str, stream: bool, wrapped: bool
) -> None:
    message, content, call = QUOTES[case]
    backend.answer = json_answer(failure(message, wrapped), 500)
    with proxy.client(ask(stream)) as client:
        raw = client.rest()
        assert client.status == 200
        heard = message_of(whole_stream(raw)) if stream else message_in(json.loads(raw))
    assert (heard["content"], heard["calls"], heard["reasons"]) == (content, [call], ["tool_calls"])


@pytest.mark.parametrize("case", QUOTES)
def test_10_15_also_as_an_error_event(backend: ScriptedBackend, proxy: Proxy, case: str) -> None:
    message, content, call = QUOTES[case]
    for begun in ([], [frame(chunk({"role": "assistant"})), frame(chunk({"content": "Well. "}))]):
        backend.answer = Answer([*begun, frame(failure(message)), DONE])
        raw = proxy.streamed(ask())
        heard = message_of(whole_stream(raw))
        assert heard["content"] == f"{'Well. ' if begun else ''}{content}".strip()
        assert (heard["calls"], heard["reasons"]) == ([call], ["tool_calls"])
        assert b"error_recovered" in raw


def test_10_15_also_behind_heartbeats(backend: ScriptedBackend, beating: Proxy) -> None:
    backend.answer = json_answer(failure(QUOTES["hermes"][0]), 500, before=[BEAT * 1.5])
    raw = beating.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    assert message_of(whole_stream(raw))["calls"] == [CALLED]


@pytest.mark.parametrize("case", HOPELESS)
@pytest.mark.parametrize("stream", [True, False])
def test_10_15_otherwise_it_stays_an_error(backend: ScriptedBackend, proxy: Proxy, case: str, stream: bool) -> None:
    backend.answer = json_answer(failure(HOPELESS[case]), 500)
    with proxy.client(ask(stream)) as client:
        assert client.json() == failure(HOPELESS[case])
        assert client.status == 500
    backend.answer = Answer([*said("Hi", finish=None, done=False), frame(failure(HOPELESS[case])), DONE])
    assert broken_stream(proxy.streamed(ask())).errors == [failure(HOPELESS[case])["error"]]


def test_10_15_no_call_comes_of_an_error_where_none_was_asked_for(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(failure(QUOTES["hermes"][0]), 500)
    for request in (ask(tools=[]), ask(tool_choice="none")):
        with proxy.client(request) as client:
            client.rest()
            assert client.status == 500


@pytest.mark.parametrize("status", [400, 422])
def test_10_16_a_parameter_that_the_backend_does_not_take_is_named(
    backend: ScriptedBackend, proxy: Proxy, status: int
) -> None:
    detail = [{"loc": ["body", "parallel_tool_calls"], "msg": "Extra inputs are not permitted"}]
    backend.answer = json_answer({"detail": detail}, status)
    with proxy.client(ask(parallel_tool_calls=True)) as client:
        assert "parallel_tool_calls" in client.json()["error"]["message"]
        assert client.status == status


@pytest.mark.parametrize("text", ["Hi", CALL])
def test_10_17_a_backend_that_cannot_stream_is_streamed(backend: ScriptedBackend, proxy: Proxy, text: str) -> None:
    backend.answer = json_answer({**completion(text), "id": TOP["id"]})
    heard = message_of(whole_stream(proxy.streamed(ask())))
    assert heard == message_in(proxy.buffered(ask(stream=False)))
