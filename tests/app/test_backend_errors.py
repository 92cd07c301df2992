"""Errors of the backend, and answers of it that are odd."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.app.answers import CALL, CALLED, TARGETS, is_error
from tests.cases import in_one_test
from tests.nobody import nobody
from tests.servers import (
    Answer,
    Json,
    Piece,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
    said,
)

OPENAI = {"error": {"message": "no such model", "type": "invalid_request_error", "param": "model", "code": "m_404"}}
REFUSALS: dict[str, tuple[bytes, str, str]] = {
    "html": (b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html", "502 Bad Gateway"),
    "text": (b"Internal Server Error", "text/plain", "Internal Server Error"),
    "empty": (b"", "text/plain", ""),
    "no JSON although it says so": (b"{oops", "application/json", "oops"),
    "a text for an error": (b'{"error": "model is loading"}', "application/json", "model is loading"),
    "fastapi": (b'{"detail": "Not Found"}', "application/json", "Not Found"),
    "fastapi's list": (
        b'{"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}',
        "application/json",
        "field required",
    ),
    "a message": (b'{"message": "no credit", "status": 402}', "application/json", "no credit"),
    "no UTF-8": (b"\xe9t\xe9 closed", "text/plain", "closed"),
    "a list": (b'["x"]', "application/json", "x"),
    "null": (b'{"error": null}', "application/json", ""),
}


@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
@in_one_test("status", [400, 401, 404, 429, 500, 503])
def test_an_openai_error_passes_with_its_status(
    backend: ScriptedBackend, proxy: Proxy, status: int, stream: bool
) -> None:
    body = json.dumps(OPENAI, indent=1).encode()
    limits = [("Retry-After", "7"), ("x-ratelimit-remaining-requests", "0"), ("retry-after-ms", "7000")]
    backend.answer = json_answer(body, status, limits)
    with proxy.client(ask(stream=stream)) as client:
        assert (client.status, client.rest()) == (status, body)
        assert client.header("content-type") == "application/json"
        for name, value in limits:
            assert client.header(name) == value


@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
@in_one_test("case", REFUSALS)
def test_any_other_error_is_wrapped_with_its_status(
    backend: ScriptedBackend, proxy: Proxy, case: str, stream: bool
) -> None:
    body, kind, words = REFUSALS[case]
    headers = [("Content-Type", kind), ("Retry-After", "3"), ("Content-Language", "en")]
    backend.answer = Answer([body] if body else [], 503, headers, "length")
    with proxy.client(ask(stream=stream)) as client:
        assert words in is_error(client, 503)["message"]
        assert client.header("retry-after") == "3"


def test_the_error_of_a_forwarded_request_passes_as_it_is(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([b"<html>no</html>"], 404, [("Content-Type", "text/html")], "length")
    with proxy.get("/v1/nowhere") as client:
        assert (client.status, client.rest(), client.header("content-type")) == (404, b"<html>no</html>", "text/html")


@in_one_test("target", TARGETS)
@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
def test_a_backend_that_is_not_there_is_a_502(target: str, stream: bool) -> None:
    with nobody() as url, running_proxy(url) as proxy, proxy.client(ask(stream=stream), target) as client:
        is_error(client, 502, "backend_unreachable")


@in_one_test("target", TARGETS)
@in_one_test("stream", [False, True], ids=["buffered", "streamed"])
def test_a_first_byte_that_does_not_come_is_a_504(backend: ScriptedBackend, target: str, stream: bool) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with running_proxy(backend, FIRST_BYTE_TIMEOUT=0.3) as proxy, proxy.client(ask(stream=stream), target) as client:
        is_error(client, 504, "backend_first_byte_timeout")
    assert backend.request().closed.wait(5)


def test_a_buffered_answer_may_take_no_longer_than_request_timeout(backend: ScriptedBackend) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with running_proxy(backend, REQUEST_TIMEOUT=0.4) as proxy, proxy.client(ask(stream=False), patience=3) as client:
        is_error(client, 504)


def test_a_buffered_answer_that_stalls_is_a_504(backend: ScriptedBackend) -> None:
    pieces: list[Piece] = [b'{"choices": [', threading.Event()]
    backend.answer = Answer(pieces, headers=[("Content-Type", "application/json")])
    with running_proxy(backend, REQUEST_TIMEOUT=0.4) as proxy, proxy.client(ask(stream=False)) as client:
        is_error(client, 504)


@in_one_test("ends", ["broken", "reset"])
def test_a_buffered_answer_that_breaks_off_is_a_502(backend: ScriptedBackend, proxy: Proxy, ends: Any) -> None:
    backend.answer = Answer([b'{"choices": [', 0.1], headers=[("Content-Type", "application/json")], ends=ends)
    with proxy.client(ask(stream=False)) as client:
        is_error(client, 502, "backend_interrupted")


@in_one_test("body", [b"[1, 2]", b'{"choices": {}}', b'{"object": "other"}'])
def test_a_success_that_is_no_chat_completion_passes_as_it_is(
    backend: ScriptedBackend, proxy: Proxy, body: bytes
) -> None:
    backend.answer = Answer([body] if body else [], headers=[("Content-Type", "application/json")], framing="length")
    with proxy.client(ask(stream=False)) as client:
        assert (client.status, client.rest()) == (200, body)


@in_one_test("stream", [False, True])
@in_one_test("body", [b"", b"plain text", b"<!DOCTYPE html>\n<html><body>It works!</body></html>\n"])
def test_defect_c12_what_is_neither_json_nor_a_stream_is_no_answer(
    backend: ScriptedBackend, proxy: Proxy, body: bytes, stream: bool
) -> None:
    backend.answer = Answer([body] if body else [], headers=[("Content-Type", "text/html")], framing="length")
    with proxy.client(ask(stream=stream)) as client:
        is_error(client, 502, "backend_not_api" if body or not stream else "backend_interrupted")
        assert client.header("retry-after")


@in_one_test("body", [b"", b"[1]", b"1", b"null"])
def test_defect_c12_a_stream_was_asked_for_and_no_answer_in_json_came(
    backend: ScriptedBackend, proxy: Proxy, body: bytes
) -> None:
    backend.answer = Answer([body] if body else [], headers=[("Content-Type", "application/json")], framing="length")
    with proxy.client(ask(stream=True)) as client:
        is_error(client, 502, "backend_not_api")
        assert client.header("retry-after")


def test_defect_c12_a_coding_that_nobody_can_read_is_an_error(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([b"\x0b\x02\x80"], headers=[("Content-Encoding", "made-up")], framing="length")
    with proxy.client(ask(stream=False)) as client:
        is_error(client, 502)


def test_defect_c14_a_header_that_quotes_a_key_is_redacted(backend: ScriptedBackend) -> None:
    headers = [("Content-Type", "application/json"), ("X-Echo", "Bearer sk-very-secret")]
    backend.answer = Answer([json.dumps(completion("Hi.")).encode()], headers=headers, framing="length")
    with running_proxy(backend, BACKEND_API_KEY="sk-very-secret") as proxy, proxy.client(ask(stream=False)) as client:
        client.rest()
        assert client.header("x-echo") == "Bearer " + "*" * len("sk-very-secret")


ODD_REPLIES: dict[str, Json] = {
    "no choices": {"choices": []},
    "a choice that is a text": {"choices": ["x"]},
    "a choice that is null": {"choices": [None]},
    "no message": {"choices": [{"index": 0, "finish_reason": "stop"}]},
    "a message that is null": {"choices": [{"index": 0, "message": None}]},
    "content in parts": {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": [{"type": "text", "text": "x"}]}}]
    },
    "calls that are null": {"choices": [{"index": 0, "message": {"content": CALL, "tool_calls": None}}]},
    "calls that are a text": {"choices": [{"index": 0, "message": {"content": "x", "tool_calls": "y"}}]},
    "an index that is a text": {"choices": [{"index": "0", "message": {"content": CALL}}]},
}


@in_one_test("case", ODD_REPLIES)
def test_an_odd_reply_is_no_failure_of_ours(backend: ScriptedBackend, proxy: Proxy, case: str) -> None:
    backend.answer = json_answer(ODD_REPLIES[case])
    with proxy.client(ask(stream=False)) as client:
        assert client.status == 200, client.rest()


def test_a_reply_whose_choice_has_no_index_is_translated(backend: ScriptedBackend, proxy: Proxy) -> None:
    reply = completion(CALL)
    del reply["choices"][0]["index"]
    backend.answer = json_answer(reply)
    choice = proxy.buffered(ask(stream=False))["choices"][0]
    assert [call["function"] for call in choice["message"]["tool_calls"]] == [CALLED]
    assert choice["finish_reason"] == "tool_calls"


ODD_CHUNKS = [
    b"data: {broken\n\n",
    b"data: 7\n\n",
    b"data: null\n\n",
    b'data: {"choices": null}\n\n',
    b'data: {"choices": ["x", null, 3]}\n\n',
    b'data: {"choices": [{"index": 0, "delta": {"content": ["x"], "tool_calls": null}}]}\n\n',
    b'data: {"choices": [{"index": "a", "delta": {"content": ""}}]}\n\n',
    b"data:\n\n",
    b"\xff\xfe\n\n",
]


@in_one_test("odd", ODD_CHUNKS)
def test_an_odd_event_does_not_end_the_stream(backend: ScriptedBackend, proxy: Proxy, odd: bytes) -> None:
    first, *rest = said("one", " two")
    backend.answer = Answer([first, odd, *rest])
    raw = proxy.streamed(ask())
    assert b" two" in raw and b'"stop"' in raw and raw.endswith(b"data: [DONE]\n\n")
    assert b'"error"' not in raw
