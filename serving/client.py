"""Reading from a client's socket: within limits of size and time, and in turns with the other clients.

Under gevent a read of bytes that have arrived does not wait, so it lets nobody else run. A client whose bytes are
always there must therefore be made to take turns. All limits are attributes of this module, read at each use.
"""

from __future__ import annotations

import errno
import io
import re
import socket
import time
from contextlib import suppress
from typing import Any

from turns import Turns

HEAD_BYTES = 65536
"""Bytes of a request's head, with the blank line that ends it. Trailers of a body have the same limit."""
HEAD_SECONDS = 30.0
"""Seconds from the first byte of a head to its last."""
AWAY_BYTES = 128 << 20
"""Bytes that are read away behind an answer, before the connection is closed. A client that is still sending would
otherwise not see the answer, as the system discards it with the connection."""
AWAY_SECONDS = 30.0
"""Seconds for the same."""
AWAY_SILENCE = 2.0
"""Seconds without a byte after which nothing more is expected."""
NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept() where the system has nothing left for a connection."""
ACCEPT_PAUSE = 0.1
"""Seconds until a connection is accepted again then."""

_HEAD_END = re.compile(rb"\n\r?\n")
_PIECE = 8192
"""Bytes that are asked for at once of a head. Requests that came one behind the other are copied with each of them."""
_BUFFER = 65536


class HeadTooLarge(Exception):
    """The head of a request is larger than HEAD_BYTES."""


class LineTooLong(HeadTooLarge):
    """The request line alone is."""


class HeadTooSlow(Exception):
    """The head of a request took more than HEAD_SECONDS."""


def read_head(sock: socket.socket, begun: bytes = b"", idle: float | None = None) -> tuple[bytearray, int]:
    """(all that came, where the head in it ends), without blank lines before the head. Each byte is looked at once.

    `begun` came before. `idle` are the seconds that a connection may be silent before a head begins; None is for ever.
    The end is 0 if the client left, or nothing came in that time. Raises HeadTooLarge, LineTooLong, HeadTooSlow,
    OSError.
    """
    data, size, looked, deadline = bytearray(), 0, 0, None
    piece = begun
    while True:
        if piece:
            data += piece if data else piece.lstrip(b"\r\n")
            size += len(piece)
            end = _HEAD_END.search(data, looked)
            if (end.end() if end else size) > HEAD_BYTES:
                raise HeadTooLarge if b"\n" in data[:HEAD_BYTES] else LineTooLong
            if end:
                return data, end.end()
            looked = max(len(data) - 2, 0)
            deadline = deadline or time.monotonic() + HEAD_SECONDS
        try:
            piece = receive(sock, _PIECE, idle if deadline is None else deadline - time.monotonic())
        except TimeoutError:
            if data:
                raise HeadTooSlow from None
            return data, 0
        if not piece:
            return data, 0


def receive(sock: socket.socket, size: int, seconds: float | None) -> bytes:
    """What comes next, `size` bytes at most; `b""` at the end. Raises TimeoutError if nothing comes, or OSError."""
    if seconds is None:
        return sock.recv(size)
    sock.settimeout(max(seconds, 0.001))  # 0 would mean without waiting
    try:
        return sock.recv(size)
    finally:
        sock.settimeout(None)  # as it was: the limit is not for what is written


def read_away(sock: socket.socket) -> None:
    """Read what a client still sends behind its answer, within limits. The connection must be closed then."""
    turns, size, until = Turns(), 0, time.monotonic() + AWAY_SECONDS
    buffer = bytearray(_BUFFER)
    with suppress(OSError):
        if not hasattr(sock, "getpeercert"):  # TLS ends in another way, which waits
            sock.shutdown(socket.SHUT_WR)
        while size < AWAY_BYTES and (left := until - time.monotonic()) > 0:
            sock.settimeout(min(left, AWAY_SILENCE))
            came = sock.recv_into(buffer)
            if not came:
                return
            size += came
            turns.take()


class ClientStream(io.RawIOBase):
    """The bytes of a socket as a file, for a body. A read raises TimeoutError if no byte comes in time."""

    def __init__(self, sock: socket.socket, begun: bytes, patience: float | None) -> None:
        """`begun` came before. `patience` are the seconds between two pieces; None is no limit."""
        self._sock = sock
        self._begun = begun
        self._patience = patience
        self._turns = Turns()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next. Returns the number of bytes, 0 at the end."""
        if self._begun:
            data, self._begun = self._begun[: len(buffer)], self._begun[len(buffer) :]
        else:
            self._turns.take()
            data = receive(self._sock, len(buffer), self._patience)
        buffer[: len(data)] = data
        return len(data)
