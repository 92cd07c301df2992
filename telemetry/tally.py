"""What was counted and waits to be told: many small amounts become few additions to the library's values.

An addition there takes longer than all that is done here for a request, most of all where workers count in files. So
amounts gather for a moment, until a thread of the system adds them up. Whoever asks for the numbers does so first.
"""

from __future__ import annotations

import atexit
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from records.threads import new_lock, start_thread

GATHER = 0.25
"""Seconds."""


class Value(Protocol):
    """A number of the library, which may stand in a file."""

    def inc(self, amount: float) -> None: ...


class Tally:
    """Takes amounts from any thread or greenlet."""

    def __init__(self) -> None:
        self._guard = new_lock()  # held for moments only
        self._waiting: defaultdict[Value, float] = defaultdict(float)
        self._due = self._ends_well = False
        self._never = new_lock()
        self._never.acquire()

    def add(self, amounts: Iterable[tuple[Value, float]]) -> None:
        with self._guard:
            waiting = self._waiting
            for value, amount in amounts:
                waiting[value] += amount
            if self._due:
                return
            self._due = True
        if not self._ends_well:
            self._ends_well = True
            atexit.register(self.tell)
        start_thread(self._tell_later)

    def tell(self) -> None:
        """Add everything that waits."""
        with self._guard:
            waiting, self._waiting = self._waiting, defaultdict(float)
        for value, amount in waiting.items():
            if amount:
                value.inc(amount)

    def _tell_later(self) -> None:
        self._never.acquire(timeout=GATHER)  # time.sleep is gevent's, where gevent is
        with self._guard:
            self._due = False
        self.tell()
