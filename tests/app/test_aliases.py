"""Paths without `/v1`, and the page at `/`."""

from __future__ import annotations

import json

import pytest

from app import create_app
from config import Config
from tests.app.answers import is_error
from tests.cases import in_one_test
from tests.servers import Answer, Proxy, ScriptedBackend, completion, json_answer, running_proxy
from version import VERSION

# -- DEFECTS D2: aliases -----------------------------------------------------------------------------------------------


@in_one_test(
    ("method", "target", "reached"),
    [
        ("GET", "/models", "/v1/models"),
        ("GET", "/models/", "/v1/models/"),
        ("GET", "/models?limit=2&x=%20", "/v1/models?limit=2&x=%20"),
        ("GET", "/models/m", "/v1/models/m"),
        ("GET", "/models/org/model:q4", "/v1/models/org/model:q4"),
        ("GET", "/models/org%20x%C3%A9", "/v1/models/org%20x%C3%A9"),
        ("HEAD", "/models", "/v1/models"),
        ("HEAD", "/models/m", "/v1/models/m"),
        ("GET", "http://elsewhere.example/models", "/v1/models"),
        ("POST", "/completions", "/v1/completions"),
        ("POST", "/completions/", "/v1/completions/"),
        ("POST", "/embeddings", "/v1/embeddings"),
        ("POST", "/embeddings?x=1", "/v1/embeddings?x=1"),
        ("POST", "/chat/completions", "/v1/chat/completions"),
    ],
)
def test_defect_d2_a_base_url_may_lack_v1(
    place: tuple[ScriptedBackend, Proxy], method: str, target: str, reached: str
) -> None:
    backend, proxy = place
    before = len(backend.requests)
    answer = completion("ok") if "chat" in target else {"object": "list", "data": []}
    backend.answer = json_answer(answer) if method != "HEAD" else Answer([], 200, [], "length")
    body = b'{"model":  "m", "messages": [], "input": "x"}'
    asked = proxy.client(body, target) if method == "POST" else proxy.get(target, method=method)
    with asked as client:
        assert client.status == 200
        assert method == "HEAD" or client.json() == answer
    (received,) = backend.requests[before:]
    assert (received.method, received.target) == (method, reached)
    assert method != "POST" or received.body == body


@in_one_test(
    ("method", "target", "status"),
    [
        ("POST", "/models", 405),
        ("GET", "/embeddings", 405),
        ("DELETE", "/models/m", 405),
        ("GET", "/models/../x", 400),
        ("GET", "/models/%2e%2e/x", 400),
        ("GET", "/models/org%2Fm", 400),
        ("GET", "/models//m", 400),
        ("GET", "/model", 404),
        ("POST", "/audio/speech", 404),
        ("POST", "/v2/models", 404),
    ],
)
def test_defect_d2_no_other_path_reaches_the_backend(
    backend: ScriptedBackend, proxy: Proxy, method: str, target: str, status: int
) -> None:
    with proxy.get(target, method=method) as client:
        is_error(client, status)
        assert status != 405 or client.header("allow")
    assert not backend.requests


@in_one_test("target", ["/models", "/models/m"])
def test_defect_d2_an_alias_needs_a_key_and_passes_errors(backend: ScriptedBackend, target: str) -> None:
    backend.answer = json_answer({"error": {"message": "no such model", "type": "x", "param": None, "code": 7}}, 404)
    with running_proxy(backend, PROXY_API_KEYS="key-1") as proxy:
        with proxy.get(target) as client:
            is_error(client, 401, "invalid_api_key")
        assert not backend.requests
        with proxy.get(target, [("x-api-key", "key-1"), ("Origin", "http://localhost:1")]) as client:
            assert client.status == 404 and client.json()["error"]["code"] == 7
            assert client.header("access-control-allow-origin") == "http://localhost:1"


# -- the page at / -----------------------------------------------------------------------------------------------------


def test_the_front_page_says_where_everything_is(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    before = len(backend.requests)
    with proxy.get("/") as client:
        assert (client.status, client.header("content-type")) == (200, "application/json")
        told = client.json()
    assert (told["name"], told["version"]) == ("Dragoman", VERSION)
    assert told["base_urls"]["chat"] == f"{proxy.url}/v1"
    assert (told["health"], told["openapi"], told["inspector"]) == ("/health", "/openapi.json", "/dragoman/")
    with proxy.get("/", method="HEAD") as client:
        assert (client.status, client.rest()) == (200, b"")
    with proxy.get("/", method="POST") as client:
        is_error(client, 405)
    assert len(backend.requests) == before


@in_one_test("accept", ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"])
def test_a_browser_gets_a_page(proxy: Proxy, accept: str) -> None:
    with proxy.get("/", [("Accept", accept)]) as client:
        assert client.header("content-type") == "text/html; charset=utf-8"
        assert "default-src 'none'" in (client.header("content-security-policy") or "")
        assert "Accept" in (client.header("vary") or "")
        page = client.rest().decode()
    for part in (f"{proxy.url}/v1", "/health", "/openapi.json", "/dragoman/", VERSION):
        assert part in page
    assert "<script" not in page and "src=" not in page and 'href="http' not in page


@in_one_test("accept", [None, "*/*", "application/json", "application/json, text/html", "text/plain", "x"])
def test_everybody_else_gets_json(proxy: Proxy, accept: str | None) -> None:
    with proxy.get("/", [] if accept is None else [("Accept", accept)]) as client:
        assert json.loads(client.rest())["name"] == "Dragoman"


HOSTS = ["<script>alert(1)</script>", 'a"b', "a b", "a/b", "user@host", "a:b", "", "é", "a,b", "{x}"]


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_could_be_none_is_not_repeated(host: str, accept: str) -> None:
    client = create_app(Config()).test_client()
    response = client.get("/", headers={"Accept": accept}, environ_overrides={"HTTP_HOST": host})
    text = response.get_data(as_text=True)
    assert response.status_code == 200
    assert not host or host == "a b" or host not in text
    assert "<code>/v1</code>" in text if accept == "text/html" else response.get_json()["base_urls"]["chat"] == "/v1"


@pytest.mark.parametrize("host", ["box.lan", "box.lan:5000", "10.0.0.7:80", "[::1]:5000"])
def test_the_base_url_is_what_this_client_called_us(host: str) -> None:
    response = create_app(Config()).test_client().get("/", headers={"Host": host})
    assert response.get_json()["base_urls"]["chat"] == f"http://{host}/v1"


def test_without_an_inspector_the_page_names_none() -> None:
    client = create_app(Config(inspector=False)).test_client()
    assert "inspector" not in client.get("/").get_json()
    assert "/dragoman/" not in client.get("/", headers={"Accept": "text/html"}).get_data(as_text=True)
