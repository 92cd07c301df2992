"""What the proxy lets through, in both directions, and what it says when it does not; over real sockets."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.servers import (
    HOST,
    TOOLS,
    Answer,
    Client,
    Headers,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    proxy_process,
    running_proxy,
    said,
    whole_stream,
)
from version import VERSION

OK = json_answer({"ok": True})
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
CALLED = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(OK) as started:
        yield started


@pytest.fixture
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as running:
        yield running


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedBackend, Proxy]]:
    """A backend with the proxy before it, for what the way of serving could change."""
    with ScriptedBackend(OK) as backend:
        if request.param == "app":
            with running_proxy(backend) as proxy:
                yield backend, proxy
        else:
            with proxy_process("gunicorn", backend) as process:
                yield backend, process


def is_error(client: Client, status: int, code: str | None = None) -> Json:
    """The answer is an error of ours, in the shape that OpenAI's clients read."""
    assert client.status == status, client.rest()
    assert client.header("content-type") == "application/json"
    error: Json = client.json()["error"]
    assert isinstance(error["message"], str) and error["message"]
    assert isinstance(error["type"], str) and error["type"]
    assert "param" in error and "code" in error
    if code:
        assert error["code"] == code
    return error


# -- chat completions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/v1/chat/completions", "/v1/chat/completions/", "/chat/completions", "/chat/completions/"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_chat_completions_are_translated_under_every_name(
    backend: ScriptedBackend, proxy: Proxy, target: str, stream: bool
) -> None:
    backend.answer = Answer(said(CALL)) if stream else json_answer(completion(CALL))
    if stream:
        message = message_of(whole_stream(proxy.streamed(ask(), target=target)))
    else:
        message = message_in(proxy.buffered(ask(stream=False), target=target))
    assert message == {"role": "assistant", "content": "", "calls": [CALLED], "reasons": ["tool_calls"]}
    assert backend.last.method == "POST"
    assert backend.last.target == "/v1/chat/completions"


def test_the_query_of_a_chat_completion_goes_along(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("ok"))
    proxy.buffered(ask(stream=False), target="/chat/completions?api-version=2&x=%2Fa%20b")
    assert backend.last.target == "/v1/chat/completions?api-version=2&x=%2Fa%20b"


def test_without_conversion_markup_is_left(backend: ScriptedBackend) -> None:
    body = said("Hi. ", CALL, "</s>")
    with running_proxy(backend, ENABLE_TOOL_CALL_CONVERSION="false") as proxy:
        backend.answer = Answer(body)
        assert proxy.streamed(ask()) == b"".join(body)
        backend.answer = json_answer(completion(CALL))
        assert proxy.buffered(ask(stream=False)) == completion(CALL)
        backend.answer = json_answer({"error": "as it is"}, 418)
        with proxy.client(ask()) as client:
            assert client.status == 418
            assert client.json() == {"error": "as it is"}


def test_without_conversion_the_alias_still_leads_to_v1(backend: ScriptedBackend) -> None:
    with running_proxy(backend, ENABLE_TOOL_CALL_CONVERSION="false") as proxy:
        proxy.buffered(ask(stream=False), target="/chat/completions/?a=1")
    assert backend.last.target == "/v1/chat/completions?a=1"


def test_a_syntax_that_is_no_row_is_refused(backend: ScriptedBackend, proxy: Proxy) -> None:
    with proxy.client(ask(), headers=[("x-dragoman-syntax", "esperanto")]) as client:
        message = is_error(client, 400)["message"]
    assert "x-dragoman-syntax" in message and "hermes" in message and "glm45" in message
    assert not backend.requests


# -- everything else under /v1 -----------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("case", FORWARDED)
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


@pytest.mark.parametrize("status", [204, 304])
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


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings"])
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


@pytest.mark.parametrize("framing", ["chunked", "close"])
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    "target", ["//v1/models", "//v1/admin/x?y=1", "///v1/models", "/v1//models", "/v1/models//x", "//v1/../admin", "//"]
)
def test_empty_segments_lead_nowhere_but_to_v1(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    """`//v1/admin` is also how one writes the host `v1` and its path `/admin`."""
    backend, proxy = place
    before = len(backend.requests)
    with proxy.get(target) as client:
        assert client.status < 500
    for received in backend.requests[before:]:
        assert received.target.startswith("/v1/") and "//" not in received.target


@pytest.mark.parametrize(
    "target", ["/", "/v2/models", "/models", "/admin", "/v1", "/v1/", "/V1/models", "/api/v1/models", "/v1x/models"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nothing_but_v1_reaches_the_backend(place: tuple[ScriptedBackend, Proxy], target: str, method: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with Client(proxy.port, target, None, [], method) as client:
        is_error(client, 404, "not_found")
    assert len(backend.requests) == before


@pytest.mark.parametrize(("method", "target"), [("GET", "/chat/completions"), ("POST", "/health"), ("PUT", "/health")])
def test_a_wrong_method_is_a_405_in_json(place: tuple[ScriptedBackend, Proxy], method: str, target: str) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with Client(proxy.port, target, None, [], method) as client:
        is_error(client, 405, "method_not_allowed")
    assert len(backend.requests) == before


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings"])
@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
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


# -- requests that are wrong -------------------------------------------------------------------------------------------


def named(index: int, **function: Any) -> Json:
    return ask(tools=[*TOOLS[:index], {"type": "function", "function": function}])


WRONG: dict[str, tuple[object, str | None, Sequence[str]]] = {
    "no JSON": (b'{"model": "m",\n "messages": [}', None, ["line 2", "column 15"]),
    "empty": (b"", None, ["line 1", "column 1"]),
    "no object": ([1], None, ["object"]),
    "no UTF-8": (b'{"model": "\xff\xfe"}', None, ["byte"]),
    "nested too deeply": (b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", None, []),
    "tool without a name": (named(1, description="x"), "tools[1].function.name", ["tools[1].function.name"]),
    "tool with an empty name": (named(0, name=""), "tools[0].function.name", ["string"]),
    "tool with a number for a name": (named(0, name=7), "tools[0].function.name", ["string"]),
    "tool without a function": (ask(tools=[{"type": "function"}]), "tools[0].function", ["object"]),
    "tool that is a text": (ask(tools=["x"]), "tools[0]", ["object"]),
    "tools as an object": ({**ask(), "tools": {"a": 1}}, "tools", ["list"]),
    "function without a name": ({**ask(tools=[]), "functions": [{}]}, "functions[0].name", ["string"]),
    "model as a number": (ask(model=7), "model", ["string"]),  # type: ignore[arg-type]
    "stream as a text": ({**ask(), "stream": "yes"}, "stream", ["true or false"]),
    "stream as a number": ({**ask(), "stream": 1}, "stream", ["true or false"]),
    "messages as a text": ({**ask(), "messages": "hi"}, "messages", ["list"]),
    "messages as an object": ({**ask(), "messages": {}}, "messages", ["list"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_a_400_that_names_the_place(backend: ScriptedBackend, proxy: Proxy, case: str) -> None:
    body, field, words = WRONG[case]
    with proxy.client(body) as client:
        error = is_error(client, 400)
    assert error["param"] == field
    assert error["type"] == "invalid_request_error"
    for word in [field or "", *words]:
        assert word in error["message"], error
    assert not backend.requests


ODD: dict[str, Json] = {
    "nulls": {"model": None, "stream": None, "messages": [{"role": "user", "content": None}], "tools": None},
    "nothing": {},
    "no messages": {"model": "m"},
    "a message that is a text": {"messages": ["hi", None, 7]},
    "calls that are no list": {"messages": [{"role": "assistant", "tool_calls": 7}]},
    "calls that are no objects": {"messages": [{"role": "assistant", "tool_calls": [7, None, "x"]}]},
    "a call without an id": {"messages": [{"role": "assistant", "tool_calls": [{"id": None}]}]},
    "settings that are a text": {"chat_template_kwargs": "x", "reasoning_effort": 7, "stream_options": "x"},
    "a choice that is a number": {"tool_choice": 7, "parallel_tool_calls": "no"},
    "a tool of another type": {"tools": [{"type": "web_search"}]},
    "a schema that is a text": {"tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]},
}


@pytest.mark.parametrize("case", ODD)
def test_what_we_need_not_understand_is_the_backends_to_judge(
    backend: ScriptedBackend, proxy: Proxy, case: str
) -> None:
    backend.answer = json_answer(completion("ok"))
    with proxy.client(ODD[case]) as client:
        assert client.status in (200, 400), client.rest()
        if client.status == 200:
            assert json.loads(backend.last.body) == ODD[case]


def test_a_number_of_many_digits_is_no_failure_of_ours(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("ok"))
    body = b'{"model": "m", "messages": [], "seed": ' + b"9" * 5000 + b"}"
    with proxy.client(body) as client:
        assert client.status in (200, 400), client.rest()


# -- health ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/health", "/health/", "/health?x=1"])
def test_health_tells_of_a_backend_that_is_there(backend: ScriptedBackend, proxy: Proxy, target: str) -> None:
    with proxy.get(target) as client:
        assert client.status == 200
        told = client.json()
    assert told["version"] == VERSION
    assert told["backend"]["reachable"] is True
    assert told["backend"]["url"] == backend.url
    with proxy.get(target, method="HEAD") as client:
        assert (client.status, client.rest()) == (200, b"")


def test_health_tells_of_a_backend_that_is_not_there() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    with running_proxy(f"http://{HOST}:{port}") as proxy, proxy.get("/health") as client:
        assert client.status == 200
        told = client.json()
    assert told["version"] == VERSION
    assert told["backend"]["reachable"] is False
    assert told["backend"]["detail"]


def test_health_does_not_wait_for_a_backend_that_hangs(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with proxy.get("/health") as client:
        assert client.json()["backend"]["reachable"] is False
        assert client.arrivals[-1][0] - client.sent_at < 4


# -- headers -----------------------------------------------------------------------------------------------------------


def test_request_headers_of_one_hop_do_not_go_on(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = OK
    hop = {
        "Connection": "close, X-Of-This-Hop",
        "X-Of-This-Hop": "1",
        "Keep-Alive": "timeout=5",
        "Proxy-Authorization": "Basic eDp5",
        "Proxy-Connection": "keep-alive",
        "Proxy-Authenticate": "x",
        "TE": "trailers",
        "Trailer": "X-T",
        "Upgrade": "h2c",
        "X-Dragoman-Syntax": "hermes",
        "x-dragoman-anything": "1",
    }
    kept = {"X-Custom": "a b", "User-Agent": "test/1", "OpenAI-Organization": "org", "Accept": "*/*", "Cookie": "a=b"}
    kept["X-Title"] = "서울".encode().decode("latin-1")
    with proxy.client({"input": "x"}, "/v1/embeddings", headers=[*hop.items(), *kept.items()]) as client:
        assert client.status == 200
    received = backend.last
    for name in hop:
        assert received.header(name) is None or name == "Connection", name
    assert "X-Of-This-Hop" not in (received.header("Connection") or "")
    for name, value in kept.items():
        assert received.all(name) == [value], name


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings"])
def test_host_length_and_coding_are_those_of_this_leg(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    backend, proxy = place
    backend.answer = json_answer(completion("ok"))
    body = json.dumps(ask(stream=False)).encode()
    headers = [("Host", "elsewhere.example"), ("Accept-Encoding", "gzip, br, zstd")]
    with proxy.client(body, target, headers=headers) as client:
        assert client.status == 200
    received = backend.last
    assert received.all("host") == [f"{HOST}:{backend.port}"]
    assert received.all("content-length") == [str(len(body))]
    assert received.all("accept-encoding") == ["identity"]


def test_the_bytes_of_a_request_go_on_as_they_are(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = json_answer(completion("ok"))
    body = (
        '{ "tools":[{"type":"function","function":{"name":"f"}}],\n\t"temperature":0.70, "top_p":1e0,"seed":1.0,'
        '"messages" : [{"role":"user","content":"h\\u00e9 서울 \\ud83d"}],"model":"m","x":{"b":1,"a":2},'
        '"big":1234567890123456789012345, "nan": NaN }\n'
    ).encode()
    with proxy.client(body) as client:
        assert client.status == 200
    assert backend.last.body == body


def test_empty_tools_are_removed_and_nothing_else_changes(backend: ScriptedBackend, proxy: Proxy) -> None:
    """Many backends refuse `tools: []`; the rest of the request keeps its order, its digits and its letters."""
    backend.answer = json_answer(completion("ok"))
    body = (
        '{"x": 0.70, "tools": [], "tool_choice": "auto", "messages": [{"role": "user", "content": "서울"}], "n": 1.0}'
    )
    with proxy.client(body.encode()) as client:
        assert client.status == 200
    sent = backend.last.body.decode()
    assert list(json.loads(sent)) == ["x", "messages", "n"]
    assert "0.70" in sent and "1.0" in sent and "서울" in sent
    assert backend.last.header("content-length") == str(len(sent.encode()))


def test_answer_headers_of_one_hop_do_not_come_back(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    hop = [
        ("Connection", "keep-alive, X-Of-This-Hop"),
        ("X-Of-This-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authenticate", "Basic"),
        ("Trailer", "X-T"),
        ("Upgrade", "h2c"),
    ]
    kept = [("X-RateLimit-Remaining", "9"), ("OpenAI-Processing-Ms", "12"), ("Link", "<a>; rel=next")]
    backend.answer = json_answer(completion("ok"), headers=[*hop, *kept])
    for target in ("/v1/embeddings", "/v1/chat/completions"):
        with proxy.client(ask(stream=False), target) as client:
            assert client.status == 200
            for name, _ in hop[1:]:
                assert client.header(name) is None, name
            assert "X-Of-This-Hop" not in (client.header("connection") or "")
            for name, value in kept:
                assert client.header(name) == value
            assert len(client.response.headers.get_all("content-type") or []) == 1
            assert len(client.response.headers.get_all("date") or []) == 1


def test_headers_that_come_twice_come_back_twice(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer({}, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    with proxy.get("/v1/models") as client:
        assert client.response.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_an_answer_whose_coding_was_not_asked_for_is_forwarded_whole(backend: ScriptedBackend, proxy: Proxy) -> None:
    data = gzip.compress(b'{"data": []}')
    backend.answer = json_answer(data, headers=[("Content-Encoding", "gzip")])
    with proxy.get("/v1/models") as client:
        body = client.rest()
        if client.header("content-encoding") == "gzip":
            body = gzip.decompress(body)
        assert body == b'{"data": []}'


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/embeddings"])
def test_a_request_id_is_kept(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    backend, proxy = place
    backend.answer = json_answer(completion("ok"), headers=[("X-Request-Id", "of-the-backend")])
    with proxy.client(ask(stream=False), target, headers=[("X-Request-Id", "abc-123")]) as client:
        assert client.response.headers.get_all("x-request-id") == ["abc-123"]
    assert backend.last.all("x-request-id") == ["abc-123"]


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 500, "a\tb"])
def test_a_request_id_is_made_where_there_is_none_to_keep(
    backend: ScriptedBackend, proxy: Proxy, given: str | None
) -> None:
    backend.answer = Answer(said("ok"))
    with proxy.client(ask(), headers=[] if given is None else [("X-Request-Id", given)]) as client:
        made = client.header("x-request-id")
    assert made and made != given and len(made) <= 128
    assert backend.last.all("x-request-id") == [made]


@pytest.mark.parametrize("case", ["wrong", "refused", "unreachable"])
def test_errors_carry_the_request_id_too(backend: ScriptedBackend, case: str) -> None:
    backend.answer = json_answer({"error": {"message": "no"}}, 500)
    url = backend.url if case != "unreachable" else "http://127.0.0.1:1"
    body = b"{" if case == "wrong" else ask()
    with running_proxy(url) as proxy, proxy.client(body, headers=[("X-Request-Id", "abc-123")]) as client:
        assert client.status >= 400
        assert client.header("x-request-id") == "abc-123"


# -- keys --------------------------------------------------------------------------------------------------------------

TARGETS = ["/v1/chat/completions", "/v1/embeddings"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "Bearer of-the-client"),
        ({"BACKEND_API_KEY": "of-the-backend"}, "Bearer of-the-backend"),
        ({"PROXY_API_KEYS": "other,of-the-client"}, None),
        ({"PROXY_API_KEYS": "of-the-client", "BACKEND_API_KEY": "of-the-backend"}, "Bearer of-the-backend"),
    ],
    ids=["passed", "replaced", "stripped", "stripped and replaced"],
)
def test_whose_key_the_backend_gets(
    backend: ScriptedBackend, settings: dict[str, str], expected: str | None, target: str
) -> None:
    backend.answer = json_answer(completion("ok"))
    with running_proxy(backend, **settings) as proxy:
        proxy.buffered(ask(stream=False), target=target, headers=[("Authorization", "Bearer of-the-client")])
    assert backend.last.all("authorization") == ([expected] if expected else [])
    assert "of-the-client" not in str(backend.last.headers) or not settings


def test_a_key_is_sent_even_if_the_client_has_none(backend: ScriptedBackend) -> None:
    with running_proxy(backend, BACKEND_API_KEY="k") as proxy, proxy.get("/v1/models"):
        assert backend.request().all("authorization") == ["Bearer k"]


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer kay", "Bearer key-1,key-2", "Basic a2V5", "Bearer é"],
)
@pytest.mark.parametrize("target", [*TARGETS, "/chat/completions", "/v1/models"])
def test_who_has_no_key_of_ours_is_turned_away(backend: ScriptedBackend, target: str, given: str | None) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1, key-2", BACKEND_API_KEY="secret") as proxy:
        headers = [] if given is None else [("Authorization", given)]
        with proxy.client(ask(), target, headers=headers) as client:
            message = is_error(client, 401, "invalid_api_key")["message"]
    assert "key-1" not in message and "key-2" not in message
    assert not backend.requests


def test_each_of_our_keys_is_good(backend: ScriptedBackend) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1, key-2") as proxy:
        for key in ("Bearer key-1", "Bearer key-2", "bearer key-1"):
            with proxy.get("/v1/models", [("Authorization", key)]) as client:
                assert client.status == 200, key


def test_health_and_preflights_need_no_key(backend: ScriptedBackend) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1", CORS_ORIGINS="https://app.example") as proxy:
        for target in ("/health", "/health/"):
            with proxy.get(target) as client:
                assert client.status == 200
        with proxy.get("/v1/models", PREFLIGHT, "OPTIONS") as client:
            assert client.status in (200, 204)
            assert client.header("access-control-allow-origin") == "https://app.example"


# -- browsers ----------------------------------------------------------------------------------------------------------

PREFLIGHT = [
    ("Origin", "https://app.example"),
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "authorization, content-type, x-stainless-os"),
]
ALLOW = "access-control-allow-origin"


def allowed(proxy: Proxy, origin: str, target: str = "/v1/models", method: str = "GET") -> str | None:
    with proxy.get(target, [("Origin", origin)], method) as client:
        client.rest()
        return client.header(ALLOW)


def test_pages_of_strangers_are_kept_out_by_default(backend: ScriptedBackend, proxy: Proxy) -> None:
    for origin in (
        "https://app.example",
        "https://localhost.example",
        "http://127.0.0.1.example",
        "null",
        "x",
        "http://[",
    ):
        assert allowed(proxy, origin) is None, origin
    with proxy.get("/v1/models", PREFLIGHT, "OPTIONS") as client:
        assert client.header(ALLOW) is None


@pytest.mark.parametrize("target", ["/v1/models", "/v1/chat/completions", "/health", "/nowhere"])
@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://localhost", "http://127.0.0.1:8080", "http://[::1]:5173"]
)
def test_pages_of_this_machine_are_let_in(proxy: Proxy, origin: str, target: str) -> None:
    assert allowed(proxy, origin, target) == origin


@pytest.mark.parametrize("target", ["/v1/models", "/v1/chat/completions", "/chat/completions/", "/health"])
def test_origins_that_are_named_are_let_in(backend: ScriptedBackend, target: str) -> None:
    with running_proxy(backend, CORS_ORIGINS="https://app.example, tauri://localhost") as proxy:
        for origin in ("https://app.example", "tauri://localhost", "http://localhost:1"):
            assert allowed(proxy, origin, target) == origin
        for origin in ("https://other.example", "http://app.example", "https://app.example:8443"):
            assert allowed(proxy, origin, target) is None
        with proxy.get(target, PREFLIGHT, "OPTIONS") as client:
            assert client.status in (200, 204)
            assert client.header(ALLOW) == "https://app.example"
            assert "POST" in (client.header("access-control-allow-methods") or "")
            asked = (client.header("access-control-allow-headers") or "").lower()
            assert "x-stainless-os" in asked and "authorization" in asked
            assert "origin" in (client.header("vary") or "").lower()
    assert not any(received.method == "OPTIONS" for received in backend.requests)


def test_every_origin_can_be_let_in(backend: ScriptedBackend) -> None:
    with running_proxy(backend, CORS_ORIGINS="*") as proxy:
        assert allowed(proxy, "https://any.example") in ("*", "https://any.example")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("theirs", ["*", "https://app.example", ""])
def test_the_backends_own_word_on_origins_does_not_count(
    backend: ScriptedBackend, proxy: Proxy, theirs: str, target: str
) -> None:
    """llama-server and vLLM let everybody in; behind us that is not for them to say."""
    headers = [("Access-Control-Allow-Origin", theirs), ("Access-Control-Allow-Credentials", "true")]
    backend.answer = json_answer(completion("ok"), headers=headers)
    with proxy.client(ask(stream=False), target, headers=[("Origin", "https://app.example")]) as client:
        assert client.status == 200
        assert client.header(ALLOW) is None
        assert client.header("access-control-allow-credentials") is None
    with proxy.client(ask(stream=False), target, headers=[("Origin", "http://localhost:1")]) as client:
        assert client.response.headers.get_all(ALLOW) == ["http://localhost:1"]


def test_a_page_can_read_a_stream_and_an_error(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(said("ok"))
    origin = [("Origin", "http://localhost:3000")]
    with proxy.client(ask(), headers=origin) as client:
        assert client.header(ALLOW) == "http://localhost:3000"
        exposed = (client.header("access-control-expose-headers") or "").lower()
        assert "x-request-id" in exposed
        whole_stream(client.rest())
    with proxy.client(b"{", headers=origin) as client:
        assert client.status == 400
        assert client.header(ALLOW) == "http://localhost:3000"


# -- errors of the backend ---------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
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


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("case", REFUSALS)
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


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_a_backend_that_is_not_there_is_a_502(target: str, stream: bool) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    with running_proxy(f"http://{HOST}:{port}") as proxy, proxy.client(ask(stream=stream), target) as client:
        is_error(client, 502, "backend_unreachable")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_a_first_byte_that_does_not_come_is_a_504(backend: ScriptedBackend, target: str, stream: bool) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with running_proxy(backend, FIRST_BYTE_TIMEOUT=0.3) as proxy, proxy.client(ask(stream=stream), target) as client:
        is_error(client, 504, "backend_first_byte_timeout")
    assert backend.request().closed.wait(1)


def test_a_buffered_answer_may_take_no_longer_than_request_timeout(backend: ScriptedBackend) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with running_proxy(backend, REQUEST_TIMEOUT=0.4) as proxy, proxy.client(ask(stream=False), patience=3) as client:
        is_error(client, 504)


def test_a_buffered_answer_that_stalls_is_a_504(backend: ScriptedBackend) -> None:
    pieces = [b'{"choices": [', threading.Event()]
    backend.answer = Answer(pieces, headers=[("Content-Type", "application/json")])
    with running_proxy(backend, REQUEST_TIMEOUT=0.4) as proxy, proxy.client(ask(stream=False)) as client:
        is_error(client, 504)


@pytest.mark.parametrize("ends", ["broken", "reset"])
def test_a_buffered_answer_that_breaks_off_is_a_502(backend: ScriptedBackend, proxy: Proxy, ends: Any) -> None:
    backend.answer = Answer([b'{"choices": [', 0.1], headers=[("Content-Type", "application/json")], ends=ends)
    with proxy.client(ask(stream=False)) as client:
        is_error(client, 502, "backend_interrupted")


@pytest.mark.parametrize("body", [b"", b"plain text", b"[1, 2]", b'{"choices": {}}', b'{"object": "other"}'])
def test_a_success_that_is_no_chat_completion_passes_as_it_is(
    backend: ScriptedBackend, proxy: Proxy, body: bytes
) -> None:
    backend.answer = Answer([body] if body else [], headers=[("Content-Type", "application/json")], framing="length")
    with proxy.client(ask(stream=False)) as client:
        assert (client.status, client.rest()) == (200, body)


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


@pytest.mark.parametrize("case", ODD_REPLIES)
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


@pytest.mark.parametrize("odd", ODD_CHUNKS)
def test_an_odd_event_does_not_end_the_stream(backend: ScriptedBackend, proxy: Proxy, odd: bytes) -> None:
    first, *rest = said("one", " two")
    backend.answer = Answer([first, odd, *rest])
    raw = proxy.streamed(ask())
    assert b" two" in raw and b'"stop"' in raw and raw.endswith(b"data: [DONE]\n\n")
    assert b'"error"' not in raw


# -- the log -----------------------------------------------------------------------------------------------------------


def test_neither_secrets_nor_prompts_nor_answers_are_logged(
    backend: ScriptedBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = {"PROXY_API_KEYS": "sk-of-the-client", "BACKEND_API_KEY": "sk-of-the-backend"}
    headers = [("Authorization", "Bearer sk-of-the-client"), ("Cookie", "session=sk-of-the-cookie")]
    body = {**ask(), "messages": [{"role": "user", "content": "the secret prompt"}], "user": "somebody"}
    texts = ("the secret answer ", CALL.replace("Oslo", "secret city"))
    answers = [
        Answer(said(*texts)),
        json_answer(completion("".join(texts))),
        json_answer({"error": {"message": "secret refusal"}}, 400),
        Answer([frame(chunk({"content": "the secret answer"}))], ends="broken"),
        Answer([b"secret garbage"], framing="raw"),
        Answer([b"data: {secret garbage\n\n"]),
    ]
    with running_proxy(backend, **settings) as proxy:
        for answer in answers:
            for stream in (True, False):
                backend.answer = answer
                with proxy.client(
                    {**body, "stream": stream}, "/v1/chat/completions?key=sk-query", headers=headers
                ) as client:
                    client.rest()
        for target in ("/v1/models?key=sk-query", "/v1/secret/../x", "/secret"):
            with proxy.get(target, headers) as client:
                client.rest()
        with proxy.client({**body, "tools": "secret tools"}, headers=headers) as client:
            assert client.status == 400
        with proxy.client(b'{"messages": "the secret prompt', headers=headers) as client:
            assert client.status == 400
        with proxy.client(body, headers=[("Authorization", "Bearer sk-wrong")]) as client:
            assert client.status == 401
    assert len(caplog.records) >= len(answers)
    logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    for secret in ("sk-", "secret", "somebody", "Bearer"):
        assert secret not in logged, re.findall(f".{{,80}}{secret}.{{,80}}", logged)[:3]


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("DELETE", 204), ("GET", 304)])
def test_each_exchange_is_logged_in_one_line(
    backend: ScriptedBackend, proxy: Proxy, caplog: pytest.LogCaptureFixture, method: str, status: int
) -> None:
    """Also those whose answer has no body."""
    caplog.set_level(logging.INFO, "dragoman")
    backend.answer = Answer([] if status != 200 else [b"{}"], status, [], "length")
    with proxy.get("/v1/files/f", [("X-Request-Id", "this-one")], method) as client:
        client.rest()
    until = time.monotonic() + 1
    while "this-one" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)
    lines = [record.getMessage() for record in caplog.records if "this-one" in record.getMessage()]
    assert len(lines) == 1 and f"status={status}" in lines[0], caplog.text


def test_no_client_can_forge_a_line_of_the_log(
    backend: ScriptedBackend, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dragoman")
    backend.answer = json_answer(completion("ok"))
    proxy.buffered(ask(stream=False, model="m\n2026-01-01 00:00:00 INFO forged\r\x1b[2J"))
    for record in caplog.records:
        assert not re.search(r"[\x00-\x1f]", record.getMessage()), record.getMessage()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_connections_to_the_backend_are_used_again(backend: ScriptedBackend, proxy: Proxy, method: str) -> None:
    backend.answer = Answer(status=204, headers=[]) if method == "DELETE" else OK
    for _ in range(4):
        with proxy.get("/v1/models", method=method) as client:
            client.rest()
        time.sleep(0.1)  # the client has its answer a moment before the proxy has put the connection back
    assert len(backend.requests) == 4
    assert backend.connections == 1


def test_connections_of_streams_are_used_again(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(said("ok"))
    for _ in range(4):
        proxy.streamed(ask())
        time.sleep(0.1)
    assert backend.connections == 1
