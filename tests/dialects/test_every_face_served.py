"""Every face over a real server: errors in its shape, heartbeats, native calls, and backends that refuse requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.answers import Answer, chunk, completion, frame, json_answer, said
from tests.dialects.faces import FACES, Face, Said, message_of_error
from tests.dialects.test_toy import CAN, ENTRY, MORE, NATIVE, USAGE, stream
from tests.servers import TOOLS, Client, Json, Proxy, ScriptedBackend, running_proxy
from tests.streaming.refusing import Play, playing, refusal

DECLARED = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOLS}
CALLING = [face for face in FACES if face.calls]
TRANSLATED = [face for face in FACES if face.name != "chat"]
faces = pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
calling = pytest.mark.parametrize("face", CALLING, ids=lambda face: face.name)
TIME = re.compile(rb'"created_at":"[^"]+"')
both = pytest.mark.parametrize("streams", [False, True], ids=["buffered", "streamed"])


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as started:
        yield started


def path_of(face: Face) -> str:
    return face.new().routes[0]


def body_of(face: Face, streams: bool, tools: Any = None, **more: Any) -> Json:
    declared = (DECLARED if tools is None else tools) if face.calls else {}
    return {"model": "some-model", "stream": streams, **face.ask(streams, declared), **more}


def refused(face: Face, client: Client) -> tuple[int, str]:
    """(the status, what the error says)"""
    told = client.json()
    assert client.header("content-type") == "application/json"
    message = message_of_error(face.name, told)
    assert message
    return client.status, message


def asked(proxy: Proxy, face: Face, streams: bool, **more: Any) -> Said:
    """What the answer to a request says; it must be whole."""
    with proxy.client(body_of(face, streams, **more), path_of(face)) as client:
        raw = client.rest()
        assert client.status == 200, raw
    return face.said(face.stream(raw) if streams else face.whole(raw))


# -- errors ------------------------------------------------------------------------------------------------------------


@faces
def test_what_the_proxy_refuses_is_told_in_the_shape_of_the_face(backend: ScriptedBackend, face: Face) -> None:
    key = ("Authorization", "Bearer good")
    path, good = path_of(face), body_of(face, True)
    backend.forget()
    with running_proxy(backend, PROXY_API_KEYS="good", MAX_REQUEST_BYTES=2000) as proxy:
        with proxy.client(good, path) as client:
            assert refused(face, client)[0] == 401 and client.header("www-authenticate")
        with proxy.client(b"{", path, headers=[key]) as client:
            assert refused(face, client)[0] == 400
        with proxy.client({**good, "model": 7}, path, headers=[key]) as client:
            status, message = refused(face, client)
            assert status == 400 and "model" in message
        with proxy.client({**good, "x": "x" * 3000}, path, headers=[key]) as client:
            assert refused(face, client)[0] == 413
        with proxy.client(good, path, headers=[key, ("Content-Encoding", "odd")]) as client:
            assert refused(face, client)[0] == 415
        if not path.startswith("/v1/"):  # what else is asked for there is the backend's
            with proxy.client(b"", path, headers=[key], method="DELETE") as client:
                assert refused(face, client)[0] == 405 and "POST" in (client.header("allow") or "")
    assert not backend.requests


@faces
@both
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_the_backend_refuses_keeps_status_words_and_time(
    backend: ScriptedBackend, proxy: Proxy, face: Face, streams: bool, status: int
) -> None:
    told = {"error": {"message": "Not so: 서울.", "type": "x", "code": "y"}}
    backend.answer = json_answer(told, status, [("Retry-After", "7")])
    with proxy.client(body_of(face, streams), path_of(face)) as client:
        assert refused(face, client) == (status, "Not so: 서울.")
        assert client.header("retry-after") == "7"


@faces
@both
def test_a_backend_that_is_not_there_or_silent(backend: ScriptedBackend, face: Face, streams: bool) -> None:
    with (
        running_proxy("http://127.0.0.1:9", CONNECT_RETRY=0) as gone,
        gone.client(body_of(face, streams), path_of(face)) as client,
    ):
        assert refused(face, client)[0] == 502 and client.header("retry-after")
    backend.answer = Answer([5.0])
    with (
        running_proxy(backend, FIRST_BYTE_TIMEOUT=0.1, REQUEST_TIMEOUT=0.1) as proxy,
        proxy.client(body_of(face, streams), path_of(face)) as client,
    ):
        assert refused(face, client)[0] == 504 and client.header("retry-after")


# -- answers -----------------------------------------------------------------------------------------------------------


@faces
def test_a_heartbeat_is_the_faces_own_and_means_nothing(backend: ScriptedBackend, face: Face) -> None:
    backend.answer = Answer([0.5, *said("Hello")])
    with (
        running_proxy(backend, KEEPALIVE_SECONDS=0.1) as proxy,
        proxy.client(body_of(face, True), path_of(face)) as client,
    ):
        raw = client.rest()
    beat = TIME.sub(b"", face.new().keep_alive)
    assert beat and TIME.sub(b"", raw).count(beat) >= 2
    assert face.said(face.stream(raw)) == Said("Hello", "", [])


@calling
@both
def test_a_native_call(backend: ScriptedBackend, proxy: Proxy, face: Face, streams: bool) -> None:
    if streams:
        backend.answer = Answer([stream({"role": "assistant", "content": "So."}, *NATIVE, finish="tool_calls")])
    else:
        entry = {**ENTRY, "function": {"name": "f", **MORE["function"]}}
        backend.answer = json_answer({**completion("So.", "tool_calls", tool_calls=[entry]), "usage": USAGE})
    assert asked(proxy, face, streams, tools=CAN) == Said("So.", "", [("f", {"a": 1, "b": "é x"})])


@faces
def test_usage_comes_in_the_names_of_the_face(backend: ScriptedBackend, proxy: Proxy, face: Face) -> None:
    """The tests' usage: 3 tokens of the prompt, 4 of the answer."""
    names = {"chat": ("prompt_tokens", "completion_tokens"), "ollama": ("prompt_eval_count", "eval_count")}
    names["generate"] = names["ollama"]
    given, taken = names.get(face.name, ("input_tokens", "output_tokens"))
    more: Json = {"stream_options": {"include_usage": True}} if face.name == "chat" else {}
    for streams in (False, True):
        backend.answer = (
            Answer([stream({"role": "assistant", "content": "Hi"})])
            if streams
            else json_answer({**completion("Hi"), "usage": USAGE})
        )
        with proxy.client(body_of(face, streams, **more), path_of(face)) as client:
            raw = client.rest().decode().replace(" ", "")
        assert f'"{given}":3' in raw and f'"{taken}":4' in raw, raw
        if streams:
            assert backend.last.json()["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("face", TRANSLATED, ids=lambda face: face.name)
def test_what_is_no_count_reaches_no_client(backend: ScriptedBackend, proxy: Proxy, face: Face) -> None:
    for odd in (-3, "3", 2.5, [3], 10**400):
        usage = {"prompt_tokens": odd, "completion_tokens": 4.0, "prompt_tokens_details": {"cached_tokens": odd}}
        backend.answer = json_answer({**completion("Hi"), "usage": usage})
        with proxy.client(body_of(face, False), path_of(face)) as client:
            told = json.loads(client.rest())
        counts = [told[name] for name in ("prompt_eval_count", "eval_count") if name in told]
        if "usage" in told:
            counts = [told["usage"][name] for name in ("input_tokens", "output_tokens")]
        assert counts in ([4], [0, 4]) and all(type(count) is int for count in counts), told


@faces
@both
def test_a_refusal_reaches_the_client(backend: ScriptedBackend, proxy: Proxy, face: Face, streams: bool) -> None:
    if streams:
        backend.answer = Answer([stream({"role": "assistant", "refusal": "I cannot."})])
    else:
        backend.answer = json_answer(completion(None, refusal="I cannot."))
    with proxy.client(body_of(face, streams), path_of(face)) as client:
        assert "I cannot." in client.rest().decode() and client.status == 200


@faces
@both
def test_a_face_without_n_asks_for_one_answer(
    backend: ScriptedBackend, proxy: Proxy, face: Face, streams: bool
) -> None:
    frames = [frame(chunk({"role": "assistant", "content": text}, index=at)) for at, text in enumerate(["one", "two"])]
    ends = [frame(chunk({}, "stop", index=at)) for at in (0, 1)]
    other = {**completion("two")["choices"][0], "index": 1}
    whole = completion("one")
    whole["choices"].append(other)
    backend.answer = Answer([*frames, *ends, b"data: [DONE]\n\n"]) if streams else json_answer(whole)
    assert asked(proxy, face, streams, n=2) == Said("one", "", [])
    assert backend.last.json().get("n", 1) == (2 if face.name == "chat" else 1)


# -- backends that refuse requests, and answers that are asked for again -----------------------------------------------

GOOD = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 3}}\n</tool_call>'
WRONG = GOOD.replace("3}", '"soon"}')
CALLED = [("get_weather", {"city": "Seoul", "days": 3})]
SYSTEM = "Be brief."


def with_system(face: Face) -> Json:
    """Members of a request that give the model a system prompt."""
    if face.name == "responses":
        return {"instructions": SYSTEM}
    if face.name in ("messages", "generate"):
        return {"system": SYSTEM}
    return {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Hi"}]}


def no_tools(request: Json) -> str | Json:
    if request.get("tools"):
        return refusal("registry.ollama.ai/library/some-model does not support tools")
    return GOOD


def no_system(request: Json) -> str | Json:
    if any(message["role"] == "system" for message in request["messages"]):
        return refusal("System role not supported")
    assert SYSTEM in json.dumps(request["messages"])
    return GOOD if request.get("tools") else "It is."


REFUSING: Mapping[str, tuple[Play, str]] = {"tools": (no_tools, "prompted"), "system": (no_system, "adapted:")}


@calling
@both
@pytest.mark.parametrize("what", REFUSING)
def test_a_backend_that_refuses(backend: ScriptedBackend, face: Face, streams: bool, what: str) -> None:
    """The client sees the answer, not the refusal."""
    play, code = REFUSING[what]
    backend.answer = playing(play)
    backend.forget()
    with (
        running_proxy(backend) as proxy,
        proxy.client({**body_of(face, streams), **with_system(face)}, path_of(face)) as client,
    ):
        raw = client.rest()
        assert client.status == 200, raw
        codes = raw.decode() if streams else client.header("x-dragoman-codes") or ""
    assert face.said(face.stream(raw) if streams else face.whole(raw)) == Said("", "", CALLED)
    assert len(backend.requests) == 2
    assert code in codes or face.name == "ollama", "its streams have no place for codes"


@calling
@both
def test_a_wrong_call_is_asked_for_again(backend: ScriptedBackend, face: Face, streams: bool) -> None:
    left = [WRONG, GOOD]
    backend.answer = playing(lambda request: left.pop(0))
    backend.forget()
    with running_proxy(backend, HEAL="retry") as proxy:
        assert asked(proxy, face, streams) == Said("", "", CALLED)
    assert len(backend.requests) == 2
