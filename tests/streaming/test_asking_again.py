"""HEAL=retry through the proxy: a call that cannot be run is asked for again, and text of the first answer stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.answers import (
    KEEP_ALIVE,
    Answer,
    Json,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_of,
    read_stream,
    said,
)
from tests.cases import in_one_test
from tests.servers import Received, ScriptedBackend, running_proxy
from tests.streaming.refusing import Asker, Told, playing, refusal


def call(name: str = "get_weather", days: object = 3, close: str = "}}\n</tool_call>") -> str:
    arguments = f'{{"city": "Seoul", "days": {days}'
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}{close}'


GOOD = call()
MISFIT = call(days='"soon"')
UNKNOWN = call(name="get_wether_report")
UNREADABLE = call(days='"so', close="")
CALLED = [{"name": "get_weather", "arguments": '{"city": "Seoul", "days": 3}'}]


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


both = pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])


def answering(backend: ScriptedBackend, *texts: str | Json) -> None:
    """The backend gives these answers one after the other, then the last again and again."""
    left = list(texts)
    backend.answer = playing(lambda asked: left.pop(0) if len(left) > 1 else left[0])


def told(
    backend: ScriptedBackend, stream: bool, *texts: str | Json, settings: Sequence[str] = (), **more: object
) -> Told:
    answering(backend, *texts)
    backend.forget()
    given = dict(setting.split("=") for setting in settings)
    with running_proxy(backend, **{"HEAL": "retry", **given}) as proxy:
        return Asker(proxy, stream)(**more)


@both
@pytest.mark.parametrize("wrong", [MISFIT, UNKNOWN, UNREADABLE], ids=["misfit", "undeclared", "unreadable"])
def test_a_wrong_call_is_asked_for_again(backend: ScriptedBackend, stream: bool, wrong: str) -> None:
    found = told(backend, stream, f"Let me look.\n{wrong}", f"Sorry.\n{GOOD}")
    assert found.message["calls"] == CALLED and found.message["reasons"] == ["tool_calls"]
    assert found.message["content"].strip() == "Let me look."
    assert "Sorry." in found.message["reasoning_content"]
    assert "asked_again" in found.codes
    assert len(backend.requests) == 2
    said_again = backend.last.json()["messages"]
    assert [each["role"] for each in said_again] == ["user", "assistant", "tool"]
    (shown,) = said_again[1]["tool_calls"]
    assert shown["id"] == said_again[2]["tool_call_id"]
    assert said_again[2]["content"].startswith("Error: ") and "\n" not in said_again[2]["content"]


@both
def test_the_same_connection_carries_the_next_request(backend: ScriptedBackend, stream: bool) -> None:
    told(backend, stream, MISFIT, GOOD)
    first, second = backend.requests
    assert first.connection == second.connection


@both
def test_all_calls_are_asked_for_again_if_one_is_wrong(backend: ScriptedBackend, stream: bool) -> None:
    found = told(backend, stream, f"{GOOD}\n{MISFIT}", GOOD)
    assert found.message["calls"] == CALLED
    results = [each["content"] for each in backend.last.json()["messages"] if each["role"] == "tool"]
    assert results[0] == "not run: another call was invalid" and results[1].startswith("Error: ")


@both
def test_a_required_call_that_does_not_come_is_demanded(backend: ScriptedBackend, stream: bool) -> None:
    found = told(backend, stream, "It is sunny, I guess.", GOOD, tool_choice="required")
    assert found.message["content"] == "It is sunny, I guess." and found.message["calls"] == CALLED
    last = backend.last.json()["messages"][-1]
    assert last["role"] == "user" and "get_weather" in last["content"]


@both
def test_usage_adds_up(backend: ScriptedBackend, stream: bool) -> None:
    answering(backend, MISFIT, GOOD)
    with running_proxy(backend, HEAL="retry") as proxy:
        if stream:
            streamed = read_stream(proxy.streamed(ask(stream_options={"include_usage": True})))
            usage = next(each["usage"] for each in streamed.chunks if each.get("usage"))
        else:
            usage = proxy.buffered(ask(stream=False))["usage"]
    assert usage == {"prompt_tokens": 10, "completion_tokens": 14, "total_tokens": 24}


@both
def test_attempts_end(backend: ScriptedBackend, stream: bool) -> None:
    """The last calls go out as they are: the client's own validation can still correct the model."""
    found = told(backend, stream, MISFIT)
    assert len(backend.requests) == 3  # HEAL_ATTEMPTS is 2
    assert [each["arguments"] for each in found.message["calls"]] == ['{"city": "Seoul", "days": "soon"}']
    found = told(backend, stream, MISFIT, settings=["HEAL_ATTEMPTS=1"])
    assert len(backend.requests) == 2 and found.message["calls"]


@both
@pytest.mark.parametrize(
    "later", ["I cannot.", refusal("no way"), UNREADABLE], ids=["no call", "refused", "unreadable"]
)
def test_if_asking_again_fails_the_earlier_calls_go_out(
    backend: ScriptedBackend, stream: bool, later: str | Json
) -> None:
    found = told(backend, stream, MISFIT, later)
    assert [each["arguments"] for each in found.message["calls"]] == ['{"city": "Seoul", "days": "soon"}']
    assert found.message["reasons"] == ["tool_calls"] and found.error is None


def _cut(text: str, how: str, stream: bool) -> Answer:
    """An answer of which the end is missing."""
    if how == "length":
        return Answer(said(text, finish="length")) if stream else json_answer(completion(text, "length"))
    if stream:
        return Answer(said(text, finish=None, done=False), ends="broken" if how == "broken" else "well")
    return Answer([b'{"choices": ['], headers=[("Content-Type", "application/json")], ends="broken")


@both
@pytest.mark.parametrize("how", ["length", "broken", "closed"])
@pytest.mark.parametrize("text", [UNREADABLE, GOOD[:-14], GOOD, GOOD + UNREADABLE], ids=["in", "end", "behind", "two"])
def test_a_later_answer_that_is_cut_is_none(backend: ScriptedBackend, stream: bool, how: str, text: str) -> None:
    """Half a call went out as a whole one (found by `make faults`)."""
    for first, delivered in ((MISFIT, ['{"city": "Seoul", "days": "soon"}']), (UNREADABLE, [])):
        backend.forget()
        answers = iter([playing(lambda asked, first=first: first), lambda _: _cut(text, how, stream)])  # type: ignore[misc]
        backend.answer = lambda received, answers=answers: next(answers)(received)
        with running_proxy(backend, HEAL="retry") as proxy:
            found = Asker(proxy, stream)()
        assert [each["arguments"] for each in found.message["calls"]] == delivered
        assert found.error is None and found.message["reasons"] == ["tool_calls" if delivered else "stop"]
        assert len(backend.requests) == 2


@both
def test_without_any_readable_call_the_first_text_stands(backend: ScriptedBackend, stream: bool) -> None:
    found = told(backend, stream, f"Let me look.\n{UNREADABLE}", refusal("no way"))
    assert found.message["calls"] == [] and found.message["reasons"] == ["stop"]
    assert found.message["content"].startswith("Let me look.")
    assert '"so' in found.message["content"], "text that the client has not seen is not lost"


NOT_ASKED: list[tuple[str, str, Json]] = [
    ("a good call", GOOD, {}),
    ("no call, none required", "Hello", {}),
    ("no tools", MISFIT, {"tools": []}),
    ("several answers", MISFIT, {"n": 2}),
    ("repaired", call(days='"3"'), {}),
]


@both
@pytest.mark.parametrize(("text", "more"), [case[1:] for case in NOT_ASKED], ids=[case[0] for case in NOT_ASKED])
def test_what_is_not_asked_for_again(backend: ScriptedBackend, stream: bool, text: str, more: Json) -> None:
    found = told(backend, stream, text, **more)
    assert len(backend.requests) == 1 and "asked_again" not in found.codes


@both
def test_what_length_cut_is_not_asked_for_again(backend: ScriptedBackend, stream: bool) -> None:
    text = call(days='"so', close="")
    backend.answer = Answer(said(text, finish="length")) if stream else json_answer(completion(text, "length"))
    with running_proxy(backend, HEAL="retry") as proxy:
        found = Asker(proxy, stream)()
    assert len(backend.requests) == 1 and found.message["reasons"] == ["length"]


@both
def test_native_calls_are_checked_too(backend: ScriptedBackend, stream: bool) -> None:
    function = {"name": "get_weather", "arguments": '{"city": 3}'}
    entry: Json = {"index": 0, "id": "call_1", "type": "function", "function": function}

    def answer(received: Received) -> Answer:
        if len(backend.requests) > 1:
            return playing(lambda asked: GOOD)(received)
        if not stream:
            return json_answer(completion(None, "tool_calls", tool_calls=[entry]))
        frames = [frame(chunk({"role": "assistant", "tool_calls": [entry]})), frame(chunk({}, "tool_calls"))]
        return Answer([*frames, b"data: [DONE]\n\n"])

    backend.answer = answer
    with running_proxy(backend, HEAL="retry") as proxy:
        found = Asker(proxy, stream)()
    assert found.message["calls"] == CALLED and "asked_again" in found.codes


@both
def test_a_history_that_the_template_refuses_is_adapted_when_asked_again(
    backend: ScriptedBackend, stream: bool
) -> None:
    def play(asked: Json) -> str | Json:
        if any(each["role"] == "tool" for each in asked["messages"]):
            return refusal("Only user and assistant roles are supported!")  # its template knows no role for results
        return MISFIT if len(backend.requests) == 1 else GOOD

    backend.answer = playing(play)
    with running_proxy(backend, HEAL="retry") as proxy:
        found = Asker(proxy, stream)()
    assert found.message["calls"] == CALLED and {"asked_again", "prompted"} <= found.codes
    assert len(backend.requests) == 3


def test_heartbeats_go_on_while_it_is_asked_again(backend: ScriptedBackend) -> None:
    def slow(received: Received) -> Answer:
        return Answer(said(MISFIT if len(backend.requests) == 1 else GOOD), before=[0.3])

    backend.answer = slow
    with running_proxy(backend, HEAL="retry", KEEPALIVE_SECONDS="0.1") as proxy:
        raw = proxy.streamed(ask())
    assert raw.count(KEEP_ALIVE) >= 4
    assert message_of(read_stream(raw))["calls"] == CALLED


@in_one_test("text", [MISFIT, UNKNOWN, UNREADABLE, f"Look.\n{GOOD}\n{MISFIT}"], ids=str)
def test_streamed_is_buffered_at_every_cut(text: str) -> None:
    with ScriptedBackend() as backend, running_proxy(backend, HEAL="retry") as proxy:
        answering(backend, text, GOOD)
        whole = Asker(proxy, False)().message
        for cut in range(1, len(text), 3):
            backend.forget()

            def answer(received: Received, cut: int = cut) -> Answer:
                return Answer(said(text[:cut], text[cut:]) if len(backend.requests) == 1 else said(GOOD))

            backend.answer = answer
            assert Asker(proxy, True)().message == whole, cut
