"""What an attacker tries, over real sockets and under each way of serving. docs/SECURITY.md names these tests."""

from __future__ import annotations

import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.servers import (
    HOST,
    Answer,
    Headers,
    Json,
    Process,
    ScriptedBackend,
    ask,
    broken_stream,
    completion,
    frame,
    json_answer,
    proxy_process,
    running_proxy,
    said,
)
from web import keys

OK = json_answer({"ok": True})
Place = tuple[ScriptedBackend, Process]
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with ScriptedBackend(OK) as backend, proxy_process(request.param, backend) as proxy:
        yield backend, proxy


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(OK) as started:
        yield started


def exchange(port: int, raw: bytes, patience: float = 5.0) -> bytes:
    """All that comes back for these bytes, until the proxy closes or falls silent."""
    received = b""
    with socket.create_connection((HOST, port), patience) as sock:
        try:
            sock.sendall(raw)
            while more := sock.recv(65536):
                received += more
                if b"\r\n\r\n" in received and _complete(received):
                    break
        except (ConnectionError, TimeoutError):
            pass
    return received


def _complete(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return (length is not None and len(body) >= int(length[1])) or body.endswith(b"0\r\n\r\n")


def refused(received: bytes, *statuses: int) -> Json:
    """It is one answer, one of these statuses, with an error of the shape that OpenAI's clients read."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert len(re.findall(rb"(?:^|\n)HTTP/1\.[01] \d", received)) == 1, received[:400]
    status = int(head.split(b" ", 2)[1])
    assert status in statuses, received[:400]
    assert b"application/json" in head.lower(), head
    error: Json = json.loads(body)["error"]
    assert error["message"] and error["type"] and "param" in error and error["code"]
    assert b"Traceback" not in body and b"<html" not in body.lower()
    return error


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [line, "Host: x", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


# -- limits ------------------------------------------------------------------------------------------------------------

LIMITS: dict[str, tuple[bytes, tuple[int, ...], str]] = {
    "a long request line": (request(f"GET /v1/models?x={'a' * 100_000} HTTP/1.1"), (414,), "too_long"),
    "a request line without an end": (b"GET /v1/models?x=" + b"a" * 200_000, (414,), "too_long"),
    "too many headers": (
        request("GET /v1/models HTTP/1.1", *[f"X-{number}: 1" for number in range(300)]),
        (431,),
        "too_large",
    ),
    "a long header": (request("GET /v1/models HTTP/1.1", f"X-Long: {'a' * 100_000}"), (431,), "too_large"),
    "no request line": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", (400,), "bad_request"),
    "a target that is no URL": (request("GET http://[x]/v1/models HTTP/1.1"), (400,), "bad_request"),
    "no version": (b"GET /v1/models\r\n\r\n", (400,), "bad_request"),
    "an old version": (b"GET /v1/models HTTP/0.9\r\n\r\n", (400,), "bad_request"),
    "another protocol": (b"GET /v1/models SSH/2.0\r\n\r\n", (400,), "bad_request"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_what_is_too_much_before_the_body_is_refused_in_json(place: Place, case: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    raw, statuses, code = LIMITS[case]
    assert code in refused(exchange(proxy.port, raw), *statuses)["code"]
    assert len(backend.requests) == before


def nested(levels: int) -> bytes:
    return b'{"model": "m", "messages": [], "x": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize("levels", [129, 400, 900, 990, 1100, 50_000])
@pytest.mark.parametrize("shape", ["plain", "changed"])
def test_json_that_is_nested_too_deeply_is_a_400(backend: ScriptedBackend, levels: int, shape: str) -> None:
    """Also where it would only be written again: a request with `tools: []` is."""
    body = nested(levels)
    if shape == "changed":
        body = body.replace(b'"m",', b'"m", "tools": [],')
    with running_proxy(backend) as proxy, proxy.client(body) as client:
        assert client.status == 400
        assert "128 levels" in client.json()["error"]["message"]
    assert not backend.requests


@pytest.mark.parametrize("shape", ["plain", "changed"])
def test_json_that_is_nested_just_deeply_enough_goes_on(backend: ScriptedBackend, shape: str) -> None:
    backend.answer = json_answer(completion("ok"))
    body = nested(128)
    if shape == "changed":
        body = body.replace(b'"m",', b'"m", "tools": [],')
    with running_proxy(backend) as proxy, proxy.client(body) as client:
        assert client.status == 200, client.rest()
    assert backend.last.json()["x"] == json.loads(body)["x"]


def test_a_body_that_promises_too_much_is_refused_before_it_is_sent(place: Place) -> None:
    _, proxy = place
    raw = request(f"POST {CHAT} HTTP/1.1", "Content-Type: application/json", "Content-Length: 99999999999")
    refused(exchange(proxy.port, raw), 413)


# -- nothing but the configured backend's /v1/* ------------------------------------------------------------------------

ELSEWHERE: dict[str, bytes] = {
    "an absolute target": request("GET http://elsewhere.example/v1/models HTTP/1.1"),
    "an absolute target of another port": request("GET http://127.0.0.1:1/v1/models HTTP/1.1"),
    "credentials in the target": request("GET http://user:pass@127.0.0.1:1/v1/models HTTP/1.1"),
    "a host of its own": request("GET /v1/models HTTP/1.1", "X-Forwarded-Host: elsewhere.example"),
    "a forwarded header": request("GET /v1/models HTTP/1.1", "Forwarded: host=elsewhere.example;proto=https"),
    "a url header": request("GET /v1/models HTTP/1.1", "X-Original-URL: /admin", "X-Rewrite-URL: /admin"),
    "an at sign": request("GET /v1/@elsewhere.example/models HTTP/1.1"),
    "a query with a url": request("GET /v1/models?url=http://elsewhere.example/ HTTP/1.1"),
    "encoded line breaks": request("GET /v1/models%0d%0aHost:%20elsewhere.example HTTP/1.1"),
    "another method's override": request("GET /v1/models HTTP/1.1", "X-HTTP-Method-Override: DELETE"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_nothing_in_a_request_leads_elsewhere(place: Place, case: str) -> None:
    backend, proxy = place
    backend.answer = OK
    before = len(backend.requests)
    received = exchange(proxy.port, ELSEWHERE[case])
    assert received.count(b"HTTP/1.") == 1
    for got in backend.requests[before:]:
        assert got.method == "GET"
        assert got.target.startswith("/v1/") and "\r" not in got.target and "\n" not in got.target
        assert got.all("host") == [f"{HOST}:{backend.port}"]
    assert received.split(b" ")[1] == (b"404" if case == "encoded line breaks" else b"200")


NOWHERE: dict[str, bytes] = {
    "traversal": request("GET /v1/../admin HTTP/1.1"),
    "encoded traversal": request("GET /v1/%2e%2e/admin HTTP/1.1"),
    "twice encoded traversal in an absolute target": request("GET http://x/v1/%2e%2e%2fadmin HTTP/1.1"),
    "traversal before v1": request("GET /v1/../v1/../../admin HTTP/1.1"),
    "two slashes": request("GET //admin/v1/models HTTP/1.1"),
    "two slashes in an absolute target": request("GET http://x//v1/models HTTP/1.1"),
    "backslashes": request("GET /v1\\..\\admin HTTP/1.1"),
    "no slash": request("GET v1/models HTTP/1.1"),
    "an asterisk": request("OPTIONS * HTTP/1.1"),
    "connect": request("CONNECT elsewhere.example:443 HTTP/1.1"),
    "connect to v1": request("CONNECT /v1/models HTTP/1.1"),
    "trace": request("TRACE /v1/models HTTP/1.1"),
    "a made-up method": request("BREW /v1/models HTTP/1.1"),
    "another scheme": request("GET ftp://x/v1/models HTTP/1.1"),
    "a file": request("GET file:///v1/models HTTP/1.1"),
}


@pytest.mark.parametrize("case", NOWHERE)
def test_what_is_not_under_v1_reaches_nothing(place: Place, case: str) -> None:
    backend, proxy = place
    backend.answer = OK
    before = len(backend.requests)
    received = exchange(proxy.port, NOWHERE[case])
    assert len(backend.requests) == before, backend.requests[-1]
    if case != "an asterisk":
        refused(received, 400, 404, 405)


SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLING: dict[str, bytes] = {
    "length and chunks": request(f"POST {CHAT} HTTP/1.1", "Content-Length: 4", CHUNKED) + b"0\r\n\r\n" + SMUGGLED,
    "two lengths": request(f"POST {CHAT} HTTP/1.1", "Content-Length: 2", "Content-Length: 40") + b"{}" + SMUGGLED,
    "a length that is a list": request(f"POST {CHAT} HTTP/1.1", "Content-Length: 2, 40") + b"{}" + SMUGGLED,
    "a negative length": request(f"POST {CHAT} HTTP/1.1", "Content-Length: -1") + SMUGGLED,
    "a length with a sign": request(f"POST {CHAT} HTTP/1.1", "Content-Length: +2") + b"{}" + SMUGGLED,
    "chunks under a false name": request(f"POST {CHAT} HTTP/1.1", "Transfer-Encoding: xchunked") + SMUGGLED,
    "chunks twice": request(f"POST {CHAT} HTTP/1.1", CHUNKED, CHUNKED) + b"0\r\n\r\n" + SMUGGLED,
    "a blank before the colon": request(f"POST {CHAT} HTTP/1.1", "Transfer-Encoding : chunked")
    + b"0\r\n\r\n"
    + SMUGGLED,
    "a get with a body": request("GET /v1/models HTTP/1.1", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED,
    "a folded header": request("GET /v1/models HTTP/1.1", "X-A: 1\r\n X-Injected: 2"),
    "a bare carriage return": request("GET /v1/models HTTP/1.1", "X-A: 1\rX-Injected: 2"),
    "a bare line feed": request("GET /v1/models HTTP/1.1", "X-A: 1\nX-Injected: 2"),
    "a nul": request("GET /v1/models HTTP/1.1", "X-A: 1\0X-Injected: 2"),
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_no_second_request_hides_in_the_first(place: Place, case: str) -> None:
    """What the backend gets is at most the one request that we understood, framed anew."""
    backend, proxy = place
    backend.answer = OK
    before = len(backend.requests)
    received = exchange(proxy.port, SMUGGLING[case], patience=1.0)
    time.sleep(0.05)
    came = backend.requests[before:]
    assert len(came) <= 1
    for got in came:
        assert "smuggled" not in got.target
        assert len(got.all("content-length")) <= 1 and not got.all("transfer-encoding")
        if "bare" not in case:  # to the server of `python app.py` they end a line, so this is a header of its own
            assert not got.all("x-injected")
        assert not any(mark in value for _, value in got.headers for mark in "\r\n\0")
    assert b" 500 " not in received.split(b"\r\n")[0]


@pytest.mark.parametrize("name", ["X-Request-Id", "x-dragoman-syntax", "X-Anything"])
def test_a_client_cannot_write_headers_of_our_answer(place: Place, name: str) -> None:
    backend, proxy = place
    backend.answer = json_answer(completion("ok"))
    with proxy.client(ask(stream=False), headers=[(name, "a\\r\\nX-Injected: 1%0d%0aX-Injected: 2")]) as client:
        client.rest()
        assert client.header("x-injected") is None


def test_a_backend_cannot_write_headers_of_our_answer(backend: ScriptedBackend) -> None:
    body = b"HTTP/1.1 200 OK\r\nX-A: 1\rX-Injected: 1\r\nContent-Length: 2\r\n\r\n{}"
    backend.answer = Answer([body], framing="raw")
    with running_proxy(backend) as proxy, proxy.get("/v1/models") as client:
        assert client.status in (200, 502)
        assert client.header("x-injected") is None


# -- keys --------------------------------------------------------------------------------------------------------------


def test_every_key_is_compared_in_constant_time(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also behind one that fits, and also where the first letter is wrong."""
    compared: list[tuple[bytes, bytes]] = []

    class Watched:
        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "hmac", Watched)
    with running_proxy(backend, PROXY_API_KEYS="key-one,key-two,key-three") as proxy:
        for given in ("key-one", "x", ""):
            compared.clear()
            with proxy.get("/v1/models", [("Authorization", f"Bearer {given}")]) as client:
                assert client.status == (200 if given == "key-one" else 401)
            assert compared == [(given.encode(), key) for key in (b"key-one", b"key-two", b"key-three")]


def test_health_is_open_but_tells_strangers_nothing_of_the_network(backend: ScriptedBackend) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-one") as proxy:
        with proxy.get("/health") as client:
            assert client.status == 200
            assert client.json()["backend"] == {"reachable": True}
        with proxy.get("/health", [("Authorization", "Bearer key-one")]) as client:
            assert client.json()["backend"] == {"url": backend.url, "reachable": True, "detail": "HTTP 200"}


def test_health_asks_the_backend_without_any_key(backend: ScriptedBackend) -> None:
    with running_proxy(backend, BACKEND_API_KEY="of-the-backend") as proxy, proxy.get("/health") as client:
        client.rest()
    assert backend.last.header("authorization") is None


QUOTED = {"error": {"message": "Incorrect API key: key-of-the-backend", "type": "x", "param": None, "code": "bad"}}
QUOTES: dict[str, tuple[Answer, Json, str]] = {
    "refused": (json_answer(QUOTED, 401), ask(stream=False), CHAT),
    "refused stream": (json_answer(QUOTED, 401), ask(), CHAT),
    "refused late": (json_answer(QUOTED, 401, before=[0.3]), ask(), CHAT),
    "under another status": (json_answer(QUOTED), ask(stream=False), CHAT),
    "instead of a stream": (json_answer(QUOTED), ask(), CHAT),
    "in html": (Answer([b"<p>key-of-the-backend</p>"], 403, [("Content-Type", "text/html")]), ask(stream=False), CHAT),
    "in mid-stream": (Answer([*said("Hello", finish=None, done=False), frame(QUOTED)]), ask(), CHAT),
    "forwarded": (json_answer(QUOTED, 401), {"input": "x"}, "/v1/embeddings"),
    "forwarded in pieces": (Answer([b"wrong: key-of-", 0.05, b"the-backend"], 401), {"input": "x"}, "/v1/embeddings"),
}


@pytest.mark.parametrize("case", QUOTES)
def test_a_key_that_the_backend_quotes_is_not_told(backend: ScriptedBackend, case: str) -> None:
    backend.answer, body, target = QUOTES[case]
    with (
        running_proxy(backend, BACKEND_API_KEY="key-of-the-backend", KEEPALIVE_SECONDS=0.1) as proxy,
        proxy.client(body, target) as client,
    ):
        told = client.rest()
        assert not client.broken
    assert b"*" * len("key-of-the-backend") in told
    assert b"key-of" not in told and b"the-backend" not in told
    if case in ("refused late", "in mid-stream"):
        broken_stream(told)
    elif case == "instead of a stream":  # nothing had been said, so it is an error with a status
        assert json.loads(told)["error"]["code"] == "bad"


def test_what_is_refused_before_the_application_is_not_quoted_in_the_log(backend: ScriptedBackend) -> None:
    for how in ("app", "gunicorn"):
        with proxy_process(how, backend) as proxy:
            for raw in (
                b"GET /v1/models?key=sk-secret SSH/1\r\n\r\n",
                b"G\xe9T /v1/models?key=sk-secret HTTP/1.1\r\n\r\n",
                request("GET /v1/models HTTP/1.1", "Authorization Bearer sk-secret"),
                request(f"GET /v1/models?key=sk-secret{'x' * 100_000} HTTP/1.1"),
            ):
                exchange(proxy.port, raw, patience=1.0)
            proxy.signal()
            assert proxy.wait(5) == 0
            assert "sk-secret" not in proxy.said()


# -- no debugger, nothing else to see ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/console", "/console?__debugger__=yes&cmd=printpin&s=x", "/static/x", "/.env", "/app.py"]
)
def test_there_is_no_debugger_and_no_file(place: Place, target: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    refused(exchange(proxy.port, request(f"GET {target} HTTP/1.1")), 404)
    assert len(backend.requests) == before


def test_the_answer_does_not_say_who_we_are(backend: ScriptedBackend) -> None:
    """Not by an error page of a framework: an unforeseen fault says only that there was one."""
    with running_proxy(backend) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setattr("streaming.relay.Relay.forward", lambda *_: 1 / 0)
        error = refused(exchange(proxy.port, request("GET /v1/models HTTP/1.1")), 500)
    assert "division" not in str(error)


# -- slow and many -----------------------------------------------------------------------------------------------------


def test_slow_heads_do_not_stop_others(place: Place) -> None:
    """Connections that never finish their first line hold a place each, but nobody else up."""
    backend, proxy = place
    backend.answer = OK
    with ExitStack() as stack:
        for _ in range(100):
            sock = stack.enter_context(closing(socket.create_connection((HOST, proxy.port), 5)))
            sock.sendall(b"GET /v1/mod")
        with proxy.get("/v1/models") as client:
            assert client.status == 200


def test_a_client_cannot_make_the_proxy_wait_with_half_a_body_for_others(place: Place) -> None:
    backend, proxy = place
    backend.answer = OK
    half = request(f"POST {CHAT} HTTP/1.1", "Content-Length: 1000") + b'{"model'
    stop = threading.Event()
    with ExitStack() as stack:
        for _ in range(50):
            sock = stack.enter_context(closing(socket.create_connection((HOST, proxy.port), 5)))
            sock.sendall(half)
        with proxy.get("/v1/models") as client:
            assert client.status == 200
    stop.set()


def headers_of(place: Any, headers: Headers) -> int:
    _, proxy = place
    with proxy.get("/v1/models", headers) as client:
        return client.status  # type: ignore[no-any-return]


def test_a_hundred_headers_are_too_many_and_fifty_are_not(place: Place) -> None:
    backend, _ = place
    backend.answer = OK
    assert headers_of(place, [(f"X-{number}", "1") for number in range(50)]) == 200
    assert headers_of(place, [(f"X-{number}", "1") for number in range(120)]) == 431
