"""One way to wait for a backend, and the four things a wait can bring: bytes, IDLE, CLIENT_LEFT, END.

`Line` watches the backend's socket, the client's descriptor and the bell of a stop together. The socket never gets a
timeout. It is tried first, without blocking, so bytes that already lie in it (or in TLS's own buffer) are never waited
for; only when there are none does poll() wait. Heartbeats, time limits, hang-ups and the end of a stop's patience are
the ends of that one wait, alike under threads, under gevent and in `python app.py`.

May not know: connecting, heads, status codes. Moments are of `time.monotonic()`.
"""

from __future__ import annotations

import select
import selectors
import socket
import ssl
import time
from enum import Enum
from typing import Literal, Protocol

from backends.closing import Closing
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

# poll() takes milliseconds in a C int. A longer wait is made of several.
_LONGEST_POLL = 3600.0

# Windows has no poll() and lacks the names; there the bits only have to differ.
_IN: int = getattr(select, "POLLIN", 1)
_OUT: int = getattr(select, "POLLOUT", 4)
# The peer closed its side (Linux). Seen even behind bytes that nobody reads.
_HALF_CLOSED: int = getattr(select, "POLLRDHUP", 0)
_GONE: int = (
    _HALF_CLOSED | getattr(select, "POLLHUP", 16) | getattr(select, "POLLERR", 8) | getattr(select, "POLLNVAL", 32)
)


class Client:
    """The client's descriptor, lent by the server: watched, never read from, never closed."""

    def __init__(self, fd: int | None) -> None:
        self.fd = fd
        self.watched = _IN | _HALF_CLOSED

    def left(self, seen: int) -> bool:
        """Whether `seen`, which poll() showed of the descriptor, means that the client hung up."""
        if seen & _GONE:
            return True
        if self.fd is None or not seen & _IN:
            return False
        first = _peek(self.fd)
        if first:
            # It sent its next request already, so it is there. The byte stays, so to ask on would be to spin.
            # (gevent's poll() knows IN and OUT only: under it such a client is no longer watched.)
            self.watched = _HALF_CLOSED
        return first == b""


class Line:
    """The connected socket of one exchange, the client it is for, and the bell of a stop."""

    def __init__(self, sock: socket.socket, client: Client, closing: Closing | None = None) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._client = client
        self._closing = closing
        self._watched: dict[int, int] = {}
        self._watcher: Watcher | None = None

    def receive(self, deadline: float | None, limit: float | None) -> bytes | Pause:
        """All that has arrived, or arrives first; `b""` when the backend closed. OSError when the connection broke."""
        self._heed_the_bell()
        while True:
            try:
                return self._sock.recv(_AT_ONCE)
            except ssl.SSLWantWriteError:  # TLS must answer before it can read on
                event = _OUT
            except (BlockingIOError, ssl.SSLWantReadError):
                event = _IN
            if (pause := self._wait(event, deadline, limit)) is not None:
                return pause

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

    def _send_some(self, data: memoryview, limit: float | None) -> int | None:
        while True:
            try:
                return self._sock.send(data)
            except ssl.SSLWantReadError:
                event = _IN
            except (BlockingIOError, ssl.SSLWantWriteError):
                event = _OUT
            if self._wait(event, None, limit) is not None:
                return None

    def _wait(self, event: int, deadline: float | None, limit: float | None) -> Pause | None:
        """None when the socket is worth another try. LimitPassed at the limit, even if it is the deadline too."""
        backend, client = self._sock.fileno(), self._client
        bell = self._closing.fd if self._closing else None
        while True:
            watched = {backend: event}
            if client.fd is not None:
                watched[client.fd] = client.watched
            if bell is not None:
                watched[bell] = _IN
            seen = self._watch(watched).seen(_time_to(deadline, limit))
            self._heed_the_bell()
            if client.fd is not None and client.left(seen.get(client.fd, 0)):
                return Wait.CLIENT_LEFT
            if backend in seen:
                return None
            now = time.monotonic()
            if limit is not None and now >= limit:
                raise LimitPassed
            if deadline is not None and now >= deadline:
                return Wait.IDLE

    def _watch(self, watched: dict[int, int]) -> Watcher:
        """The same as last time, most of the time."""
        if self._watcher is None or watched != self._watched:
            self._watched, self._watcher = watched, _watcher(watched)
        return self._watcher

    def _heed_the_bell(self) -> None:
        if self._closing and self._closing.rung:
            raise Stopping("The proxy is being stopped, and the time that open answers get is over.")


def _time_to(*moments: float | None) -> float:
    """Seconds to the first of these."""
    now = time.monotonic()
    return max(0.0, min((moment - now for moment in moments if moment is not None), default=_LONGEST_POLL))


def _watcher(watched: dict[int, int]) -> Watcher:
    # Looked up at each call, for gevent may have put its own there. Never select(): it ends at descriptor 1024.
    return Poll(watched) if hasattr(select, "poll") else Select(watched)


class Watcher(Protocol):
    """Watches descriptors for bits, again and again."""

    def seen(self, timeout: float) -> dict[int, int]:
        """Bits of each descriptor that something happened to, within so many seconds."""
        ...


class Poll:
    def __init__(self, watched: dict[int, int]) -> None:
        self._poll = select.poll()
        for fd, events in watched.items():
            self._poll.register(fd, events)

    def seen(self, timeout: float) -> dict[int, int]:
        return dict(self._poll.poll(min(timeout, _LONGEST_POLL) * 1000))


class Select:
    """The same without poll(), for Windows, whose select() has no highest descriptor."""

    def __init__(self, watched: dict[int, int]) -> None:
        self._watched = watched

    def seen(self, timeout: float) -> dict[int, int]:
        with selectors.DefaultSelector() as selector:
            for fd, events in self._watched.items():
                if events & (_IN | _OUT):
                    selector.register(fd, selectors.EVENT_WRITE if events & _OUT else selectors.EVENT_READ)
            ready = selector.select(min(timeout, _LONGEST_POLL))
        return {key.fd: _OUT if mask & selectors.EVENT_WRITE else _IN for key, mask in ready}


def _peek(fd: int) -> bytes | None:
    """The client's next byte, left where it is; `b""` if it closed, None if poll() was mistaken."""
    # A duplicate, because a socket object closes what it holds. The family is a guess; recv does not care.
    # MSG_DONTWAIT and not setblocking(), which would change the server's own socket: the two share that flag.
    with socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM) as client:
        try:
            return client.recv(1, socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0))
        except BlockingIOError:
            return None
        except OSError:  # reset
            return b""
