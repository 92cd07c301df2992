"""A child process that is spoken to in lines, each answered by one line, within a time limit.

What goes wrong with it is that there is no answer; it is then ended, with all that it has started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_LONGEST = 8 << 20
"""Bytes of a line that is read."""
_LOOK = 0.2
"""Seconds between two looks at a process that is overdue."""


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

    def ask(self, line: str, seconds: float, starved: float = 0.0) -> str | None:
        """The answer to a line; None if there is none in so many seconds: then the process has ended.

        It gets so many seconds more (`starved`) as long as it would run, but others have the processors.
        """
        process = self._process
        assert process.stdin and process.stdout
        done = threading.Event()
        threading.Thread(target=self._watch, args=(done, seconds, starved), daemon=True).start()
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline(_LONGEST)
        except (OSError, ValueError):
            answer = b""
        finally:
            done.set()
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

    def _watch(self, done: threading.Event, seconds: float, starved: float) -> None:
        """End the process if it takes too long."""
        if done.wait(max(seconds, 0.01)):
            return
        until = time.monotonic() + starved
        while self._would_run() and time.monotonic() < until:
            if done.wait(_LOOK):
                return
        self._kill()

    def _would_run(self) -> bool:
        """Whether the process is not asleep, where the system tells: its limit of CPU then ends it, if it must end."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        return stat.rpartition(") ")[2][:1] in ("R", "D")

    def _kill(self) -> None:
        if self._process.poll() is not None:
            return
        with suppress(OSError):
            if self._leads:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
