"""One request and its answer as it arrives, within its time.

urllib3 could send and read too, but it blocks: `getresponse()` in a head that is half there, `read1()` in the size line
of a chunk. A proxy must notice a heartbeat due or a client gone at any moment, so here `wait` waits, and `answer`
understands what has come.

May not know: what the bytes mean, tools, dialects, Flask.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from urllib3.connection import HTTPConnection

from backends.net.coding import Decoder
from backends.net.pool import Pool, cause
from backends.net.response import HttpResponse, ResponseHead
from backends.net.shutdown import ShutdownSignal
from backends.net.wait import Client, LimitPassed, Line, Pause, Wait
from errors import Interrupted, Stopping, TimedOut


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; None is no limit."""

    connect: float
    first_byte: float | None  # from the end of the request to the first byte of the body
    idle: float | None  # between two bytes after that


class UpstreamExchange:
    """One request and its answer, in the hands of one thread from `Backend.open()` to `close()`."""

    def __init__(
        self,
        pool: Pool,
        method: str,
        request: bytes,
        client: Client,
        timeouts: Timeouts,
        closing: ShutdownSignal | None = None,
    ) -> None:
        self._pool = pool
        self._method = method
        self._request = request
        self._client = client
        self._timeouts = timeouts
        self._closing = closing
        self._decoder = Decoder([])
        self._phase, self._allowed = "first_byte", timeouts.first_byte  # what is waited for, and how long at most
        self._heard_at: float | None = None  # when the last bytes came
        self._connection: HTTPConnection | None = pool.take()
        self._reused = not self._connection.is_closed
        self._start(self._connection)

    @property
    def decoded(self) -> bool:
        """The body does not come in the Content-Encoding of its head, but plain."""
        return self._decoder.active

    def wait_head(self, deadline: float | None) -> ResponseHead | Pause:
        """The head of the answer; IDLE at the deadline, to be called again; CLIENT_LEFT."""
        while self._answer.head is None:
            if self._client_left:
                return Wait.CLIENT_LEFT
            try:
                pause = self._more_of_head(deadline)
            except Interrupted:
                if not self._stale:
                    raise
                self._start_afresh()
                continue
            if pause is not None:
                return pause
        return self._answer.head

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        """All of the body that has arrived, never `b""`; or IDLE at the deadline, CLIENT_LEFT, END."""
        while True:
            piece = self._answer.take()
            if self._decoder.active:
                piece = self._decoder.feed(piece)
            if piece:
                self._phase, self._allowed = "idle", self._timeouts.idle
                return piece
            if self._answer.fault:
                raise Interrupted(self._answer.fault)
            if self._answer.done:
                return self._decoder.rest() or Wait.END
            if (pause := self._more(deadline)) is not None:
                return pause

    def read_all(self, limit: int | None = None) -> bytes | Literal[Wait.CLIENT_LEFT]:
        """The whole body. Interrupted if it is longer than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while isinstance(piece := self.next_bytes(None), bytes):
            pieces.append(piece)
            size += len(piece)
            if limit is not None and size > limit:
                raise Interrupted(f"the backend's answer is longer than {limit} bytes")
        return Wait.CLIENT_LEFT if piece is Wait.CLIENT_LEFT else b"".join(pieces)

    def close(self) -> None:
        """Give the connection back if all of the answer came; else hang up, so that the backend stops generating."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._line.close()
        if self._answer.reusable and self._sent:
            self._pool.give_back(connection)
        else:
            connection.close()

    def _start(self, connection: HTTPConnection) -> None:
        """Connect, unless that is done, and send."""
        if connection.is_closed:
            self._pool.connect(connection, self._timeouts.connect)
        self._line = Line(connection.sock, self._client, self._closing)
        self._answer = HttpResponse(self._method)
        self._client_left = self._sent = False
        self._send()
        self._sent_at = time.monotonic()

    def _send(self) -> None:
        try:
            self._sent = self._line.send(self._request, self._timeouts.idle)
            self._client_left = not self._sent
        except Stopping:
            self.close()
            raise
        except LimitPassed:
            self.close()
            raise TimedOut(f"the backend read nothing for {self._timeouts.idle:g} s", "idle") from None
        except OSError:
            # It may have answered before it hung up (413). The wait for the head will find out.
            pass

    @property
    def _stale(self) -> bool:
        """Not a byte came over a pooled connection: the backend closed it while it lay there."""
        return self._reused and self._heard_at is None

    def _start_afresh(self) -> None:
        assert self._connection is not None
        self._reused = False
        self._line.close()
        self._connection.close()
        self._start(self._connection)

    def _more_of_head(self, deadline: float | None) -> Pause | None:
        if (pause := self._more(deadline)) is not None:
            return pause
        if (head := self._answer.head) is not None:
            self._request = b""  # it will not be sent again, and a stream may last
            if not self._answer.empty:
                self._decoder = Decoder(head.tokens("content-encoding"))
        elif self._answer.fault:
            raise Interrupted(self._answer.fault)
        return None

    def _more(self, deadline: float | None) -> Pause | None:
        """None when more of the answer, or its end, has come."""
        data = self._receive(deadline)
        if isinstance(data, Wait):
            return data
        if data:
            self._heard_at = time.monotonic()
            self._answer.feed(data)
        else:
            self._answer.end()
        return None

    def _receive(self, deadline: float | None) -> bytes | Pause:
        """`b""` if the backend closed, Interrupted if the connection broke."""
        since = self._heard_at if self._phase == "idle" and self._heard_at is not None else self._sent_at
        try:
            return self._line.receive(deadline, None if self._allowed is None else since + self._allowed)
        except LimitPassed:
            raise TimedOut(f"the backend sent nothing for {self._allowed:g} s", self._phase) from None
        except OSError as error:
            raise Interrupted(f"the connection to the backend broke: {cause(error)}") from error
