"""One exchange that goes well: what arrives, and when."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import closing

import pytest

from backends import ResponseHead, Wait
from errors import Interrupted
from tests.backends.scripted import BODIES, CHUNKED, Peer, World, bytes_of, chunk, everything, head_of, sized, soon


def test_large_request_and_answer(world: World) -> None:
    body = os.urandom(3_000_000)

    def echo(peer: Peer) -> None:
        time.sleep(0.1)  # the buffers between the two fill up
        peer.send(sized(peer.request()[-len(body) :]))

    assert everything(world.exchange(echo, body=body)) == body


def test_an_answer_before_the_request_is_read(world: World) -> None:
    def refuse(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
        peer.sock.shutdown(socket.SHUT_WR)
        peer.wait_closed()

    exchange = world.exchange(refuse, body=b"x" * 3_000_000)
    assert head_of(exchange).status == 413
    assert exchange.read_all() == b"no!"


def test_head_as_received(world: World) -> None:
    head = head_of(
        world.exchange(
            lambda peer: peer.answer(
                b"HTTP/1.1 418 I'm a teapot \r\nSet-Cookie: a=1\r\nX-Mixed: \xe9\r\nset-cookie:b=2 \r\n"
                b"Empty:\r\nContent-Length: 0\r\n\r\n"
            )
        )
    )
    assert (head.status, head.reason) == (418, "I'm a teapot")
    assert head.headers == (
        ("Set-Cookie", "a=1"),
        ("X-Mixed", "\xe9"),
        ("set-cookie", "b=2"),
        ("Empty", ""),
        ("Content-Length", "0"),
    )
    assert head.get("SET-COOKIE") == "a=1"
    assert head.get("x-none") is None


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
@pytest.mark.parametrize("pause", [0, 0.1])
def test_heads_that_announce_another(world: World, early: bytes, pause: float) -> None:
    def script(peer: Peer) -> None:
        peer.answer(early)
        time.sleep(pause)
        peer.send(sized(b"body", "X-A: 1"))

    exchange = world.exchange(script)
    assert head_of(exchange).get("x-a") == "1"
    assert exchange.read_all() == b"body"


@pytest.mark.parametrize("step", [1, 7, 40])
def test_head_and_body_in_pieces(world: World, step: int) -> None:
    answer = CHUNKED + chunk(b"hello") + chunk(b" " * 20) + b"0\r\nX-Trailer: 1\r\n\r\n"

    def script(peer: Peer) -> None:
        peer.request()
        for at in range(0, len(answer), step):
            peer.send(answer[at : at + step])
            time.sleep(0.002)

    assert everything(world.exchange(script)) == b"hello" + b" " * 20


def test_idle_until_the_head_comes(world: World) -> None:
    go = threading.Event()

    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 20")  # half a head is silence too
        go.wait(3)
        peer.send(b"0 OK\r\nContent-Length: 2\r\n\r\nok")

    exchange = world.exchange(script)
    start = time.monotonic()
    assert exchange.wait_head(soon(0.1)) is Wait.IDLE
    assert exchange.wait_head(soon(0.1)) is Wait.IDLE
    assert time.monotonic() - start >= 0.2
    go.set()
    assert head_of(exchange).status == 200
    assert exchange.read_all() == b"ok"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_no_body(world: World, method: str) -> None:
    status = b"200 OK" if method == "HEAD" else b"204 No Content"

    def script(peer: Peer) -> None:
        for _ in range(2):
            peer.answer(b"HTTP/1.1 " + status + b"\r\nContent-Length: 50\r\nContent-Encoding: gzip\r\n\r\n")

    server = world.serve(script)
    backend = world.backend(server)
    for _ in range(2):
        with closing(backend.open(method, "/", [], b"")) as exchange:
            assert head_of(exchange).get("content-length") == "50"
            assert exchange.next_bytes(soon()) is Wait.END
    assert server.connections == 1


@pytest.mark.parametrize("kind", BODIES)
def test_each_byte_as_it_arrives(world: World, kind: str) -> None:
    head, wrap, end = BODIES[kind]
    go = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        peer.answer(head)
        for piece in (b"one, ", b"two", b"..."):
            go.acquire(timeout=3)
            peer.send(wrap(piece))
        go.acquire(timeout=3)
        peer.send(end)

    exchange = world.exchange(script)
    head_of(exchange)
    for piece in (b"one, ", b"two", b"..."):
        go.release()
        assert bytes_of(exchange, soon(1)) == piece
    if kind != "sized":
        assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    go.release()
    assert exchange.next_bytes(soon(1)) is Wait.END
    assert exchange.next_bytes(soon(1)) is Wait.END


@pytest.mark.parametrize("kind", BODIES)
def test_body_with_the_head(world: World, kind: str) -> None:
    head, wrap, end = BODIES[kind]
    exchange = world.exchange(lambda peer: peer.answer(head + wrap(b"hello ") + wrap(b"world") + end))
    assert everything(exchange) == b"hello world"


def test_all_chunks_of_a_segment_at_once(world: World) -> None:
    def script(peer: Peer) -> None:
        peer.answer(CHUNKED)
        time.sleep(0.1)
        peer.send(b"".join(chunk(b"data: %d\n\n" % number) for number in range(100)))
        peer.wait_closed()

    exchange = world.exchange(script)
    head_of(exchange)
    assert bytes_of(exchange) == b"".join(b"data: %d\n\n" % number for number in range(100))
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE


def test_late_end_of_a_chunk(world: World) -> None:
    """Neither the CRLF behind a chunk nor the next size line is waited for when half of it is there."""
    go = threading.Semaphore(0)
    parts = (b"5\r\nhello", b"\r\n", b"6", b"\r", b"\n world", b"\r", b"\n0\r\n", b"\r\n")

    def script(peer: Peer) -> None:
        peer.answer(CHUNKED)
        for part in parts:
            go.acquire(timeout=3)
            peer.send(part)

    exchange = world.exchange(script)
    head_of(exchange)
    seen: list[bytes | Wait] = []
    for _ in parts:
        go.release()
        seen.append(exchange.next_bytes(soon(0.1)))
    idle = Wait.IDLE
    assert seen == [b"hello", idle, idle, idle, b" world", idle, idle, Wait.END]


def test_chunk_extensions_and_trailers(world: World) -> None:
    answer = CHUNKED + b"5;a=b\r\nhello\r\n0005 \r\nworld\r\n0;last\r\nX-Sum: 1\r\n\r\n"
    assert everything(world.exchange(lambda peer: peer.answer(answer))) == b"helloworld"


def test_last_chunk_without_its_blank_line(world: World) -> None:
    exchange = world.exchange(lambda peer: peer.answer(CHUNKED + chunk(b"hello") + b"0\r\n"))
    assert everything(exchange) == b"hello"


def test_idle_in_the_body(world: World) -> None:
    def script(peer: Peer) -> None:
        peer.answer(CHUNKED + chunk(b"one"))
        time.sleep(0.4)
        peer.send(chunk(b"two") + b"0\r\n\r\n")

    exchange = world.exchange(script)
    head_of(exchange)
    assert bytes_of(exchange) == b"one"
    assert [exchange.next_bytes(soon(0.1)) for _ in range(3)] == [Wait.IDLE] * 3
    assert bytes_of(exchange) == b"two"
    assert exchange.next_bytes(None) is Wait.END


def test_a_deadline_that_passed_still_brings_what_is_there(world: World) -> None:
    exchange = world.exchange(lambda peer: (peer.answer(CHUNKED + chunk(b"one")), peer.wait_closed()))
    time.sleep(0.2)
    assert isinstance(exchange.wait_head(0.0), ResponseHead)
    assert exchange.next_bytes(0.0) == b"one"
    assert exchange.next_bytes(0.0) is Wait.IDLE


def test_read_all_limit(world: World) -> None:
    server = world.serve(lambda peer: peer.answer(sized(b"x" * 100)))
    backend = world.backend(server)
    exchange = world.ask(backend)
    head_of(exchange)
    assert exchange.read_all(100) == b"x" * 100
    exchange = world.ask(backend)
    head_of(exchange)
    with pytest.raises(Interrupted):
        exchange.read_all(99)
