"""The faces of the product, read alike: what a client of each API makes of an answer, whole or streamed.

Each is driven through the real relay and read by the rules of its API, strictly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.chat import ChatReplyReader
from config import Config
from dialects.chat import CHAT
from dialects.messages import Messages
from dialects.protocol import Dialect
from dialects.responses import Responses
from streaming import ClientReply, ClientRequest
from streaming.relay import Relay
from tests.answers import message_in, message_of, whole_stream
from tests.dialects.messages.reading import comparable, read_stream
from tests.dialects.ollama import talk
from tests.dialects.responses.reading import TOKEN, assembled, checked, events_of, without_ids
from tests.dialects.test_toy import OneAnswer
from tests.plans import planning
from tests.servers import Json

Tools = Mapping[str, Mapping[str, Any]]
"""The schemas of functions, by their names."""


@dataclass(frozen=True)
class Said:
    """An answer, whatever the API. Arguments are read; calls that were cut are left out: some APIs cannot tell them."""

    text: str
    reasoning: str
    calls: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Face:
    """One API."""

    name: str
    new: Callable[[], Dialect]
    ask: Callable[[bool, Tools], Json]
    """A request: whether it is to be streamed, and the functions."""
    whole: Callable[[bytes], Json]
    """A buffered answer, without what differs from one answer to the next."""
    stream: Callable[[bytes], Json]
    """The same of a streamed one."""
    said: Callable[[Json], Said]
    calls: bool = True
    """The API has tools."""

    def reply(
        self, backend: OneAnswer, stream: bool, tools: Tools, row: str | None = None, model: str = "some-model"
    ) -> ClientReply:
        """The reply to a request; `row` is the syntax that its header names."""
        dialect = self.new()
        relay = Relay(Config(), backend, ChatReplyReader, planning())  # type: ignore[arg-type]
        body = json.dumps({"model": model, "stream": stream, **self.ask(stream, tools)}).encode()
        headers = [("x-dragoman-syntax", row)] if row else []
        return relay.converse(dialect, ClientRequest("POST", dialect.routes[0], headers, body, "r"))

    def raw(self, backend: OneAnswer, stream: bool, tools: Tools, row: str | None = None) -> bytes:
        """The body of the reply."""
        body = self.reply(backend, stream, tools, row).body
        return body if isinstance(body, bytes) else b"".join(body)


MESSAGES = [{"role": "user", "content": "Hi"}]


def _functions(tools: Tools) -> list[Json]:
    return [{"name": name, "parameters": dict(schema)} for name, schema in tools.items()]


def _ask_chat(stream: bool, tools: Tools) -> Json:
    declared = [{"type": "function", "function": each} for each in _functions(tools)]
    return {"messages": MESSAGES, **({"tools": declared} if declared else {})}


def _ask_responses(stream: bool, tools: Tools) -> Json:
    return {"input": "Hi", "tools": [{"type": "function", **each} for each in _functions(tools)]}


def _ask_messages(stream: bool, tools: Tools) -> Json:
    declared = [{"name": name, "input_schema": dict(schema)} for name, schema in tools.items()]
    return {"messages": MESSAGES, "max_tokens": 100, "tools": declared}


def _read(calls: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
    found = []
    for name, arguments in calls:
        try:
            found.append((name, json.loads(arguments)))
        except ValueError:
            continue
    return found


# -- chat completions --------------------------------------------------------------------------------------------------


def _chat_plain(message: Json) -> Json:
    calls = [{"name": call["name"], "arguments": call["arguments"]} for call in message.get("calls", [])]
    return {**message, "content": message.get("content") or "", "calls": calls}


def _chat_said(message: Json) -> Said:
    calls = _read([(call["name"], call["arguments"]) for call in message["calls"]])
    return Said(message["content"], message.get("reasoning_content") or "", calls)


# -- Responses ---------------------------------------------------------------------------------------------------------


def _response_said(response: Json) -> Said:
    def text(kind: str) -> str:
        items = [item for item in response["output"] if item["type"] == kind]
        return "".join(part["text"] for item in items for part in item["content"])

    calls = [(item["name"], item["arguments"]) for item in response["output"] if item["type"] == "function_call"]
    return Said(text("message"), text("reasoning"), _read(calls))


# -- Messages ----------------------------------------------------------------------------------------------------------


def _message_said(message: Json) -> Said:
    def text(kind: str) -> str:
        return "".join(block[kind] for block in message["content"] if block["type"] == kind)

    calls = [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
    return Said(text("text"), text("thinking"), calls)


# -- Ollama ------------------------------------------------------------------------------------------------------------


def _line_said(answer: Json) -> Said:
    inner = answer.get("message", answer)
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in talk.calls_of(answer)]
    return Said(inner.get("content", inner.get("response")), inner.get("thinking", ""), calls)


def _ollama(name: str, path: talk.Path, ask: Callable[[bool, Tools], Json], calls: bool) -> Face:
    return Face(
        name,
        lambda: talk.dialect(path),
        ask,
        lambda raw: talk.plain(json.loads(raw)),
        lambda raw: talk.joined(talk.lines(raw)),
        _line_said,
        calls,
    )


CHAT_FACE = Face(
    "chat",
    lambda: CHAT,
    _ask_chat,
    lambda raw: _chat_plain(message_in(json.loads(raw))),
    lambda raw: _chat_plain(message_of(whole_stream(raw))),
    _chat_said,
)
FACES: Sequence[Face] = (
    CHAT_FACE,
    Face(
        "responses",
        lambda: Responses(lambda: TOKEN),
        _ask_responses,
        lambda raw: without_ids(checked(json.loads(raw))),
        lambda raw: without_ids(assembled(events_of(raw, strict=False))),
        _response_said,
    ),
    Face(
        "messages",
        Messages,
        _ask_messages,
        lambda raw: comparable(json.loads(raw)),
        lambda raw: comparable(read_stream(raw)),
        _message_said,
    ),
    _ollama("ollama", "/api/chat", _ask_chat, True),
    _ollama("generate", "/api/generate", lambda stream, tools: {"prompt": "Hi"}, False),
)


def message_of_error(face: str, told: Json) -> str:
    """What an error says; AssertionError if it has not the shape of the face."""
    if face in ("ollama", "generate"):
        assert list(told) == ["error"]
        return str(told["error"])
    error = told["error"]
    if face == "messages":
        assert set(told) <= {"type", "error", "request_id"} and told["type"] == "error"
        assert set(error) == {"type", "message"} and error["type"].endswith(("_error", "_too_large"))
    else:
        assert set(told) == {"error"} and {"message", "type", "param", "code"} >= set(error) >= {"message", "type"}
    return str(error["message"])
