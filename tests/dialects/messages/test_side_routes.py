"""Counts of tokens, and lists of models for clients of the Messages API."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dialects.messages import Messages
from dialects.messages.count_tokens import TokenCounter
from dialects.messages.estimate import Corrections
from dialects.messages.models import list_models, one_model
from dialects.protocol import Ask, BackendAnswer, SideReply, SideRequest
from errors import BackendError, ClientLeft, RequestError, Unreachable
from tests.cases import in_one_test
from tests.dialects.messages.reading import asking
from tests.servers import Json, ScriptedBackend, json_answer, running_proxy

ASKS = [("Anthropic-Version", "2023-06-01")]
LISTED = [{"id": f"m{n}", "object": "model", "created": 1700000000 + n} for n in range(5)]


class Backend:
    """Answers by path, and keeps what was asked."""

    def __init__(self, answers: dict[str, Any], status: int = 404) -> None:
        self.answers = answers
        self.status = status
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, method: str, target: str, body: bytes = b"") -> BackendAnswer:
        self.asked.append((target, json.loads(body) if body else None))
        found = self.answers.get(target)
        if isinstance(found, Exception):
            raise found
        if callable(found):
            found = found(json.loads(body))
        if found is None:
            return BackendAnswer(self.status, b'{"error": {"message": "Not here."}}')
        return BackendAnswer(200, found if isinstance(found, bytes) else json.dumps(found).encode())


def counted(counter: TokenCounter, ask: Ask, **more: Any) -> int:
    body = asking(**more)
    del body["max_tokens"]
    found = json.loads(counter.answer(SideRequest([], json.dumps(body).encode()), ask).body)
    assert list(found) == ["input_tokens"]
    return int(found["input_tokens"])


def vllm(body: Json) -> Any:
    return {"count": 41, "tokens": [1] * 41, "max_model_len": 9}


def llama(body: Json) -> Any:
    return {"tokens": [1] * len(body.get("content", ""))}


def test_vllm_counts() -> None:
    backend, counter = Backend({"/tokenize": vllm}), TokenCounter(Corrections())
    assert counted(counter, backend, system="Be.", thinking={"type": "disabled"}) == 41
    [(_, body)] = backend.asked
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["model"] == "glm-4.5" and body["tools"][0]["function"]["name"] == "f"
    assert body["add_generation_prompt"] is True and body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "stream" not in body and "max_tokens" not in body


def test_llama_server_counts() -> None:
    backend, counter = (
        Backend({"/tokenize": llama, "/apply-template": {"prompt": "<|user|>Hi"}}),
        TokenCounter(Corrections()),
    )
    assert counted(counter, backend) == counted(counter, backend) == len("<|user|>Hi")
    paths = [path for path, _ in backend.asked]
    assert paths == ["/tokenize", "/apply-template", "/tokenize", "/apply-template", "/tokenize"]
    assert backend.asked[1][1]["messages"] == [{"role": "user", "content": "Hi"}]
    assert backend.asked[2][1] == {"content": "<|user|>Hi", "add_special": True, "parse_special": True}


OTHERS: dict[str, Backend] = {
    "no such path": Backend({}),
    "no such path, with 200": Backend({"/tokenize": {"error": "Unexpected endpoint"}}),
    "a page": Backend({"/tokenize": b"<html>"}),
    "JSON that is no object": Backend({"/tokenize": b"[1]"}),
}


@in_one_test("name", OTHERS)
def test_a_backend_without_a_tokenizer_is_asked_once(name: str) -> None:
    backend, counter = OTHERS[name], TokenCounter(Corrections())
    first = counted(counter, backend)
    assert first > 5 and counted(counter, backend) == first
    assert len(backend.asked) == 1
    for _ in range(210):
        counted(counter, backend)
    assert len(backend.asked) == 2, "another server may stand there by now"


@in_one_test("fault", [Unreachable("Nobody."), BackendError("Broken.")])
def test_a_backend_that_fails_does_not_fail_the_count(fault: Exception) -> None:
    backend, counter = Backend({"/tokenize": fault}), TokenCounter(Corrections())
    assert counted(counter, backend) > 5
    backend.answers = {"/tokenize": vllm}
    assert counted(counter, backend) == 41, "it is asked again"
    backend.answers = {}
    assert counted(counter, backend) > 5
    backend.answers = {"/tokenize": vllm}
    assert counted(counter, backend) == 41, "a server that has counted is not given up"


def test_a_refusal_of_one_request_says_nothing_of_the_next() -> None:
    backend, counter = Backend({}, status=400), TokenCounter(Corrections())
    assert counted(counter, backend) > 5
    backend.answers = {"/tokenize": vllm}
    assert counted(counter, backend) == 41


def test_what_is_wrong_with_the_request_is_told() -> None:
    with pytest.raises(RequestError, match="messages"):
        TokenCounter(Corrections()).answer(SideRequest([], b'{"model": "m"}'), Backend({}))
    with pytest.raises(ClientLeft):
        counted(TokenCounter(Corrections()), Backend({"/tokenize": ClientLeft("gone")}))


def test_an_estimate_grows_with_all_that_is_in_the_prompt() -> None:
    counter, backend = TokenCounter(Corrections()), Backend({})
    least = counted(counter, backend, tools=[])
    use = {"type": "tool_use", "id": "x", "name": "f", "input": {"a": "word " * 50}}
    result = {"type": "tool_result", "tool_use_id": "x", "content": "word " * 50}
    more: list[Json] = [
        {},
        {"system": "word " * 50},
        {"messages": [{"role": "assistant", "content": [use]}]},
        {"messages": [{"role": "user", "content": [result]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "A"}}]}]},
    ]
    assert all(counted(counter, backend, **{"tools": [], **each}) > least + 20 for each in more[1:])
    assert counted(counter, backend) > least + 20


def test_a_count_of_a_large_request() -> None:
    """A picture counts as one, however many bytes it has."""
    image = {"type": "image", "source": {"type": "base64", "data": "A" * 1_500_000}}
    turns = [{"role": "user", "content": [image, {"type": "text", "text": "word " * 100_000}]}]
    backend = Backend({})
    assert 90_000 < counted(TokenCounter(Corrections()), backend, messages=turns) < 140_000
    [(_, asked)] = backend.asked
    assert asked["messages"][0]["content"][0]["image_url"]["url"].endswith("AAAA")
    short = [{"role": "user", "content": [image]}]
    assert counted(TokenCounter(Corrections()), backend, messages=short) < 1200
    counter = TokenCounter(Corrections())
    backend = Backend({"/tokenize": llama, "/apply-template": {"prompt": "<|user|>Hi"}})
    assert counted(counter, backend, messages=turns) == len("<|user|>Hi")


# -- models ------------------------------------------------------------------------------------------------------------


def listed(answer: Callable[..., SideReply | None] = list_models, ask: Any = None, **more: Any) -> Any:
    reply = answer(SideRequest(ASKS, b"", **more), ask or Backend({"/v1/models": {"object": "list", "data": LISTED}}))
    assert reply is not None
    return reply.status, json.loads(reply.body)


def test_a_list_of_models() -> None:
    status, found = listed()
    assert status == 200 and [model["id"] for model in found["data"]] == ["m0", "m1", "m2", "m3", "m4"]
    assert (found["has_more"], found["first_id"], found["last_id"]) == (False, "m0", "m4")
    assert found["data"][0] == {
        "type": "model",
        "id": "m0",
        "display_name": "m0",
        "created_at": "2023-11-14T22:13:20Z",
        "lifecycle": "active",
    }


PAGES: list[tuple[dict[str, str], Sequence[str], bool]] = [
    ({"limit": "2"}, ["m0", "m1"], True),
    ({"limit": "2", "after_id": "m1"}, ["m2", "m3"], True),
    ({"limit": "2", "after_id": "m3"}, ["m4"], False),
    ({"limit": "2", "before_id": "m3"}, ["m1", "m2"], True),
    ({"limit": "5", "before_id": "m3"}, ["m0", "m1", "m2"], False),
    ({"limit": "1000"}, ["m0", "m1", "m2", "m3", "m4"], False),
    ({"after_id": "m4"}, [], False),
    ({"after_id": "unknown"}, ["m0", "m1", "m2", "m3", "m4"], False),
]


@in_one_test(("query", "ids", "more"), PAGES)
def test_pages_of_the_list(query: dict[str, str], ids: list[str], more: bool) -> None:
    _, found = listed(query=query)
    assert ([model["id"] for model in found["data"]], found["has_more"]) == (ids, more)
    assert found["last_id"] == (ids[-1] if ids else None)


@in_one_test("limit", ["0", "1001", "x", "-1", "", "٣", "9" * 5000])
def test_a_limit_that_is_none(limit: str) -> None:
    with pytest.raises(RequestError) as refused:
        listed(query={"limit": limit})
    assert refused.value.param == "limit"


def test_one_model() -> None:
    assert listed(one_model, values={"model": "m3"})[1]["id"] == "m3"
    status, told = listed(one_model, values={"model": "org/m"})
    assert (status, told["error"]["type"]) == (404, "not_found_error") and "org/m" in told["error"]["message"]


def test_lists_that_are_none() -> None:
    odd = [7, {"id": 7}, {"id": "ok", "created": -1, "name": 7}, {"id": "old", "created": None, "name": "Old"}]
    _, found = listed(ask=Backend({"/v1/models": {"data": odd}}))
    assert [(model["id"], model["display_name"]) for model in found["data"]] == [("ok", "ok"), ("old", "Old")]
    assert found["data"][0]["created_at"] == "1970-01-01T00:00:00Z"
    for body in (b"<html>", b"[]", b'{"data": 7}'):
        with pytest.raises(BackendError):
            listed(ask=Backend({"/v1/models": body}))
    for answer, values in ((list_models, {}), (one_model, {"model": "m"})):
        status, told = listed(answer, ask=Backend({}, status=401), values=values)
        assert (status, told["error"]) == (401, {"type": "authentication_error", "message": "Not here."})


def test_other_clients_get_the_backends_own_list() -> None:
    with ScriptedBackend(json_answer({"object": "list", "data": LISTED})) as backend, running_proxy(backend) as proxy:
        with proxy.get("/v1/models") as client:
            assert client.json() == {"object": "list", "data": LISTED}
        with proxy.get("/v1/models/m1") as client:
            assert client.json()["object"] == "list" and backend.last.target == "/v1/models/m1"
        with proxy.get("/v1/models?limit=1", ASKS) as client:
            assert client.json()["last_id"] == "m0"
        with proxy.get("/v1/models/m1", ASKS) as client:
            assert client.json()["id"] == "m1"
        body = asking(model="org/m")
        with proxy.client(body, "/v1/messages/count_tokens?beta=true") as client:
            assert client.json()["input_tokens"] > 5
        with proxy.client({"messages": 7}, "/messages/count_tokens") as client:
            assert client.status == 400 and client.json()["error"]["type"] == "invalid_request_error"


def test_each_application_counts_for_itself() -> None:
    one, other = Messages(), Messages()
    assert one.side_routes[0].answer != other.side_routes[0].answer
