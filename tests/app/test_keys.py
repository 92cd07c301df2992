"""Keys: whose key the backend gets, and who is turned away."""

from __future__ import annotations

from tests.app.answers import PREFLIGHT, TARGETS, is_error
from tests.cases import in_one_test
from tests.servers import (
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    running_proxy,
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
