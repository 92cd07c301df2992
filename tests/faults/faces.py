"""The APIs through which clients see a backend fail. Their answers are told as chat tells them, to be judged once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.dialects.responses.reading import assembled, checked, events_of
from tests.servers import DONE, TOOLS, Client, Json, ask, chunk, completion, frame


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
        if self.status != 200 or self.broken or not raw:
            return raw
        streams = (self.header("content-type") or "").startswith("text/event-stream")
        return self.face.stream_as_chat(raw) if streams else self.face.whole_as_chat(raw)


def _same(raw: bytes) -> bytes:
    return raw


CHAT = Face("chat", "/v1/chat/completions", lambda stream, model: ask(stream=stream, model=model), _same, _same)


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


RESPONSES = Face("responses", "/v1/responses", _ask_responses, _responses_stream, _responses_whole)
FACES = {face.name: face for face in (CHAT, RESPONSES)}
