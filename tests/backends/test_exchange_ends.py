"""One exchange that does not go well: clients that leave, silence, breaks, and the one retry."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from backends import Backend, Timeouts, Wait
from errors import Interrupted, TimedOut, Unreachable
from tests.backends.scripted import (
    BODIES,
    CHUNKED,
    UNTIL_CLOSE,
    Peer,
    Script,
    World,
    bytes_of,
    chunk,
    everything,
    head_of,
    many,
    sized,
    soon,
)
from tests.servers import free_port


@pytest.mark.parametrize("how", ["close", "reset", "half", "after bytes"])
@pytest.mark.parametrize("where", ["head", "body", "read_all"])
def test_client_leaves(world: World, where: str, how: str) -> None:
    def script(peer: Peer) -> float:
        peer.request()
        if where != "head":
            peer.send(CHUNKED + chunk(b"one"))
        return peer.wait_closed()

    client = world.client()
    server = world.serve(script)
    exchange = world.ask(world.backend(server), client)
    if how == "after bytes":
        client.sock.sendall(b"GET /next HTTP/1.1\r\n\r\n")
    if where != "head":
        head_of(exchange)
        assert bytes_of(exchange) == b"one"
    if how == "reset":
        client.later(Peer(client.sock).reset)
    elif how == "half":
        client.later(lambda: client.sock.shutdown(socket.SHUT_WR))
    else:
        client.later(client.sock.close)
    start = time.monotonic()
    waits: dict[str, Callable[[], object]] = {
        "head": lambda: exchange.wait_head(soon(2)),
        "body": lambda: exchange.next_bytes(soon(2)),
        "read_all": exchange.read_all,
    }
    assert waits[where]() is Wait.CLIENT_LEFT
    assert 0.1 < time.monotonic() - start < 1.5
    closed = time.monotonic()
    exchange.close()
    server.close()
    assert isinstance(server.results[0], float)
    assert server.results[0] - closed < 2


def test_client_leaves_while_the_request_is_sent(world: World) -> None:
    hold = threading.Event()
    client = world.client()
    backend = world.backend(world.serve(lambda peer: hold.wait(3)))
    client.later(client.sock.close)
    exchange = world.ask(backend, client, b"x" * 30_000_000)
    assert exchange.wait_head(None) is Wait.CLIENT_LEFT
    hold.set()


def test_a_backend_that_does_not_read(world: World) -> None:
    hold = threading.Event()
    server = world.serve(lambda peer: hold.wait(3))
    backend = world.backend(server, Timeouts(3, None, 0.3))
    with pytest.raises(TimedOut) as caught:
        backend.open("POST", "/", [], b"x" * 30_000_000)
    hold.set()
    assert caught.value.phase == "idle"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", CHUNKED, CHUNKED + b"5"])
def test_first_byte_timeout(world: World, sent: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.answer(sent)
        peer.wait_closed()

    exchange = world.exchange(script, Timeouts(3, 0.3, 0.1))
    start = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        everything(exchange)
    assert caught.value.phase == "first_byte"
    assert 0.25 < time.monotonic() - start < 2.5


@pytest.mark.parametrize("sent", [b"", b"5", b"5\r\nhe"])
def test_idle_timeout(world: World, sent: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        time.sleep(0.2)  # longer than the idle limit, which does not hold yet
        peer.send(CHUNKED + chunk(b"one") + sent)
        peer.wait_closed()

    exchange = world.exchange(script, Timeouts(3, None, 0.15))
    head_of(exchange)
    with pytest.raises(TimedOut) as caught:
        exchange.read_all()
    assert caught.value.phase == "idle"


def test_idle_counts_silence_and_not_length(world: World) -> None:
    def script(peer: Peer) -> None:
        peer.answer(CHUNKED)
        for _ in range(6):
            peer.send(chunk(b"."))
            time.sleep(0.1)
        peer.send(b"0\r\n\r\n")

    assert everything(world.exchange(script, Timeouts(3, None, 0.3))) == b"......"


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", b"hello"),
        (CHUNKED + chunk(b"hello"), b"hello"),
        (CHUNKED + b"a\r\nhello", b"hello"),
        (CHUNKED + chunk(b"hello") + b"xyz\r\n", b"hello"),
        (CHUNKED + chunk(b"hello") + b"-5\r\n", b"hello"),
        (CHUNKED + b"3\r\nhello\r\n", b"hel"),
        (CHUNKED + b"3\r\nhello", b"hel"),
        (CHUNKED + chunk(b"hello") + b"7" * 20, b"hello"),
        (UNTIL_CLOSE[:-2] + b"Content-Encoding: gzip\r\n\r\nplain", b""),
    ],
)
def test_the_body_breaks_off(world: World, answer: bytes, before: bytes) -> None:
    exchange = world.exchange(lambda peer: peer.answer(answer))
    head_of(exchange)
    got = b""
    with pytest.raises(Interrupted):
        while isinstance(piece := exchange.next_bytes(soon(2)), bytes):
            got += piece
    assert got == before


@pytest.mark.parametrize("kind", BODIES)
def test_the_connection_is_reset(world: World, kind: str) -> None:
    head, wrap, _ = BODIES[kind]

    def script(peer: Peer) -> None:
        peer.answer(head + wrap(b"hello"))
        time.sleep(0.2)
        peer.reset()

    exchange = world.exchange(script)
    head_of(exchange)
    assert bytes_of(exchange) == b"hello"
    with pytest.raises(Interrupted, match="reset"):
        exchange.next_bytes(None)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\n\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\0\0",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
    ],
)
def test_no_answer(world: World, answer: bytes) -> None:
    server = world.serve(lambda peer: peer.answer(answer))
    exchange = world.ask(world.backend(server))
    with pytest.raises(Interrupted):
        exchange.wait_head(soon(2))
    assert server.connections == 1  # a fresh connection is not tried twice


def test_what_is_not_http_is_not_waited_for(world: World) -> None:
    exchange = world.exchange(lambda peer: (peer.answer(b"220 mail.example.com\r\n"), peer.wait_closed()))
    with pytest.raises(Interrupted):
        exchange.wait_head(soon(1))


def once_then(end: Callable[[Peer], object]) -> Script:
    """Answers once; then the connection ends when the second request has come, as if the two had crossed."""

    def script(peer: Peer) -> None:
        peer.answer(sized(b"first"))
        peer.request()
        end(peer)

    return script


@pytest.mark.parametrize("end", [lambda peer: peer.sock.close(), Peer.reset], ids=["close", "reset"])
def test_a_stale_connection_is_retried_once(world: World, end: Callable[[Peer], object]) -> None:
    server = world.serve(once_then(end), many)
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with closing(world.ask(backend, body=b"", method="GET")) as exchange:
        assert everything(exchange) == b"ok"
    backend.close()
    assert server.connections == 2


@pytest.mark.parametrize("end", [lambda peer: peer.sock.close(), Peer.reset], ids=["close", "reset"])
def test_defect_c7_what_the_backend_may_have_read_is_not_sent_twice(
    world: World, end: Callable[[Peer], object]
) -> None:
    server = world.serve(once_then(end), many)
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with closing(world.ask(backend)) as exchange, pytest.raises(Interrupted):
        everything(exchange)
    backend.close()
    assert server.connections == 1


def test_defect_c11_an_answer_is_seen_before_the_request_has_been_read(world: World) -> None:
    def refuses(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        time.sleep(1)

    began = time.monotonic()
    with closing(world.exchange(refuses, Timeouts(3, None, 30), body=b"x" * 50_000_000)) as exchange:
        assert head_of(exchange).status == 413
        assert everything(exchange) == b"big"
    assert time.monotonic() - began < 5


def test_defect_c5_a_little_that_decodes_to_much_comes_in_steps(world: World) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with closing(world.exchange(lambda peer: peer.answer(head + bomb))) as exchange:
        head_of(exchange)
        sizes = []
        while isinstance(piece := exchange.next_bytes(soon(5)), bytes):
            sizes.append(len(piece))
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1 << 20


def test_defect_d9_a_refused_connection_is_tried_again(world: World) -> None:
    port = free_port()
    backend = Backend(f"http://127.0.0.1:{port}", Timeouts(3, None, 3, retry=3))
    with pytest.raises(Unreachable):
        Backend(f"http://127.0.0.1:{port}", Timeouts(3, None, 3)).open("GET", "/", [], b"")

    def start_late() -> None:
        time.sleep(0.4)
        with socket.create_server(("127.0.0.1", port)) as listener, closing(listener.accept()[0]) as accepted:
            Peer(accepted).answer(sized(b"here"))

    late = threading.Thread(target=start_late)
    late.start()
    with closing(backend.open("GET", "/", [], b"")) as exchange:
        assert everything(exchange) == b"here"
    late.join()


@pytest.mark.parametrize("status", [b"099", b"600"])
def test_defect_c13_a_status_that_is_none_is_an_error(world: World, status: bytes) -> None:
    exchange = world.exchange(lambda peer: peer.answer(b"HTTP/1.1 " + status + b" X\r\n\r\n"))
    with pytest.raises(Interrupted):
        exchange.wait_head(soon(2))


def test_a_retry_is_not_retried(world: World) -> None:
    server = world.serve(once_then(lambda peer: peer.sock.close()), lambda peer: peer.request())
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with pytest.raises(Interrupted):
        head_of(world.ask(backend, body=b"", method="GET"))
    assert server.connections == 2


def test_half_an_answer_is_not_retried(world: World) -> None:
    server = world.serve(once_then(lambda peer: peer.send(b"HTTP/1.1 2")))
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with pytest.raises(Interrupted):
        head_of(world.ask(backend))
    assert server.connections == 1
