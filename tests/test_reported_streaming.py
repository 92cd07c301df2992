"""What users reported of streams (group 3) and has no fixture: each test is named after the report's number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers import (
    DONE,
    TOP,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    said,
    whole_stream,
)

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "서울", "days": 3}}\n</tool_call>'
ARGUMENTS = '{"city": "서울", "days": 3}'
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def entry(index: int, name: str = "get_weather", arguments: str = ARGUMENTS) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


def native(*entries: Json, finish: str = "tool_calls") -> list[bytes]:
    deltas: list[Json] = [{"role": "assistant", "content": None}, *({"tool_calls": [each]} for each in entries)]
    return [*(frame(chunk(delta)) for delta in deltas), frame(chunk({}, finish)), DONE]


def test_3_05_one_call_at_several_indexes_is_not_taken_for_one(backend: ScriptedBackend, proxy: Proxy) -> None:
    """Nobody can tell it from a model that means it three times, and identical calls are kept."""
    frames = native(entry(0), entry(1), entry(2))
    backend.answer = Answer(frames)
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert [call["arguments"] for call in message["calls"]] == [ARGUMENTS] * 3


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_3_13_length_is_never_hidden(backend: ScriptedBackend, proxy: Proxy, reason: str) -> None:
    for frames in (native(entry(0), finish=reason), said("Hi. ", CALL, finish=reason)):
        backend.answer = Answer(frames)
        message = message_of(whole_stream(proxy.streamed(ask())))
        assert message["reasons"] == [reason] and len(message["calls"]) == 1
    call = {name: value for name, value in entry(0).items() if name != "index"}
    for reply in (completion(None, reason, tool_calls=[call]), completion(CALL, reason)):
        backend.answer = json_answer(reply)
        message = message_in(proxy.buffered(ask(stream=False)))
        assert message["reasons"] == [reason] and len(message["calls"]) == 1


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("text", ["Hi", CALL])
def test_3_15_chunks_without_choices_reach_only_who_asked(
    backend: ScriptedBackend, proxy: Proxy, asked: bool, text: str
) -> None:
    backend.answer = Answer([*said(text, done=False), frame({**TOP, "choices": [], "usage": USAGE}), DONE])
    request = ask(stream_options={"include_usage": True}) if asked else ask()
    streamed = whole_stream(proxy.streamed(request))
    assert [event["usage"] for event in streamed.chunks if not event["choices"]] == ([USAGE] if asked else [])


@pytest.mark.parametrize("text", ["bye", CALL])
@pytest.mark.parametrize(("finish", "done"), [("stop", False), (None, True)], ids=["no [DONE]", "no finish"])
def test_3_16_a_stream_without_its_end_is_given_one(
    backend: ScriptedBackend, proxy: Proxy, text: str, finish: str | None, done: bool
) -> None:
    backend.answer = Answer(said(text, finish=finish, done=done))
    streamed = whole_stream(proxy.streamed(ask()))
    assert streamed.reasons() == ["tool_calls" if text == CALL else "stop"]


@pytest.mark.parametrize("text", ["bye", CALL])
def test_3_16_but_not_if_it_has_neither(backend: ScriptedBackend, proxy: Proxy, text: str) -> None:
    """So it looks where the backend was killed, however well the framing of HTTP ended (defect A8)."""
    backend.answer = Answer(said(text, finish=None, done=False))
    streamed = broken_stream(proxy.streamed(ask()))
    assert [error["code"] for error in streamed.errors] == ["backend_interrupted"]


def test_3_16_but_not_if_it_broke_off(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(said("bye", finish=None, done=False), ends="broken")
    broken_stream(proxy.streamed(ask()))


TEXTS = ["Hi.", CALL, f"Hi. {CALL} {CALL}", f"<think>Hm.</think>{CALL}", f"{CALL}\nDone.", "<tool_call>", "a < b"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_3_17_streamed_and_buffered_agree(backend: ScriptedBackend, proxy: Proxy, text: str, size: int) -> None:
    backend.answer = Answer(said(*(text[at : at + size] for at in range(0, len(text), size))))
    streamed = message_of(whole_stream(proxy.streamed(ask())))
    backend.answer = json_answer(completion(text))
    assert streamed == message_in(proxy.buffered(ask(stream=False)))


def test_3_18_a_gate_opens_again(backend: ScriptedBackend, proxy: Proxy) -> None:
    """A text that begins like a call flows as soon as it can be none, long before its end."""
    backend.answer = Answer([*said("<tool_call>", *[" no call at all"] * 40, finish=None, done=False), 5.0])
    with proxy.client(ask()) as client:
        client.until("no call at all", within=2)


@pytest.mark.parametrize("emoji", ["🌦️", "서울", "あ"])
def test_3_19_a_character_is_cut_at_every_byte(backend: ScriptedBackend, proxy: Proxy, emoji: str) -> None:
    frames = said(f"Hi {emoji}. ", CALL.replace("서울", emoji))
    wire = b"".join(frames)
    places = [at for at in range(1, len(wire)) if wire[at] & 0xC0 == 0x80]
    pieces: list[Any] = []
    for start, end in zip([0, *places], [*places, len(wire)], strict=True):
        pieces += [wire[start:end], 0.001]
    backend.answer = Answer(pieces)
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert message["content"] == f"Hi {emoji}."
    assert json.loads(message["calls"][0]["arguments"])["city"] == emoji


@pytest.mark.parametrize("indexed", [True, False])
def test_3_20_text_in_one_choice_and_the_call_in_another(backend: ScriptedBackend, proxy: Proxy, indexed: bool) -> None:
    place = {"index": 0} if indexed else {}
    call = {name: value for name, value in entry(0).items() if name != "index"}
    first = {**place, "message": {"role": "assistant", "content": "I'll"}, "finish_reason": "tool_calls"}
    second = {**place, "message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "stop"}
    backend.answer = json_answer({**completion(""), "choices": [first, second]})
    expected = {
        "role": "assistant",
        "content": "I'll",
        "calls": [{"name": "get_weather", "arguments": ARGUMENTS}],
        "reasons": ["tool_calls"],
    }
    assert message_in(proxy.buffered(ask(stream=False))) == expected
    deltas: list[Json] = [{"role": "assistant", "content": "I'll"}, {"tool_calls": [entry(0)]}]
    both = {**TOP, "choices": [{**place, "delta": delta} for delta in deltas]}
    backend.answer = Answer([frame(both), frame(chunk({}, "tool_calls")), DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed) == expected
    assert all(len(event["choices"]) == 1 for event in streamed.chunks)


@pytest.mark.parametrize("name", ["id", "object", "created", "model"])
def test_3_22_missing_fields_of_the_envelope(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    whole = {key: value for key, value in completion("Hi").items() if key != name}
    whole["choices"] = [{key: value for key, value in whole["choices"][0].items() if key != "index"}]
    backend.answer = json_answer(whole)
    reply = proxy.buffered(ask(stream=False))
    assert isinstance(reply[name], int if name == "created" else str)
    assert message_in(reply)["content"] == "Hi"
    chunks = [chunk({"role": "assistant"}), chunk({"content": "Hi. "}), chunk({"content": CALL}), chunk({}, "stop")]
    for each in chunks:
        del each[name], each["choices"][0]["index"]
    backend.answer = Answer([*map(frame, chunks), DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed)["content"] == "Hi."
    assert all(event["object"] == "chat.completion.chunk" for event in streamed.chunks)


@pytest.mark.parametrize("stream", [True, False])
def test_3_23_an_empty_list_of_tools_is_not_sent(backend: ScriptedBackend, proxy: Proxy, stream: bool) -> None:
    backend.answer = Answer(said("Hi")) if stream else json_answer(completion("Hi"))
    with proxy.client({**ask(stream), "tools": [], "tool_choice": "auto", "parallel_tool_calls": False}) as client:
        client.rest()
    assert backend.last.json().keys() == ask(stream, tools=[]).keys()
