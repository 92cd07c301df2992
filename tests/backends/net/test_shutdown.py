"""The bell of a stop: heard by who waits and by who is busy, rung before or after anyone listens."""

from __future__ import annotations

import gc
import os
import select
import socket
import threading
import time

import pytest

from backends import Backend, ShutdownSignal, Timeouts
from backends.net.wait import Client, Line
from errors import Stopping
from tests.backends.scripted import CHUNKED, Peer, World, bytes_of, chunk, head_of, soon


def heard(closing: ShutdownSignal) -> bool:
    poll = select.poll()
    assert closing.fd is not None
    poll.register(closing.fd, select.POLLIN)
    return bool(poll.poll(0))


def test_it_is_silent_until_it_rings_and_then_for_everyone() -> None:
    closing = ShutdownSignal()
    assert not heard(closing) and not closing.rung
    closing.ring()
    assert heard(closing) and heard(closing) and closing.rung


def test_it_may_ring_before_anyone_listens() -> None:
    closing = ShutdownSignal()
    closing.ring()
    assert heard(closing)


def test_its_descriptors_end_with_it() -> None:
    closing = ShutdownSignal()
    fd = closing.fd
    assert fd is not None and os.fstat(fd)
    del closing
    gc.collect()
    with pytest.raises(OSError):
        os.fstat(fd)


@pytest.mark.parametrize("waits", ["receive", "send"])
def test_it_ends_a_wait(waits: str) -> None:
    ours, theirs = socket.socketpair()
    closing = ShutdownSignal()
    with ours, theirs:
        line = Line(ours, Client(None), closing)
        timer = threading.Timer(0.1, closing.ring)
        timer.start()
        start = time.monotonic()
        with pytest.raises(Stopping):
            _ = line.receive(None, None) if waits == "receive" else line.send(b"x" * 50_000_000, None)
        assert 0.05 < time.monotonic() - start < 5
        timer.join()


def test_it_is_heard_in_a_flood(world: World) -> None:
    """Where there is always something to read, nobody waits."""

    def flood(peer: Peer) -> None:
        peer.answer(CHUNKED)
        try:
            while True:
                peer.send(chunk(b"x" * 100_000))
        except OSError:
            pass

    closing = ShutdownSignal()
    backend = Backend(world.serve(flood).url, Timeouts(3, 3, 3), closing=closing)
    exchange = world.ask(backend)
    head_of(exchange)
    timer = threading.Timer(0.1, closing.ring)
    timer.start()
    with pytest.raises(Stopping):
        while bytes_of(exchange, soon(3)):
            pass
    timer.join()
    exchange.close()
    backend.close()


def test_a_request_that_is_being_sent_is_let_go(world: World) -> None:
    closing = ShutdownSignal()

    def script(peer: Peer) -> object:
        time.sleep(0.3)
        return peer.wait_closed()

    server = world.serve(script)
    backend = Backend(server.url, Timeouts(3, 3, 3), closing=closing)
    timer = threading.Timer(0.1, closing.ring)
    timer.start()
    with pytest.raises(Stopping):
        backend.open("POST", "/", [], b"x" * 30_000_000)
    timer.join()
    backend.close()
    server.close()
    assert isinstance(server.results[0], float), "the connection stayed open"
