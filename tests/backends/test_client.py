"""The backend client over real sockets: what arrives, when, and what is said when it does not."""

from __future__ import annotations

import gzip
import os
import re
import resource
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from backends import Backend, BackendExchange, ResponseHead, Timeouts, Wait
from errors import Interrupted, RequestError, TimedOut, Unreachable

PATIENT = Timeouts(connect=3, first_byte=3, idle=3)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BROKEN_OFF = "broke off"


def sized(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def soon(seconds: float = 0.2) -> float:
    return time.monotonic() + seconds


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(5)

    def request(self) -> bytes:
        """The next request, head and body; `b""` if there is none."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self.sock.recv(65536)):
                return data
            data += more
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", data)
        missing = data.index(b"\r\n\r\n") + 4 + int(length[1] if length else 0) - len(data)
        while missing > 0:
            data += (more := self.sock.recv(65536))
            missing -= len(more)
        return data

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, data: bytes) -> bytes:
        request = self.request()
        self.send(data)
        return request

    def wait_closed(self) -> float:
        """When the client of this connection closed it."""
        while True:
            try:
                if not self.sock.recv(65536):
                    return time.monotonic()
            except ConnectionResetError:
                return time.monotonic()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Peer], object]


class Server:
    """Plays one script for each connection it gets, the last one for all that follow."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        self.results: list[object] = []
        self.errors: list[BaseException] = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(script, sock))
            self.threads.append(thread)
            thread.start()

    def _play(self, script: Script, sock: socket.socket) -> None:
        try:
            with self.tls.wrap_socket(sock, server_side=True) if self.tls else sock as sock:
                self.results.append(script(Peer(sock)))
        except ssl.SSLError:
            pass  # a client that does not trust us says so and goes
        except (AssertionError, OSError, ValueError) as error:
            self.errors.append(error)

    def close(self) -> None:
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts, as close() does not
            self.listener.close()
        for thread in self.threads:
            thread.join(6)
        assert not self.errors


class World:
    """Servers, backends and clients of one test, all closed at its end."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def serve(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> Server:
        return self.stack.enter_context(closing(Server(*scripts, tls=tls)))

    def backend(self, where: Server | str, timeouts: Timeouts = PATIENT, verify: str | None = None) -> Backend:
        url = where.url if isinstance(where, Server) else where
        return self.stack.enter_context(closing(Backend(url, timeouts, verify=verify)))

    def ask(self, backend: Backend, client: Client | None = None, body: bytes = b"{}") -> BackendExchange:
        exchange = backend.open("POST", "/v1/x", [], body, client.fd if client else None)
        return self.stack.enter_context(closing(exchange))

    def exchange(
        self, script: Script, timeouts: Timeouts = PATIENT, client: Client | None = None, body: bytes = b"{}"
    ) -> BackendExchange:
        return self.ask(self.backend(self.serve(script), timeouts), client, body)

    def client(self) -> Client:
        return self.stack.enter_context(closing(Client()))


class Client:
    """A client and, as a server would hold it, the socket to it."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.sock = socket.create_connection(listener.getsockname())
            self.held, _ = listener.accept()
        self.fd = self.held.fileno()

    def later(self, act: Callable[[], object], delay: float = 0.15) -> None:
        timer = threading.Timer(delay, act)
        timer.start()

    def close(self) -> None:
        self.sock.close()
        self.held.close()


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


def head_of(exchange: BackendExchange) -> ResponseHead:
    head = exchange.wait_head(None)
    assert isinstance(head, ResponseHead)
    return head


def bytes_of(exchange: BackendExchange, deadline: float | None = None) -> bytes:
    data = exchange.next_bytes(deadline)
    assert isinstance(data, bytes), data
    assert data
    return data


def everything(exchange: BackendExchange) -> bytes:
    head_of(exchange)
    body = exchange.read_all()
    assert isinstance(body, bytes)
    return body


# The request


def test_what_is_sent(world: World) -> None:
    server = world.serve(lambda peer: peer.answer(EMPTY))
    backend = world.backend(server.url + "/base/")
    headers = [("X-B", "2"), ("x-a", "1"), ("X-B", "\xe9 2"), ("Host", "elsewhere"), ("content-length", "99")]
    with closing(backend.open("POST", "/v1/chat?x=1&y=%20", headers, b'{"a":1}')) as exchange:
        assert head_of(exchange).status == 200
    server.close()
    host = server.url.removeprefix("http://")
    assert server.results == [
        b"POST /base/v1/chat?x=1&y=%20 HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
        b'X-B: 2\r\nx-a: 1\r\nX-B: \xe9 2\r\nContent-Length: 7\r\n\r\n{"a":1}'
    ]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", b"", None), ("DELETE", b"", None), ("POST", b"", b"0"), ("PATCH", b"", b"0"), ("DELETE", b"ab", b"2")],
)
def test_content_length(world: World, method: str, body: bytes, length: bytes | None) -> None:
    server = world.serve(lambda peer: peer.answer(EMPTY))
    with closing(world.backend(server).open(method, "/", [], body)) as exchange:
        head_of(exchange)
    server.close()
    found = re.search(rb"Content-Length: (\d+)", server.results[0])
    assert (found and found[1]) == length


@pytest.mark.parametrize(
    ("method", "target", "header"),
    [
        ("GET", "/", ("x-a", "1\r\nx-b: 2")),
        ("GET", "/", ("x-a", "1\n")),
        ("GET", "/", ("x\r\n", "1")),
        ("GET", "/", ("", "1")),
        ("GET", "/", ("x-a", "\u20ac")),
        ("GET", "/a b", ("x-a", "1")),
        ("GET", "/\r\nx: y", ("x-a", "1")),
        ("GET /", "/", ("x-a", "1")),
    ],
)
def test_what_cannot_be_sent(world: World, method: str, target: str, header: tuple[str, str]) -> None:
    backend = world.backend("http://127.0.0.1:9")
    with pytest.raises(RequestError):
        backend.open(method, target, [header], b"")


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
def test_host_header(world: World, url: str, host: str) -> None:
    assert world.backend(url)._host == host


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


def test_a_backend_that_does_not_read(world: World) -> None:
    hold = threading.Event()
    server = world.serve(lambda peer: hold.wait(3))
    backend = world.backend(server, Timeouts(3, None, 0.3))
    with pytest.raises(TimedOut) as caught:
        backend.open("POST", "/", [], b"x" * 30_000_000)
    hold.set()
    assert caught.value.phase == "idle"


# The head


def test_head_as_received(world: World) -> None:
    head = head_of(
        world.exchange(
            lambda peer: peer.answer(
                b"HTTP/1.1 418 I'm a teapot \r\nSet-Cookie: a=1\r\nX-Mixed: \xe9\r\nset-cookie:b=2 \r\n"
                b"X-Folded: one\r\n  two\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
            )
        )
    )
    assert (head.status, head.reason) == (418, "I'm a teapot")
    assert head.headers == (
        ("Set-Cookie", "a=1"),
        ("X-Mixed", "\xe9"),
        ("set-cookie", "b=2"),
        ("X-Folded", "one two"),
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
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 20")  # half a head is silence too
        time.sleep(0.5)
        peer.send(b"0 OK\r\nContent-Length: 2\r\n\r\nok")

    exchange = world.exchange(script)
    start = time.monotonic()
    assert exchange.wait_head(soon(0.1)) is Wait.IDLE
    assert exchange.wait_head(soon(0.1)) is Wait.IDLE
    assert 0.2 <= time.monotonic() - start < 0.45
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


# The body


BODIES = {
    "chunked": (CHUNKED, chunk, b"0\r\n\r\n"),
    "until close": (UNTIL_CLOSE, bytes, b""),
    "sized": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", bytes, b""),
}


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


def compress(coding: str, data: bytes) -> bytes:
    if "gzip" in coding:
        return gzip.compress(data)
    raw = zlib.compressobj(wbits=-15 if coding == "raw" else 15)
    return raw.compress(data) + raw.flush()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw"])
@pytest.mark.parametrize("step", [1, 1000])
def test_codings_are_decoded(world: World, coding: str, step: int) -> None:
    text = b"".join(b"data: %d\n\n" % number for number in range(50))
    packed = compress(coding, text)
    header = b"Content-Encoding: " + coding.replace("raw", "deflate").encode()
    pieces = [chunk(packed[at : at + step]) for at in range(0, len(packed), step)]
    exchange = world.exchange(
        lambda peer: peer.answer(CHUNKED[:-2] + header + b"\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n")
    )
    assert everything(exchange) == text
    assert exchange.decoded


def test_a_flushed_coding_streams(world: World) -> None:
    def script(peer: Peer) -> None:
        packer = zlib.compressobj(wbits=31)
        # The coding's own head comes alone and holds no byte of the body.
        peer.answer(UNTIL_CLOSE[:-2] + b"Content-Encoding: gzip\r\n\r\n" + packer.compress(b"one"))
        time.sleep(0.3)
        peer.send(packer.flush(zlib.Z_SYNC_FLUSH))
        time.sleep(0.3)
        peer.send(packer.compress(b"two") + packer.flush())

    exchange = world.exchange(script)
    head_of(exchange)
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert bytes_of(exchange) == b"one"
    assert exchange.next_bytes(soon(0.1)) is Wait.IDLE
    assert bytes_of(exchange) == b"two"
    assert exchange.next_bytes(None) is Wait.END


def test_an_unknown_coding_passes(world: World) -> None:
    exchange = world.exchange(lambda peer: peer.answer(sized(b"???", "Content-Encoding: secret")))
    assert everything(exchange) == b"???"
    assert not exchange.decoded


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


# The client


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
    wait = {
        "head": lambda: exchange.wait_head(soon(2)),
        "body": lambda: exchange.next_bytes(soon(2)),
        "read_all": exchange.read_all,
    }[where]
    assert wait() is Wait.CLIENT_LEFT
    assert 0.1 < time.monotonic() - start < 0.5
    closed = time.monotonic()
    exchange.close()
    server.close()
    assert isinstance(server.results[0], float)
    assert server.results[0] - closed < 0.5


def test_client_leaves_while_the_request_is_sent(world: World) -> None:
    hold = threading.Event()
    client = world.client()
    backend = world.backend(world.serve(lambda peer: hold.wait(3)))
    client.later(client.sock.close)
    exchange = world.ask(backend, client, b"x" * 30_000_000)
    assert exchange.wait_head(None) is Wait.CLIENT_LEFT
    hold.set()


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


# Time limits and breaks


def test_connect_refused(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}: Connection refused"):
        world.backend(f"http://127.0.0.1:{port}").open("GET", "/", [], b"")


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
    assert 0.25 < time.monotonic() - start < 1


def test_handshake_timeout(world: World) -> None:
    server = world.serve(lambda peer: peer.wait_closed())
    backend = world.backend(server.url.replace("http", "https"), Timeouts(0.3, 3, 3))
    with pytest.raises(TimedOut) as caught:
        backend.open("GET", "/", [], b"")
    assert caught.value.phase == "connect"


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
    assert 0.25 < time.monotonic() - start < 0.8


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


# The pool


def many(peer: Peer) -> int:
    """Answer until the connection closes; how often."""
    answered = 0
    while peer.request():
        peer.send(sized(b"ok"))
        answered += 1
    return answered


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
    server = world.serve(lambda peer: (peer.answer(answer), peer.sock.shutdown(socket.SHUT_WR), peer.wait_closed()))
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
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"ok"
    backend.close()
    assert server.connections == 2


def test_a_retry_is_not_retried(world: World) -> None:
    server = world.serve(once_then(lambda peer: peer.sock.close()), lambda peer: peer.request())
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with pytest.raises(Interrupted):
        head_of(world.ask(backend))
    assert server.connections == 2


def test_half_an_answer_is_not_retried(world: World) -> None:
    server = world.serve(once_then(lambda peer: peer.send(b"HTTP/1.1 2")))
    backend = world.backend(server)
    with closing(world.ask(backend)) as exchange:
        assert everything(exchange) == b"first"
    with pytest.raises(Interrupted):
        head_of(world.ask(backend))
    assert server.connections == 1


def test_a_connection_that_closed_in_the_pool(world: World) -> None:
    server = world.serve(lambda peer: peer.answer(sized(b"ok")))
    backend = world.backend(server)
    for _ in range(2):
        with closing(world.ask(backend)) as exchange:
            assert everything(exchange) == b"ok"
        time.sleep(0.1)
    assert server.connections == 2


def test_a_closed_backend(world: World) -> None:
    backend = world.backend("http://127.0.0.1:9")
    backend.close()
    with pytest.raises(Unreachable):
        backend.open("GET", "/", [], b"")
    assert not backend.probe()[0]


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


# Places


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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    path = tmp_path_factory.mktemp("tls") / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(path), "-keyout", str(path.with_suffix(".key"))]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


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


# The probe


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
    assert time.monotonic() - start < 1
    missing = world.backend("http://127.0.0.1:9").probe()
    assert missing == (False, "no connection to the backend at 127.0.0.1:9: Connection refused")


def test_probe_does_not_wait_for_an_endless_body(world: World) -> None:
    def script(peer: Peer) -> None:
        peer.answer(CHUNKED)
        while not select.select([peer.sock], [], [], 0.05)[0]:
            peer.send(chunk(b"."))

    start = time.monotonic()
    assert world.backend(world.serve(script)).probe(timeout=0.3) == (True, "HTTP 200")
    assert time.monotonic() - start < 1
