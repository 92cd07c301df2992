"""Real threads, also where gevent has replaced Python's: there a greenlet that waits for a disk stops all streams."""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

Found = TypeVar("Found")


def new_lock() -> Any:
    """A lock that real threads wait for. Greenlets take it only where nobody holds it for longer than a moment."""
    return _original("allocate_lock")()


def start_thread(run: Callable[[], None]) -> None:
    """Run something in a thread of the system. The end of the process does not wait for it."""
    _original("start_new_thread")(run, ())


def away_from_streams(run: Callable[[], Found]) -> Found:
    """The result of something that may wait for a disk or a server, while the streams of this process go on.

    It has the context variables of the caller, such as those of the request.
    """
    if not _is_patched():
        return run()
    from gevent import get_hub  # type: ignore[import-untyped]

    found: Found = get_hub().threadpool.apply(copy_context().run, (run,))
    return found


def _is_patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("_thread"))


def _original(name: str) -> Any:
    if _is_patched():
        return sys.modules["gevent.monkey"].get_original("_thread", name)
    return getattr(_thread, name)
