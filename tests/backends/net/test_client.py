"""A backend for many threads, and the probe."""

from __future__ import annotations

import select
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from errors import Unreachable
from tests.backends.scripted import CHUNKED, Peer, World, chunk, everything


def test_twenty_at_once(world: World) -> None:
    gate = threading.Barrier(20)

    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.send(CHUNKED)
            gate.wait(3)  # all twenty are open
            for number in range(20):
                peer.send(chunk(request[-2:] + b"%d " % number))
            peer.send(b"0\r\n\r\n")

    server = world.serve(script)
    backend = world.backend(server)

    def one(number: int) -> bool:
        name = b"%02d" % number
        with closing(backend.open("POST", "/", [], name)) as exchange:
            return everything(exchange) == b"".join(name + b"%d " % step for step in range(20))

    with ThreadPoolExecutor(20) as threads:
        assert all(threads.map(one, range(20)))
        assert all(threads.map(one, range(20)))
    backend.close()
    assert server.connections == 20


def test_a_closed_backend(world: World) -> None:
    backend = world.backend("http://127.0.0.1:9")
    backend.close()
    with pytest.raises(Unreachable):
        backend.open("GET", "/", [], b"")
    assert not backend.probe()[0]


@pytest.mark.parametrize(("status", "there"), [(200, True), (401, True), (404, True), (503, False)])
def test_probe(world: World, status: int, there: bool) -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            requests.append(request)
            peer.send(b"HTTP/1.1 %d Whatever\r\nContent-Length: 2\r\n\r\n{}" % status)

    server = world.serve(script)
    backend = world.backend(server.url + "/base")
    assert backend.probe() == (there, f"HTTP {status}")
    assert backend.probe() == (there, f"HTTP {status}")
    backend.close()
    assert server.connections == 1
    assert requests[0].startswith(b"GET /base/v1/models HTTP/1.1\r\n")


def test_probe_of_the_silent_and_the_missing(world: World) -> None:
    server = world.serve(lambda peer: peer.wait_closed())
    start = time.monotonic()
    assert world.backend(server).probe(timeout=0.3) == (False, "no answer within 0.3 s")
    assert time.monotonic() - start < 2.5
    missing = world.backend("http://127.0.0.1:9").probe()
    assert missing == (False, "no connection to the backend at 127.0.0.1:9: Connection refused")


def test_probe_does_not_wait_for_an_endless_body(world: World) -> None:
    def script(peer: Peer) -> None:
        peer.answer(CHUNKED)
        while not select.select([peer.sock], [], [], 0.05)[0]:
            peer.send(chunk(b"."))

    start = time.monotonic()
    assert world.backend(world.serve(script)).probe(timeout=0.3) == (True, "HTTP 200")
    assert time.monotonic() - start < 2.5
