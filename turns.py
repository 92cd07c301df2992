"""Long work lets others run: a worker of gevent serves all its streams with one thread, and threads share one lock.

Long work waits in line. Of all that stands in line one piece has its turn at a time, so that short work waits for one
turn, and not for a turn of each.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

TURN = 0.002
"""Seconds of work after which others take their turn."""
MANY = 64
"""Things of which more take milliseconds, at some ten microseconds each."""

PIECE = 1 << 17
"""Bytes that are sent in one go: who reads as fast as we send never makes us wait."""

T = TypeVar("T")


def let_others_run() -> None:
    """End the turn of this thread, or greenlet under gevent. It costs some microseconds if nobody else has work.

    Under gevent, `time.sleep(0)` would not do: the loop then looks for new bytes only after many such sleeps.
    """
    if _under_gevent():
        hub = _hub()
        hub.wait(hub.loop.timer(0))  # until the loop has gone round once
    else:
        time.sleep(0)


class Turns:
    """Makes one piece of work pause. `take` is called at each of its slices, which take a millisecond or two."""

    __slots__ = ("_due", "_line", "_mark")

    def __init__(self) -> None:
        self._line = _line()
        self._mark = self._line.mark()
        self._due = time.monotonic() + TURN

    def take(self) -> None:
        """Let others run if it is their turn: if this work has not waited for anything else meanwhile."""
        if time.monotonic() < self._due:
            return
        if self._line.worked_since(self._mark):
            self._line.wait()
        self._mark = self._line.mark()
        self._due = time.monotonic() + TURN


def in_turns(things: Sequence[T]) -> Iterable[T]:
    """The things. If there are many, others take their turn between them."""
    return things if len(things) <= MANY else _in_turns(things)


def _in_turns(things: Sequence[T]) -> Iterator[T]:
    turns = Turns()
    for thing in things:
        yield thing
        turns.take()


def in_pieces(data: bytes) -> Iterator[bytes]:
    """The bytes in pieces that a socket takes in a moment. Others take their turn between them."""
    turns = Turns()
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
        turns.take()


class _Line(Protocol):
    """Where long work waits for its next turn."""

    def mark(self) -> float:
        """Where this thread or greenlet stands now."""
        ...

    def worked_since(self, mark: float) -> bool:
        """Whether it has worked since then without a pause worth mentioning."""
        ...

    def wait(self) -> None:
        """Return when it is its turn."""
        ...


class _LineOfThreads:
    """Threads that all work take the lock of the interpreter in turn, each for a while. In line, only one works."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()  # a lock of each, which is released when it is the first
        self._free = 0.0  # when the turn of the last one is over (`time.monotonic`)

    def mark(self) -> float:
        return time.thread_time()

    def worked_since(self, mark: float) -> bool:
        return time.thread_time() - mark >= TURN / 2

    def wait(self) -> None:
        time.sleep(0)
        me = threading.Lock()
        me.acquire()
        with self._lock:
            self._waiting.append(me)
            first = self._waiting[0] is me
        try:
            if not first:
                me.acquire()
            # who had the last turn may be done with all its work, so only the time tells that the turn is over
            while (left := self._free - time.monotonic()) > 0:
                time.sleep(left)
        finally:  # or a signal ends the wait
            with self._lock:
                first = self._waiting[0] is me
                self._waiting.remove(me)
                if first:
                    self._free = time.monotonic() + TURN
                    if self._waiting:
                        self._waiting[0].release()


class _LineOfGreenlets:
    """Each time the loop of gevent has gone round, the first in line has its turn."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._waiting: deque[Any] = deque()

    def mark(self) -> float:
        now: float = self._hub.loop.now()  # when the loop last looked: it stands still until this greenlet waits
        return now

    def worked_since(self, mark: float) -> bool:
        return self.mark() == mark

    def wait(self) -> None:
        from gevent.hub import Waiter  # type: ignore[import-untyped]

        hub, me = self._hub, Waiter()
        self._waiting.append(me)
        try:
            if self._waiting[0] is not me:
                me.get()
            hub.wait(hub.loop.timer(0))  # until the loop has gone round once
        finally:  # or this greenlet is ended while it waits
            first = self._waiting[0] is me
            self._waiting.remove(me)
            if first and self._waiting:
                hub.loop.run_callback(self._waiting[0].switch, None)


_THREADS = _LineOfThreads()
_GREENLETS: WeakKeyDictionary[Any, _LineOfGreenlets] = WeakKeyDictionary()
"""By hub: a thread of the system has its own, also under gevent."""


def _line() -> _Line:
    if not _under_gevent():
        return _THREADS
    hub = _hub()
    line = _GREENLETS.get(hub)
    if line is None:
        line = _GREENLETS[hub] = _LineOfGreenlets(hub)
    return line


def _under_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def _hub() -> Any:
    from gevent import get_hub  # type: ignore[import-untyped]

    return get_hub()
