"""What stands beside the conversation: responses that are not stored, and the list of models that Codex wants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cases import in_one_test
from tests.servers import Json, Proxy, Received, ScriptedBackend, json_answer, running_proxy

MODELS: Json = {
    "object": "list",
    "data": [
        {"id": "glm-4.5-air", "object": "model", "meta": {"n_ctx": 65_536}},
        {"id": "a/b", "object": "model", "max_model_len": 8192},
        {"id": "c", "object": "model"},
        "odd",
        {"object": "model"},
    ],
    "models": [{"name": "of another shape"}],
}

NOT_STORED = [
    ("GET", "/v1/responses/resp_1"),
    ("GET", "/v1/responses/resp_1?stream=true"),
    ("DELETE", "/v1/responses/resp_1"),
    ("GET", "/v1/responses/resp_1/input_items"),
    ("POST", "/v1/responses/resp_1/cancel"),
    ("POST", "/v1/responses/compact"),
    ("POST", "/v1/responses/input_tokens"),
]


@in_one_test("method, target", NOT_STORED)
def test_no_response_is_stored(method: str, target: str, backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.forget()
    with proxy.get(target, method=method) as client:
        assert client.status == 404
        error = client.json()["error"]
    assert error["type"] == "invalid_request_error" and error["code"] == "not_found" and error["param"] == "id"
    assert "not stored" in error["message"]
    assert not backend.requests


def test_a_response_to_go_on_from_is_not_found_by_its_code(proxy: Proxy) -> None:
    with proxy.client({"model": "m", "input": "x", "previous_response_id": "resp_1"}, "/v1/responses") as client:
        assert client.status == 400
        error = client.json()["error"]
    assert error["code"] == "previous_response_not_found" and error["param"] == "previous_response_id"


def test_what_is_wrong_with_a_request_is_told_as_openai_does(proxy: Proxy) -> None:
    for body in (b"{", b"[]", b'{"input": 5}'):
        with proxy.client(body, "/v1/responses") as client:
            assert client.status == 400
            assert set(client.json()["error"]) == {"message", "type", "param", "code"}


def test_a_backend_that_refuses_is_told_with_its_status(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer({"error": {"message": "Slow.", "code": "x"}}, 429, [("Retry-After", "3")])
    for stream in (False, True):
        with proxy.client({"model": "m", "input": "x", "stream": stream}, "/responses") as client:
            assert client.status == 429 and client.header("retry-after") == "3"
            assert client.json()["error"]["message"] == "Slow."


# -- 11.03: Codex reads a list of its own shape ------------------------------------------------------------------------

CODEX = [
    ("/v1/models?client_version=0.171.0", []),
    ("/v1/models", [("originator", "codex_cli_rs")]),
    ("/v1/models", [("User-Agent", "codex_exec/0.171.0 (Debian 12.0.0; x86_64) xterm")]),
]


@in_one_test("target, headers", CODEX)
def test_codex_gets_its_list_of_models_11_03(target: str, headers: Any, backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(MODELS)
    with proxy.get(target, headers) as client:
        assert client.status == 200
        found = client.json()
    assert found["data"] == MODELS["data"]
    assert [model["slug"] for model in found["models"]] == ["glm-4.5-air", "a/b", "c"]
    assert [model["context_window"] for model in found["models"]] == [65_536, 8192, 131_072]
    for model in found["models"]:
        # what Codex 0.171 was seen to refuse a list without
        assert model["display_name"] and model["base_instructions"]
        assert (model["shell_type"], model["visibility"], model["supported_in_api"]) == ("shell_command", "list", True)
        assert model["truncation_policy"] == {"mode": "bytes", "limit": 10_000}
        assert model["supported_reasoning_levels"] == model["experimental_supported_tools"] == []


def test_others_get_what_the_backend_says(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(json.dumps(MODELS, indent=3).encode())
    with proxy.get("/v1/models", [("User-Agent", "OpenAI/Python 3.57")]) as client:
        assert client.rest() == json.dumps(MODELS, indent=3).encode()


@pytest.mark.parametrize(("body", "status"), [(b'{"error": {"message": "x"}}', 401), (b"[]", 200), (b"no", 200)])
def test_a_list_that_cannot_be_read_passes(body: bytes, status: int, backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(body, status)
    with proxy.get("/v1/models?client_version=1") as client:
        assert (client.status, client.rest()) == (status, body)


def test_a_backend_that_serves_the_api_itself_is_asked_only_if_forward_says_so(backend: ScriptedBackend) -> None:
    def answer(received: Received) -> Any:
        return json_answer({"path": received.target})

    backend.answer = answer
    with running_proxy(backend, FORWARD="responses") as proxy:
        for method, target in [*NOT_STORED[:5], ("POST", "/v1/responses")]:
            with proxy.get(target, method=method) as client:
                assert (client.status, client.json()) == (200, {"path": target})
