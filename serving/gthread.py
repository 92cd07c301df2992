"""What is ours in gunicorn's gthread workers: they outlive a lack of descriptors, and a quick stop always ends them.

gunicorn.conf.py gives them to each worker. Other workers stay as they are.
"""

from __future__ import annotations

import signal
import time
from selectors import EVENT_READ, PollSelector
from types import FrameType
from typing import Any

from serving.client import ACCEPT_PAUSE, NO_DESCRIPTORS


def outlive_exhaustion(worker: Any) -> None:
    """Let a gthread worker live with too few descriptors.

    One that could not accept a connection ended, with all its streams. One that had accepted the last one closed it
    without an answer, as it waits for the first byte with a descriptor of its own.
    """
    accept: Any = getattr(worker, "accept", None)  # gevent has its own way, and waits

    def patient(listener: Any) -> None:
        try:
            accept(listener)
        except OSError as error:
            if error.errno not in NO_DESCRIPTORS:
                raise
            time.sleep(ACCEPT_PAUSE)

    if accept is None:
        return
    from gunicorn.workers import gthread  # type: ignore[import-untyped]

    worker.accept = patient
    gthread.TConn.wait_for_data = _wait_for_data


def _wait_for_data(conn: Any, timeout: float) -> bool:
    """Whether a connection of gthread can be read within so many seconds."""
    if not conn.data_ready:
        with PollSelector() as waiting:  # poll() takes no descriptor
            try:
                waiting.register(conn.sock, EVENT_READ)
                conn.data_ready = bool(waiting.select(timeout))
            except (OSError, ValueError):  # it is closed
                return False
    return bool(conn.data_ready)


def quit_between_connections(worker: Any) -> None:
    """Let a gthread worker put a quick stop off while it hands a connection to its threads.

    To hand it over takes a lock of the thread pool. gunicorn's handler of the signal takes the same lock, in the same
    thread. So the worker waited for itself until the master killed it at the end of the grace period, and its open
    streams were not told.
    """
    enqueue: Any = getattr(worker, "enqueue_req", None)
    if enqueue is None:
        return
    busy = False
    put_off: list[tuple[int, FrameType | None]] = []

    def enqueue_then_quit(conn: Any) -> None:
        nonlocal busy
        busy = True
        try:
            enqueue(conn)
        finally:
            busy = False
        if put_off:
            worker.handle_quit(*put_off[0])

    def on_signal(number: int, frame: FrameType | None) -> None:
        if busy:
            put_off.append((number, frame))
        else:
            worker.handle_quit(number, frame)

    worker.enqueue_req = enqueue_then_quit
    for each in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(each, on_signal)
