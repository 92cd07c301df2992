"""The wire where no narrower test looks: long lines, the old functions, several choices, fields of vendors."""

from __future__ import annotations

import json
import time
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
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    read_stream,
    said,
    whole_stream,
)

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "서울", "days": 3}}\n</tool_call>'
FUNCTION = {"name": "get_weather", "arguments": '{"city": "서울", "days": 3}'}
ENTRY: Json = {"index": 0, "id": "call_1", "type": "function", "function": FUNCTION}


# -- lines of any length -----------------------------------------------------------------------------------------------

MEGABYTE = "0123456789abcdef" * 65536


@pytest.mark.parametrize("way", ["text", "call", "native"])
def test_a_line_of_a_megabyte(backend: ScriptedBackend, proxy: Proxy, way: str) -> None:
    arguments = json.dumps({"path": "a", "content": MEGABYTE})
    function = {"name": "write_file", "arguments": arguments}
    deltas: dict[str, Json] = {
        "text": {"content": MEGABYTE},
        "call": {
            "content": f"<tool_call>\n{json.dumps({**function, 'arguments': json.loads(arguments)})}\n</tool_call>"
        },
        "native": {"tool_calls": [{**ENTRY, "function": function}]},
    }
    body = b"".join([frame(chunk({"role": "assistant"})), frame(chunk(deltas[way])), frame(chunk({}, "stop")), DONE])
    backend.answer = Answer([body[at : at + 9973] for at in range(0, len(body), 9973)])
    started = time.monotonic()
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert time.monotonic() - started < 5
    assert message["content"] == (MEGABYTE if way == "text" else "")
    assert [json.loads(call["arguments"]) for call in message["calls"]] == (
        [] if way == "text" else [json.loads(arguments)]
    )


# -- the old functions -------------------------------------------------------------------------------------------------

LEGACY: Json = {"functions": [{"name": "get_weather", "parameters": {"type": "object"}}], "function_call": "auto"}
OLD = [
    {"function_call": {"name": "get_weather", "arguments": ""}},
    {"function_call": {"arguments": FUNCTION["arguments"]}},
]


def legacy_message(raw: bytes) -> Json:
    streamed = whole_stream(raw)
    found = {"name": "", "arguments": ""}
    for choice in streamed.choices():
        assert "tool_calls" not in choice["delta"]
        for name, piece in choice["delta"].get("function_call", {}).items():
            found[name] += piece
    return {**found, "reasons": streamed.reasons()}


ANSWERS: dict[str, tuple[list[Json], str]] = {
    "in the text": ([{"content": "Hi. "}, {"content": CALL}], "stop"),
    "native and old": (OLD, "function_call"),
    "native and old, with a wrong reason": (OLD, "stop"),
    "native and new": ([{"tool_calls": [ENTRY]}], "tool_calls"),
    "two": ([{"tool_calls": [ENTRY]}, {"tool_calls": [{**ENTRY, "index": 1, "id": "call_2"}]}], "tool_calls"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_old_functions_are_answered_in_their_form_in_a_stream(
    backend: ScriptedBackend, proxy: Proxy, case: str
) -> None:
    deltas, reason = ANSWERS[case]
    frames = [*(frame(chunk(delta)) for delta in ({"role": "assistant"}, *deltas)), frame(chunk({}, reason)), DONE]
    backend.answer = Answer(frames)
    raw = proxy.streamed(ask(tools=[], **LEGACY))
    assert legacy_message(raw) == {**FUNCTION, "reasons": ["function_call"]}
    if case == "native and old":
        assert b"outcome=untouched" in raw and all(each in raw for each in frames)


@pytest.mark.parametrize("case", ["in the text", "native and old", "native and new", "two"])
def test_and_in_a_whole_answer(backend: ScriptedBackend, proxy: Proxy, case: str) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "index"}
    messages: dict[str, Json] = {
        "in the text": completion(CALL),
        "native and old": completion(None, "function_call", function_call=FUNCTION),
        "native and new": completion(None, "tool_calls", tool_calls=[entry]),
        "two": completion(None, "tool_calls", tool_calls=[entry, {**entry, "id": "call_2"}]),
    }
    backend.answer = json_answer(messages[case])
    [choice] = proxy.buffered(ask(stream=False, tools=[], **LEGACY))["choices"]
    assert choice["message"]["function_call"] == FUNCTION and "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


# -- several choices, and fields that nobody here knows ----------------------------------------------------------------


def test_each_choice_has_its_own_native_calls(backend: ScriptedBackend, proxy: Proxy) -> None:
    second = {**ENTRY, "index": 1, "id": "call_2"}
    broken = {**ENTRY, "id": None}
    frames = [
        *(frame(chunk({"role": "assistant"}, index=at)) for at in (0, 1)),
        frame(chunk({"tool_calls": [ENTRY]})),
        frame(chunk({"tool_calls": [broken]}, index=1)),
        frame(chunk({"tool_calls": [second]})),
        *(frame(chunk({}, "tool_calls", index=at)) for at in (0, 1)),
        DONE,
    ]
    backend.answer = Answer(frames)
    raw = proxy.streamed(ask(n=2))
    streamed = whole_stream(raw)
    assert [len(message_of(streamed, at)["calls"]) for at in (0, 1)] == [2, 1]
    assert all(each in raw for each in (frames[2], frames[4]))
    assert "native_id" in streamed.outcome


LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}


@pytest.mark.parametrize("text", ["Hi", f"Hi. {CALL}", "<think>Hm.</think>Hi"])
def test_logprobs_stay_with_the_content_they_are_of(backend: ScriptedBackend, proxy: Proxy, text: str) -> None:
    whole = completion(text)
    whole["choices"][0]["logprobs"] = LOGPROBS
    backend.answer = json_answer(whole)
    [choice] = proxy.buffered(ask(stream=False))["choices"]
    assert choice["logprobs"] == (LOGPROBS if text == "Hi" else None)
    delta = chunk({"content": text})
    delta["choices"][0]["logprobs"] = LOGPROBS
    backend.answer = Answer([frame(chunk({"role": "assistant"})), frame(delta), frame(chunk({}, "stop")), DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    assert [each["logprobs"] for each in streamed.choices() if each.get("logprobs")] == (
        [LOGPROBS] if text == "Hi" else []
    )


def _token(text: str) -> Json:
    return {"content": [{"token": text, "logprob": -0.1, "bytes": None, "top_logprobs": []}], "refusal": None}


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        (["Hello ", "big ", "world"], ["Hello ", "big ", "world"]),
        (["Hello", " ", "\n", "big", " world\n"], ["Hello", " ", "\n", "big", " world\n"]),
        (["Hello ", " ", "world "], ["Hello ", " ", "world "]),
        (["a <tool", "box ", "b"], ["a <tool", "box ", "b"]),
        (["Sure", ". ", " ", CALL], ["Sure", ". "]),
        (["a <tool", CALL[5:]], []),
        (["<think>", "Hm", " so ", "</think>", "Hi ", "all"], ["Hi ", "all"]),
    ],
)
@pytest.mark.parametrize("tail", ["", " "])
def test_defect_b14_logprobs_leave_with_the_text_of_their_chunk(
    backend: ScriptedBackend, proxy: Proxy, pieces: list[str], kept: list[str], tail: str
) -> None:
    frames = []
    for piece in pieces:
        delta = chunk({"content": piece})
        delta["choices"][0]["logprobs"] = _token(piece)
        frames.append(frame(delta))
    end = chunk({"content": tail} if tail else {}, "stop")
    backend.answer = Answer([frame(chunk({"role": "assistant"})), *frames, frame(end), DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    told = [each["logprobs"]["content"] for each in streamed.choices() if each.get("logprobs")]
    assert [token["token"] for tokens in told for token in tokens] == kept
    assert all(each["delta"].get("content") for each in streamed.choices() if each.get("logprobs"))


def test_defect_b14_logprobs_of_a_whole_answer_are_streamed(backend: ScriptedBackend, proxy: Proxy) -> None:
    whole = completion("Hi")
    whole["choices"][0]["logprobs"] = LOGPROBS
    backend.answer = json_answer(whole)
    streamed = whole_stream(proxy.streamed(ask()))
    assert [each["logprobs"] for each in streamed.choices() if each.get("logprobs")] == [LOGPROBS]


def test_logprobs_stay_where_only_the_calls_were_repaired(backend: ScriptedBackend, proxy: Proxy) -> None:
    whole = completion("Hi", "stop", tool_calls=[{"id": "", "type": "function", "function": FUNCTION}])
    whole["choices"][0]["logprobs"] = LOGPROBS
    backend.answer = json_answer(whole)
    [choice] = proxy.buffered(ask(stream=False))["choices"]
    assert choice["logprobs"] == LOGPROBS and choice["message"]["tool_calls"][0]["id"]


FIELDS: Json = {
    "refusal": None,
    "annotations": [{"type": "url_citation"}],
    "audio": {"id": "a", "data": "UklG"},
    "vendor": {"score": 1.5},
}
AROUND: Json = {"system_fingerprint": "fp", "service_tier": "default", "timings": {"predicted_ms": 2.5}}


@pytest.mark.parametrize("text", ["Hi", CALL])
def test_fields_that_we_do_not_know_survive(backend: ScriptedBackend, proxy: Proxy, text: str) -> None:
    backend.answer = json_answer({**completion(text, **FIELDS), **AROUND})
    reply = proxy.buffered(ask(stream=False))
    assert {name: reply["choices"][0]["message"][name] for name in FIELDS} == FIELDS
    assert {name: reply[name] for name in AROUND} == AROUND


def test_fields_beside_calls_that_were_repaired_survive(backend: ScriptedBackend, proxy: Proxy) -> None:
    delta = {"tool_calls": [{**ENTRY, "id": None}], "vendor": {"score": 1.5}}
    frames = [frame(chunk({"role": "assistant"})), frame(chunk(delta)), frame(chunk({}, "stop", **AROUND)), DONE]
    backend.answer = Answer(frames)
    streamed = whole_stream(proxy.streamed(ask()))
    assert [each["delta"]["vendor"] for each in streamed.choices() if "vendor" in each["delta"]] == [{"score": 1.5}]
    assert {name: streamed.chunks[-1].get(name) for name in AROUND} == AROUND


def test_what_is_wrong_around_the_words_is_mended_in_place(backend: ScriptedBackend, proxy: Proxy) -> None:
    """SGLang says `tool_calls: null` in each delta. The rest of the chunk is not ours to lose."""
    delta = '{"id": "x", "choices": [{"index": 0, "delta": {"content": "Hi", "tool_calls": null}, "score": 1.50}]}'
    backend.answer = Answer([frame(chunk({"role": "assistant"})), f": a\ndata: {delta}\n\n".encode(), *said()[1:]])
    raw = proxy.streamed(ask())
    mended = delta.replace(', "tool_calls": null', "").replace("]}", '], "object": "chat.completion.chunk"}')
    assert f": a\n\ndata: {mended}\n\n".encode() in raw
    assert "native_empty" in read_stream(raw).outcome


# -- the outcome -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls", "outcome"),
    [
        ([ENTRY], "untouched"),
        ([{**ENTRY, "id": ""}], "repaired"),
        ([{**ENTRY, "function": {**FUNCTION, "arguments": {}}}], "repaired"),
    ],
)
def test_the_outcome_of_native_calls(backend: ScriptedBackend, proxy: Proxy, calls: list[Json], outcome: str) -> None:
    frames = [frame(chunk({"role": "assistant"})), frame(chunk({"tool_calls": calls})), frame(chunk({}, "tool_calls"))]
    backend.answer = Answer([*frames, DONE])
    raw = proxy.streamed(ask())
    assert f"outcome={outcome}" in read_stream(raw).last_comment
    whole = [{name: value for name, value in each.items() if name != "index"} for each in calls]
    backend.answer = json_answer(completion(None, "tool_calls", tool_calls=whole))
    with proxy.client(ask(stream=False)) as client:
        message_in(client.json())
        assert client.header("x-dragoman-outcome") == outcome
        assert client.header("x-dragoman-syntax") is None


def test_a_right_answer_in_json_is_no_repair(backend: ScriptedBackend, proxy: Proxy) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != "index"}
    for reply in (completion("Hi"), completion(None, "tool_calls", tool_calls=[entry, {**entry, "id": "call_2"}])):
        backend.answer = json_answer(reply)
        streamed = whole_stream(proxy.streamed(ask()))
        assert streamed.last_comment == "dragoman outcome=untouched"
        assert message_of(streamed) == message_in(reply)


def test_ids_of_the_history_do_not_come_again(backend: ScriptedBackend, proxy: Proxy) -> None:
    history: list[Any] = [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": FUNCTION}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    backend.answer = Answer([frame(chunk({"role": "assistant"})), frame(chunk({"tool_calls": [ENTRY]})), *said()[1:]])
    streamed = whole_stream(proxy.streamed({**ask(), "messages": history}))
    [entry] = [each for choice in streamed.choices() for each in choice["delta"].get("tool_calls", []) if "id" in each]
    assert entry["id"] != "call_1" and entry["id"].isalnum() and len(entry["id"]) == 9


def test_the_envelope_of_what_we_write_is_constant(backend: ScriptedBackend, proxy: Proxy) -> None:
    """Some gateways give each chunk an id of its own."""
    deltas: list[Json] = [{"role": "assistant"}, *({"content": piece} for piece in CALL)]
    frames = [frame({**chunk(delta), "id": f"chatcmpl-{at}", "created": at + 1}) for at, delta in enumerate(deltas)]
    backend.answer = Answer([*frames, frame({**chunk({}, "stop"), "id": "chatcmpl-last"}), DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    assert len({(event["id"], event["created"], event["model"]) for event in streamed.chunks}) == 1


# -- methods -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/chat/completions", "/v1/models", "/health", "/nowhere"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_on_every_route(backend: ScriptedBackend, proxy: Proxy, target: str, method: str) -> None:
    backend.answer = json_answer({**TOP, "object": "list"})
    with proxy.get(target, [("Origin", "http://localhost:3000")], method) as client:
        assert client.rest() == b"" or method == "OPTIONS"
        assert client.status in ((404,) if target == "/nowhere" else (200,) if method == "OPTIONS" else (200, 405))
        assert client.header("access-control-allow-origin") == "http://localhost:3000"
