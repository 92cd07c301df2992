"""A reset at every byte of one recorded answer, head and framing included: cut short, it is an error everywhere but
behind its end, and never another answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults.ends import Event, Refusal, whole
from tests.faults.scenarios import LATE_BREAK
from tests.faults.spoken import SPOKEN, WAYS, Reply, Way
from tests.faults.world import SETTLED, Tally, World
from tests.servers import Answer, Client, Piece, Received, ask

READ = 0.04
"""Seconds that the proxy is given to read what was sent before the reset throws the rest away."""
AT_ONCE = 4
"""Resets at a time in each world: most of the time of each is waiting."""


def wire(reply: Reply) -> bytes:
    """The answer as llama-server frames it: a chunk for each event, and the end of the connection."""
    kind = "text/event-stream" if reply.way == "streamed" else "application/json"
    head = f"HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in reply.pieces]
    return head.encode() + b"".join(chunks) + b"0\r\n\r\n"


def first_event_ends(data: bytes) -> int:
    """Up to there nothing can have been said to the client, not even a status."""
    return data.index(b"\n\n", data.index(b"\r\n\r\n") + 4) + 2


def said_all(reply: Reply, place: int) -> bool:
    """Whether all that matters has been said by this byte."""
    data = wire(reply)
    if reply.way == "buffered":
        return place == len(data)
    # The finish reason counts once its event is whole, which is with its blank line.
    end = data.index(b"\n\n", data.index(b'"finish_reason": "stop"')) + 2
    return place >= end


def check(reply: Reply, place: int, client: Client) -> None:
    """The one end that a reset at this byte may have."""
    if said_all(reply, place):
        whole(reply, client)
    elif reply.way == "buffered" or place < first_event_ends(wire(reply)):
        Refusal(502, "backend_interrupted")(reply, client)
    else:
        Event("backend_interrupted")(reply, client)


def script(reply: Reply, data: bytes, place: int) -> Answer:
    pause = LATE_BREAK if said_all(reply, place) else READ
    pieces: list[Piece] = [data[:place], pause] if place else [pause]
    return Answer(pieces, framing="raw", ends="reset")


def one(world: World, reply: Reply, place: int) -> float:
    """Play one reset. The backend knows which by the request's `user`."""
    began = time.monotonic()
    body = ask(stream=reply.way == "streamed", model=reply.spoken.model, user=f"{reply.way} {place}")
    with world.proxies["calm"].client(body, patience=SETTLED * 2) as client:
        try:
            check(reply, place, client)
        except (AssertionError, ValueError, LookupError, TypeError, OSError) as error:
            raise AssertionError(f"reset at byte {place}, {reply.way}: {type(error).__name__} {error}") from error
    return time.monotonic() - began


def resets(worlds: Sequence[World], ways: Sequence[Way] = WAYS, step: int = 1) -> Tally:
    """All of them, and that nothing is left afterwards."""
    tally, lock = Tally(), threading.Lock()
    replies = {way: Reply(SPOKEN[0], way) for way in ways}
    wires = {way: wire(reply) for way, reply in replies.items()}

    def answer(received: Received) -> Answer:
        way, place = received.json()["user"].split(" ")
        return script(replies[way], wires[way], int(place))

    def played(case: tuple[World, Reply, int]) -> None:
        try:
            took, failure = one(*case), ""
        except AssertionError as error:
            took, failure = 0.0, str(error)
        with lock:
            tally.add(took, failure)

    for world in worlds:
        world.backend.answer = answer
    cases = [(replies[way], place) for way in ways for place in range(0, len(wires[way]) + 1, step)]
    with ThreadPoolExecutor(AT_ONCE * len(worlds)) as pool:
        shared = [(worlds[number % len(worlds)], *case) for number, case in enumerate(cases)]
        list(pool.map(played, shared))
    for world in worlds:
        tally.check(lambda world=world: world.nothing_left("calm"))  # type: ignore[misc]
        tally.check(lambda world=world: world.all_let_go())  # type: ignore[misc]
    return tally
