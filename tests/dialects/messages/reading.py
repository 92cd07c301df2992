"""What a client of the Messages API makes of an answer, strict where real clients are; and how to get one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from backends.chat import ChatReplyReader
from config import Config
from dialects.messages import Messages
from streaming import ClientRequest
from streaming.conversation import ClientReply
from streaming.relay import Relay
from tests.dialects.test_toy import OneAnswer
from tests.plans import planning
from tests.servers import Json

TOOL: Json = {
    "name": "f",
    "description": "Does it.",
    "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}},
}
MEMBERS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
KINDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "tool_use"}


def asking(**more: Any) -> Json:
    """A request."""
    return {
        "model": "glm-4.5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [TOOL],
        **more,
    }


def replied(
    backend: OneAnswer, asked: Json, dialect: Messages | None = None, config: Config | None = None
) -> ClientReply:
    relay = Relay(config or Config(), backend, ChatReplyReader, planning())  # type: ignore[arg-type]
    request = ClientRequest("POST", "/v1/messages", [], json.dumps(asked).encode(), "r")
    return relay.converse(dialect or Messages(), request)


def conversed(backend: OneAnswer, **asked: Any) -> bytes:
    """The body that a client gets."""
    reply = replied(backend, asking(**asked))
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


def events_of(raw: bytes, loads: Callable[[str], Any] = json.loads) -> tuple[list[Json], list[str]]:
    """(the events, the comments). The name of each event stands in its data, too."""
    events, comments = [], []
    assert raw.endswith(b"\n\n"), raw[-200:]
    for frame in raw.decode().split("\n\n")[:-1]:
        if frame.startswith(":"):
            comments.append(frame[1:].strip())
            continue
        name, _, data = frame.partition("\n")
        assert data.startswith("data: ") and "\n" not in data, frame
        event = loads(data[6:])
        assert name == f"event: {event['type']}", frame
        events.append(event)
    return events, comments


def read_stream(raw: bytes, loads: Callable[[str], Any] = json.loads) -> Json:
    """The message of a stream, its `comments` and, in place of its end, its `error`."""
    events, comments = events_of(raw, loads)
    events = [event for event in events if event["type"] != "ping"]
    if events[0]["type"] == "error":
        assert len(events) == 1
        return {"error": events[0]["error"], "comments": comments}
    assert events[0]["type"] == "message_start", events[0]
    message: Json = {**events[0]["message"], "comments": comments}
    assert message["content"] == [] and message["stop_reason"] is None and message["usage"]["input_tokens"] == 0
    inputs: dict[int, str] = {}
    for place, event in enumerate(events[1:], 1):
        _take(message, inputs, event, place == len(events) - 1)
    assert {"error", "ended"} & set(message), "the stream has no end"
    return message


def _take(message: Json, inputs: dict[int, str], event: Json, last: bool) -> None:
    content, kind = message["content"], event["type"]
    is_open = bool(content) and "open" in content[-1]
    if kind == "content_block_start":
        assert not is_open and event["index"] == len(content), event
        content.append({**event["content_block"], "open": True})
    elif kind == "content_block_delta":
        assert is_open and event["index"] == len(content) - 1, event
        _add(content[-1], inputs, event)
    elif kind == "content_block_stop":
        assert is_open and event["index"] == len(content) - 1, event
        del content[-1]["open"]
        if content[-1]["type"] == "tool_use":
            content[-1]["json"] = inputs.pop(event["index"])
        elif content[-1]["type"] == "thinking":
            assert content[-1]["signature"]
    elif kind == "message_delta":
        assert not is_open and "stop" not in message
        message.update(event["delta"], usage=event["usage"], stop=True)
    elif kind == "message_stop":
        assert last and message.pop("stop")
        message["ended"] = True
    else:
        assert kind == "error" and last, event
        message["error"] = event["error"]


def _add(block: Json, inputs: dict[int, str], event: Json) -> None:
    delta = event["delta"]
    if delta["type"] == "signature_delta":
        assert block["type"] == "thinking" and not block["signature"]
        block["signature"] = delta["signature"]
        return
    text = delta[MEMBERS[delta["type"]]]
    assert block["type"] == KINDS[delta["type"]], event
    if block["type"] == "tool_use":
        first = event["index"] not in inputs
        assert first == (text == ""), "the first delta is empty, and no other"
        inputs[event["index"]] = inputs.get(event["index"], "") + text
    else:
        assert text and not block["signature"] if block["type"] == "thinking" else text
        block[block["type"]] += text


def comparable(message: Json) -> Json:
    """A message without what differs from answer to answer: its id, the ids of its calls, signatures.

    Calls that were cut are left out: a whole message cannot hold them.
    """
    content = []
    for block in message["content"]:
        kept = {name: value for name, value in block.items() if name not in ("id", "signature", "json")}
        if block["type"] == "tool_use":
            assert re.fullmatch(r"toolu_[A-Za-z0-9_-]+", block["id"]), block
            try:
                kept["input"] = json.loads(block["json"]) if "json" in block else block["input"]
            except ValueError:
                assert message["stop_reason"] == "max_tokens", block
                continue
        content.append(kept)
    ids = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
    assert len(set(ids)) == len(ids)
    assert re.fullmatch(r"msg_\w+", message["id"])
    return {name: message.get(name) for name in ("model", "stop_reason", "stop_sequence", "usage")} | {
        "content": content
    }
