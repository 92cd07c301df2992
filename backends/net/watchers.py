"""Watching descriptors: by poll(), by what Windows has, or by gevent's own loop when we are served under it.

May not know: what the descriptors are for.
"""

from __future__ import annotations

import select
import selectors
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

LONGEST = 3600.0
"""Seconds. poll() takes milliseconds in a C int, so a longer wait is made of several."""

# Windows has no poll() and lacks the names; there the bits only have to differ.
IN: int = getattr(select, "POLLIN", 1)
OUT: int = getattr(select, "POLLOUT", 4)
HALF_CLOSED: int = getattr(select, "POLLRDHUP", 0)
"""The peer closed its side (Linux). Seen even behind bytes that nobody reads."""
_INVALID: int = getattr(select, "POLLNVAL", 32)
GONE: int = HALF_CLOSED | getattr(select, "POLLHUP", 16) | getattr(select, "POLLERR", 8) | _INVALID


class Watcher(Protocol):
    """Watches descriptors for bits, again and again, until it is closed. All of them must stay open as long."""

    def seen(self, timeout: float) -> Mapping[int, int]:
        """Bits of each descriptor that something happened to, within so many seconds, or none before their end."""
        ...

    def close(self) -> None: ...


def watcher_of(watched: Mapping[int, int]) -> Watcher:
    """For these bits of these descriptors. Never by select(): it ends at descriptor 1024."""
    if under_gevent():
        return Loop(watched)
    return Poll(watched) if hasattr(select, "poll") else Select(watched)


def under_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("select")


class Poll:
    def __init__(self, watched: Mapping[int, int]) -> None:
        self._poll = select.poll()
        for fd, events in watched.items():
            self._poll.register(fd, events)

    def seen(self, timeout: float) -> Mapping[int, int]:
        return dict(self._poll.poll(min(timeout, LONGEST) * 1000))

    def close(self) -> None:
        pass


class Select:
    """The same without poll(), for Windows, whose select() has no highest descriptor."""

    def __init__(self, watched: Mapping[int, int]) -> None:
        self._watched = watched

    def seen(self, timeout: float) -> Mapping[int, int]:
        with selectors.DefaultSelector() as selector:
            for fd, events in self._watched.items():
                if events & (IN | OUT):
                    selector.register(fd, selectors.EVENT_WRITE if events & OUT else selectors.EVENT_READ)
            ready = selector.select(min(timeout, LONGEST))
        return {key.fd: OUT if mask & selectors.EVENT_WRITE else IN for key, mask in ready}

    def close(self) -> None:
        pass


class Loop:
    """gevent's loop, told once what to watch.

    Its poll() tells the loop anew at each call and takes it back after, which costs more than the rest of a wait. Here
    a descriptor stays in the loop until something happens that nobody waits for, which would keep the loop spinning,
    and a timer until it would come too late.
    """

    def __init__(self, watched: Mapping[int, int]) -> None:
        from gevent import get_hub, getcurrent  # type: ignore[import-untyped]

        self._hub = get_hub()
        self._current = getcurrent
        loop = self._hub.loop
        # gevent's bits: 1 is to read, 2 to write
        bits = {fd: (1 if events & IN else 0) | (2 if events & OUT else 0) for fd, events in watched.items()}
        self._watchers = [(loop.io(fd, both), fd) for fd, both in bits.items() if both]
        self._stopped = self._watchers[:]
        self._timer: Any = None
        self._rings_at = 0.0
        self._seen: dict[int, int] = {}
        self._waiting: Any = None  # the greenlet that does

    def seen(self, timeout: float) -> Mapping[int, int]:
        while self._stopped:
            watcher, fd = self._stopped.pop()
            watcher.start(self._happened, watcher, fd, pass_events=True)
        if not self._seen:
            self._wait(min(timeout, LONGEST))
        seen, self._seen = self._seen, {}
        return seen

    def close(self) -> None:
        for watcher, _ in self._watchers:
            watcher.stop()
            watcher.close()
        self._watchers.clear()
        self._stopped.clear()
        self._stop_timer()

    def _wait(self, timeout: float) -> None:
        now = time.monotonic()
        if self._timer is None or self._rings_at > now + timeout:
            self._stop_timer()
            self._timer = self._hub.loop.timer(timeout)
            self._timer.start(self._rang, update=True)  # else it counts from when the loop last looked
            self._rings_at = now + timeout
        self._waiting = self._current()
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def _happened(self, events: int, watcher: Any, fd: int) -> None:
        self._seen[fd] = _INVALID if events < 0 else (IN if events & 1 else 0) | (OUT if events & 2 else 0)
        if self._waiting is None:
            watcher.stop()
            self._stopped.append((watcher, fd))
        else:
            self._wake()

    def _rang(self) -> None:
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
