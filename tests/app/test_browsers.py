"""Cross-origin requests: which pages of browsers are let in."""

from __future__ import annotations

from tests.app.answers import PREFLIGHT, TARGETS
from tests.cases import in_one_test
from tests.servers import (
    Answer,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
    said,
    whole_stream,
)

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


@in_one_test("target", ["/v1/models", "/v1/chat/completions", "/health", "/nowhere"])
@in_one_test("origin", ["http://localhost:3000", "https://localhost", "http://127.0.0.1:8080", "http://[::1]:5173"])
def test_pages_of_this_machine_are_let_in(proxy: Proxy, origin: str, target: str) -> None:
    assert allowed(proxy, origin, target) == origin


@in_one_test("target", ["/v1/models", "/v1/chat/completions", "/chat/completions/", "/health"])
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


@in_one_test("target", TARGETS)
@in_one_test("theirs", ["*", "https://app.example", ""])
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
