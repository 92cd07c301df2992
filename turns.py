"""Long work lets others run: a worker of gevent serves all its streams with one thread, and threads share one lock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

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
        from gevent import get_hub  # type: ignore[import-untyped]

        hub = get_hub()
        hub.wait(hub.loop.timer(0))  # until the loop has gone round once
    else:
        time.sleep(0)


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
