"""Headers and bytes of a request and an answer: what goes on, what stays, what is made here."""

from __future__ import annotations

import gzip
import json

from tests.app.answers import OK
from tests.cases import in_one_test
from tests.servers import (
    HOST,
    Answer,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
    said,
)


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


@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings"])
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


@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings"])
def test_a_request_id_is_kept(place: tuple[ScriptedBackend, Proxy], target: str) -> None:
    backend, proxy = place
    backend.answer = json_answer(completion("ok"), headers=[("X-Request-Id", "of-the-backend")])
    with proxy.client(ask(stream=False), target, headers=[("X-Request-Id", "abc-123")]) as client:
        assert client.response.headers.get_all("x-request-id") == ["abc-123"]
    assert backend.last.all("x-request-id") == ["abc-123"]


@in_one_test("given", [None, "", "two words", "x" * 500, "a\tb"])
def test_a_request_id_is_made_where_there_is_none_to_keep(
    backend: ScriptedBackend, proxy: Proxy, given: str | None
) -> None:
    backend.answer = Answer(said("ok"))
    with proxy.client(ask(), headers=[] if given is None else [("X-Request-Id", given)]) as client:
        made = client.header("x-request-id")
    assert made and made != given and len(made) <= 128
    assert backend.last.all("x-request-id") == [made]


@in_one_test("case", ["wrong", "refused", "unreachable"])
def test_errors_carry_the_request_id_too(backend: ScriptedBackend, case: str) -> None:
    backend.answer = json_answer({"error": {"message": "no"}}, 500)
    url = backend.url if case != "unreachable" else "http://127.0.0.1:1"
    body = b"{" if case == "wrong" else ask()
    with running_proxy(url) as proxy, proxy.client(body, headers=[("X-Request-Id", "abc-123")]) as client:
        assert client.status >= 400
        assert client.header("x-request-id") == "abc-123"


def test_a_whole_answer_is_called_json_whatever_the_backend_calls_it(place: tuple[ScriptedBackend, Proxy]) -> None:
    """A 201 that was called a stream left as one, with JSON in it (defect C6)."""
    backend, proxy = place
    told = json.dumps(completion("Hi")).encode()
    for kind, wanted in (
        ("text/event-stream", "application/json"),
        ("application/json; charset=utf-8", "application/json; charset=utf-8"),
    ):
        backend.answer = Answer([told], 201, [("Content-Type", kind)], "length")
        with proxy.client(ask(stream=False)) as client:
            assert client.json()["choices"][0]["message"]["content"] == "Hi"
            assert (client.status, client.header("content-type")) == (201, wanted)
