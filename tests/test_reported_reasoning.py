"""What users reported of reasoning (group 5) and has no fixture: each test is named after the report's number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import (
    DONE,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    whole_stream,
)

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
ENTRY = {"index": 0, "id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


@pytest.mark.parametrize("text", [f"<think>plan</think>{CALL}", f"<think>plan\n{CALL}</think>"])
def test_5_02_reasoning_has_ended_when_a_call_opens(backend: ScriptedBackend, proxy: Proxy, text: str) -> None:
    backend.answer = Answer(said(*text))
    streamed = whole_stream(proxy.streamed(ask()))
    message = message_of(streamed)
    assert (message["reasoning_content"], len(message["calls"]), message["content"]) == ("plan", 1, "")
    kinds = ["call" if "tool_calls" in each["delta"] else "thought" if "reasoning_content" in each["delta"] else ""
             for each in streamed.choices()]  # fmt: skip
    assert "thought" not in kinds[kinds.index("call") :]


NAMES = {
    "reasoning_content": {"reasoning_content"},
    "reasoning": {"reasoning"},
    "both": {"reasoning_content", "reasoning"},
    "none": set[str](),
}


@pytest.mark.parametrize("theirs", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("field", NAMES)
def test_5_05_reasoning_has_the_name_that_was_set(backend: ScriptedBackend, field: str, theirs: str) -> None:
    deltas: list[Json] = [{"role": "assistant"}, {theirs: "hmm"}, {theirs: " so"}, {"content": "Hi"}]
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        backend.answer = Answer([*(frame(chunk(delta)) for delta in deltas), frame(chunk({}, "stop")), DONE])
        streamed = message_of(whole_stream(proxy.streamed(ask())))
        backend.answer = json_answer(completion("Hi", **{theirs: "hmm so"}))
        buffered = message_in(proxy.buffered(ask(stream=False)))
    assert streamed == buffered
    assert {name: streamed.get(name) for name in NAMES[field]} == dict.fromkeys(NAMES[field], "hmm so")
    assert not {"reasoning", "reasoning_content"} - NAMES[field] & streamed.keys()


@pytest.mark.parametrize("reason", ["stop", "length"])
@pytest.mark.parametrize("way", ["split", "tags"])
def test_5_06_reasoning_is_not_silently_made_the_answer(
    backend: ScriptedBackend, proxy: Proxy, reason: str, way: str
) -> None:
    thought = "Now I understand…"
    delta: Any = {"reasoning_content": thought} if way == "split" else {"content": f"<think>{thought}</think>"}
    backend.answer = Answer([frame(chunk({"role": "assistant"})), frame(chunk(delta)), frame(chunk({}, reason)), DONE])
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert (message["content"], message["reasoning_content"], message["reasons"]) == ("", thought, [reason])


def test_5_06_nor_is_it_lost_beside_a_call(backend: ScriptedBackend, proxy: Proxy) -> None:
    deltas: list[Json] = [{"role": "assistant"}, {"reasoning": "hm"}, {"tool_calls": [ENTRY]}]
    backend.answer = Answer([*(frame(chunk(delta)) for delta in deltas), frame(chunk({}, "tool_calls")), DONE])
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert (message["reasoning_content"], len(message["calls"])) == ("hm", 1)
