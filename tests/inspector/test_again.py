"""`POST /dragoman/api/records/<id>/replay`: a recorded request is sent again, as the viewer's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from inspector import again
from tests.answers import TOOLS, Json, ask, completion, said
from tests.cases import in_one_test
from tests.records.recorded import Recorded, Said, bearer, recorded, until
from tests.records.test_routes import ALICE, GLM, KEYS, OWNER, Make, make
from tests.servers import Answer, How, ScriptedBackend, proxy_process
from web.again import is_again

__all__ = ["make", "recorded"]


def play(proxy: Recorded, name: str, *answers: Said, key: str = "", status: int = 200) -> Json:
    proxy.answers[:] = answers
    headers = {**bearer(key), "Content-Type": "application/json"}
    response = proxy.client.post(f"/dragoman/api/records/{name}/replay", headers=headers)
    assert response.status_code == status, response.get_data()
    told: Json = response.get_json()
    return told


def test_the_same_request_is_sent_again(make: Make) -> None:
    proxy = make()
    body = ask(tools=TOOLS, model="glm-4.5-air")
    proxy.ask(body, Said(said(GLM)))
    old = proxy.settled(1)[0]
    told = play(proxy, old["id"], Said(said("Another answer.")))
    assert told["status"] == 200 and told["id"] != old["id"]
    assert [json.loads(sent) for sent in proxy.sent] == [json.loads(proxy.sent[0])] * 2
    new = proxy.get(f"records/{told['id']}")
    assert (new["record"]["face"], new["record"]["path"]) == (old["face"], old["path"])
    assert json.loads(new["text"]["request"]["text"]) == body
    assert new["record"]["state"] == "ended" and new["verdict"]["code"] == "no_call"


@in_one_test(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}),
        ("/v1/responses", {"model": "m", "input": "Hi."}),
        ("/api/chat", {"model": "m", "messages": [{"role": "user", "content": "Hi."}], "stream": False}),
        ("/chat/completions", ask(False)),
        ("/v1/embeddings", {"model": "m", "input": "Hi."}),
    ],
)
def test_on_the_same_api(path: str, body: Json) -> None:
    answer = json.dumps(completion("Hi.")).encode()
    with pytest.MonkeyPatch.context() as patch:
        proxy = Recorded(patch)
        proxy.ask(body, Said([answer], content_type="application/json"), path=path)
        old = proxy.last()["record"]
        told = play(proxy, old["id"], Said([answer], content_type="application/json"))
        new = proxy.last()["record"]
    assert (new["id"], told["status"]) == (told["id"], 200)
    assert (new["face"], new["path"], new["status"]) == (old["face"], old["path"], 200)


def test_a_row_that_the_client_named_is_named_again(make: Make) -> None:
    proxy = make()
    proxy.ask(ask(tools=TOOLS, model="nobody-knows"), Said(said(GLM)), **{"x-dragoman-syntax": "hermes"})
    name = proxy.settled(1)[0]["id"]
    for _ in range(3):  # what was played again can be played again, too
        assert "-H 'x-dragoman-syntax: hermes'" in proxy.get(f"records/{name}/curl")
        name = play(proxy, name, Said(said(GLM)))["id"]


def test_what_fails_again_is_told(make: Make) -> None:
    proxy = make(ADAPT="off")
    refusal = json.dumps({"error": {"message": "No such model."}}).encode()
    proxy.ask(ask(), Said([refusal], 404, "application/json"))
    told = play(proxy, proxy.settled(1)[0]["id"], Said([refusal], 404, "application/json"))
    assert told["status"] == 404 and proxy.get(f"records/{told['id']}")["record"]["status"] == 404


def test_without_text_there_is_nothing_to_send(make: Make) -> None:
    proxy = make(RECORD="meta")
    proxy.ask(ask(), Said(said("Hi.")))
    error = play(proxy, proxy.settled(1)[0]["id"], status=404)["error"]
    assert "RECORD=full" in error["message"] and len(proxy.sent) == 1
    play(proxy, "nothing", status=404)


def test_only_the_key_of_the_inspector_may_and_it_asks_for_itself(make: Make) -> None:
    proxy = make(BACKEND_API_KEY="sk-of-the-backend", **KEYS)
    proxy.ask(ask(), Said(said("Hi.")), key=ALICE)
    name = until(lambda: next((each["id"] for each in proxy.listed("state=ended", ALICE)), None))
    assert play(proxy, name, key=ALICE, status=403)["error"]["code"] == "forbidden"
    told = play(proxy, name, Said(said("Hi.")), key=OWNER)
    assert proxy.get(f"records/{told['id']}", OWNER)["record"]["key_name"] is None
    proxy.get(f"records/{told['id']}", ALICE, 404)


def test_a_client_cannot_say_that_it_is_the_application(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(**KEYS)
    headers = {"dragoman.again": "dragoman.again", "Dragoman-Again": "1"}
    assert proxy.client.get("/v1/models", headers=headers).status_code == 401
    assert not is_again({}) and not is_again({"HTTP_DRAGOMAN_AGAIN": "dragoman.again"})


def test_so_many_are_played_at_once(recorded: Callable[..., Recorded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "MOST_AT_ONCE", 1)
    proxy = recorded()
    proxy.ask(ask(False), Said([json.dumps(completion("Hi.")).encode()], content_type="application/json"))
    name = proxy.listed()[0]["id"]
    gate, playing = threading.Event(), threading.Event()

    def wait(*_: Any) -> tuple[None, int]:
        playing.set()
        gate.wait(10)
        return None, 200

    monkeypatch.setattr(again, "play_again", wait)
    thread = threading.Thread(target=play, args=(proxy, name))
    thread.start()
    playing.wait(10)
    other = proxy.app.test_client().post(f"/dragoman/api/records/{name}/replay", json={})
    gate.set()
    thread.join()
    assert (other.status_code, other.get_json()["error"]["code"]) == (429, "too_many")
    play(proxy, name)


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_over_the_network(how: How) -> None:
    json_header = [("Content-Type", "application/json")]
    with ScriptedBackend(Answer(said("Hello"))) as backend, proxy_process(how, backend, RECORD="full") as proxy:
        proxy.streamed(ask(model="a-model"))
        with proxy.get("/dragoman/api/records") as client:
            name = client.json()["records"][0]["id"]
        with proxy.client(b"", f"/dragoman/api/records/{name}/replay", headers=json_header) as client:
            assert client.status == 200 and client.json()["status"] == 200
            again_name = client.json()["id"]
        with proxy.get(f"/dragoman/api/records/{again_name}") as client:
            assert client.json()["record"]["model"] == "a-model" and again_name != name
        assert len(backend.requests) == 2
