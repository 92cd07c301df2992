"""A made-up client API, to prove that a dialect is one file: no other file of the product knows it.

Nothing in it is like chat completions: replies are lines of JSON (NDJSON) with words of their own, the heartbeat is a
line, errors are `{"trouble": …}`, and a call's arguments come under `with`.

    {"say": "Hi"}  {"ponder": "hm"}  {"call": "f", "as": "id-1"}  {"with": "{\"a\":"}  {"with": "1}"}  {"called": "f"}
    {"over": "calls"}  {"spent": {…}}  {"bye": "outcome=…"}
"""

from __future__ import annotations

import json
from typing import Any

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, LeaseKind, Reasoning, Text
from converters.text.expectations import Expectations
from dialects.protocol import Ask, ParsedRequest, SideReply, SideRequest, SideRoute, UpstreamRequest
from errors import ErrorInfo, RequestError
from reply import Failure, Features, Finish, Ids, Reply, ReplyEvent, ReplyHead, Step, Usage

_REASONS = {"tool_calls": "calls", "stop": "done", "length": "full"}


class Toy:
    """A Dialect."""

    name = "toy"
    routes = ("/v1/toy", "/toy")
    prefixes = ("/v1/toy",)
    side_routes = (SideRoute("GET", "/v1/toy/<shelf>/names", lambda request, ask: _names(request, ask)),)
    wire = "toy"
    media_type = "application/x-ndjson"
    keep_alive = b'{"still":"here"}\n'

    def parse_request(self, raw: bytes, key_name: str | None = None) -> ParsedRequest:
        try:
            asked = json.loads(raw)
        except ValueError:
            raise RequestError("The toy is no JSON.") from None
        if not isinstance(asked.get("ask"), str):
            raise RequestError("'ask' must be a string.", param="ask")
        tools = asked.get("can") or {}
        functions = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in tools.items()]
        chat: dict[str, Any] = {
            "model": asked.get("model", "m"),
            "messages": [{"role": "user", "content": asked["ask"]}],
            "stream": bool(asked.get("live")),
            "stream_options": {"include_usage": True},
        }
        if functions:
            chat["tools"] = functions
        return ParsedRequest(
            upstream=UpstreamRequest("/v1/chat/completions", json.dumps(chat).encode()),
            model=chat["model"],
            stream=chat["stream"],
            expectations=Expectations(tools=tools, translate=bool(tools)),
        )

    def stream_writer(self, request: ParsedRequest) -> ToyWriter:
        return ToyWriter()

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        assert reply.raw is None, "bytes of another wire"
        told = ToyWriter().write(Step(None, reply.events))
        return json.dumps({"all": [json.loads(line) for line in told.splitlines()]}).encode()

    def write_error(self, error: ErrorInfo) -> bytes:
        return _line({"trouble": error.message, "number": error.status})


class ToyWriter:
    """A StreamWriter."""

    def __init__(self) -> None:
        self._ids = Ids()
        self._names: dict[int, str] = {}
        self._model = ""

    def write(self, step: Step) -> bytes:
        assert step.raw is None, "bytes of another wire"
        return b"".join(_line(told) for _, event in step.events if (told := self._told(event)))

    def _told(self, event: ReplyEvent) -> dict[str, Any] | None:
        match event:
            case ReplyHead(model=model) if not self._model:
                self._model = model or "?"
                return {"hello": self._model}
            case Text(text=text) if text:
                return {"say": text}
            case Reasoning(text=text) if text:
                return {"ponder": text}
            case CallStart(index=index, name=name, id=wished):
                self._names[index] = name
                return {"call": name, "as": self._ids.take(wished)}
            case ArgumentsDelta(delta=delta) if delta:
                return {"with": delta}
            case CallEnd(index=index):
                return {"called": self._names[index]}
            case Finish(reason=reason):
                return {"over": _REASONS.get(reason, reason)}
            case Usage(counts=counts):
                return {"spent": dict(counts)}
            case Failure(error=error):
                return {"trouble": error.message, "number": error.status}
        return None

    def error(self, error: ErrorInfo) -> bytes:
        return _line({"trouble": error.message, "number": error.status})

    def end(self, outcome: str) -> bytes:
        return _line({"bye": outcome})

    def accepts(self, features: Features) -> bool:
        return False

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        key = {"text": "say", "reasoning": "ponder", "arguments": "with"}[kind]
        return f'{{"{key}": "'.encode(), b'"}\n'


def _names(request: SideRequest, ask: Ask) -> SideReply | None:
    """The backend's models on a shelf; `?plain=` leaves the request to the backend."""
    if "plain" in request.query:
        return None
    answer = ask("GET", "/v1/models")
    names = [model["id"] for model in json.loads(answer.body)["data"]]
    return SideReply(_line({request.values["shelf"]: names}), answer.status, Toy.media_type)


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode(errors="replace") + b"\n"
