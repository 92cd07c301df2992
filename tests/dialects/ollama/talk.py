"""The Ollama dialects without a network: a clock of the tests, one answer for a backend, and lines read strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from backends.chat import ChatReplyReader
from config import Config
from dialects.ollama import Ollama, conversations
from streaming import ClientReply, ClientRequest
from streaming.relay import Relay
from tests.dialects.test_toy import CAN, OneAnswer
from tests.plans import planning
from tests.servers import Json

START = 1_700_000_000_000_000_000
"""The first time that the clock tells, in nanoseconds since 1970; each further one is a second later."""
SECOND = 1_000_000_000
MESSAGES = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in CAN.items()]
Path = Literal["/api/chat", "/api/generate"]


class Clock:
    """Tells a second more each time that it is asked."""

    def __init__(self) -> None:
        self.now = START - SECOND

    def __call__(self) -> int:
        self.now += SECOND
        return self.now


def dialect(path: Path = "/api/chat", clock: Clock | None = None) -> Ollama:
    return next(each for each in conversations(clock or Clock()) if each.routes == (path,))


def replied(backend: OneAnswer, path: Path = "/api/chat", settings: Json | None = None, **asked: Any) -> ClientReply:
    """The reply to a request; fields of None are left out of it."""
    body: Json = {"model": "glm-4.5", "messages": MESSAGES, "tools": TOOLS}
    if path == "/api/generate":
        body = {"model": "glm-4.5", "prompt": "Hi"}
    body = {name: value for name, value in {**body, **asked}.items() if value is not None}
    relay = Relay(Config(**(settings or {})), backend, ChatReplyReader, planning())  # type: ignore[arg-type]
    return relay.converse(dialect(path), ClientRequest("POST", path, [], json.dumps(body).encode(), "r"))


def conversed(backend: OneAnswer, path: Path = "/api/chat", **asked: Any) -> bytes:
    """The body of the reply to a request."""
    body = replied(backend, path, **asked).body
    return body if isinstance(body, bytes) else b"".join(body)


def lines(raw: bytes, loads: Callable[[str], Any] = json.loads) -> list[Json]:
    """The lines of a stream, each an object also for readers who cut at more than `\\n`. One is the end, the last."""
    text = raw.decode()
    assert text.endswith("\n"), text[-200:]
    told = [loads(line) for line in text.splitlines()]
    ends = ["error" in line or line["done"] is True for line in told]
    assert ends == [False] * (len(told) - 1) + [True], text[-400:]
    for line in told:
        if "error" in line:
            assert list(line) == ["error"] and isinstance(line["error"], str) and line["error"]
            continue
        assert isinstance(line["model"], str)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line["created_at"])
        for call in calls_of(line):
            assert isinstance(call["id"], str) and call["id"]
            assert isinstance(call["function"]["arguments"], dict)
    return told


def calls_of(line: Json) -> list[Json]:
    calls: list[Json] = (line.get("message") or line).get("tool_calls", [])
    return calls


def joined(told: list[Json]) -> Json:
    """A stream as the buffered answer to the same request: texts and calls of all lines in the last."""
    whole = json.loads(json.dumps(told[-1]))
    if "error" in whole:
        return {"error": whole["error"]}
    place = whole.get("message", whole)
    content = "response" if "response" in whole else "content"
    inner = [line.get("message", line) for line in told]
    place[content] = "".join(each[content] for each in inner)
    if thinking := "".join(each.get("thinking", "") for each in inner):
        place["thinking"] = thinking
    if calls := [call for line in told for call in calls_of(line)]:
        place["tool_calls"] = calls
    if logprobs := [each for line in told for each in line.get("logprobs", [])]:
        whole["logprobs"] = logprobs
    return plain(whole)


def plain(answer: Json) -> Json:
    """A whole answer without what differs from run to run: times and ids. Calls are counted from 0."""
    told = {name: value for name, value in answer.items() if not name.endswith(("_duration", "_at"))}
    for place, call in enumerate(calls_of(told)):
        assert call["function"]["index"] == place
        del call["id"]
    return told


def words(told: list[Json]) -> Iterator[tuple[str, Any]]:
    """(what a line says, and of what kind) for each line."""
    for line in told:
        inner = line.get("message", line)
        for name in ("content", "response", "thinking", "tool_calls"):
            if inner.get(name):
                yield name, inner[name]
