"""Responses streams: every event that the SDK's types require, the same response as buffered, at every cut."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Any

import pytest

from config import Config
from errors import Interrupted
from tests.dialects.responses.cost import chat_and_responses
from tests.dialects.responses.reading import assembled, comments_of, conversed, events_of, whole, without_ids
from tests.dialects.test_toy import OneAnswer, cuts
from tests.helpers import chunks
from tests.servers import DONE, Json, chunk, completion, frame

CUSTOM: Json = {
    "type": "custom",
    "name": "apply_patch",
    "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
}
TOOLS: list[Json] = [
    {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    {
        "type": "namespace",
        "name": "files",
        "description": "Files.",
        "tools": [{"type": "function", "name": "read", "parameters": {"properties": {"path": {"type": "string"}}}}],
    },
    CUSTOM,
    {"type": "web_search"},
]
F = "<tool_call>f\n<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>"
READ = "<tool_call>files__read\n<arg_key>path</arg_key><arg_value>é</arg_value></tool_call>"
PATCH = '<tool_call>apply_patch\n<arg_key>input</arg_key><arg_value>*** "Begin"\n\\u00e9 😀</arg_value></tool_call>'
NATIVE: Json = {"index": 0, "id": "n1", "type": "function", "function": {"name": "f", "arguments": ""}}
USAGE: Json = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
TOKEN: Json = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "Ho", "logprob": -1}]}


def call(name: str, arguments: str = "", **more: Any) -> Json:
    return {"type": "function_call", "name": name, "arguments": arguments, "status": "completed", **more}


def message(text: str, status: str = "completed") -> Json:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    return {"type": "message", "role": "assistant", "status": status, "content": [part]}


def reasoning(text: str) -> Json:
    part = {"type": "reasoning_text", "text": text}
    return {"type": "reasoning", "summary": [], "content": [part], "status": "completed"}


F_CALL, READ_CALL = call("f", '{"a": 1}'), call("read", '{"path": "é"}', namespace="files")
PATCH_CALL: Json = {
    "type": "custom_tool_call",
    "name": "apply_patch",
    "input": '*** "Begin"\n\\u00e9 😀',
    "status": "completed",
}

ANSWERS: dict[str, tuple[str, Json, str, list[Json]]] = {
    "prose": ("Well, so\nit is.", {}, "stop", [message("Well, so\nit is.")]),
    "nothing": ("", {}, "stop", []),
    "a call": (F, {}, "stop", [F_CALL]),
    "text, calls, text": (
        f"Sure. {F}\n{READ} And so.",
        {},
        "stop",
        [message("Sure."), F_CALL, READ_CALL, message("  And so.")],
    ),
    "a custom tool": (f"Sure. {PATCH}", {}, "stop", [message("Sure."), PATCH_CALL]),
    "reasoning in the text": (f"<think>hm</think>So.{F}", {}, "stop", [reasoning("hm"), message("So."), F_CALL]),
    "reasoning that the server split": (
        "Hi.",
        {"reasoning_content": "hm"},
        "stop",
        [reasoning("hm"), message("Hi.")],
    ),
    "an undeclared name": (F.replace(">f\n", ">g\n"), {}, "stop", [call("g", '{"a": 1}')]),
    "cut in the text": ("So it", {}, "length", [message("So it", "incomplete")]),
    "cut in a call": (
        "So <tool_call>files__read\n<arg_key>path</arg_key><arg_value>/a/b",
        {},
        "length",
        [message("So", "completed"), call("read", '{"path": "/a/b', status="incomplete", namespace="files")],
    ),
    "filtered": ("So it", {}, "content_filter", [message("So it", "incomplete")]),
    "a refusal": (
        "",
        {"refusal": "I will not."},
        "stop",
        [
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "refusal", "refusal": "I will not."}],
            }
        ],
    ),
}


def stream_of(content: str, beside: Json, finish: str, size: int) -> bytes:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{name: piece} for name, text in beside.items() for piece in chunks(text, size)]
    deltas += [{"content": piece} for piece in chunks(content, size)]
    frames = [frame(chunk(delta)) for delta in deltas] + [frame(chunk({}, finish))]
    return b"".join([*frames, frame({**chunk({}), "choices": [], "usage": USAGE}), DONE])


def items_of(response: Json) -> list[Json]:
    return [
        {name: value for name, value in item.items() if name not in ("id", "call_id")} for item in response["output"]
    ]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_response_of_a_whole_answer(name: str) -> None:
    content, beside, finish, items = ANSWERS[name]
    response = whole({**completion(content, finish, **beside), "usage": USAGE}, TOOLS)
    assert items_of(response) == items
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish)
    assert response["status"] == ("incomplete" if why else "completed")
    assert response["incomplete_details"] == ({"reason": why} if why else None)
    assert response["store"] is False and response["error"] is None
    assert response["usage"] == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 7,
    }
    for item in response["output"]:
        prefix = {"message": "msg_", "reasoning": "rs_", "custom_tool_call": "ctc_"}.get(item["type"], "fc_")
        assert item["id"].startswith(prefix) and item["id"] != item.get("call_id")
    ids = [item["call_id"] for item in response["output"] if "call_id" in item]
    assert len(set(ids)) == len(ids) and all(ids)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_stream_says_the_same_at_every_cut(name: str) -> None:
    content, beside, finish, _ = ANSWERS[name]
    buffered = whole({**completion(content, finish, **beside), "usage": USAGE}, TOOLS)
    for size in (1, 2, 3, 5, 7, 1000):
        data = stream_of(content, beside, finish, size)
        for blocks in ([data], [data[at : at + 1] for at in range(len(data))], chunks_of(data, 333)):
            raw = conversed(OneAnswer(*blocks), TOOLS, stream=True)
            events = events_of(raw, strict=size == 5)
            assert without_ids(assembled(events)) == without_ids(buffered)
            assert raw.rstrip().rpartition(b"\n\n")[0].endswith(comments_of(raw)[-1].encode())
            assert comments_of(raw)[-1].startswith(": dragoman outcome=")


def chunks_of(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def test_every_cut_of_one_stream() -> None:
    content = ANSWERS["text, calls, text"][0]
    data = stream_of(content, {}, "stop", 9)
    expected = without_ids(assembled(events_of(conversed(OneAnswer(data), TOOLS, stream=True))))
    for blocks in cuts(data) if len(data) < 3000 else [chunks_of(data, 1), chunks_of(data, 97)]:
        assert without_ids(assembled(events_of(conversed(OneAnswer(*blocks), TOOLS, stream=True)))) == expected


NATIVE_STREAM: list[Json] = [
    {"role": "assistant", "content": None},
    {"content": "Sure. "},
    {"tool_calls": [NATIVE]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]},
    {"tool_calls": [{**NATIVE, "index": 1, "id": "n2", "function": {"name": "apply_patch", "arguments": '{"inp'}}]},
    {"tool_calls": [{"index": 1, "function": {"arguments": 'ut": "é\\u00e'}}]},
    {"tool_calls": [{"index": 1, "function": {"arguments": '9\\n"}'}}]},
]


def test_native_calls() -> None:
    data = b"".join([*(frame(chunk(delta)) for delta in NATIVE_STREAM), frame(chunk({}, "tool_calls")), DONE])
    for blocks in ([data], chunks_of(data, 1), chunks_of(data, 100)):
        response = assembled(events_of(conversed(OneAnswer(*blocks), TOOLS, stream=True)))
        patch = {**PATCH_CALL, "input": "éé\n"}
        assert items_of(response) == [message("Sure. "), F_CALL, patch]
        assert [item["call_id"] for item in response["output"][1:]] == ["n1", "n2"]
        assert response["status"] == "completed" and response["usage"] is None
    calls = [
        {"id": "n1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "n2", "type": "function", "function": {"name": "apply_patch", "arguments": '{"input": "éé\\n"}'}},
    ]
    buffered = whole(completion("Sure. ", "tool_calls", tool_calls=calls), TOOLS)
    assert without_ids({**buffered, "usage": None}) == without_ids(response)


@pytest.mark.parametrize("asked", [{"top_logprobs": 1}, {"include": ["message.output_text.logprobs"]}, {}])
def test_log_probabilities(asked: Json) -> None:
    told = {**completion("Hi"), "choices": [{**completion("Hi")["choices"][0], "logprobs": {"content": [TOKEN]}}]}
    frames = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"})]
    frames[1]["choices"][0]["logprobs"] = {"content": [TOKEN]}
    data = b"".join([*map(frame, frames), frame(chunk({}, "stop")), DONE])
    backend = OneAnswer(data)
    events = events_of(conversed(backend, stream=True, **asked))
    streamed, buffered = assembled(events), whole(told, **asked)
    expected = [{**TOKEN, "bytes": [72, 105], "top_logprobs": [{"token": "Ho", "logprob": -1, "bytes": [72, 111]}]}]
    for response in (streamed, buffered):
        assert response["output"][0]["content"][0]["logprobs"] == (expected if asked else [])
    assert [each["logprobs"] for each in events if each["type"] == "response.output_text.delta"] == [
        expected if asked else []
    ]
    assert backend.body.get("logprobs") == (True if asked else None)
    assert backend.body.get("top_logprobs") == asked.get("top_logprobs")


def test_reasoning_as_summary_and_as_encrypted_content_only_where_asked() -> None:
    told = completion("Hi.", reasoning_content="hm 서울")
    plain = whole(told)["output"][0]
    assert plain["summary"] == [] and "encrypted_content" not in plain
    asked: Json = {"reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    item = whole(told, **asked)["output"][0]
    assert item["summary"] == [{"type": "summary_text", "text": "hm 서울"}]
    data = stream_of("Hi.", {"reasoning_content": "hm 서울"}, "stop", 2)
    events = events_of(conversed(OneAnswer(data), stream=True, **asked))
    streamed = assembled(events)["output"][0]
    assert {**streamed, "id": ""} == {**item, "id": ""}
    kinds = {event["type"] for event in events}
    assert {
        f"response.reasoning_summary_{kind}" for kind in ("part.added", "text.delta", "text.done", "part.done")
    } <= kinds
    # and back again, from each of the three places
    for kept in (
        {"content": item["content"]},
        {"summary": item["summary"]},
        {"encrypted_content": item["encrypted_content"]},
    ):
        backend = OneAnswer(json.dumps(completion("So.")).encode(), kind="application/json")
        history = [
            {"role": "user", "content": "a"},
            {"type": "reasoning", "summary": [], **kept},
            {"role": "assistant", "content": "b"},
        ]
        conversed(backend, input=history, model="glm-4.6")
        assert backend.body["messages"][1] == {"role": "assistant", "content": "b", "reasoning_content": "hm 서울"}


def test_reasoning_that_stays_where_the_server_put_it() -> None:
    data = stream_of("Hi.", {"reasoning_content": "hm"}, "stop", 1)
    raw = conversed(OneAnswer(data), config=Config(reasoning_field="content"), stream=True)
    assert items_of(assembled(events_of(raw))) == [reasoning("hm"), message("Hi.")]


# -- errors and ends ---------------------------------------------------------------------------------------------------

ERROR = b'{"error": {"message": "Too much.", "type": "x", "code": 7}}'


def test_an_error_in_mid_stream_fails_the_response_and_closes_no_call() -> None:
    start = stream_of(f"So {F[:-20]}", {}, "stop", 5).partition(frame(chunk({}, "stop")))[0]
    for end in (b"data: " + ERROR + b"\n\n" + DONE, b""):
        fault = None if end else Interrupted("It broke.")
        for blocks in ([start + end], chunks_of(start + end, 7)):
            raw = conversed(OneAnswer(*blocks, fault=fault), TOOLS, stream=True)
            events = events_of(raw)
            response = assembled(events)
            assert events[-1]["type"] == "response.failed" and response["status"] == "failed"
            code = "7" if end else "backend_interrupted"
            assert response["error"]["code"] == code
            assert items_of(response) == [message("So")]
            done = [event["item"]["type"] for event in events if event["type"] == "response.output_item.done"]
            assert done == ["message"], "a client would run a call that is done"


def test_arguments_that_cannot_be_read_fail_a_stream_and_are_text_in_a_whole_answer() -> None:
    text = "So <tool_call>f\n<arg_key>a</arg_key><arg_value>1</arg_value><arg_key>b</arg_key><arg_value>x"
    tools = [{"type": "function", "name": "f", "parameters": {}}]
    events = events_of(conversed(OneAnswer(stream_of(text, {}, "stop", 4)), tools, stream=True))
    assert events[-1]["response"]["error"]["code"] == "arguments_unreadable"
    assert not [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert items_of(whole(completion(text), tools)) == [message(text)]


def test_a_stream_without_a_finish_was_cut() -> None:
    data = frame(chunk({"role": "assistant", "content": "So it"}))
    response = assembled(events_of(conversed(OneAnswer(data), stream=True)))
    assert response["error"]["code"] == "backend_interrupted"
    assert items_of(response) == [message("So it", "incomplete")]


def test_a_whole_answer_to_a_request_for_a_stream() -> None:
    answer = json.dumps({**completion(f"Sure. {F}"), "usage": USAGE}).encode()
    raw = conversed(OneAnswer(answer, kind="application/json"), TOOLS, stream=True)
    assert items_of(assembled(events_of(raw))) == [message("Sure."), F_CALL]


def test_a_chunk_costs_no_more_than_one_and_a_half_of_a_rewritten_chunk_of_chat() -> None:
    """Processor time of a long text in single tokens, between the backend's bytes and the client's."""
    ratios = [responses / chat for chat, responses in (chat_and_responses(500) for _ in range(25))]
    assert median(ratios) <= 1.8, ratios  # measured: about 1.1; a busy machine is not that exact


def test_time_is_linear_in_a_long_answer() -> None:
    def seconds(size: int) -> float:
        text = "word \n" * (size // 6)
        began = time.process_time()
        whole(completion(text))
        return time.process_time() - began

    small = min(seconds(200_000) for _ in range(3))
    assert min(seconds(800_000) for _ in range(2)) <= 6 * small + 0.02
