"""What backends say and what clients make of it: the bytes of chat answers, written and read; no network.

`Answer` is a script for the backend of `tests/servers.py`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Headers = Sequence[tuple[str, str]]

Piece = bytes | float | threading.Event
"""Bytes to send, seconds to pause, or what to wait for."""


@dataclass(frozen=True)
class Answer:
    """What the backend does with a request. `before` is played before the head leaves, `pieces` are the body."""

    pieces: Sequence[Piece] = ()
    status: int = 200
    headers: Headers = (("Content-Type", "text/event-stream"),)
    framing: Literal["chunked", "close", "length", "raw"] = "chunked"
    """`raw` means that the pieces are all that is sent, head and framing included."""
    ends: Literal["well", "broken", "reset"] = "well"
    """`broken`: closed although more was announced; `reset`: with a TCP reset."""
    before: Sequence[Piece] = ()


# -- what backends say -------------------------------------------------------------------------------------------------

TOP: Json = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}


def frame(data: object) -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def chunk(delta: Json | None, finish: str | None = None, index: int = 0, **top: Any) -> Json:
    return {**TOP, "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **top}


def said(*texts: str, finish: str | None = "stop", done: bool = True) -> list[bytes]:
    """The frames of a streamed answer whose content comes in these pieces."""
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts)]
    frames = [frame(chunk(delta)) for delta in deltas]
    if finish:
        frames.append(frame(chunk({}, finish)))
    return [*frames, DONE] if done else frames


def json_answer(body: object, status: int = 200, headers: Headers = (), **more: Any) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer([data], status, [("Content-Type", "application/json"), *headers], "length", **more)


def completion(content: str | None, finish: str = "stop", **message: Any) -> Json:
    """A buffered chat completion."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "logprobs": None,
        "finish_reason": finish,
    }
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return {**TOP, "object": "chat.completion", "choices": [choice], "usage": usage}


DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def tool(name: str, **properties: str) -> Json:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("get_weather", city="string", days="integer"), tool("write_file", path="string", content="string")]


def ask(stream: bool = True, tools: Sequence[Json] = TOOLS, model: str = "m", **more: Any) -> Json:
    """A chat request."""
    body: Json = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    if tools:
        body["tools"] = list(tools)
    return {**body, **({"stream": True} if stream else {}), **more}


# -- what a client makes of a streamed answer --------------------------------------------------------------------------


@dataclass
class Streamed:
    """A streamed answer, read by the rules of server-sent events."""

    chunks: list[Json] = field(default_factory=list)
    """Its events, the errors among them."""
    comments: list[str] = field(default_factory=list)
    done: int = 0
    """How often `[DONE]` came."""
    last_comment: str = ""
    """The last comment before `[DONE]`."""

    @property
    def errors(self) -> list[Any]:
        return [event["error"] for event in self.chunks if "error" in event]

    @property
    def outcome(self) -> str:
        return next((text for text in self.comments if text.startswith("dragoman")), "")

    def choices(self, index: int = 0) -> list[Json]:
        return [
            choice for event in self.chunks for choice in event.get("choices") or [] if choice.get("index", 0) == index
        ]

    def reasons(self, index: int = 0) -> list[str]:
        return [choice["finish_reason"] for choice in self.choices(index) if choice.get("finish_reason")]


def read_stream(raw: bytes) -> Streamed:
    found = Streamed()
    data: list[str] = []
    for line in re.split("\r\n|\n|\r", raw.decode("utf-8").removeprefix("\ufeff")):
        if line.startswith(":"):
            found.comments.append(line[1:].strip())
            if not found.done:
                found.last_comment = found.comments[-1]
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            assert not found.done or text == "[DONE]", f"an event after [DONE]: {text}"
            if text == "[DONE]":
                found.done += 1
            else:
                found.chunks.append(json.loads(text))
    assert not data, "the last event is not complete"
    return found


def message_of(streamed: Streamed, index: int = 0) -> Json:
    """What the deltas of one choice come to, in the form of a buffered message; strict where real clients are."""
    message: Json = {"role": None, "content": "", "calls": []}
    reasoning: Json = {}
    for event in streamed.chunks:
        assert "error" in event or event["object"] == "chat.completion.chunk"
    for choice in streamed.choices(index):
        delta = choice["delta"]
        assert isinstance(delta, dict), "a delta is not an object"
        if message["role"] is None:
            assert delta.get("role") == "assistant", f"the first delta has no role: {delta}"
            message["role"] = "assistant"
        message["content"] += delta.get("content") or ""
        for name in ("reasoning_content", "reasoning"):
            if delta.get(name):
                reasoning[name] = reasoning.get(name, "") + delta[name]
        assert delta.get("tool_calls") != [], "an empty list of calls"
        for entry in delta.get("tool_calls") or []:
            _take(entry, message["calls"])
    ids = [call.pop("id") for call in message["calls"]]
    assert len(set(ids)) == len(ids), f"an id comes twice: {ids}"
    return {**message, **reasoning, "reasons": streamed.reasons(index)}


def _take(entry: Json, calls: list[Json]) -> None:
    index, function = entry["index"], entry["function"]
    if index == len(calls):
        assert isinstance(entry["id"], str) and entry["id"], entry
        assert entry["type"] == "function", entry
        assert isinstance(function["name"], str) and function["name"], entry
        calls.append({"id": entry["id"], "name": function["name"], "arguments": function.get("arguments", "")})
        return
    assert index == len(calls) - 1, f"call {index} goes on although {len(calls)} calls have begun"
    assert "id" not in entry and "type" not in entry and "name" not in function, f"said again: {entry}"
    assert isinstance(function["arguments"], str) and function["arguments"], entry
    calls[index]["arguments"] += function["arguments"]


def message_in(reply: Json, index: int = 0) -> Json:
    """A buffered reply in the form of `message_of`, so that the two can be compared."""
    choice = next(choice for choice in reply["choices"] if choice["index"] == index)
    message = choice["message"]
    assert message.get("tool_calls", True), "an empty list of calls"
    calls = message.get("tool_calls") or []
    assert all(call["type"] == "function" and call["id"] for call in calls)
    found: Json = {"role": message["role"], "content": message["content"] or "", "calls": []}
    found["calls"] = [{"name": call["function"]["name"], "arguments": call["function"]["arguments"]} for call in calls]
    found |= {name: message[name] for name in ("reasoning_content", "reasoning") if message.get(name)}
    return {**found, "reasons": [choice["finish_reason"]]}


def whole_stream(raw: bytes) -> Streamed:
    """A stream that ended as it should: one finish reason for each choice, nothing behind it, one [DONE] at the end."""
    streamed = read_stream(raw)
    assert raw.rstrip().endswith(b"[DONE]") and streamed.done == 1, raw[-300:]
    assert not streamed.errors, streamed.errors
    for index in {choice.get("index", 0) for event in streamed.chunks for choice in event.get("choices") or []}:
        assert len(streamed.reasons(index)) == 1, f"choice {index} ends with {streamed.reasons(index)}"
        assert streamed.choices(index)[-1].get("finish_reason"), "something comes behind the finish reason"
    return streamed


def broken_stream(raw: bytes) -> Streamed:
    """A stream that could not go on: one error at its end, one [DONE], and no finish reason."""
    streamed = read_stream(raw)
    assert streamed.done == 1, raw[-300:]
    assert len(streamed.errors) == 1 and "error" in streamed.chunks[-1], raw[-600:]
    error = streamed.errors[0]
    assert isinstance(error, dict) and error["message"] and "type" in error and "code" in error, error
    assert not any(choice.get("finish_reason") for event in streamed.chunks for choice in event.get("choices") or [])
    return streamed
