"""Long work lets others run: a worker of gevent serves all its streams with one thread, and threads share one lock."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

TURN = 0.002
"""Seconds of work after which others take their turn."""
MANY = 64
"""Things of which more take milliseconds, at some ten microseconds each."""

T = TypeVar("T")


def let_others_run() -> None:
    """End the turn of this thread, or greenlet under gevent. It costs some microseconds if nobody else has work.

    Under gevent, `time.sleep(0)` would not do: the loop then looks for new bytes only after many such sleeps.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        _GREENLETS.wait()
    else:
        time.sleep(0)
        _THREADS.wait()


class _LineOfThreads:
    """Where threads with long work wait for their turns, one behind the other.

    Threads that all work take the lock of the interpreter in turn. Short work would wait for the turns of all of
    them each time it needs that lock. Of those that stand in line only one works at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came = self._went = 0  # threads so far
        self._free = 0.0  # when the turn of the last one is over (`time.monotonic`)

    def wait(self) -> None:
        """Return when it is the turn of this thread."""
        with self._lock:
            place = self._came
            self._came += 1
        while (left := self._left(place)) > 0:
            time.sleep(left)

    def _left(self, place: int) -> float:
        """Seconds until it may be the turn of whoever came at this place; 0 if it is now."""
        with self._lock:
            now, ahead = time.monotonic(), place - self._went
            if ahead or now < self._free:
                return max(self._free + ahead * TURN - now, TURN / 4)
            self._went += 1
            self._free = now + TURN
            return 0.0


class _LineOfGreenlets:
    """Where greenlets with long work wait. Each time the loop has gone round, the first in line has its turn.

    If each of them had one, short work would wait for the turns of all of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[Any] = deque()

    def wait(self) -> None:
        """Return when it is the turn of this greenlet."""
        from gevent.hub import Waiter, get_hub  # type: ignore[import-untyped]

        hub, me = get_hub(), Waiter()
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
_GREENLETS = _LineOfGreenlets()


class Turns:
    """Makes one piece of work pause. `take` is called at each of its slices, which take a millisecond or two."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due = time.monotonic() + TURN

    def take(self) -> None:
        """Let others run if it is their turn."""
        if time.monotonic() >= self._due:
            let_others_run()
            self._due = time.monotonic() + TURN


def in_turns(things: Sequence[T]) -> Iterable[T]:
    """The things. If there are many, others take their turn between them."""
    return things if len(things) <= MANY else _in_turns(things)


def _in_turns(things: Sequence[T]) -> Iterator[T]:
    turns = Turns()
    for thing in things:
        yield thing
        turns.take()
