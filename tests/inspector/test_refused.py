"""Requests that got no further than the keys are recorded, and no key that was tried is kept or sent on."""

from __future__ import annotations

import json
from collections.abc import Callable

from records.recorder import REFUSED_A_MINUTE
from tests.answers import ask, completion, json_answer
from tests.cases import in_one_test
from tests.records.recorded import Recorded, recorded
from tests.records.test_routes import ALICE, KEYS, OWNER, Make, make
from tests.servers import ScriptedBackend, running_proxy

__all__ = ["make", "recorded"]


def test_a_refused_request_has_a_record(make: Make) -> None:
    proxy = make(**KEYS)
    proxy.ask(ask(messages=[{"role": "user", "content": "canary"}]), key="sk-wrong-canary")
    while not (found := proxy.listed("state=ended", OWNER)):
        pass
    (record,) = found
    assert (record["status"], record["error"], record["path"]) == (401, "invalid_api_key", "/v1/chat/completions")
    assert record["failed"] and record["attempts"] == 0 and not record["has_text"] and record["key_name"] is None
    assert proxy.get(f"records/{record['id']}", OWNER)["verdict"]["code"] == "no_key"
    assert proxy.listed("", ALICE) == []
    told = json.dumps(found) + proxy.get("records/export?texts=1", OWNER)
    assert "canary" not in told and not proxy.sent


def test_strangers_cannot_push_out_what_others_asked(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(**KEYS)
    for _ in range(3 * REFUSED_A_MINUTE):
        proxy.client.get("/v1/models?key=secret", headers={"Authorization": "Bearer wrong"})
    assert len(proxy.listed("limit=500", OWNER)) == REFUSED_A_MINUTE


@in_one_test("header", ["Authorization", "x-api-key", "X-Anything"])
@in_one_test("target", ["/v1/chat/completions", "/v1/embeddings", "/v1/messages"])
@in_one_test("given", ["Bearer sk-of-the-owner", "sk-of-the-owner", "token=sk-of-the-owner"])
def test_the_key_of_the_inspector_stays_here(header: str, target: str, given: str) -> None:
    with (
        ScriptedBackend(json_answer(completion("ok"))) as backend,
        running_proxy(backend, INSPECTOR_KEY="sk-of-the-owner") as proxy,
    ):
        body = ask(False, max_tokens=9)
        with proxy.client(body, target, headers=[(header, given), ("X-Other", "kept")]) as client:
            client.rest()
        assert backend.last.all("x-other") == ["kept"]
        assert "sk-of-the-owner" not in str(backend.last.headers)
