"""The shutdown signal: it ends waits, is noticed without waiting, and may be set before or after anyone watches."""

from __future__ import annotations

import gc
import os
import select
import socket
import threading
import time

import pytest

from backends import Backend, ShutdownSignal, Timeouts
from backends.net.wait import BackendSocket, ClientSocket
from errors import Stopping
from tests.backends.scripted import CHUNKED, Peer, World, bytes_of, chunk, head_of, soon


def readable(shutdown: ShutdownSignal) -> bool:
    poll = select.poll()
    assert shutdown.fd is not None
    poll.register(shutdown.fd, select.POLLIN)
    return bool(poll.poll(0))


def test_it_is_readable_for_everyone_once_it_is_set() -> None:
    shutdown = ShutdownSignal()
    assert not readable(shutdown) and not shutdown.is_set()
    shutdown.set()
    assert readable(shutdown) and readable(shutdown) and shutdown.is_set()


def test_it_may_be_set_before_anyone_watches() -> None:
    shutdown = ShutdownSignal()
    shutdown.set()
    assert readable(shutdown)


def test_its_descriptors_end_with_it() -> None:
    shutdown = ShutdownSignal()
    fd = shutdown.fd
    assert fd is not None and os.fstat(fd)
    del shutdown
    gc.collect()
    with pytest.raises(OSError):
        os.fstat(fd)


@pytest.mark.parametrize("waits", ["receive", "send"])
def test_it_ends_a_wait(waits: str) -> None:
    ours, theirs = socket.socketpair()
    shutdown = ShutdownSignal()
    with ours, theirs:
        sock = BackendSocket(ours, ClientSocket(None), shutdown)
        timer = threading.Timer(0.1, shutdown.set)
        timer.start()
        start = time.monotonic()
        with pytest.raises(Stopping):
            _ = sock.receive(None, None) if waits == "receive" else sock.send([b"x" * 50_000_000], None)
        assert 0.05 < time.monotonic() - start < 5
        timer.join()


def test_it_is_noticed_while_bytes_never_stop(world: World) -> None:
    """Where there is always something to read, nobody waits."""

    def flood(peer: Peer) -> None:
        peer.answer(CHUNKED)
        try:
            while True:
                peer.send(chunk(b"x" * 100_000))
        except OSError:
            pass

    shutdown = ShutdownSignal()
    backend = Backend(world.serve(flood).url, Timeouts(3, 3, 3), shutdown=shutdown)
    exchange = world.ask(backend)
    head_of(exchange)
    timer = threading.Timer(0.1, shutdown.set)
    timer.start()
    with pytest.raises(Stopping):
        while bytes_of(exchange, soon(3)):
            pass
    timer.join()
    exchange.close()
    backend.close()


def test_it_ends_the_sending_of_a_request(world: World) -> None:
    shutdown = ShutdownSignal()

    def script(peer: Peer) -> object:
        time.sleep(0.3)
        return peer.wait_closed()

    server = world.serve(script)
    backend = Backend(server.url, Timeouts(3, 3, 3), shutdown=shutdown)
    timer = threading.Timer(0.1, shutdown.set)
    timer.start()
    with pytest.raises(Stopping):
        backend.open("POST", "/", [], b"x" * 30_000_000)
    timer.join()
    backend.close()
    server.close()
    assert isinstance(server.results[0], float), "the connection stayed open"
