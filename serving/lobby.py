"""Connections that nobody has sent anything on: they wait together, without a thread for each.

May not know: HTTP.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

Accepted = tuple[socket.socket, Any]
"""A connection and the address of its client."""

MOST = 500 if sys.platform == "win32" else 1 << 14
"""Connections that may wait; the oldest is ended for another one. select() takes 512 descriptors on Windows."""


class Lobby:
    """Where connections are between accept() and their first byte. Used by one thread."""

    def __init__(
        self,
        listener: socket.socket,
        accept: Callable[[], Accepted],
        end: Callable[[socket.socket], None],
        seconds: float,
    ) -> None:
        """`accept` is called when the listener can be read, and may raise OSError. `end` closes a connection.

        `seconds` is how long a connection may be silent before it is ended.
        """
        self._listener = listener
        self._accepted = accept
        self._end = end
        self._seconds = seconds
        self._silent: dict[socket.socket, tuple[Any, float]] = {}  # the address, and when it is over; the oldest first
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def spoken(self, within: float) -> Iterator[Accepted]:
        """Connections on which something came. Waits at most so many seconds for a connection or for a byte."""
        for key, _ in self._selector.select(within):
            if key.fileobj is self._listener:
                self._accept()
            else:
                connection = cast(socket.socket, key.fileobj)
                address = self._forget(connection)
                if _has_left(connection):
                    self._end(connection)
                else:
                    yield connection, address
        self._end_old()

    def close(self) -> None:
        """End all that wait here."""
        for connection in tuple(self._silent):
            self._forget(connection)
            self._end(connection)
        self._selector.close()

    def _accept(self) -> None:
        with suppress(OSError):
            connection, address = self._accepted()
            try:
                self._selector.register(connection, selectors.EVENT_READ)
            except OSError:  # the system watches no more
                self._end(connection)
                return
            self._silent[connection] = address, time.monotonic() + self._seconds

    def _forget(self, connection: socket.socket) -> Any:
        self._selector.unregister(connection)
        return self._silent.pop(connection)[0]

    def _end_old(self) -> None:
        now = time.monotonic()
        while self._silent:
            connection, (_, over) = next(iter(self._silent.items()))
            if over > now and len(self._silent) <= MOST:
                return
            self._forget(connection)
            self._end(connection)


def _has_left(connection: socket.socket) -> bool:
    """Whether the client closed a connection that can be read."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
