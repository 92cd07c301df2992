"""The signal that ends every wait when a shutdown has lasted too long.

A shutdown lets open exchanges end by themselves for a while. When that time is over, the signal is set, and each wait
raises Stopping, so that a client receives an error before the process exits.

May not know: operating-system signals, clients, what an exchange is.
"""

from __future__ import annotations

import os
import select
import threading
import weakref


class ShutdownSignal:
    """One per process, like a `threading.Event` that cannot be cleared and that poll() can wait for."""

    def __init__(self) -> None:
        self._set = False
        self.begun = False
        """The server is to stop: whatever would never end by itself should end now."""
        self._pipe: tuple[int, int] | None = None
        self._lock = threading.Lock()

    @property
    def fd(self) -> int | None:
        """A descriptor that becomes readable when the signal is set, for those who wait in poll().

        It is created at first use, after a server has forked its workers. None on Windows, which cannot poll a pipe.
        """
        if self._pipe is None and hasattr(select, "poll"):
            with self._lock:
                self._create_pipe()
        return self._pipe[0] if self._pipe else None

    def is_set(self) -> bool:
        """Whether `set` was called, for those who are busy and do not wait."""
        return self._set

    def begin(self) -> None:
        """A shutdown has begun. It ends no wait."""
        self.begun = True

    def set(self) -> None:
        """End all waits, now and later. Takes no lock, so a signal handler may call it."""
        self._set = self.begun = True
        if self._pipe is not None:
            os.write(self._pipe[1], b"!")  # nobody reads it, so it stays readable for every waiter

    def _create_pipe(self) -> None:
        if self._pipe is None:
            pipe = os.pipe()
            weakref.finalize(self, _close, *pipe)
            self._pipe = pipe
            if self._set:
                self.set()


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)
