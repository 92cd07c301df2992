"""The APIs through which clients see a backend fail. Their answers are told as chat tells them, to be judged once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tests.dialects.messages import reading as messages
from tests.dialects.ollama import talk as ollama
from tests.dialects.responses.reading import assembled, checked, events_of
from tests.dialects.test_toy import OneAnswer
from tests.faults.spoken import ARGUMENTS, SPOKEN, TEXT, UNTOLD
from tests.servers import DONE, TOOLS, Client, Json, ask, chunk, completion, frame

STREAMS = ("text/event-stream", "application/x-ndjson")


@dataclass(frozen=True)
class Face:
    """One API."""

    name: str
    target: str
    asks: Callable[[bool, str], Json]
    """A request: streamed or not, and the model."""
    stream_as_chat: Callable[[bytes], bytes]
    """A streamed answer as a stream of chat completions; AssertionError if it is none of this API's."""
    whole_as_chat: Callable[[bytes], bytes]
    error_as_chat: Callable[[bytes], bytes]

    def read(self, client: Client) -> Client:
        """The client, whose body is told as chat tells it."""
        return AsChat(client, self)


class AsChat(Client):
    """A client of another API, as the ends look at it."""

    def __init__(self, client: Client, face: Face) -> None:
        self.__dict__ = client.__dict__
        self.face = face

    def rest(self) -> bytes:
        raw = super().rest()
        if self.broken or not raw:
            return raw
        if self.status != 200:
            return self.face.error_as_chat(raw)
        streams = (self.header("content-type") or "").startswith(STREAMS)
        return self.face.stream_as_chat(raw) if streams else self.face.whole_as_chat(raw)


def _same(raw: bytes) -> bytes:
    return raw


CHAT = Face("chat", "/v1/chat/completions", lambda stream, model: ask(stream=stream, model=model), _same, _same, _same)


def _error(message: str, kind: str = UNTOLD) -> Json:
    """An error of an API that tells no codes."""
    assert isinstance(message, str) and message
    return {"error": {"message": message, "type": kind, "code": UNTOLD}}


# -- /v1/responses -----------------------------------------------------------------------------------------------------

_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def _responses_stream(raw: bytes) -> bytes:
    events = events_of(raw)
    response = assembled(events)
    frames = [frame(chunk({"role": "assistant", "content": ""}))]
    calls: dict[int, int] = {}
    for event in events:
        kind, item = event["type"], event.get("item", {})
        if kind == "response.output_text.delta":
            frames.append(frame(chunk({"content": event["delta"]})))
        elif kind == "response.reasoning_text.delta":
            frames.append(frame(chunk({"reasoning_content": event["delta"]})))
        elif kind == "response.output_item.added" and item["type"] == "function_call":
            calls[event["output_index"]] = len(calls)
            frames.append(frame(chunk({"tool_calls": [_call(item, len(calls) - 1)]})))
        elif kind == "response.function_call_arguments.delta":
            more = {"index": calls[event["output_index"]], "function": {"arguments": event["delta"]}}
            frames.append(frame(chunk({"tool_calls": [more]})))
    if response["status"] == "failed":
        error = response["error"]
        last = frame({"error": {"message": error["message"], "type": "", "code": error["code"]}})
    else:
        last = frame(chunk({}, _reason(response)))
    return b"".join([*frames, last, DONE])


def _responses_whole(raw: bytes) -> bytes:
    response = checked(json.loads(raw))
    texts = [part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item for item in response["output"] if item["type"] == "function_call"]
    beside = {"tool_calls": [_call(item, place) for place, item in enumerate(calls)]} if calls else {}
    return json.dumps(completion("".join(texts), _reason(response), **beside)).encode()


def _call(item: Json, index: int) -> Json:
    function = {"name": item["name"], "arguments": item["arguments"]}
    return {"index": index, "id": item["call_id"], "type": "function", "function": function}


def _reason(response: Json) -> str:
    if response["status"] == "incomplete":
        return _REASONS[response["incomplete_details"]["reason"]]
    return "tool_calls" if any(item["type"] == "function_call" for item in response["output"]) else "stop"


def _ask_responses(stream: bool, model: str) -> Json:
    tools = [{"type": "function", **tool["function"]} for tool in TOOLS]
    return {"model": model, "input": "hi", "tools": tools, "stream": stream}


RESPONSES = Face("responses", "/v1/responses", _ask_responses, _responses_stream, _responses_whole, _same)


# -- /v1/messages ------------------------------------------------------------------------------------------------------

_STOPS = {"tool_use": "tool_calls", "max_tokens": "length", "refusal": "content_filter"}


def _messages_stream(raw: bytes) -> bytes:
    messages.read_stream(raw)
    frames: list[bytes] = []
    calls: dict[int, int] = {}
    reason = "stop"
    for event in messages.events_of(raw)[0]:
        kind, delta = event["type"], event.get("delta", {})
        if kind == "message_start":
            frames.append(frame(chunk({"role": "assistant", "content": ""})))
        elif kind == "content_block_start" and event["content_block"]["type"] == "tool_use":
            calls[event["index"]] = len(calls)
            frames.append(frame(chunk({"tool_calls": [_block(event["content_block"], len(calls) - 1, "")]})))
        elif delta.get("type") == "text_delta":
            frames.append(frame(chunk({"content": delta["text"]})))
        elif delta.get("type") == "thinking_delta":
            frames.append(frame(chunk({"reasoning_content": delta["thinking"]})))
        elif delta.get("type") == "input_json_delta" and delta["partial_json"]:
            more = {"index": calls[event["index"]], "function": {"arguments": delta["partial_json"]}}
            frames.append(frame(chunk({"tool_calls": [more]})))
        elif kind == "message_delta":
            reason = _STOPS.get(delta["stop_reason"], "stop")
        elif kind == "message_stop":
            frames.append(frame(chunk({}, reason)))
        elif kind == "error":
            frames.append(frame(_error(event["error"]["message"], event["error"]["type"])))
    return b"".join([*frames, DONE])


def _messages_whole(raw: bytes) -> bytes:
    message = json.loads(raw)
    messages.comparable(message)
    texts = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    calls = [block for block in message["content"] if block["type"] == "tool_use"]
    told = [_block(each, place, json.dumps(each["input"])) for place, each in enumerate(calls)]
    reason = _STOPS.get(message["stop_reason"], "stop")
    return json.dumps(completion(texts, reason, **({"tool_calls": told} if told else {}))).encode()


def _messages_error(raw: bytes) -> bytes:
    told = json.loads(raw)
    assert told["type"] == "error", told
    return json.dumps(_error(told["error"]["message"], told["error"]["type"])).encode()


def _block(block: Json, index: int, arguments: str) -> Json:
    function = {"name": block["name"], "arguments": arguments}
    return {"index": index, "id": block["id"], "type": "function", "function": function}


def _ask_messages(stream: bool, model: str) -> Json:
    functions = [tool["function"] for tool in TOOLS]
    tools = [{"name": each["name"], "input_schema": each["parameters"]} for each in functions]
    return {**messages.asking(tools=tools), "model": model, "stream": stream}


MESSAGES = Face("messages", "/v1/messages", _ask_messages, _messages_stream, _messages_whole, _messages_error)


# -- /api/chat and /api/generate ---------------------------------------------------------------------------------------


def _ollama_stream(raw: bytes) -> bytes:
    told = ollama.lines(raw)
    frames = [frame(chunk({"role": "assistant", "content": ""}))]
    calls = 0
    for line in told[:-1] if "error" in told[-1] else told:
        inner = line["message"]
        if inner.get("thinking"):
            frames.append(frame(chunk({"reasoning_content": inner["thinking"]})))
        if inner["content"]:
            frames.append(frame(chunk({"content": inner["content"]})))
        for call in ollama.calls_of(line):
            frames.append(frame(chunk({"tool_calls": [_whole_call(call, calls)]})))
            calls += 1
    last = _error(told[-1]["error"]) if "error" in told[-1] else chunk({}, _done(told[-1], calls))
    return b"".join([*frames, frame(last), DONE])


def _ollama_whole(raw: bytes) -> bytes:
    answer = json.loads(raw)
    told = [_whole_call(call, place) for place, call in enumerate(ollama.calls_of(answer))]
    beside = {"tool_calls": told} if told else {}
    return json.dumps(completion(answer["message"]["content"], _done(answer, len(told)), **beside)).encode()


def _ollama_error(raw: bytes) -> bytes:
    told = json.loads(raw)
    assert list(told) == ["error"], told
    return json.dumps(_error(told["error"])).encode()


def _whole_call(call: Json, index: int) -> Json:
    function = call["function"]
    told = {"name": function["name"], "arguments": json.dumps(function["arguments"], ensure_ascii=False)}
    return {"index": index, "id": call["id"], "type": "function", "function": told}


def _done(line: Json, calls: int) -> str:
    assert line["done"] is True
    return "tool_calls" if calls and line["done_reason"] == "stop" else str(line["done_reason"])


def _ask_ollama(stream: bool, model: str) -> Json:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], "tools": TOOLS, "stream": stream}


def _ask_generate(stream: bool, model: str) -> Json:
    return {"model": model, "prompt": "hi", "stream": stream}


def _generated_stream(raw: bytes) -> bytes:
    """This API has no tools: all that was said is text, and counts as the call that it means if it is whole."""
    told = ollama.lines(raw)
    text = "".join(line["response"] for line in told if "response" in line)
    if "error" in told[-1]:
        said = frame(chunk({"role": "assistant", "content": text})) if text else b""
        return b"".join([said, frame(_error(told[-1]["error"])), DONE])
    delta, reason = _meant(text, told[-1])
    return b"".join([frame(chunk({"role": "assistant", **delta})), frame(chunk({}, reason)), DONE])


def _generated_whole(raw: bytes) -> bytes:
    answer = json.loads(raw)
    delta, reason = _meant(answer["response"], answer)
    return json.dumps(completion(delta.pop("content"), reason, **delta)).encode()


def _meant(text: str, last: Json) -> tuple[Json, str]:
    if text.strip() not in _all_that_is_said():
        return {"content": text}, _done(last, 0)
    call = {"id": "none", "function": {"name": "get_weather", "arguments": ARGUMENTS}}
    return {"content": TEXT, "tool_calls": [_whole_call(call, 0)]}, _done(last, 1)


@lru_cache(maxsize=1)
def _all_that_is_said() -> frozenset[str]:
    """The texts that clients without tools get of what is said in each syntax."""
    texts = set()
    for spoken in SPOKEN:
        backend = OneAnswer(json.dumps(completion("".join(spoken.texts))).encode(), kind="application/json")
        raw = ollama.conversed(backend, "/api/generate", model=spoken.model, stream=False)
        texts.add(json.loads(raw)["response"].strip())
    assert all(TEXT in text and "get_weather" in text for text in texts), texts
    return frozenset(texts)


OLLAMA = Face("ollama", "/api/chat", _ask_ollama, _ollama_stream, _ollama_whole, _ollama_error)
GENERATE = Face("generate", "/api/generate", _ask_generate, _generated_stream, _generated_whole, _ollama_error)
FACES = {face.name: face for face in (CHAT, RESPONSES, MESSAGES, OLLAMA, GENERATE)}
