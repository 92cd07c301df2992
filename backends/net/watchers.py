"""Watching descriptors: with poll(), with select() on Windows, or with gevent's event loop where gevent is active.

May not know: what the descriptors are for.
"""

from __future__ import annotations

import select
import selectors
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

MAX_TIMEOUT = 3600.0
"""Seconds of one wait. poll() takes milliseconds as a C int, so callers repeat shorter waits."""

# Windows has no poll() and so none of these names. There the bits need only differ from each other.
IN: int = getattr(select, "POLLIN", 1)
OUT: int = getattr(select, "POLLOUT", 4)
HALF_CLOSED: int = getattr(select, "POLLRDHUP", 0)
"""The peer closed its sending side. Linux only; reported even while unread bytes are waiting."""
_INVALID: int = getattr(select, "POLLNVAL", 32)
HUNG_UP: int = HALF_CLOSED | getattr(select, "POLLHUP", 16) | getattr(select, "POLLERR", 8) | _INVALID


class Watcher(Protocol):
    """Watches a fixed set of descriptors, which must stay open until the watcher is closed."""

    def wait(self, timeout: float) -> Mapping[int, int]:
        """Wait for at most `timeout` seconds, and at most MAX_TIMEOUT. The bits that happened, by descriptor.

        An empty result does not mean that `timeout` is over: a wait may end early.
        """
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


def new_watcher(watched: Mapping[int, int]) -> Watcher:
    """A watcher for the system: `watched` maps descriptors to the bits to watch for.

    Never select() on a POSIX system, where it cannot take descriptors of 1024 and above.
    """
    if under_gevent():
        return GeventWatcher(watched)
    return PollWatcher(watched) if hasattr(select, "poll") else SelectWatcher(watched)


def under_gevent() -> bool:
    """Whether gevent has patched `select`, so that a thread that waits is a greenlet."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("select")


class PollWatcher:
    """Watches with poll()."""

    def __init__(self, watched: Mapping[int, int]) -> None:
        self._poll = select.poll()
        for fd, events in watched.items():
            self._poll.register(fd, events)

    def wait(self, timeout: float) -> Mapping[int, int]:
        return dict(self._poll.poll(min(timeout, MAX_TIMEOUT) * 1000))

    def close(self) -> None:
        pass


class SelectWatcher:
    """Watches with select(), for Windows, where descriptors of any number are allowed."""

    def __init__(self, watched: Mapping[int, int]) -> None:
        self._watched = watched

    def wait(self, timeout: float) -> Mapping[int, int]:
        with selectors.DefaultSelector() as selector:
            for fd, events in self._watched.items():
                if events & (IN | OUT):
                    selector.register(fd, selectors.EVENT_WRITE if events & OUT else selectors.EVENT_READ)
            ready = selector.select(min(timeout, MAX_TIMEOUT))
        return {key.fd: OUT if mask & selectors.EVENT_WRITE else IN for key, mask in ready}

    def close(self) -> None:
        pass


class GeventWatcher:
    """Watches with gevent's event loop, where each descriptor is registered once.

    gevent's own poll() registers and unregisters at each call, which costs more than the rest of a wait. Here a
    descriptor stays registered until it becomes ready while nobody waits, because the loop would then spin. The timer
    stays until a wait needs an earlier one.
    """

    def __init__(self, watched: Mapping[int, int]) -> None:
        from gevent import get_hub, getcurrent  # type: ignore[import-untyped]

        self._hub = get_hub()
        self._current = getcurrent
        loop = self._hub.loop
        # gevent's bits: 1 is readable, 2 is writable
        bits = {fd: (1 if events & IN else 0) | (2 if events & OUT else 0) for fd, events in watched.items()}
        self._watchers = [(loop.io(fd, both), fd) for fd, both in bits.items() if both]
        self._stopped = self._watchers[:]
        self._timer: Any = None
        self._timer_due = 0.0  # of time.monotonic()
        self._ready: dict[int, int] = {}
        self._waiting: Any = None  # the greenlet that waits

    def wait(self, timeout: float) -> Mapping[int, int]:
        while self._stopped:
            watcher, fd = self._stopped.pop()
            watcher.start(self._on_ready, watcher, fd, pass_events=True)
        if not self._ready:
            self._sleep(min(timeout, MAX_TIMEOUT))
        ready, self._ready = self._ready, {}
        return ready

    def close(self) -> None:
        for watcher, _ in self._watchers:
            watcher.stop()
            watcher.close()
        self._watchers.clear()
        self._stopped.clear()
        self._stop_timer()

    def _sleep(self, timeout: float) -> None:
        now = time.monotonic()
        if self._timer is None or self._timer_due > now + timeout:
            self._stop_timer()
            self._timer = self._hub.loop.timer(timeout)
            self._timer.start(self._on_timer, update=True)  # `update`: count from now, not from the loop's last turn
            self._timer_due = now + timeout
        self._waiting = self._current()
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def _on_ready(self, events: int, watcher: Any, fd: int) -> None:
        self._ready[fd] = _INVALID if events < 0 else (IN if events & 1 else 0) | (OUT if events & 2 else 0)
        if self._waiting is None:
            watcher.stop()
            self._stopped.append((watcher, fd))
        else:
            self._wake()

    def _on_timer(self) -> None:
        self._stop_timer()
        self._wake()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _wake(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.switch()
