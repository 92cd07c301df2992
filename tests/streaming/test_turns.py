"""What a hostile backend sends is read and written in turns: nothing takes long before others may run (defects C1, C3).

The bound of the contract is 50 ms for those who wait. A request of theirs takes some turns, so one may not take long.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest

import turns
from backends import Backend, ResponseHead, UpstreamExchange, Wait
from backends.chat import ChatReplyReader
from config import Config
from converters.syntaxes.tokens import END_TOKENS
from dialects.chat import CHAT
from errors import BackendError
from serving.start import calm_collector
from streaming.relay import ClientRequest, Relay
from tests.answers import ask, completion
from tests.cases import in_one_test
from tests.plans import planning
from tests.servers import DONE, chunk, frame

pytestmark = pytest.mark.long

LONGEST = 0.05
"""Seconds of processor time of one turn: usually it has 3 to 15 ms."""
BLOCK = 1 << 16
CALLS = 10_000


class Meter:
    """The longest time that nobody else could run."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.last = time.thread_time()

    def turn(self) -> None:
        now = time.thread_time()
        self.longest, self.last = max(self.longest, now - self.last), now


class Exchange:
    """An exchange whose next bytes are always ready. A read is a turn."""

    decoded = False

    def __init__(self, head: ResponseHead, data: bytes, meter: Meter) -> None:
        self._head = head
        self._blocks = iter([data[start : start + BLOCK] for start in range(0, len(data), BLOCK)])
        self._meter = meter

    def wait_head(self, deadline: float | None) -> ResponseHead:
        return self._head

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        self._meter.turn()
        return next(self._blocks, Wait.END)

    def close(self) -> None:
        pass


class HostileBackend(Backend):
    """Gives the same answer to each request."""

    def __init__(self, data: bytes, meter: Meter, *, stream: bool) -> None:
        kind = "text/event-stream" if stream else "application/json"
        self._head = ResponseHead(200, "OK", (("Content-Type", kind),))
        self._data = data
        self._meter = meter

    def open(self, *_: Any) -> UpstreamExchange:
        return cast(UpstreamExchange, Exchange(self._head, self._data, self._meter))


@pytest.fixture(autouse=True)
def _collector_of_the_service() -> Iterator[None]:
    """It looks as rarely as in the service, and does not go through what was loaded before."""
    before = gc.get_threshold()
    calm_collector()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def longest_turn(data: bytes, stream: bool) -> float:
    """The longest turn, in seconds of processor time, of a request with this answer."""
    meter = Meter()
    body = json.dumps(ask(stream=stream)).encode()
    relay = Relay(Config.from_environment({}), HostileBackend(data, meter, stream=stream), ChatReplyReader, planning())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns._LineOfThreads, "wait", lambda _: meter.turn())
        found = []
        for _ in range(3):  # what is made once, such as the patterns of a row, is made by the first
            meter.longest, meter.last = 0.0, time.thread_time()
            with suppress(BackendError):
                reply = relay.converse(CHAT, ClientRequest("POST", "/v1/chat/completions", [], body, "id"))
                assert sum(map(len, [reply.body] if isinstance(reply.body, bytes) else reply.body))
            meter.turn()
            found.append(meter.longest)
    return min(found[1:])  # on a busy machine even processor time is longer now and then


def said(*texts: str) -> bytes:
    return b"".join(frame(chunk({"content": text})) for text in texts) + frame(chunk({}, "stop")) + DONE


EVENTS = {
    "comments": b": x\n\n",
    "blank lines": b"\n",
    "other line ends": b"\r",
    "empty objects": b"data: {}\n\n",
    "fields": b"x: y\n\n",
    "numbers": b"data: 1\n\n",
    "no choices": b'data: {"choices":[]}\n\n',
    "nothing": frame(chunk({"content": None})),
    "half markers": frame(chunk({"content": "<"})),
    "two texts": frame(chunk({"content": "x"})) + frame(chunk({"reasoning_content": "x"})),
    "usage": b'data: {"choices":[],"usage":{"a":1}}\n\n',
}


@in_one_test("event", EVENTS.values(), ids=list(EVENTS))
def test_c3_events_that_are_always_ready_are_read_in_turns(event: bytes) -> None:
    assert longest_turn(event * (BLOCK // len(event)) + said("x"), stream=True) < LONGEST


@in_one_test("token", [*END_TOKENS[::16], "<|im_end|> ", "```\n", "<think>", '{"', "[", "`a "])
@in_one_test("way", ["whole", "one", "pieces"])
def test_c1_repeated_tokens_are_read_in_turns(token: str, way: str) -> None:
    text = token * (60_000 // len(token))
    if way == "whole":
        assert longest_turn(json.dumps(completion(text)).encode(), stream=False) < LONGEST
        return
    pieces = [text] if way == "one" else [text[start : start + 7] for start in range(0, len(text) // 4, 7)]
    assert longest_turn(said(*pieces), stream=True) < LONGEST


def _calls(count: int) -> Iterator[dict[str, Any]]:
    function = {"name": "get_weather", "arguments": '{"city": "x"}'}
    return ({"index": at, "id": f"{at:08d}", "type": "function", "function": function} for at in range(count))


def test_c8_many_calls_are_read_in_turns() -> None:
    whole = json.dumps(completion(None, tool_calls=[*_calls(CALLS)])).encode()
    assert longest_turn(whole, stream=False) < LONGEST
    frames = b"".join(frame(chunk({"tool_calls": [call]})) for call in _calls(CALLS + 100))
    assert longest_turn(frames, stream=True) < LONGEST  # ends as an error


@in_one_test("opening", ['{"name": "get_weather", "arguments": {"city": "', "[get_weather(city='", "Hi"])
def test_c9_what_is_held_too_long_is_forgotten_in_one_turn(monkeypatch: pytest.MonkeyPatch, opening: str) -> None:
    monkeypatch.setattr("backends.chat.choice.MOST_HELD", 4 << 20)
    monkeypatch.setattr("backends.chat.chunks.MOST_HELD", 4 << 20)
    assert longest_turn(said(opening, *["x" * 100_000] * 60), stream=True) < LONGEST
