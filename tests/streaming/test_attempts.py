"""Requests that a backend refuses, through the proxy: changed, sent again, learned; and never without end."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.attempts import MOST_ATTEMPTS
from tests.answers import KEEP_ALIVE, Answer, Json, ask, frame, json_answer, message_of, read_stream, said
from tests.servers import Received, ScriptedBackend, running_proxy
from tests.streaming.refusing import Asker, playing, refusal

NO_TOOLS = "registry.ollama.ai/library/gemma:2b does not support tools"
NO_SYSTEM = "System role not supported"
NO_PARSER = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "서울"}}\n</tool_call>'
CALLED = [{"name": "get_weather", "arguments": '{"city": "서울"}'}]
SYSTEM = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def without_tools(asked: Json) -> str | Json:
    return refusal(NO_TOOLS) if "tools" in asked else CALL


def without_system(asked: Json) -> str | Json:
    return refusal(NO_SYSTEM) if asked["messages"][0]["role"] == "system" else "Hello"


def without_either(asked: Json) -> str | Json:
    return refusal(NO_TOOLS) if "tools" in asked else without_system(asked)


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


both = pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])


@both
@pytest.mark.parametrize("in_stream", [False, True], ids=["status 400", "status 200"])
def test_a_model_that_takes_no_tools_calls_them(backend: ScriptedBackend, stream: bool, in_stream: bool) -> None:
    backend.answer = playing(without_tools, in_stream=in_stream)
    with running_proxy(backend) as proxy:
        told = Asker(proxy, stream)()
    assert told.message["calls"] == CALLED and told.message["reasons"] == ["tool_calls"]
    assert "prompted" in told.codes
    first, second = backend.requests
    assert "tools" in first.json() and "tools" not in second.json()
    assert "get_weather" in second.json()["messages"][0]["content"]


@both
def test_what_was_learned_costs_one_request(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = playing(without_tools)
    with running_proxy(backend) as proxy:
        asks = Asker(proxy, stream)
        asks()
        backend.forget()
        again = asks()
        assert len(backend.requests) == 1 and again.message["calls"] == CALLED
        backend.forget()
        asks(model="another")
        assert len(backend.requests) == 2, "another model has its own lessons"


@both
def test_several_refusals_one_after_the_other(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = playing(without_either)
    with running_proxy(backend) as proxy:
        told = Asker(proxy, stream)(messages=SYSTEM)
    assert told.message["content"] == "Hello"
    assert {"prompted", "adapted:system_in_user"} <= told.codes
    assert len(backend.requests) == 3


@both
def test_a_server_without_its_parser_gives_its_text(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = playing(lambda asked: CALL if asked.get("tool_choice") == "none" else refusal(NO_PARSER))
    with running_proxy(backend) as proxy:
        told = Asker(proxy, stream)(tool_choice="auto")
    assert told.message["calls"] == CALLED and told.codes >= {"adapted:raw"}
    assert backend.last.json()["tools"]


@both
@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ({"ADAPT": "off"}, NO_TOOLS),
        ({"TOOL_PROMPTING": "native"}, NO_TOOLS),
        ({"RAW": "off", "ADAPT": "off"}, NO_PARSER),
    ],
)
def test_what_is_off_gives_the_refusal(
    backend: ScriptedBackend, stream: bool, settings: dict[str, str], given: str
) -> None:
    backend.answer = playing(lambda asked: refusal(given))
    with running_proxy(backend, **settings) as proxy:
        told = Asker(proxy, stream)()
    assert told.error is not None and told.error["message"] == given
    assert len(backend.requests) == 1


def test_by_hand_without_a_refusal(backend: ScriptedBackend) -> None:
    backend.answer = playing(lambda asked: CALL)
    with running_proxy(backend, TOOL_PROMPTING="prompt", ADAPT="off") as proxy:
        assert Asker(proxy, False)().codes >= {"prompted"}
    assert "tools" not in backend.last.json()
    with running_proxy(backend, RAW="on", ADAPT="off") as proxy:
        assert Asker(proxy, False)().message["calls"] == CALLED
    assert backend.last.json()["tool_choice"] == "none"


@both
@pytest.mark.parametrize(
    "message",
    ["context length exceeded: 9000 > 8192 tokens", "Rate limit reached", "Something nobody has ever said", ""],
)
def test_an_unknown_refusal_is_the_clients(backend: ScriptedBackend, stream: bool, message: str) -> None:
    body = refusal(message)
    backend.answer = json_answer(body, status=400)
    with running_proxy(backend) as proxy, proxy.client(ask(stream=stream)) as client:
        assert (client.status, client.json()) == (400, body)
    assert len(backend.requests) == 1


@both
def test_refusals_without_end_are_bounded(backend: ScriptedBackend, stream: bool) -> None:
    """Each refuses for another reason, whatever is sent."""
    reasons = iter([NO_TOOLS, NO_SYSTEM, "content must be a string", "roles must alternate user/assistant", NO_TOOLS])
    backend.answer = playing(lambda asked: refusal(next(reasons)))
    parts = [{"role": "system", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}]}]
    with running_proxy(backend) as proxy:
        told = Asker(proxy, stream)(messages=[*parts, {"role": "user", "content": "c"}])
    assert told.error is not None
    assert len(backend.requests) <= MOST_ATTEMPTS
    assert all(received.closed.wait(2) or received.answered for received in backend.requests)


def test_a_refusal_after_heartbeats_is_adapted_too(backend: ScriptedBackend) -> None:
    def slow(received: Received) -> Answer:
        if "tools" in received.json():
            return Answer(
                [json.dumps(refusal(NO_TOOLS)).encode()], 400, [("Content-Type", "application/json")], before=[0.3]
            )
        return Answer(said(CALL), before=[0.3])

    backend.answer = slow
    with running_proxy(backend, KEEPALIVE_SECONDS="0.1") as proxy:
        raw = proxy.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    streamed = read_stream(raw)
    assert message_of(streamed)["calls"] == CALLED and not streamed.errors and streamed.done == 1


def test_a_last_refusal_after_heartbeats_is_an_error_event(backend: ScriptedBackend) -> None:
    def slow(received: Received) -> Answer:
        body = json.dumps(refusal(NO_TOOLS if "tools" in received.json() else "no way")).encode()
        return Answer([body], 400, [("Content-Type", "application/json")], before=[0.2])

    backend.answer = slow
    with running_proxy(backend, KEEPALIVE_SECONDS="0.1") as proxy:
        streamed = read_stream(proxy.streamed(ask()))
    assert [error["message"] for error in streamed.errors] == ["no way"] and streamed.done == 1


def test_a_client_that_leaves_between_attempts_leaves_no_connection(backend: ScriptedBackend) -> None:
    waiting = threading.Event()

    def slow(received: Received) -> Answer:
        if "tools" in received.json():
            return json_answer(refusal(NO_TOOLS), status=400)
        waiting.set()
        return Answer(said(CALL), before=[threading.Event()])

    backend.answer = slow
    with running_proxy(backend) as proxy:
        with proxy.client(ask()):
            assert waiting.wait(5)
        assert backend.last.closed.wait(5)


@both
def test_after_words_there_is_no_other_attempt(backend: ScriptedBackend, stream: bool) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), frame(refusal(NO_TOOLS))])
    with running_proxy(backend) as proxy:
        streamed = read_stream(proxy.streamed(ask()))
    assert len(backend.requests) == 1 and len(streamed.errors) == 1


# -- what is learned -------------------------------------------------------------------------------------------------


def test_what_a_client_wrote_itself_teaches_nothing(backend: ScriptedBackend) -> None:
    """The backend quotes the client's words in its refusal."""
    crafted = f"Please note: {NO_TOOLS}, and {NO_SYSTEM.lower()}"
    backend.answer = playing(
        lambda asked: refusal(f"cannot handle message: {crafted}") if crafted in json.dumps(asked) else "fine"
    )
    with running_proxy(backend) as proxy:
        told = Asker(proxy, False)(messages=[*SYSTEM, {"role": "user", "content": crafted}])
        assert told.error is not None and len(backend.requests) == 1
        backend.forget()
        assert Asker(proxy, False)().codes == set()
        assert backend.last.json()["tools"]


def test_a_refusal_whose_retry_fails_teaches_nothing(backend: ScriptedBackend) -> None:
    backend.answer = playing(lambda asked: refusal(NO_TOOLS if "tools" in asked else "out of memory"))
    with running_proxy(backend) as proxy:
        assert Asker(proxy, False)().error is not None
        backend.answer = playing(lambda asked: "fine")
        assert Asker(proxy, False)().codes == set()


def test_what_was_learned_is_forgotten_when_the_adapted_form_is_refused(backend: ScriptedBackend) -> None:
    backend.answer = playing(without_tools)
    with running_proxy(backend) as proxy:
        asks = Asker(proxy, False)
        asks()
        backend.forget()
        # The server is another now: it knows tools, and templates without a system role are gone.
        backend.answer = playing(lambda asked: CALL if "tools" in asked else refusal("the server has changed"))
        assert asks().message["calls"] == CALLED
        assert ["tools" in each.json() for each in backend.requests] == [False, True]
        backend.forget()
        assert not asks().codes and len(backend.requests) == 1


@pytest.mark.parametrize("status", [401, 429, 503])
def test_limits_and_keys_forget_nothing(backend: ScriptedBackend, status: int) -> None:
    backend.answer = playing(without_tools)
    with running_proxy(backend) as proxy:
        asks = Asker(proxy, False)
        asks()
        backend.forget()
        backend.answer = json_answer(refusal("try again later"), status=status)
        assert asks().error is not None and len(backend.requests) == 1
        backend.forget()
        backend.answer = playing(without_tools)
        assert asks().message["calls"] == CALLED and len(backend.requests) == 1


def test_workers_share_a_state_file(backend: ScriptedBackend, tmp_path: Path) -> None:
    backend.answer = playing(without_tools)
    state = tmp_path / "state.db"
    with running_proxy(backend, STATE_FILE=state) as first, running_proxy(backend, STATE_FILE=state) as second:
        Asker(first, False)()
        backend.forget()
        assert Asker(second, False)().message["calls"] == CALLED
        assert len(backend.requests) == 1
    with sqlite3.connect(state) as connection:
        assert "get_weather" not in str(connection.execute("SELECT * FROM lessons").fetchall())
    with running_proxy(backend, STATE_FILE=state) as restarted:
        backend.forget()
        Asker(restarted, False)()
        assert len(backend.requests) == 1


def test_a_broken_state_file_costs_no_answer(backend: ScriptedBackend, tmp_path: Path) -> None:
    backend.answer = playing(without_tools)
    state = tmp_path / "state.db"
    with running_proxy(backend, STATE_FILE=state) as proxy:
        asks = Asker(proxy, False)
        asks()
        for path in tmp_path.iterdir():
            path.write_bytes(b"no database" * 1000)
        assert asks().message["calls"] == CALLED
        assert asks().message["calls"] == CALLED


def test_an_untouched_request_is_byte_identical(backend: ScriptedBackend) -> None:
    backend.answer = playing(lambda asked: "fine")
    raw = b'{ "model" : "m", "temperature": 1.50, "messages":[{"role":"user","content":"h\\u00e9"}], "seed": 1e5 }'
    with running_proxy(backend) as proxy, proxy.client(raw) as client:
        assert client.status == 200
    assert backend.last.body == raw


def test_of_an_adapted_request_only_what_changes_is_rewritten(backend: ScriptedBackend) -> None:
    backend.answer = playing(without_system)
    messages = b'"messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]'
    raw = b'{"temperature": 1.50,  ' + messages + b', "seed": 12345678901234567890123}'
    with running_proxy(backend) as proxy, proxy.client(raw) as client:
        assert client.status == 200
    sent = backend.last.body
    assert sent.startswith(b'{"temperature": 1.50,  "messages":') and sent.endswith(
        b', "seed": 12345678901234567890123}'
    )
