"""The one place that waits for a backend. A wait brings bytes, or ends with IDLE, CLIENT_LEFT or END.

`BackendSocket` watches the backend's socket, the client's socket and the shutdown signal together. Heartbeats, time
limits, hang-ups and shutdown all end this one wait, alike under threads, under gevent and in `python app.py`. Bytes
that have already arrived win over every other end.

Points in time are values of `time.monotonic()`, in seconds. May not know: connecting, heads, status codes.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from enum import Enum
from typing import Literal

from backends.net.shutdown import ShutdownSignal
from backends.net.watchers import HALF_CLOSED, HUNG_UP, IN, MAX_TIMEOUT, OUT, Watcher, new_watcher, under_gevent
from errors import Stopping
from turns import Turns


class Wait(Enum):
    """How a wait ended that brought no bytes."""

    IDLE = "idle"  # the deadline passed; the exchange goes on
    CLIENT_LEFT = "client left"
    END = "end"  # the body is complete


NotReady = Literal[Wait.IDLE, Wait.CLIENT_LEFT]
"""Why the backend's socket was not ready."""


class LimitExceeded(Exception):
    """The time limit of a wait passed. The caller turns it into an error that says what took too long."""


_READ_SIZE = 65536
"""Bytes of one recv() or send(): enough for all that a burst brings."""


class ClientSocket:
    """The client's socket, owned by the server: it is watched for a hang-up, never read from, never closed."""

    def __init__(self, fd: int | None) -> None:
        """`fd` is its descriptor; None if there is none to watch."""
        self.fd = fd
        self.watched = IN | HALF_CLOSED
        """The bits to watch it for."""

    def left(self) -> bool:
        """Whether the client hung up, as far as one look tells."""
        return self.fd is not None and _peek(self.fd) == b""

    def has_left(self, bits: int) -> bool:
        """Whether `bits`, which a watcher reported for the descriptor, mean that the client hung up."""
        if bits & HUNG_UP:
            return True
        if self.fd is None or not bits & IN:
            return False
        first = _peek(self.fd)
        if first:
            # The client has sent its next request. The byte stays unread, so watching IN on would be a busy loop.
            # (gevent's loop knows only IN and OUT: under it, such a client is no longer watched.)
            self.watched = HALF_CLOSED
        return first == b""


class AnsweredEarly(Exception):
    """The backend answers before it has read the whole request. Does not leave this package."""


class BackendSocket:
    """The connected socket of one exchange, watched together with its client and the shutdown signal."""

    def __init__(self, sock: socket.socket, client: ClientSocket, shutdown: ShutdownSignal | None = None) -> None:
        """Makes `sock` non-blocking: it never gets a timeout."""
        sock.setblocking(False)
        self._sock = sock
        self._client = client
        self._shutdown = shutdown
        self._shutdown_fd = shutdown.fd if shutdown else None
        self.sent = 0
        """Bytes that the system has taken of what was to be sent."""
        self._buffered = sock.pending if isinstance(sock, ssl.SSLSocket) else _none_buffered
        self._turns: Turns | None = None  # while TLS has bytes, or the backend takes all that is sent
        self._watched = (0, 0)  # bits for the backend and for the client
        self._watcher: Watcher | None = None

    def receive(self, deadline: float | None, limit: float | None) -> bytes | NotReady:
        """The bytes that have arrived, or that arrive first; `b""` when the backend closed.

        At `deadline` the result is IDLE. Raises LimitExceeded at `limit`, Stopping, OSError for a broken connection.
        """
        event = IN
        while True:
            # Wait first. A recv() in vain costs more than a poll(), and who never waits starves the other greenlets.
            if self._buffered():
                self._take_turn()
            elif (not_ready := self._wait(event, deadline, limit)) is not None:
                return not_ready
            try:
                return self._sock.recv(_READ_SIZE)
            except ssl.SSLWantWriteError:  # TLS must send something before it can read on
                event = OUT
            except (BlockingIOError, ssl.SSLWantReadError):
                event = IN

    def send(self, parts: Sequence[bytes], timeout: float | None) -> bool:
        """Send all `parts`. False if the client left meanwhile.

        Raises LimitExceeded if the backend takes nothing for `timeout` seconds, AnsweredEarly, Stopping, OSError.
        """
        for part in parts:
            rest = memoryview(part)
            while rest:
                limit = None if timeout is None else time.monotonic() + timeout
                sent = self._send_some(rest[:_READ_SIZE], limit)
                if sent is None:
                    return False
                self.sent += sent
                rest = rest[sent:]
                if rest:  # who reads as fast as we send never makes us wait
                    self._take_turn()
        return True

    def _take_turn(self) -> None:
        self._turns = self._turns or Turns()
        self._turns.take()

    def close(self) -> None:
        """Stop watching, which must come before the socket is closed or used by another exchange."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _send_some(self, data: memoryview, limit: float | None) -> int | None:
        """The number of bytes sent; None if the client left."""
        while True:
            try:
                return self._sock.send(data)
            except ssl.SSLWantReadError:
                event = IN
            except ssl.SSLWantWriteError:
                event = OUT
            except BlockingIOError:
                if self._has_answer():
                    raise AnsweredEarly from None
                event = IN | OUT
            if self._wait(event, None, limit) is not None:
                return None

    def _has_answer(self) -> bool:
        """Whether the backend says something, or hung up, although it has not read everything."""
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except OSError as error:
            return not isinstance(error, BlockingIOError)
        return True

    def _wait(self, event: int, deadline: float | None, limit: float | None) -> NotReady | None:
        """Wait for `event` on the backend's socket; None when it may have happened.

        Where `deadline` and `limit` are equal, `limit` wins.
        """
        backend, client = self._sock.fileno(), self._client
        while True:
            ready = self._watcher_for(event).wait(_seconds_to_first(deadline, limit))
            self._check_shutdown()
            if backend in ready:
                return None
            if client.fd is not None and client.has_left(ready.get(client.fd, 0)):
                return Wait.CLIENT_LEFT
            now = time.monotonic()
            if limit is not None and now >= limit:
                raise LimitExceeded
            if deadline is not None and now >= deadline:
                return Wait.IDLE

    def _watcher_for(self, event: int) -> Watcher:
        """A watcher for `event` on the backend's socket. The last one is reused if nothing changed."""
        wanted = (event, self._client.watched)
        if self._watcher is None or wanted != self._watched:
            self.close()
            bits = {self._sock.fileno(): event, self._client.fd: self._client.watched, self._shutdown_fd: IN}
            self._watcher = new_watcher({fd: bit for fd, bit in bits.items() if fd is not None})
            self._watched = wanted
        return self._watcher

    def _check_shutdown(self) -> None:
        if self._shutdown and self._shutdown.is_set():
            raise Stopping("The proxy is shutting down, and the time for open requests is over.")


def _seconds_to_first(one: float | None, other: float | None) -> float:
    """Seconds from now to the earlier of two points in time, each None for never."""
    if one is None or (other is not None and other < one):
        one = other
    return MAX_TIMEOUT if one is None else max(0.0, one - time.monotonic())


def _none_buffered() -> int:
    return 0


def _peek(fd: int) -> bytes | None:
    """The client's next byte, left unread; `b""` if the client closed, None if no byte has arrived."""
    # fromfd() duplicates the descriptor, so closing the socket object leaves the server's open. The address family is a
    # guess, which recv() does not use. Not setblocking(): it would change the server's own socket, as duplicates share
    # that flag.
    with socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM) as peer:
        if under_gevent():  # a gevent socket would wait by itself; its own flag for that is not shared
            peer.setblocking(False)
        try:
            return peer.recv(1, socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0))
        except BlockingIOError:
            return None
        except OSError:  # reset by the client
            return b""
