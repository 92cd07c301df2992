"""A child process that is spoken to in lines, each answered by one line, within a time limit.

What goes wrong with it is that there is no answer; it is then ended, with all that it has started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

_LONGEST = 8 << 20
"""Bytes of a line that is read."""


class Child:
    """The process. Call `close` once."""

    def __init__(self, command: Sequence[str], *, leads: bool = False) -> None:
        """`command` is what Python is started with. `leads`: it may start processes, which end with it."""
        self._leads = leads and os.name == "posix"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=self._leads,
        )

    def ask(self, line: str, seconds: float) -> str | None:
        """The answer to a line; None if there is none in so many seconds: then the process has ended."""
        process = self._process
        assert process.stdin and process.stdout
        watch = threading.Timer(max(seconds, 0.01), self._kill)
        watch.daemon = True
        watch.start()
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline(_LONGEST)
        except (OSError, ValueError):
            answer = b""
        finally:
            watch.cancel()
        if answer.endswith(b"\n"):
            return answer.decode(errors="replace")
        self.close()
        return None

    def close(self) -> None:
        """End it."""
        self._kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _kill(self) -> None:
        if self._process.poll() is not None:
            return
        with suppress(OSError):
            if self._leads:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
