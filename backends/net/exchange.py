"""One request and its response, read as it arrives and within time limits.

urllib3 could send and read too, but it blocks: `getresponse()` inside the head, `read1()` inside a chunk's size line. A
proxy must be able to send a heartbeat or notice a hang-up at any moment. So `wait.py` waits and `response.py` parses.

May not know: what the bytes mean, tools, dialects, Flask.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from urllib3.connection import HTTPConnection

from backends.net.coding import Decoder
from backends.net.pool import Pool, Refusing, cause
from backends.net.response import HttpResponse, ResponseHead
from backends.net.shutdown import ShutdownSignal
from backends.net.wait import AnsweredEarly, BackendSocket, ClientSocket, LimitExceeded, NotReady, Wait
from errors import Interrupted, Stopping, TimedOut
from turns import Turns

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_EVERY = 0.1
"""Seconds between two attempts to connect to a backend that refuses."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds; None is no limit."""

    connect: float
    first_byte: float | None  # from the end of the request to the first byte of the response's body
    idle: float | None  # between two arrivals of bytes after that; also while the backend takes none of the request
    retry: float = 0  # for so long a refused connection is tried again


class UpstreamExchange:
    """One request and its response, used by one thread from `Backend.open()` to `close()`.

    Every method but `close` raises TimedOut, Interrupted or Stopping.
    """

    def __init__(
        self,
        pool: Pool,
        method: str,
        request: Sequence[bytes],
        client: ClientSocket,
        timeouts: Timeouts,
        shutdown: ShutdownSignal | None = None,
    ) -> None:
        """Connect and send `request`, the parts of head and body. Also raises Unreachable."""
        self._pool = pool
        self._method = method
        self._request = request
        self._client = client
        self._timeouts = timeouts
        self._shutdown = shutdown
        self._decoder = Decoder([])
        self._turns: Turns | None = None  # for bytes that are here already: waiting for others lets all others run
        self._phase, self._timeout = "first_byte", timeouts.first_byte  # what is waited for, and its limit in seconds
        self._received_at: float | None = None  # when the last bytes arrived
        self._connection: HTTPConnection | None = pool.take()
        self._reused = not self._connection.is_closed
        self._start(self._connection)

    @property
    def decoded(self) -> bool:
        """Whether `next_bytes` decodes the body, so that the head's Content-Encoding is not true of it."""
        return self._decoder.active

    def wait_head(self, deadline: float | None) -> ResponseHead | NotReady:
        """The head of the response; IDLE at the deadline, after which it may be called again; CLIENT_LEFT."""
        while self._response.head is None:
            if self._client_left:
                return Wait.CLIENT_LEFT
            try:
                not_ready = self._read_more_head(deadline)
            except Interrupted:
                if not self._stale:
                    raise
                self._reconnect()
                continue
            if not_ready is not None:
                return not_ready
        return self._response.head

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        """The bytes of the body that have arrived, never `b""`; or IDLE at the deadline, CLIENT_LEFT, END."""
        while True:
            decodes = self._decoder.active
            piece = self._decoded() if decodes else self._response.take()
            if piece:
                self._phase, self._timeout = "idle", self._timeouts.idle
                return piece
            if decodes and self._decoder.waiting:
                continue
            if self._response.fault:
                raise Interrupted(self._response.fault)
            if self._response.done:
                return self._decoder.finish() or Wait.END
            if (not_ready := self._read_more(deadline)) is not None:
                return not_ready

    def _decoded(self) -> bytes:
        """The next decoded bytes, possibly none, of what has come."""
        if not self._decoder.waiting:
            return self._decoder.feed(self._response.take())
        self._turns = self._turns or Turns()
        self._turns.take()
        return self._decoder.feed(b"")

    def read_all(self, limit: int | None = None) -> bytes | Literal[Wait.CLIENT_LEFT]:
        """The whole body, or CLIENT_LEFT. Raises Interrupted if it is longer than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while isinstance(piece := self.next_bytes(None), bytes):
            pieces.append(piece)
            size += len(piece)
            if limit is not None and size > limit:
                raise Interrupted(f"the backend's answer is longer than {limit} bytes")
        return Wait.CLIENT_LEFT if piece is Wait.CLIENT_LEFT else b"".join(pieces)

    def close(self) -> None:
        """Return the connection to the pool if the response is complete; else hang up, so that generation stops."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._socket.close()
        self._response.close()
        if self._response.reusable and self._sent:
            self._pool.give_back(connection)
        else:
            connection.close()

    def _start(self, connection: HTTPConnection) -> None:
        """Connect if necessary, and send the request."""
        if connection.is_closed:
            self._connect(connection)
        self._socket = BackendSocket(connection.sock, self._client, self._shutdown)
        self._response = HttpResponse(self._method)
        self._client_left = self._sent = False
        self._send()
        self._sent_at = time.monotonic()

    def _connect(self, connection: HTTPConnection) -> None:
        """Connect. A backend that refuses may just be starting, so it is asked again while the client waits."""
        until = time.monotonic() + self._timeouts.retry
        while True:
            try:
                return self._pool.connect(connection, self._timeouts.connect)
            except Refusing:
                if time.monotonic() >= until or self._client.left() or (self._shutdown and self._shutdown.is_set()):
                    raise
            time.sleep(_RETRY_EVERY)

    def _send(self) -> None:
        try:
            self._sent = self._socket.send(self._request, self._timeouts.idle)
            self._client_left = not self._sent
        except Stopping:
            self.close()
            raise
        except LimitExceeded:
            self.close()
            raise TimedOut(f"the backend read nothing of the request for {self._timeouts.idle:g} s", "idle") from None
        except (OSError, AnsweredEarly):
            # The backend may have answered (413) before it read all. wait_head() reads the response or finds the fault.
            pass

    @property
    def _stale(self) -> bool:
        """Whether a pooled connection brought no byte, so that the backend probably closed it while it was idle.

        What the backend may have read is not sent twice, unless asking twice means the same as asking once.
        """
        may_repeat = self._method in _REPEATABLE or not self._socket.sent
        return self._reused and self._received_at is None and may_repeat

    def _reconnect(self) -> None:
        assert self._connection is not None
        self._reused = False
        self._socket.close()
        self._response.close()
        self._connection.close()
        self._start(self._connection)

    def _read_more_head(self, deadline: float | None) -> NotReady | None:
        """Read once; `self._response.head` is there afterwards or not."""
        if (not_ready := self._read_more(deadline)) is not None:
            return not_ready
        if (head := self._response.head) is not None:
            self._request = ()  # frees memory: it is not sent again, and a stream may be long
            if not self._response.empty:
                self._decoder = Decoder(head.tokens("content-encoding"))
        elif self._response.fault:
            raise Interrupted(self._response.fault)
        return None

    def _read_more(self, deadline: float | None) -> NotReady | None:
        """Feed the parser with the next bytes, or with the end of the connection; None when that is done."""
        data = self._receive(deadline)
        if isinstance(data, Wait):
            return data
        if data:
            self._received_at = time.monotonic()
            self._response.feed(data)
        else:
            self._response.end()
        return None

    def _receive(self, deadline: float | None) -> bytes | NotReady:
        """The next bytes of the connection; `b""` if the backend closed it. Raises Interrupted if it broke."""
        since = self._received_at if self._phase == "idle" and self._received_at is not None else self._sent_at
        try:
            return self._socket.receive(deadline, None if self._timeout is None else since + self._timeout)
        except LimitExceeded:
            raise TimedOut(f"the backend sent nothing for {self._timeout:g} s", self._phase) from None
        except OSError as error:
            raise Interrupted(f"the connection to the backend broke: {cause(error)}") from error
