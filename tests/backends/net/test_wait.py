"""The one wait: what it brings, in which order, on descriptors of every kind."""

from __future__ import annotations

import os
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from backends import Wait
from backends.net import wait
from tests.backends.scripted import CHUNKED, EMPTY, World, bytes_of, chunk, everything, head_of, soon


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours and the backend's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def test_what_is_there_is_never_waited_for(ends: Ends, world: World) -> None:
    client = world.client()
    sock = wait.BackendSocket(ends[0], wait.ClientSocket(client.fd))
    client.sock.close()
    ends[1].sendall(b"one")
    assert sock.receive(0.0, 0.0) == b"one"
    ends[1].close()
    assert sock.receive(0.0, 0.0) == b""


def test_the_deadline(ends: Ends) -> None:
    start = time.monotonic()
    assert wait.BackendSocket(ends[0], wait.ClientSocket(None)).receive(soon(0.1), soon(1)) is Wait.IDLE
    assert 0.1 <= time.monotonic() - start < 2


@pytest.mark.parametrize("later", [0.0, 1.0, None])
def test_the_limit_counts_more_than_the_deadline(ends: Ends, later: float | None) -> None:
    limit = soon(0.1)
    with pytest.raises(wait.LimitExceeded):
        wait.BackendSocket(ends[0], wait.ClientSocket(None)).receive(None if later is None else limit + later, limit)
    assert 0 <= time.monotonic() - limit < 0.9


def test_bytes_end_the_wait(ends: Ends) -> None:
    timer = threading.Timer(0.1, ends[1].sendall, [b"one"])
    timer.start()
    assert wait.BackendSocket(ends[0], wait.ClientSocket(None)).receive(None, None) == b"one"
    timer.join()


def test_a_client_that_left_ends_the_wait(ends: Ends, world: World) -> None:
    client = world.client()
    client.sock.close()
    sock = wait.BackendSocket(ends[0], wait.ClientSocket(client.fd))
    assert sock.receive(None, None) is Wait.CLIENT_LEFT
    assert not sock.send([b"x" * 10_000_000], None)


def test_patience_is_for_each_step(ends: Ends) -> None:
    def read(times: int) -> None:
        for _ in range(times):
            time.sleep(0.1)
            ends[1].recv(10_000_000)

    ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    reader = threading.Thread(target=read, args=[5])
    reader.start()
    start = time.monotonic()
    with pytest.raises(wait.LimitExceeded):
        wait.BackendSocket(ends[0], wait.ClientSocket(None)).send([b"x" * 50_000_000], 0.3)
    assert time.monotonic() - start > 0.7
    reader.join()


def test_a_client_that_sends_on_is_there(world: World) -> None:
    client = world.client()
    client.sock.sendall(b"GET /next HTTP/1.1\r\n\r\n")
    exchange = world.exchange(lambda peer: (peer.request(), peer.wait_closed()), client=client)
    start = time.process_time()
    assert exchange.wait_head(soon(0.4)) is Wait.IDLE
    assert time.process_time() - start < 0.2  # no busy loop
    assert client.held.recv(100, socket.MSG_PEEK) == b"GET /next HTTP/1.1\r\n\r\n"
    assert client.held.getblocking()


def test_the_clients_descriptor_stays_open(world: World) -> None:
    client = world.client()
    exchange = world.exchange(lambda peer: peer.answer(EMPTY), client=client)
    assert everything(exchange) == b""
    exchange.close()
    client.sock.sendall(b"still here")
    assert client.held.recv(100) == b"still here"


def test_descriptors_above_1024(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1500:
        pytest.skip("no more than a thousand descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1500), hard))
    fds = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        client = world.client()
        assert client.fd > 1024
        exchange = world.exchange(
            lambda peer: (peer.answer(CHUNKED + chunk(b"one")), peer.wait_closed()), client=client
        )
        head_of(exchange)
        assert bytes_of(exchange) == b"one"
        assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
        client.sock.close()
        assert exchange.next_bytes(soon(1)) is Wait.CLIENT_LEFT
    finally:
        for fd in fds:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_poll(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    client = world.client()
    backend = world.backend(world.serve(lambda peer: (peer.answer(CHUNKED + chunk(b"one")), peer.wait_closed())))
    monkeypatch.delattr(select, "poll")
    exchange = world.ask(backend, client, b"x" * 3_000_000)
    head_of(exchange)
    assert bytes_of(exchange) == b"one"
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    client.sock.sendall(b"more")
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
