"""What a client makes of a Responses stream, read by the rules of the API alone: none of the product's code helps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from backends.chat import ChatReplyReader
from config import Config
from dialects.responses import Responses
from streaming import ClientRequest
from streaming.relay import Relay
from tests.dialects.test_toy import OneAnswer
from tests.plans import planning
from tests.servers import Json

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
LAST = ("response.completed", "response.incomplete", "response.failed")
TOKEN = "0123456789abcdef"


def conversed(backend: Any, tools: Sequence[Json] = (), config: Config | None = None, **asked: Any) -> bytes:
    """The body that a client of the API gets, through the real relay."""
    relay = Relay(config or Config(), backend, ChatReplyReader, planning())
    body = {"input": "Hi", "model": "glm-4.5", **({"tools": list(tools)} if tools else {}), **asked}
    request = ClientRequest("POST", "/v1/responses", [], json.dumps(body).encode(), "r")
    reply = relay.converse(Responses(lambda: TOKEN), request)
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


def whole(answer: Json, tools: Sequence[Json] = (), **asked: Any) -> Json:
    """The response that is made of a whole answer."""
    return checked(
        json.loads(conversed(OneAnswer(json.dumps(answer).encode(), kind="application/json"), tools, **asked))
    )


def checked(response: Json) -> Json:
    """A response that the types of the SDK take, strictly. They list the vendor's codes of errors only."""
    known = response
    if response.get("error"):
        assert isinstance(response["error"]["code"], str) and response["error"]["message"]
        known = {**response, "error": {**response["error"], "code": "server_error"}}
    Response.model_validate_json(json.dumps(known), strict=True)
    return response


def events_of(raw: bytes, strict: bool = True, loads: Callable[[str], Any] = json.loads) -> list[Json]:
    """The events of a stream; numbered, and one of them the last. `strict`: the SDK's types take each."""
    events: list[Json] = []
    blocks = raw.decode().split("\n\n")
    assert blocks[-1] == ""
    for block in blocks[:-1]:
        if block.startswith(":"):
            assert "\n" not in block
            continue
        kind, data = re.fullmatch(r"event: (.*)\ndata: (.*)", block).groups()  # type: ignore[union-attr]
        event = loads(data)
        assert event["type"] == kind
        if strict and "response" in event:
            checked(event["response"])
        if strict and kind != "response.failed":
            _EVENT.validate_json(data, strict=True)
        events.append(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert [event["type"] for event in events if event["type"] in LAST] == [events[-1]["type"]]
    return events


def comments_of(raw: bytes) -> list[str]:
    return [block for block in raw.decode().split("\n\n") if block.startswith(":")]


def assembled(events: Iterable[Json]) -> Json:
    """The last response, put together from the deltas and held against what the events say at their ends."""
    items: dict[int, Json] = {}
    over: set[int] = set()
    texts: dict[tuple[Any, ...], str] = {}
    last: Json = {}
    for event in events:
        kind, place = event["type"], event.get("output_index", -1)
        if kind == "response.output_item.added":
            assert place == len(items)
            items[place] = event["item"]
        elif kind == "response.output_item.done":
            assert place not in over and items[place]["id"] == event["item"]["id"]
            over.add(place)
            items[place] = event["item"]
        elif place >= 0:
            assert event["item_id"] == items[place]["id"] and place not in over
            _add(texts, event, place)
        elif kind in LAST:
            last = event["response"]
    if last["status"] != "failed":
        assert over == set(items), "an item was never closed"
        assert last["output"] == [items[place] for place in sorted(items)]
        for place, item in items.items():
            assert _said(item) == {name[1:]: text for name, text in texts.items() if name[0] == place}
    return last


def _add(texts: dict[tuple[Any, ...], str], event: Json, place: int) -> None:
    kind = event["type"]
    if kind.endswith("_part.added"):
        return
    name = (place, _field(kind), event.get("content_index", event.get("summary_index", 0)))
    if kind.endswith(".delta"):
        assert event["delta"], "an empty delta"
        texts[name] = texts.get(name, "") + event["delta"]
    elif kind.endswith("_part.done"):
        assert texts.get((place, event["part"]["type"], name[2]), "") == _text(event["part"])
    else:
        [told] = [event[key] for key in ("text", "refusal", "arguments", "input") if key in event]
        assert texts.setdefault(name, "") == told


_FIELDS = {
    "response.output_text": "output_text",
    "response.refusal": "refusal",
    "response.reasoning_text": "reasoning_text",
    "response.reasoning_summary_text": "summary_text",
    "response.function_call_arguments": "call",
    "response.custom_tool_call_input": "call",
}


def _field(kind: str) -> str:
    return _FIELDS.get(kind.rpartition(".")[0], kind)


def _text(part: Json) -> str:
    return str(part["refusal"] if part["type"] == "refusal" else part["text"])


def _said(item: Json) -> dict[tuple[Any, ...], str]:
    """The texts of an item, by what they are and their place in it."""
    found: dict[tuple[Any, ...], str] = {}
    for name in ("content", "summary"):
        for place, part in enumerate(item.get(name) or []):
            found[part["type"], place] = _text(part)
    for name in ("arguments", "input"):
        if name in item:
            found["call", 0] = item[name]
    return found


def without_ids(response: Json) -> Json:
    """A response without what differs from one answer to the next: its ids, and those of its items and calls."""
    return {
        **response,
        "id": "",
        "output": [{**item, "id": "", **({"call_id": ""} if "call_id" in item else {})} for item in response["output"]],
    }
