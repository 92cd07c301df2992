"""Model servers that the doctor is tried on: one that does everything right, and the same with one fault each.

The model answers what questions.py asks. Which server it is, and what is wrong with it, are fields of `Played`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from command.doctor import questions as q
from converters.render import render_calls
from converters.syntaxes import SYNTAXES
from tests.answers import DONE, Answer, Json, Piece, frame, json_answer
from tests.servers import Received, ScriptedBackend

MODEL = "hermes-3-llama-3.1-8b"
ROW = next(row for row in SYNTAXES if row.name == "hermes")
_PAUSE = 0.05
"""Seconds between two words of the long answer."""
_LONG_ANSWER = 100

Call = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Said:
    """What the model means."""

    content: str = ""
    calls: Sequence[Call] = ()
    reasoning: str = ""


_ROME = {"city": "Rome", "days": 1}
_ANSWERS: Mapping[str, Said] = {
    q.PLAIN: Said("The capital of Korea is Seoul."),
    q.COUNT: Said("one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve"),
    q.CALL: Said("", [("get_weather", {"city": "Seoul", "days": 3})]),
    q.REQUIRED: Said("", [("get_weather", {"city": "Busan", "days": 2})]),
    q.NAMED: Said("", [("get_time", {})]),
    q.FORBIDDEN: Said("It will be mild in Jeju."),
    q.PARALLEL: Said("", [("get_weather", {"city": "Paris", "days": 1}), ("get_weather", {"city": "Oslo", "days": 2})]),
    q.NO_ARGUMENTS: Said("", [("get_time", {})]),
    q.UNICODE: Said("", [("save_note", {"text": q.NOTE_TEXT})]),
    q.NESTED: Said("", [("plan_trip", q.TRIP_ARGUMENTS)]),
    q.REASONING: Said("", [("get_weather", {"city": "Ulsan", "days": 1})], "An umbrella helps if it rains."),
    q.LONG_COUNT: Said(" ".join(["number"] * _LONG_ANSWER)),
    "temperature_celsius": Said("It is 17 degrees in Incheon, with hail."),
    "Only repeat the example.": Said(f"For example:\n```\n{render_calls(ROW, [('get_weather', _ROME)])}\n```"),
    "the password only.": Said(f"The password is {q.PASSWORD}."),
}
"""What stands in the last message, and what the model says to it."""


def said_to(body: Json) -> Said:
    asked = json.dumps(body["messages"][-1]["content"], ensure_ascii=False)
    for words, said in _ANSWERS.items():
        if json.dumps(words, ensure_ascii=False)[1:-1] in asked or words in asked:
            return said
    raise AssertionError(f"nobody answers {asked}")


@dataclass
class Played:
    """A server in front of that model. Every field but the first two is a fault."""

    owner: str = "llamacpp"
    paths: Mapping[str, Json] = field(default_factory=dict)
    """What tells which server it is: JSON by path."""
    raw: bool = False
    """Calls and reasoning are passed on as text."""
    refuses: str = ""
    """Requests with tools are refused, with these words."""
    streams_badly: bool = False
    """The arguments of streamed calls are lost."""
    spells_badly: bool = False
    """Arguments are a Python dict, and the finish reason of calls is `stop`."""
    counts: bool = True
    """It tells usage."""
    stops: bool = True
    """It notices that a client has left."""
    chats: bool = False
    """The model calls nothing."""

    def __post_init__(self) -> None:
        self.backend: ScriptedBackend | None = None
        self.stopped: set[int] = set()

    def __call__(self, received: Received) -> Answer:
        path = received.target.partition("?")[0]
        if path == "/v1/models":
            return json_answer({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": self.owner}]})
        if path == "/slots":
            return json_answer([{"id": 0, "is_processing": self._running()}])
        if path in self.paths:
            return json_answer(self.paths[path])
        if path != "/v1/chat/completions":
            return _error(404, "There is no such path.")
        try:
            body = received.json()
        except ValueError:
            return _error(400, "The body is not JSON.")
        return self._chat(body)

    def _running(self) -> bool:
        assert self.backend is not None
        chats = [each for each in self.backend.requests if each.target.startswith("/v1/chat/completions")]
        if not self.stops and any(not each.answered for each in chats):
            return True
        return any(not each.answered and not each.closed.is_set() for each in chats)

    def _chat(self, body: Json) -> Answer:
        if body["model"] != MODEL:
            return _error(404, f"The model {body['model']} does not exist.")
        if self.refuses and (body.get("tools") or any(each["role"] == "tool" for each in body["messages"])):
            return _error(400, self.refuses)
        said = said_to(body)
        if self.chats and said.calls:
            said = Said("I would rather talk about it.", (), said.reasoning)
        if self.raw or not body.get("tools"):
            thought = f"<think>{said.reasoning}</think>" if said.reasoning else ""
            said = Said(thought + said.content + render_calls(ROW, list(said.calls)) if said.calls else said.content)
        return self._stream(body, said) if body.get("stream") else self._whole(body, said)

    def _usage(self, body: Json, said: Said) -> Json:
        if not self.counts:
            return {}
        read, written = len(json.dumps(body)) // 4, 1 + len(said.content) // 4
        return {"usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}}

    def _finish(self, said: Said) -> str:
        return "tool_calls" if said.calls and not self.spells_badly else "stop"

    def _arguments(self, arguments: Mapping[str, Any]) -> str:
        return str(dict(arguments)) if self.spells_badly else json.dumps(arguments, ensure_ascii=False)

    def _whole(self, body: Json, said: Said) -> Answer:
        message: Json = {"role": "assistant", "content": said.content or None}
        if said.reasoning:
            message["reasoning_content"] = said.reasoning
        if said.calls:
            message["tool_calls"] = [
                {
                    "id": f"call_{place}_{name}",
                    "type": "function",
                    "function": {"name": name, "arguments": self._arguments(arguments)},
                }
                for place, (name, arguments) in enumerate(said.calls)
            ]
        choice = {"index": 0, "message": message, "finish_reason": self._finish(said)}
        top = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL}
        return json_answer({**top, "choices": [choice], **self._usage(body, said)})

    def _stream(self, body: Json, said: Said) -> Answer:
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": word} for word in re.findall(r"\s*\S+", said.reasoning)]
        deltas += [{"content": word} for word in re.findall(r"\s*\S+|\s+$", said.content)]
        for place, (name, arguments) in enumerate(said.calls):
            function = {"name": name, "arguments": ""}
            deltas.append(
                {"tool_calls": [{"index": place, "id": f"call_{place}", "type": "function", "function": function}]}
            )
            if not self.streams_badly:
                text = self._arguments(arguments)
                for start in range(0, len(text), 8):
                    part = {"index": place, "function": {"arguments": text[start : start + 8]}}
                    deltas.append({"tool_calls": [part]})
        chunks = [_chunk(delta) for delta in deltas] + [_chunk({}, self._finish(said))]
        if (body.get("stream_options") or {}).get("include_usage") and self.counts:
            chunks.append({**_chunk({}), "choices": [], **self._usage(body, said)})
        slow = q.LONG_COUNT in json.dumps(body["messages"])
        pieces: list[Piece] = []
        for each in chunks:
            pieces += [frame(each), _PAUSE] if slow else [frame(each)]
        return Answer([*pieces, DONE])


def _chunk(delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
    }


def _error(status: int, message: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return json_answer({"error": error}, status)
