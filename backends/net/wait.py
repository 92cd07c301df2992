"""One way to wait for a backend, and the four things a wait can bring: bytes, IDLE, CLIENT_LEFT, END.

`Line` watches the backend's socket, the client's descriptor and the bell of a stop together. The socket never gets a
timeout. What lies in it already counts before any other end of a wait. Heartbeats, time limits, hang-ups and the end of
a stop's patience are the ends of that one wait, alike under threads, under gevent and in `python app.py`.

May not know: connecting, heads, status codes. Moments are of `time.monotonic()`.
"""

from __future__ import annotations

import socket
import ssl
import time
from enum import Enum
from typing import Literal

from backends.net.shutdown import ShutdownSignal
from backends.net.watchers import GONE, HALF_CLOSED, IN, LONGEST, OUT, Watcher, under_gevent, watcher_of
from errors import Stopping


class Wait(Enum):
    """What a wait that brings no bytes can end with."""

    IDLE = "idle"  # the deadline came first; the exchange goes on
    CLIENT_LEFT = "client left"
    END = "end"  # of the body, and as it should be


Pause = Literal[Wait.IDLE, Wait.CLIENT_LEFT]


class LimitPassed(Exception):
    """The backend's time is up. What that means is for the caller to say."""


# One recv takes this much: all that a burst brings.
_AT_ONCE = 65536


class Client:
    """The client's descriptor, lent by the server: watched, never read from, never closed."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self.watched = IN | HALF_CLOSED

    def left(self, seen: int) -> bool:
        """Whether `seen`, which poll() showed of the descriptor, means that the client hung up."""
        if seen & GONE:
            return True
        if self.fd is None or not seen & IN:
            return False
        first = _peek(self.fd)
        if first:
            # It sent its next request already, so it is there. The byte stays, so to ask on would be to spin.
            # (gevent's loop knows IN and OUT only: under it such a client is no longer watched.)
            self.watched = HALF_CLOSED
        return first == b""


class Line:
    """The connected socket of one exchange, the client it is for, and the bell of a stop."""

    def __init__(self, sock: socket.socket, client: Client, closing: ShutdownSignal | None = None) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._client = client
        self._closing = closing
        self._bell = closing.fd if closing else None
        self._buffered = sock.pending if isinstance(sock, ssl.SSLSocket) else _nothing
        self._watched = (0, 0)  # bits of the backend and of the client
        self._watcher: Watcher | None = None

    def receive(self, deadline: float | None, limit: float | None) -> bytes | Pause:
        """All that has arrived, or arrives first; `b""` when the backend closed. OSError when the connection broke."""
        event = IN
        while True:
            # A recv that brings nothing costs more than the question, and one who never waits starves the others.
            if not self._buffered() and (pause := self._wait(event, deadline, limit)) is not None:
                return pause
            try:
                return self._sock.recv(_AT_ONCE)
            except ssl.SSLWantWriteError:  # TLS must answer before it can read on
                event = OUT
            except (BlockingIOError, ssl.SSLWantReadError):
                event = IN

    def send(self, data: bytes, patience: float | None) -> bool:
        """Whether all of it was sent; False if the client left. LimitPassed if nothing moves for `patience` seconds."""
        rest = memoryview(data)
        while rest:
            limit = None if patience is None else time.monotonic() + patience
            sent = self._send_some(rest[:_AT_ONCE], limit)
            if sent is None:
                return False
            rest = rest[sent:]
        return True

    def close(self) -> None:
        """Stop watching, before the socket is closed or lent to another exchange."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _send_some(self, data: memoryview, limit: float | None) -> int | None:
        while True:
            try:
                return self._sock.send(data)
            except ssl.SSLWantReadError:
                event = IN
            except (BlockingIOError, ssl.SSLWantWriteError):
                event = OUT
            if self._wait(event, None, limit) is not None:
                return None

    def _wait(self, event: int, deadline: float | None, limit: float | None) -> Pause | None:
        """None when the socket is worth another try. LimitPassed at the limit, even if it is the deadline too."""
        backend, client = self._sock.fileno(), self._client
        while True:
            seen = self._watching(event).seen(_time_to(deadline, limit))
            self._heed_the_bell()
            if backend in seen:
                return None
            if client.fd is not None and client.left(seen.get(client.fd, 0)):
                return Wait.CLIENT_LEFT
            now = time.monotonic()
            if limit is not None and now >= limit:
                raise LimitPassed
            if deadline is not None and now >= deadline:
                return Wait.IDLE

    def _watching(self, event: int) -> Watcher:
        """For these bits of the backend. The same as last time, most of the time."""
        wanted = (event, self._client.watched)
        if self._watcher is None or wanted != self._watched:
            self.close()
            bits = {self._sock.fileno(): event, self._client.fd: self._client.watched, self._bell: IN}
            self._watcher = watcher_of({fd: bit for fd, bit in bits.items() if fd is not None})
            self._watched = wanted
        return self._watcher

    def _heed_the_bell(self) -> None:
        if self._closing and self._closing.rung:
            raise Stopping("The proxy is being stopped, and the time that open answers get is over.")


def _time_to(one: float | None, other: float | None) -> float:
    """Seconds to the first of two moments."""
    if one is None or (other is not None and other < one):
        one = other
    return LONGEST if one is None else max(0.0, one - time.monotonic())


def _nothing() -> int:
    return 0


def _peek(fd: int) -> bytes | None:
    """The client's next byte, left where it is; `b""` if it closed, None if there is none yet."""
    # A duplicate, because a socket object closes what it holds. The family is a guess; recv does not care.
    # MSG_DONTWAIT and not setblocking(), which would change the server's own socket: the two share that flag.
    with socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM) as peer:
        if under_gevent():  # whose sockets wait by themselves, with a flag that is not shared
            peer.setblocking(False)
        try:
            return peer.recv(1, socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0))
        except BlockingIOError:
            return None
        except OSError:  # reset
            return b""
