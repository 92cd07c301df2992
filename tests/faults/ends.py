"""How an exchange may end, and whether it did: once, in form, in time, and with the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.spoken import ARGUMENTS, TEXT, UNTOLD, Reply
from tests.servers import Client, Json, Streamed, broken_stream, message_in, message_of, whole_stream

End = Callable[[Reply, Client], None]
"""Raises AssertionError if an answer did not end so."""


def whole(reply: Reply, client: Client) -> None:
    """All of the answer arrived, translated."""
    raw = client.rest()
    assert client.status == 200 and not client.broken, (client.status, raw[:300])
    is_whole(reply, raw)


def despite_noise(reply: Reply, client: Client) -> None:
    """The same, beside events that mean nothing, which pass as they came."""
    raw = client.rest()
    assert client.status == 200 and not client.broken, (client.status, raw[:300])
    if reply.way == "streamed":
        raw = b"".join(frame + b"\n\n" for frame in raw.split(b"\n\n") if means_something(frame))
    is_whole(reply, raw)


def means_something(frame: bytes) -> bool:
    data = frame.removeprefix(b"data: ")
    if not frame.startswith(b"data: ") or data == b"[DONE]":
        return True
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(chunk, dict) and "choices" in chunk and "object" in chunk


def is_whole(reply: Reply, raw: bytes) -> None:
    message = message_of(whole_stream(raw)) if reply.way == "streamed" else message_in(json.loads(raw))
    assert message["content"].strip() == TEXT, message
    assert message["reasons"] == ["tool_calls"], message
    (call,) = message["calls"]
    assert call["name"] == "get_weather" and json.loads(call["arguments"]) == ARGUMENTS, call


def as_received(reply: Reply, client: Client) -> None:
    """What is no chat completion, and no error either, is the client's to judge: it gets the bytes."""
    raw = client.rest()
    assert client.status == 200 and not client.broken, (client.status, raw[:300])
    assert raw in sent_by(reply) or sent_by(reply) in raw or raw == b""


def sent_by(reply: Reply) -> bytes:
    return reply.whole


@dataclass(frozen=True)
class Refusal:
    """An error under a status of its own. `code` is ours; a backend's own words are told by `words`."""

    status: int
    code: str | None = None
    words: str = ""

    def __call__(self, reply: Reply, client: Client) -> None:
        raw = client.rest()
        assert client.status == self.status and not client.broken, (client.status, raw[:300])
        assert client.header("content-type") == "application/json"
        error = json.loads(raw)["error"]
        assert error["message"] and error["type"], error
        assert self.code is None or error["code"] in (self.code, UNTOLD), error
        assert self.words in error["message"], error


@dataclass(frozen=True)
class Event:
    """What had arrived, then one error event: the status had left already."""

    code: str | None = None
    words: str = ""

    def __call__(self, reply: Reply, client: Client) -> None:
        raw = client.rest()
        assert client.status == 200 and not client.broken, (client.status, raw[:300])
        streamed = broken_stream(raw)
        error = streamed.errors[0]
        assert self.code is None or error["code"] in (self.code, UNTOLD), error
        assert self.words in error["message"], error
        only_truth(streamed)


def only_truth(streamed: Streamed) -> None:
    """What was said before the break is the beginning of what was meant."""
    if not streamed.choices():
        return
    message: Json = message_of(streamed)
    text = message["content"].strip()
    if message["calls"]:
        (call,) = message["calls"]
        assert call["name"] == "get_weather"
        assert '{"city": "서울", "days": 3}'.startswith(call["arguments"]), call
        assert text == TEXT, message
    else:
        assert TEXT.startswith(text) or text.startswith(TEXT) or text[0] in "<{", message


def either(*ends: End) -> End:
    """More than one end is true."""

    def one_of(reply: Reply, client: Client) -> None:
        client.rest()  # read once; what the client keeps is looked at again
        failures: list[str] = []
        for end in ends:
            try:
                end(reply, client)
                return
            except (AssertionError, ValueError, LookupError) as failure:
                failures.append(str(failure))
        raise AssertionError("; ".join(failures))

    return one_of


TOO_SLOW = either(Refusal(504, "backend_answer_timeout"), Refusal(504, "backend_idle_timeout"))
"""Silence and the whole answer's time began together."""
