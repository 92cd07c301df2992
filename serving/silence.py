"""Connections on which nothing is said: a worker of gunicorn that stops does not wait for them.

With gevent it waited until keep-alive ended them.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

NEW_SECONDS = 2.0
"""Seconds of a stop for which a connection without any request yet is kept: its first one may be on the way."""

_PIECE = 8192
_silent: dict[Any, bool] = {}
"""The sockets that are read here, and whether they have had a request."""


def first_bytes(sock: Any, kept: bool) -> bytes:
    """What a client says next; `b""` if it left or was sent away. `kept`: its connection has had a request.

    Raises OSError.
    """
    _silent[sock] = kept
    try:
        came: bytes = sock.recv(_PIECE)
        return came
    except OSError:
        if sock in _silent:
            raise
        return b""  # gevent's way to end a read
    finally:
        _silent.pop(sock, None)


def end_silence_at_stop(worker: Any) -> None:
    """Let a worker of gunicorn that stops close these connections. It calls `notify` each second."""
    notify = worker.notify
    stopping_since: float | None = None

    def notify_and_end() -> None:
        nonlocal stopping_since
        notify()
        if not worker.alive:
            stopping_since = stopping_since or time.monotonic()
            _end(new_too=time.monotonic() - stopping_since >= NEW_SECONDS)

    worker.notify = notify_and_end


def _end(new_too: bool) -> None:
    for sock, kept in list(_silent.items()):
        if kept or new_too:
            _silent.pop(sock, None)
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RD)  # that of TLS would forget the keys under the reader
