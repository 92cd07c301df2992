"""A client that does not read slows the backend down: nothing piles up in between."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse

import pytest

from tests.servers import (
    DONE,
    HOST,
    Answer,
    How,
    Piece,
    Process,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    json_answer,
    proxy_process,
    running_proxy,
    said,
)

pytestmark = pytest.mark.long

PIECE = frame(chunk({"content": "word" * 16_000}))
PIECES = 450
"""Together some 29 MB."""
KERNEL = 22_000_000
"""Bytes that the buffers of the sockets may hold, by far; the client's own is made small."""


class Counted(list[Piece]):
    """Pieces that count how many of them were taken."""

    taken = 0

    def __iter__(self) -> Iterator[Piece]:
        for piece in super().__iter__():
            self.taken += 1
            yield piece


def memory(process: Process) -> int:
    """Bytes of memory that the process and its children hold."""
    children = f"/proc/{process.process.pid}/task/{process.process.pid}/children"
    with open(children) as found:
        pids = [process.process.pid, *map(int, found.read().split())]
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/statm") as statm:
            total += int(statm.read().split()[1]) * 4096
    return total


def where_it_stalls(pieces: Counted) -> int:
    """How many were taken when no more had been for a while."""
    until = time.monotonic() + 8
    before = -1
    while pieces.taken != before:
        assert time.monotonic() < until, "the backend still sends"
        before = pieces.taken
        time.sleep(0.6)
    return before


def unread(port: int, target: str) -> socket.socket:
    """A request whose answer nobody reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.settimeout(10)
    sock.connect((HOST, port))
    body = json.dumps(ask()).encode()
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    sock.sendall(head.encode() + body)
    return sock


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/completions"], ids=["translated", "forwarded"])
@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_a_client_that_does_not_read_holds_up_the_backend(how: How, target: str) -> None:
    pieces = Counted([said()[0], *[PIECE] * PIECES, frame(chunk({}, "stop")), DONE])
    with ScriptedBackend(json_answer({})) as backend, proxy_process(how, backend) as proxy:
        with proxy.client(ask(), target) as client:
            client.rest()  # so that the process has all that it needs for one answer
        backend.answer = Answer(pieces)
        before = memory(proxy)
        with unread(proxy.port, target) as sock:
            backend.request(1)
            stalled = where_it_stalls(pieces)
            assert stalled * len(PIECE) < KERNEL, "the backend was read although the client was not reading"
            assert memory(proxy) - before < 32_000_000
            with HTTPResponse(sock) as response:
                response.begin()
                raw = response.read()
        assert memory(proxy) - before < 48_000_000
    assert raw.count(PIECE) == PIECES


def test_a_client_that_never_reads_again_and_leaves_frees_the_backend() -> None:
    pieces = Counted([said()[0], *[PIECE] * PIECES])
    with ScriptedBackend(Answer(pieces)) as backend, running_proxy(backend) as proxy:
        sock = unread(proxy.port, "/v1/chat/completions")
        received = backend.request()
        time.sleep(0.5)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
        assert received.closed.wait(5)


def test_an_event_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire.sse._MAX_FRAME_BYTES", 1_000_000)
    pieces = Counted([said()[0], b"data: ", *[b"x" * 65536] * 1000])
    with ScriptedBackend(Answer(pieces)) as backend, running_proxy(backend) as proxy:
        streamed = broken_stream(proxy.streamed(ask()))
        assert backend.last.closed.wait(5) and not backend.last.answered
    assert "longer than" in streamed.errors[0]["message"]


def test_an_event_may_be_long() -> None:
    text = "word" * 2_000_000
    with ScriptedBackend(Answer(said(text, "."))) as backend, running_proxy(backend) as proxy:
        assert text.encode() in proxy.streamed(ask())
