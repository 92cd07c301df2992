"""The signals that stop a server: what is open ends first, or is told."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends import ShutdownSignal
    from serving.threaded import Server

_NOTICE = 5.0
"""The last seconds of the grace period, in which streams still open receive an error. At most a tenth of it."""


def notice_of(grace: float) -> float:
    """How many of the `grace` seconds remain for the errors to streams that are still open."""
    return min(_NOTICE, grace / 10)


def set_before_exit(shutdown: ShutdownSignal, grace: float) -> None:
    """Set `shutdown` shortly before a gunicorn worker exits, which is `grace` seconds after SIGTERM.

    It uses SIGALRM, because a timer thread cannot be started from a signal handler under gevent.
    """
    gunicorns_handler: Any = signal.getsignal(signal.SIGTERM)
    stopping = False

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:  # gunicorn repeats SIGTERM each second during a reload
            stopping = True
            shutdown.begin()
            signal.setitimer(signal.ITIMER_REAL, max(grace - notice_of(grace), 0.001))
        gunicorns_handler(number, frame)

    signal.signal(signal.SIGALRM, lambda number, frame: shutdown.set())
    signal.signal(signal.SIGTERM, on_sigterm)
    signal.siginterrupt(signal.SIGTERM, False)
    signal.siginterrupt(signal.SIGALRM, False)


class StopOnSignal:
    """Shuts the server down at the first SIGINT, SIGTERM or SIGHUP, even one that arrives before the server exists.

    A second SIGINT or SIGTERM ends the process at once. SIGHUP says that the terminal was closed: a server that
    nobody sees must not go on holding the port, and what is open still ends well. It often comes twice, so a second
    one has no effect. Where it was ignored from the start (`nohup`), it stays ignored.
    """

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._stopping = False
        self._server: Server | None = None
        for each in self._signals:
            signal.signal(each, self._on_signal)
        hangup = getattr(signal, "SIGHUP", None)  # Windows has none
        if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
            signal.signal(hangup, self._on_hangup)

    def control(self, server: Server) -> None:
        """Shut `server` down at the signal, at once if it has arrived already."""
        self._server = server
        if self._stopping:
            self._shut_down(server)

    def _on_hangup(self, signum: int, _frame: FrameType | None) -> None:
        signal.signal(signum, signal.SIG_IGN)
        if not self._stopping:
            self._stopping = True
            if self._server is not None:
                self._shut_down(self._server)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for each in self._signals:
            signal.signal(each, signal.SIG_DFL)
        if self._server is not None:
            self._shut_down(self._server)

    def _shut_down(self, server: Server) -> None:
        # In a thread of its own: shutdown() waits for serve_forever(), which this thread runs.
        threading.Thread(target=server.shutdown, daemon=True).start()
