"""Backends that refuse requests, and a client that asks the same buffered and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.answers import (
    Answer,
    Json,
    ask,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    read_stream,
    said,
)
from tests.servers import Proxy, Received

Play = Callable[[Json], "str | Json"]
"""What a backend says to a request: text that the model writes, or the body of a refusal."""


def refusal(message: str, **more: object) -> Json:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}


def playing(play: Play, status: int = 400, in_stream: bool = False) -> Callable[[Received], Answer]:
    """A backend. `in_stream`: its refusals of streams are events under status 200."""

    def answer(received: Received) -> Answer:
        asked = received.json()
        told = play(asked)
        streams = bool(asked.get("stream"))
        if isinstance(told, str):
            usage = frame({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}})
            return Answer([*said(told, done=False), usage, b"data: [DONE]\n\n"]) if streams else _whole(told)
        if streams and in_stream:
            return Answer([frame(told)])
        return json_answer(told, status=200 if in_stream else status)

    return answer


def _whole(text: str) -> Answer:
    return json_answer(completion(text))


@dataclass
class Told:
    """What the client got: a message as `message_of` gives it, or an error."""

    message: Json
    codes: set[str]
    error: Json | None = None


@dataclass
class Asker:
    """Asks a proxy, always buffered or always streamed."""

    proxy: Proxy
    stream: bool

    def __call__(self, **more: Any) -> Told:
        with self.proxy.client(ask(stream=self.stream, **more)) as client:
            raw = client.rest()
            if client.status != 200:
                return Told({}, set(), client_json(raw)["error"])
            codes = client.header("x-dragoman-codes") or ""
        if not self.stream:
            return Told(message_in(client_json(raw)), set(codes.split(",")) - {""})
        streamed = read_stream(raw)
        assert streamed.done == 1
        told = dict(part.split("=") for part in streamed.outcome.split()[1:])
        found = set(told.get("codes", "").split(",")) - {""}
        return Told(message_of(streamed), found, streamed.errors[0] if streamed.errors else None)


def client_json(raw: bytes) -> Json:
    found: Json = json.loads(raw)
    return found
