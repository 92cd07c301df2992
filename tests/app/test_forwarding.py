"""Everything else under /v1 goes to the backend as it is, and nothing else does."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

from tests.app.answers import OK, is_error
from tests.cases import in_one_test
from tests.servers import (
    HOST,
    Answer,
    Client,
    Headers,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
)

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; '
    b'name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n' + bytes(range(256)) * 8000 + b"\r\n--b--\r\n"
)
FORWARDED: dict[str, tuple[str, str, bytes, Headers]] = {
    "models": ("GET", "/v1/models", b"", []),
    "a slash behind": ("GET", "/v1/models/", b"", []),
    "a model": ("GET", "/v1/models/m%20x:7b", b"", []),
    "a model with a slash": ("GET", "/v1/models/org/some-model", b"", []),
    "a query": ("GET", "/v1/files?after=a%2Fb&limit=2&x=%C3%A9&empty=&x=2", b"", []),
    "embeddings": ("POST", "/v1/embeddings", b'{"input" : ["a", "\xc3\xa9"],"x":1.0}', []),
    "completions": ("POST", "/v1/completions", b'{"prompt": "x"}', []),
    "multipart": ("POST", "/v1/audio/transcriptions", MULTIPART, [("Content-Type", "multipart/form-data; boundary=b")]),
    "put": ("PUT", "/v1/things/1", b"\x00\xff not JSON", [("Content-Type", "application/octet-stream")]),
    "patch": ("PATCH", "/v1/things/1", b'{"a": 1}', []),
    "delete": ("DELETE", "/v1/files/file-1", b"", []),
    "delete with a body": ("DELETE", "/v1/files/file-1", b"{}", []),
    "get of chat completions": ("GET", "/v1/chat/completions?limit=1", b"", []),
    "below chat completions": ("GET", "/v1/chat/completions/chatcmpl-1/messages", b"", []),
    "unknown": ("POST", "/v1/some/thing/new", b'{"tools": [3', []),
    "empty post": ("POST", "/v1/threads", b"", []),
    "a form": ("POST", "/v1/x", b"a=1&b=%20", [("Content-Type", "application/x-www-form-urlencoded")]),
}


@in_one_test("case", FORWARDED)
def test_everything_else_is_forwarded_as_it_is(place: tuple[ScriptedBackend, Proxy], case: str) -> None:
    backend, proxy = place
    method, target, body, headers = FORWARDED[case]
    answer = b'{"data": [1.50, "\xed\x95\x9c"]}\n'
    backend.answer = json_answer(answer, 203, [("X-Thing", "7"), ("ETag", '"e"')])
    with Client(proxy.port, target, body, headers, method) as client:
        assert (client.status, client.rest()) == (203, answer)
        assert client.header("content-type") == "application/json"
        assert client.header("x-thing") == "7" and client.header("etag") == '"e"'
    received = backend.last
    assert (received.method, received.target, received.body) == (method, target, body)
    expected = dict(headers).get("Content-Type", "application/json" if body else None)
    assert received.header("content-type") == expected
    assert received.all("content-length") == ([str(len(body))] if body or method == "POST" else [])


def test_head_is_forwarded(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = Answer([b"x" * 77], headers=[("X-Thing", "7")], framing="length")
    with proxy.get("/v1/models", method="HEAD") as client:
        assert client.status == 200
        assert client.header("x-thing") == "7"
        assert client.header("content-length") == "77"
        assert client.rest() == b""
    assert backend.last.method == "HEAD"


@in_one_test("status", [204, 304])
def test_answers_without_a_body_are_forwarded(place: tuple[ScriptedBackend, Proxy], status: int) -> None:
    backend, proxy = place
    backend.answer = Answer(status=status, headers=[("ETag", '"e"')], framing="chunked")
    with proxy.get("/v1/files/f", method="DELETE") as client:
        assert (client.status, client.rest(), client.header("etag")) == (status, b"", '"e"')


def test_a_chunked_request_is_forwarded_with_its_length(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = OK
    body = b'{"input": "' + b"x" * 5000 + b'"}'
    wire = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with proxy.client(wire, "/v1/embeddings", headers=[("Transfer-Encoding", "chunked")]) as client:
        assert client.status == 200
    assert backend.last.body == body
    assert backend.last.header("content-length") == str(len(body))
    assert backend.last.header("transfer-encoding") is None


def test_a_large_body_that_waits_for_continue_is_forwarded(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = OK
    body = b'{"input": "' + b"x" * 3_000_000 + b'"}'
    with proxy.client(body, "/v1/embeddings", headers=[("Expect", "100-continue")]) as client:
        assert client.status in (100, 200)
    assert backend.request(len(backend.requests) - 1).body == body
    assert backend.last.header("expect") is None


def test_long_queries_and_headers_are_forwarded(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = OK
    target, key = f"/v1/files?x={'a' * 7000}", f"Bearer {'b' * 12_000}"
    with proxy.get(target, [("Authorization", key)]) as client:
        assert client.status == 200, client.rest()
    assert (backend.last.target, backend.last.header("authorization")) == (target, key)


@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings"])
def test_a_request_that_breaks_off_is_not_forwarded(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    """Half a body can be whole by its looks, and half an upload is a whole file to the backend."""
    backend, proxy = place
    backend.answer = json_answer(completion("ok"))
    before = len(backend.requests)
    with socket.create_connection((HOST, proxy.port), 3) as sock:
        sock.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode() + b'{"model": "m"}')
        sock.shutdown(socket.SHUT_WR)
        sock.recv(65536)
    time.sleep(0.15)  # the backend may be told only a moment after the client
    assert len(backend.requests) == before


def test_a_request_whose_framing_is_broken_is_a_400(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with proxy.client(b"zz\r\n{}\r\n0\r\n\r\n", headers=[("Transfer-Encoding", "chunked")]) as client:
        is_error(client, 400)
    assert len(backend.requests) == before


@in_one_test("framing", ["chunked", "close"])
def test_streams_that_are_not_understood_pass_as_they_come(place: tuple[ScriptedBackend, Proxy], framing: Any) -> None:
    backend, proxy = place
    more = threading.Event()
    pieces = [b'data: {"choices": [{"text": "one"}]}\n\n', b"data: {bro", b"ken \xff\n\n", b"data: [DONE]\n\n"]
    backend.answer = Answer([pieces[0], more, *pieces[1:]], framing=framing)
    with proxy.client({"prompt": "x", "stream": True}, "/v1/completions") as client:
        client.until(pieces[0])
        more.set()
        assert client.rest() == b"".join(pieces)
        assert client.header("content-type") == "text/event-stream"


def test_a_stream_that_breaks_off_is_not_passed_off_as_whole(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = Answer([b"data: 1\n\n"], ends="broken")
    with proxy.client({"prompt": "x", "stream": True}, "/v1/completions") as client:
        client.rest()
        assert client.broken


def test_a_prefix_of_the_backends_url_is_kept(backend: ScriptedBackend) -> None:
    for base, target in (("/api", "/api/v1/models"), ("/v1", "/v1/models"), ("/a/b/v1/", "/a/b/v1/models")):
        with running_proxy(backend.url + base) as proxy, proxy.get("/v1/models?x=1") as client:
            assert client.status == 200
        assert backend.last.target == f"{target}?x=1"


def test_an_absolute_target_is_understood(place: tuple[ScriptedBackend, Proxy]) -> None:
    """Some clients speak to us as to a forward proxy."""
    backend, proxy = place
    backend.answer = OK
    with proxy.get(f"http://{HOST}:{proxy.port}/v1/models?x=1") as client:
        assert client.status == 200
    assert backend.last.target == "/v1/models?x=1"


# -- what never reaches the backend ------------------------------------------------------------------------------------


@in_one_test(
    "target",
    [
        "/v1/../admin",
        "/v1/models/../../admin",
        "/v1/./models",
        "/v1/models/..",
        "/v1/%2e%2e/admin",
        "/v1/.%2E/admin",
        "/v1/%2e/models",
        "/v1/models/org%2Fmodel",
        "/v1/..%2fadmin",
        "/v1/a%5Cb",
        "/v1/a\\..\\b",
        "/v1/%2e%2e%2fadmin",
        "/v1//models",
        "/v1/..;/admin",
        "/v1/.%3b/admin",
        "/v1/models%00",
        "/v1/%2f%2e",
        "/chat/../v1/models",
    ],
)
def test_dot_segments_and_encoded_slashes_are_refused(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with proxy.get(target) as client:
        assert client.status in (400, 404), client.rest()
        is_error(client, client.status)
    assert len(backend.requests) == before


@in_one_test(
    "target", ["//v1/models", "//v1/admin/x?y=1", "///v1/models", "/v1//models", "/v1/models//x", "//v1/../admin", "//"]
)
def test_c13_empty_segments_are_refused(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    """`//v1/admin` is also how one writes the host `v1` and its path `/admin`."""
    backend, proxy = place
    before = len(backend.requests)
    with proxy.get(target) as client:
        is_error(client, 400)
    assert len(backend.requests) == before


@in_one_test("target", ["*", "v1/models", "?", "x://h/v1/models", "models"])
def test_c13_a_target_that_is_no_path_is_refused(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    _, proxy = place
    with proxy.get(target) as client:
        is_error(client, 400)


@in_one_test(
    "target", ["/x", "/v2/models", "/Models", "/admin", "/v1", "/v1/", "/V1/models", "/app/v1/models", "/v1x/models"]
)
@in_one_test("method", ["GET", "POST", "DELETE"])
def test_nothing_but_v1_reaches_the_backend(place: tuple[ScriptedBackend, Proxy], target: str, method: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with Client(proxy.port, target, None, [], method) as client:
        is_error(client, 404, "not_found")
    assert len(backend.requests) == before


@in_one_test(("method", "target"), [("GET", "/chat/completions"), ("POST", "/health"), ("PUT", "/health")])
def test_a_wrong_method_is_a_405_in_json(place: tuple[ScriptedBackend, Proxy], method: str, target: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with Client(proxy.port, target, None, [], method) as client:
        is_error(client, 405, "method_not_allowed")
    assert len(backend.requests) == before


@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings"])
@in_one_test("chunked", [False, True], ids=["sized", "chunked"])
def test_a_body_that_is_too_large_is_a_413(backend: ScriptedBackend, target: str, chunked: bool) -> None:
    body = json.dumps(ask(padding="x" * 200_000)).encode()
    wire = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    headers = [("Transfer-Encoding", "chunked")] if chunked else []
    with running_proxy(backend, MAX_REQUEST_BYTES=100_000) as proxy:
        with proxy.client(wire, target, headers=headers) as client:
            assert "MAX_REQUEST_BYTES" in is_error(client, 413, "request_too_large")["message"]
        assert not backend.requests
        backend.answer = json_answer(completion("ok"))
        assert proxy.buffered(ask(stream=False))
