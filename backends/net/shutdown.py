"""The end of the time that open exchanges get at a stop: a bell that every wait can hear.

A stop lets what is open end by itself for a while. When the while is over the bell rings, and each wait, whatever it
waits for, ends with Stopping, so that a client is told before the process is gone.

May not know: signals, clients, what an exchange is.
"""

from __future__ import annotations

import os
import select
import threading
import weakref


class ShutdownSignal:
    """Of one process. `rung` is for those who are busy; `fd` becomes readable for those who wait."""

    def __init__(self) -> None:
        self.rung = False
        self._ends: tuple[int, int] | None = None
        self._making = threading.Lock()

    @property
    def fd(self) -> int | None:
        """Made at the first look, which is after a server has forked. None on Windows, which cannot wait for a pipe."""
        if self._ends is None and hasattr(select, "poll"):
            with self._making:
                self._make()
        return self._ends[0] if self._ends else None

    def ring(self) -> None:
        """Safe in a signal handler: it takes no lock. It cannot be taken back."""
        self.rung = True
        if self._ends is not None:
            os.write(self._ends[1], b"!")  # never read, so that everyone sees it

    def _make(self) -> None:
        if self._ends is None:
            ends = os.pipe()
            weakref.finalize(self, _close, *ends)
            self._ends = ends
            if self.rung:
                self.ring()


def _close(*ends: int) -> None:
    for fd in ends:
        os.close(fd)
