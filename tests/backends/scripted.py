"""A server that plays scripts over real sockets, a client that watches or leaves, and short words for both."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

from backends import Backend, ResponseHead, Timeouts, UpstreamExchange

PATIENT = Timeouts(connect=3, first_byte=3, idle=3)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def sized(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


BODIES: dict[str, tuple[bytes, Callable[[bytes], bytes], bytes]] = {
    "chunked": (CHUNKED, chunk, b"0\r\n\r\n"),
    "until close": (UNTIL_CLOSE, bytes, b""),
    "sized": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", bytes, b""),
}


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
        self.results: list[Any] = []
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


class World:
    """Servers, backends and clients of one test, all closed at its end."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def serve(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> Server:
        return self.stack.enter_context(closing(Server(*scripts, tls=tls)))

    def backend(self, where: Server | str, timeouts: Timeouts = PATIENT, verify: str | None = None) -> Backend:
        url = where.url if isinstance(where, Server) else where
        return self.stack.enter_context(closing(Backend(url, timeouts, verify=verify)))

    def ask(
        self, backend: Backend, client: Client | None = None, body: bytes = b"{}", method: str = "POST"
    ) -> UpstreamExchange:
        exchange = backend.open(method, "/v1/x", [], body, client.fd if client else None)
        return self.stack.enter_context(closing(exchange))

    def exchange(
        self, script: Script, timeouts: Timeouts = PATIENT, client: Client | None = None, body: bytes = b"{}"
    ) -> UpstreamExchange:
        return self.ask(self.backend(self.serve(script), timeouts), client, body)

    def client(self) -> Client:
        return self.stack.enter_context(closing(Client()))


def many(peer: Peer) -> int:
    """Answer until the connection closes; how often."""
    answered = 0
    while peer.request():
        peer.send(sized(b"ok"))
        answered += 1
    return answered


def head_of(exchange: UpstreamExchange) -> ResponseHead:
    head = exchange.wait_head(None)
    assert isinstance(head, ResponseHead)
    return head


def bytes_of(exchange: UpstreamExchange, deadline: float | None = None) -> bytes:
    data = exchange.next_bytes(deadline)
    assert isinstance(data, bytes), data
    assert data
    return data


def everything(exchange: UpstreamExchange) -> bytes:
    head_of(exchange)
    body = exchange.read_all()
    assert isinstance(body, bytes)
    return body
