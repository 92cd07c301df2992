"""Start programs and end them again, and bound what waits: nothing of tests.real outlives it or hangs."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import requests

from tests.programs import killed_with_all, started_apart
from tests.real.llama import Unavailable

HOST = "127.0.0.1"
STARTED_IN = 60.0  # seconds until a program we started must answer


@contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str], log: Path, ready: str) -> Iterator[None]:
    """A program that answers at `ready`; at the end it and what it started are ended."""
    log.parent.mkdir(parents=True, exist_ok=True)
    process = started_apart(command, folder, environment, log)
    try:
        _await(process, ready, log)
        yield
    finally:
        _end(process)


def _await(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    until = time.monotonic() + STARTED_IN
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < until:
            if process.poll() is not None:
                last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing in its log"]
                raise Unavailable(f"{log.stem} ended at its start: {last[0]} ({log})")
            try:
                if session.get(ready, timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
    raise Unavailable(f"{log.stem} does not answer {ready} after {STARTED_IN:.0f} s ({log})")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it and all that it started to end, then make them."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5)
    killed_with_all(process)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """TimeoutError in the block once its time is up, whatever it waits for: heartbeats keep a stream alive for ever."""
    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Two runs in one checkout would take each other's files away."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("another run of it is under way in this checkout") from None
        yield


def leave(number: int, frame: FrameType | None) -> None:
    """A signal handler: clean up as after Ctrl-C."""
    raise KeyboardInterrupt


def _too_late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError("out of time")
