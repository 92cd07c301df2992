"""Threads that are kept for a while: to start one is to wait for the interpreter's lock twice.

May not know: what runs in them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from queue import Empty, SimpleQueue

Task = Callable[[], None]

KEPT = 1.0
"""Seconds that a thread waits for another task."""


class Threads:
    """Runs each task at once, in a thread that has no other, and with context variables of its own."""

    def __init__(self) -> None:
        # No lock: append, pop and remove of a deque are atomic, and who takes a mailbox out of it owns it.
        self._idle: deque[SimpleQueue[Task]] = deque()

    def run(self, task: Task) -> None:
        """`task` must not raise. Raises RuntimeError if the system has no more threads."""
        try:
            mailbox = self._idle.pop()  # that of the last one, so that the first ones can end
        except IndexError:
            mailbox = SimpleQueue()
            threading.Thread(target=self._work, args=(mailbox,), daemon=True).start()
        mailbox.put(task)

    def _work(self, mailbox: SimpleQueue[Task]) -> None:
        while (task := self._next(mailbox)) is not None:
            Context().run(task)
            del task  # what it holds must not live on while this thread waits
            self._idle.append(mailbox)

    def _next(self, mailbox: SimpleQueue[Task]) -> Task | None:
        try:
            return mailbox.get(timeout=KEPT)
        except Empty:
            pass
        try:
            self._idle.remove(mailbox)
        except ValueError:  # it was taken: a task is on its way
            return mailbox.get()
        return None
