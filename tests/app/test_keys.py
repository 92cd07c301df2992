"""Keys: whose key the backend gets, and who is turned away."""

from __future__ import annotations

import json
import logging

import pytest

from streaming import ExchangeRecord, exchange_ended
from tests.app.answers import PREFLIGHT, TARGETS, is_error
from tests.cases import in_one_test
from tests.servers import (
    Answer,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
    said,
)


@in_one_test("target", TARGETS)
@in_one_test(
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


@in_one_test(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer kay", "Bearer key-1,key-2", "Basic a2V5", "Bearer é"],
)
@in_one_test("target", [*TARGETS, "/chat/completions", "/v1/models"])
def test_who_has_no_key_of_ours_is_turned_away(backend: ScriptedBackend, target: str, given: str | None) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1, key-2", BACKEND_API_KEY="secret") as proxy:
        headers = [] if given is None else [("Authorization", given)]
        with proxy.client(ask(), target, headers=headers) as client:
            message = is_error(client, 401, "invalid_api_key")["message"]
            assert client.header("www-authenticate") == 'Bearer realm="dragoman"'
    assert "key-1" not in message and "key-2" not in message
    assert not backend.requests


def test_each_of_our_keys_is_good(backend: ScriptedBackend) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1, key-2") as proxy:
        for key in ("Bearer key-1", "Bearer key-2", "bearer key-1"):
            with proxy.get("/v1/models", [("Authorization", key)]) as client:
                assert client.status == 200, key


def test_health_and_preflights_need_no_key(backend: ScriptedBackend) -> None:
    with running_proxy(backend, PROXY_API_KEYS="key-1", CORS_ORIGINS="https://app.example") as proxy:
        for target in ("/health", "/health/", "/"):
            with proxy.get(target) as client:
                assert client.status == 200
        with proxy.get("/v1/models", PREFLIGHT, "OPTIONS") as client:
            assert client.status in (200, 204)
            assert client.header("access-control-allow-origin") == "https://app.example"


# -- DEFECTS D3: names of keys, and where a key may stand --------------------------------------------------------------

NAMED = "alice:sk-of-alice,bob:sk-of-bob,sk-of-nobody"


@in_one_test(
    ("headers", "name"),
    [
        ([("Authorization", "Bearer sk-of-alice")], "alice"),
        ([("Authorization", "sk-of-bob")], "bob"),
        ([("x-api-key", "sk-of-bob")], "bob"),
        ([("X-API-KEY", " sk-of-alice ")], "alice"),
        ([("x-api-key", "sk-of-nobody")], "#3"),
        ([("Authorization", "Bearer of-somebody-else"), ("x-api-key", "sk-of-alice")], "alice"),
        ([("Authorization", "Bearer sk-of-alice"), ("x-api-key", "x")], "alice"),
    ],
)
@in_one_test("target", TARGETS)
def test_defect_d3_a_key_has_a_name_and_may_come_as_x_api_key(
    backend: ScriptedBackend, headers: list[tuple[str, str]], name: str, target: str
) -> None:
    backend.answer = json_answer(completion("ok"))
    ended: list[ExchangeRecord] = []
    with exchange_ended.connected_to(ended.append), running_proxy(backend, PROXY_API_KEYS=NAMED) as proxy:
        proxy.buffered(ask(stream=False), target=target, headers=headers)
    assert [record.key_name for record in ended] == [name]
    assert "sk-of" not in str(ended)
    assert not {"authorization", "x-api-key"} & {each.lower() for each, _ in backend.last.headers}


@in_one_test(
    "headers",
    [
        [("x-api-key", "wrong")],
        [("x-api-key", "")],
        [("x-api-key", "alice")],
        [("x-api-key", "alice:sk-of-alice")],
        [("Authorization", "Bearer alice:sk-of-alice")],
        [("x-api-key", "sk-of-alice, sk-of-bob")],
        [("x-api-key", "\xe9")],
        [("Cookie", "x-api-key=sk-of-alice")],
    ],
)
def test_defect_d3_what_is_no_key(backend: ScriptedBackend, headers: list[tuple[str, str]]) -> None:
    with running_proxy(backend, PROXY_API_KEYS=NAMED) as proxy:
        for target in (*TARGETS, "/v1/embeddings?x-api-key=sk-of-alice"):
            with proxy.client(ask(), target, headers=headers) as client:
                is_error(client, 401, "invalid_api_key")
                assert client.header("www-authenticate")
    assert not backend.requests


def test_defect_d3_the_log_says_the_name_of_a_key(backend: ScriptedBackend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman")
    key = [("x-api-key", "sk-of-bob")]
    with running_proxy(backend, PROXY_API_KEYS=NAMED) as proxy, proxy.get("/v1/models", key) as client:
        client.rest()
    assert " key=bob " in caplog.text and "sk-of" not in caplog.text


def test_without_keys_of_ours_nobody_has_a_name(backend: ScriptedBackend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman")
    ended: list[ExchangeRecord] = []
    with (
        exchange_ended.connected_to(ended.append),
        running_proxy(backend) as proxy,
        proxy.get("/v1/models", [("x-api-key", "theirs")]) as client,
    ):
        client.rest()
    assert [record.key_name for record in ended] == [None] and "key=" not in caplog.text
    assert backend.last.all("x-api-key") == ["theirs"]


# -- DEFECTS C14: no key comes back ------------------------------------------------------------------------------------

OURS = {"BACKEND_API_KEY": "of-the-backend", "PROXY_API_KEYS": "alice:of-alice-1", "INSPECTOR_KEY": "of-the-inspector"}


@in_one_test("secret", ["of-the-backend", "of-alice-1", "of-the-inspector"])
@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings", "/v1/models", "/models"])
@in_one_test("status", [200, 401])
def test_defect_c14_no_key_of_ours_comes_back_in_a_header(
    backend: ScriptedBackend, secret: str, target: str, status: int
) -> None:
    kind = ("Content-Type", "application/json")
    headers = [kind, ("X-Echo", f"Bearer {secret}"), ("X-Echo", f"<{secret}>"), ("WWW-Authenticate", f"x={secret}")]
    body = completion("ok") if status == 200 else {"error": {"message": f"no: {secret}", "type": "x"}}
    backend.answer = Answer([json.dumps(body).encode()], status, headers, "length")
    key = [("x-api-key", "of-alice-1")]
    with running_proxy(backend, **OURS) as proxy:
        asked = proxy.get(target, key) if "models" in target else proxy.client(ask(stream=False), target, headers=key)
        with asked as client:
            assert client.status == status
            told = client.rest().decode() + str(client.response.headers)
    assert secret not in told and f"Bearer {'*' * len(secret)}" in told and f"<{'*' * len(secret)}>" in told


@in_one_test("secret", ["of-the-backend", "of-alice-1", "of-the-inspector"])
def test_defect_c14_nor_in_the_headers_of_a_stream(backend: ScriptedBackend, secret: str) -> None:
    backend.answer = Answer(said("ok"), headers=[("Content-Type", "text/event-stream"), ("X-Echo", secret)])
    with running_proxy(backend, **OURS) as proxy, proxy.client(ask(), headers=[("x-api-key", "of-alice-1")]) as client:
        client.rest()
        assert client.header("x-echo") == "*" * len(secret)
