"""Connections: made, used again, or not."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from backends import Timeouts, Wait
from backends.net.pool import Pool
from errors import TimedOut, Unreachable
from tests.backends.scripted import (
    CHUNKED,
    UNTIL_CLOSE,
    Peer,
    World,
    bytes_of,
    chunk,
    everything,
    head_of,
    many,
    sized,
    soon,
)
from tests.nobody import nobody


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost", "localhost"),
        ("http://localhost:80/v1", "localhost"),
        ("https://api.example.com:443", "api.example.com"),
        ("http://localhost:8888", "localhost:8888"),
        ("http://[::1]:8888/", "[::1]:8888"),
    ],
)
def test_host_header(url: str, host: str) -> None:
    with closing(Pool(url, 1, None)) as pool:
        assert pool.host == host


def test_connections_are_used_again(world: World) -> None:
    server = world.serve(many)
    backend = world.backend(server)
    for _ in range(3):
        with closing(world.ask(backend)) as exchange:
            assert everything(exchange) == b"ok"
    backend.close()
    server.close()
    assert server.results == [3]


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"ok", "Connection: close"),
        sized(b"ok", "Connection: x, Close"),
        sized(b"ok") + b"more",
        sized(b"ok").replace(b"1.1", b"1.0"),
        CHUNKED + chunk(b"ok") + b"0\r\n\r\nmore",
        UNTIL_CLOSE + b"ok",
    ],
)
def test_connections_that_cannot_be_used_again(world: World, answer: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.answer(answer)
        peer.sock.shutdown(socket.SHUT_WR)
        peer.wait_closed()

    server = world.serve(script)
    backend = world.backend(server)
    for _ in range(2):
        with closing(world.ask(backend)) as exchange:
            assert everything(exchange) == b"ok"
    assert server.connections == 2


def test_http_1_0_keep_alive(world: World) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(sized(b"ok", "Connection: Keep-Alive").replace(b"1.1", b"1.0"))

    server = world.serve(script)
    backend = world.backend(server)
    for _ in range(2):
        with closing(world.ask(backend)) as exchange:
            assert everything(exchange) == b"ok"
    backend.close()
    assert server.connections == 1


def test_an_unfinished_answer_is_hung_up_on(world: World) -> None:
    server = world.serve(lambda peer: (peer.answer(CHUNKED + chunk(b"one")), peer.wait_closed()), many)
    backend = world.backend(server)
    exchange = world.ask(backend)
    head_of(exchange)
    exchange.close()
    exchange.close()
    assert everything(world.ask(backend)) == b"ok"
    assert server.connections == 2


def test_a_closed_connection_does_not_hide_a_living_one(world: World) -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.send(CHUNKED + chunk(b"x") if b"long" in request else sized(b"ok"))

    server = world.serve(script)
    backend = world.backend(server)
    living, hung_up = world.ask(backend), world.ask(backend, body=b"long")
    assert everything(living) == b"ok"
    living.close()
    head_of(hung_up)
    hung_up.close()
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"ok"
    backend.close()
    assert server.connections == 2


def test_a_connection_that_closed_in_the_pool(world: World) -> None:
    server = world.serve(lambda peer: peer.answer(sized(b"ok")))
    backend = world.backend(server)
    for _ in range(2):
        with closing(world.ask(backend)) as exchange:
            assert everything(exchange) == b"ok"
        time.sleep(0.1)
    assert server.connections == 2


def test_connect_refused(world: World) -> None:
    with nobody() as url, pytest.raises(Unreachable, match=f"{url.removeprefix('http://')}: Connection refused"):
        world.backend(url).open("GET", "/", [], b"")


def test_unknown_host(world: World) -> None:
    with pytest.raises(Unreachable, match=r"nowhere\.invalid"):
        world.backend("http://nowhere.invalid").open("GET", "/", [], b"")


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="only Linux drops what does not fit a backlog")
def test_connect_timeout(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(3):  # nobody accepts: from here on the handshake is not answered
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        backend = world.backend(f"http://127.0.0.1:{listener.getsockname()[1]}", Timeouts(0.3, 3, 3))
        start = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            backend.open("GET", "/", [], b"")
    assert caught.value.phase == "connect"
    assert 0.25 < time.monotonic() - start < 2.5


def test_handshake_timeout(world: World) -> None:
    server = world.serve(lambda peer: peer.wait_closed())
    backend = world.backend(server.url.replace("http", "https"), Timeouts(0.3, 3, 3))
    with pytest.raises(TimedOut) as caught:
        backend.open("GET", "/", [], b"")
    assert caught.value.phase == "connect"


def test_tls(world: World, certificate: Path, tls: ssl.SSLContext) -> None:
    big = os.urandom(500_000)

    def script(peer: Peer) -> float:
        for _ in range(2):
            peer.send(sized(peer.request()[-len(big) :]))
        peer.answer(CHUNKED + chunk(b"one"))
        time.sleep(0.3)
        # Two records of TLS or one: both chunks are there at once.
        peer.send(chunk(b"two") + chunk(b"three"))
        return peer.wait_closed()

    client = world.client()
    server = world.serve(script, tls=tls)
    backend = world.backend(server, verify=str(certificate))
    for _ in range(2):
        with closing(world.ask(backend, client, big)) as exchange:
            assert everything(exchange) == big
    exchange = world.ask(backend, client)
    head_of(exchange)
    assert bytes_of(exchange) == b"one"
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert bytes_of(exchange) == b"twothree"
    client.later(client.sock.close)
    assert exchange.next_bytes(soon(2)) is Wait.CLIENT_LEFT
    exchange.close()
    server.close()
    assert server.connections == 1
    assert isinstance(server.results[0], float)


def test_tls_of_a_stranger(world: World, tls: ssl.SSLContext) -> None:
    server = world.serve(many, tls=tls)
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        world.backend(server).open("GET", "/", [], b"")
