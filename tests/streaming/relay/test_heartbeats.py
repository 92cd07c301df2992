"""Heartbeats: when they come, when they do not, and where in a stream they may stand."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    KEEP_ALIVE,
    Answer,
    Client,
    Json,
    Piece,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    read_until,
    spoken,
)

BEAT = 0.3
"""KEEPALIVE_SECONDS where heartbeats are watched."""
LATE = 0.22
"""Seconds that the most punctual of several heartbeats may be late; less than a second beat."""


class Silence(threading.Event):
    """A pause of the backend, until so many heartbeats have come."""

    def __init__(self, beats: int) -> None:
        super().__init__()
        self.beats = beats


def heard(client: Client) -> list[tuple[float, bytes]]:
    """What came, and after how long a silence."""
    times = [client.sent_at, *(at for at, _ in client.arrivals)]
    return [(at - before, data) for before, (at, data) in zip(times, client.arrivals, strict=False)]


def beats(client: Client) -> list[float]:
    """The silence before each heartbeat. None is early, and not all of them are late.

    One may be late, as the machine may be busy.
    """
    found = [silence for silence, data in heard(client) if KEEP_ALIVE in data]
    assert all(silence > BEAT - 0.03 for silence in found), found
    assert not found or min(found) < BEAT + LATE, found
    return found


def beaten(
    backend: ScriptedBackend, body: Json, silences: Sequence[Silence] = (), **settings: object
) -> tuple[list[float], bytes]:
    """The silences and the answer; each pause of the backend ends when its heartbeats have come."""
    with running_proxy(backend, **{"KEEPALIVE_SECONDS": BEAT, **settings}) as proxy, proxy.client(body) as client:
        wanted = 0
        for silence in silences:
            wanted += silence.beats
            read_until(client, lambda seen, wanted=wanted: seen.comments.count("keep-alive") >= wanted)  # type: ignore[misc]
            silence.set()
        raw = client.rest()
        return beats(client), raw


def test_heartbeats_come_before_the_backends_head(backend: ScriptedBackend) -> None:
    silence = Silence(3)
    backend.answer = Answer(said("ok"), before=[silence])
    found, raw = beaten(backend, ask(), [silence])
    assert len(found) >= 3
    assert message_of(whole_stream(raw)) == spoken("ok")


def test_heartbeats_come_between_the_head_and_the_first_event(backend: ScriptedBackend) -> None:
    silence = Silence(2)
    backend.answer = Answer([silence, *said("ok")])
    found, raw = beaten(backend, ask(), [silence])
    assert len(found) >= 2
    assert message_of(whole_stream(raw)) == spoken("ok")


@in_one_test("framing", ["chunked", "close"])
def test_heartbeats_come_in_mid_stream_and_stand_between_events(backend: ScriptedBackend, framing: Any) -> None:
    first, second, *rest = said("one", " two")
    half = len(second) // 2
    inside, behind = Silence(1), Silence(1)
    pieces: list[Piece] = [first, second[:half], inside, second[half:], behind, *rest]
    backend.answer = Answer(pieces, framing=framing)
    found, raw = beaten(backend, ask(), [inside, behind])
    assert len(found) >= 2
    assert message_of(whole_stream(raw)) == spoken("one two")


def test_heartbeats_come_while_a_call_is_held(backend: ScriptedBackend) -> None:
    """The backend talks all the time; it is the client that hears nothing."""
    words = [frame(chunk({"content": text})) for text in ("<tool_call>\n<function=write_file>\n<parameter=content>\n",)]
    words += [frame(chunk({"content": "more "}))] * 16
    words += [frame(chunk({"content": "\n</parameter>\n</function>\n</tool_call>"}))]
    pieces = [piece for word in words for piece in (word, BEAT / 4)]
    backend.answer = Answer([frame(chunk({"role": "assistant"})), *pieces, frame(chunk({}, "stop")), DONE])
    found, raw = beaten(backend, ask(), TOOL_CALL_STREAMING="whole")
    assert len(found) >= 3
    assert len(message_of(whole_stream(raw))["calls"]) == 1


def test_heartbeats_come_while_a_stream_is_answered_in_json(backend: ScriptedBackend) -> None:
    silence = Silence(2)
    backend.answer = Answer(
        [silence, json.dumps(completion("ok")).encode()],
        headers=[("Content-Type", "application/json")],
        framing="length",
    )
    found, raw = beaten(backend, ask(), [silence])
    assert len(found) >= 2
    assert message_of(whole_stream(raw)) == spoken("ok")


def test_no_heartbeat_comes_while_the_client_hears_something(backend: ScriptedBackend) -> None:
    texts = ["Yes", ", we", " hear", " all", " of", " it"]
    backend.answer = Answer([piece for data in said(*texts) for piece in (data, 0.2)])
    found, raw = beaten(backend, ask(), KEEPALIVE_SECONDS=1)
    assert not found
    assert message_of(whole_stream(raw)) == spoken("".join(texts))


def test_heartbeats_can_be_turned_off(backend: ScriptedBackend) -> None:
    backend.answer = Answer([0.4, *said("ok")], before=[0.4])
    with running_proxy(backend, KEEPALIVE_SECONDS=0) as proxy:
        assert b"keep-alive" not in proxy.streamed(ask())


def test_a_buffered_answer_has_no_heartbeats(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(completion("ok"), before=[0.5])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1) as proxy:
        assert message_in(proxy.buffered(ask(stream=False))) == spoken("ok")
