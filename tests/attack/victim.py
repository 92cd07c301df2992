"""The victim: small buffered and streamed chat requests all the time, each on a connection of its own.

`python -m tests.attack.victim PORT` sends one every 20 ms, however long those before it take, and writes a line for
each: when it began, its seconds, and what was wrong with its answer. It ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.answers import ask, completion, message_of, whole_stream
from tests.attack.scripts import HONEST
from tests.load.client import answer_of
from tests.servers import HOST, ROOT

EVERY = 0.02
"""Seconds from one request to the next."""
PATIENCE = 30.0
_BODIES = [json.dumps(ask(stream=stream)).encode() for stream in (False, True)]
_WHOLE = json.dumps(completion(HONEST)).encode()


def _wrong(status: int, body: bytes, streamed: bool) -> str:
    if status != 200:
        return f"status {status} {body[:200]!r}"
    if not streamed:
        return "" if body == _WHOLE else f"altered: {body[:200]!r}"
    try:
        said = message_of(whole_stream(body))["content"]
    except (AssertionError, ValueError, LookupError) as error:
        return f"{type(error).__name__} {error}"
    return "" if said.strip() == HONEST else f"altered: {said}"


async def _exchange(port: int, streamed: bool) -> str:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            body = _BODIES[streamed]
            head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            return _wrong(*await answer_of(reader), streamed)
        finally:
            writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        return f"{type(error).__name__} {error}"


async def _one(port: int, streamed: bool) -> None:
    began = time.monotonic()
    try:
        wrong = await asyncio.wait_for(_exchange(port, streamed), PATIENCE)
    except (asyncio.TimeoutError, TimeoutError):
        wrong = "no answer"
    print(json.dumps([began, time.monotonic() - began, wrong]), flush=True)


async def _all(port: int) -> None:
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    tasks: set[asyncio.Task[None]] = set()
    number, began = 0, time.monotonic()
    while not ended.is_set():
        task = asyncio.create_task(_one(port, number % 2 == 1))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number += 1
        await asyncio.sleep(max(0.0, began + number * EVERY - time.monotonic()))


@dataclass
class Victim:
    """What the victim has told so far."""

    samples: list[tuple[float, float, str]] = field(default_factory=list)
    pid: int = 0

    def between(self, start: float, end: float) -> list[float]:
        """The seconds of those that began then; one that failed took for ever."""
        return [PATIENCE if wrong else took for began, took, wrong in list(self.samples) if start <= began <= end]

    def wrong(self, start: float, end: float) -> list[str]:
        return [wrong for began, _, wrong in list(self.samples) if wrong and start <= began <= end]


def p99(seconds: list[float]) -> float:
    """0 of none."""
    return sorted(seconds)[max(0, -(-len(seconds) * 99 // 100) - 1)] if seconds else 0.0


@contextmanager
def victim_of(port: int) -> Iterator[Victim]:
    """A victim before the proxy at that port, in a process of its own."""
    command = [sys.executable, "-m", "tests.attack.victim", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        victim = Victim(pid=process.pid)

        def listen() -> None:
            assert process.stdout
            for line in process.stdout:
                began, took, wrong = json.loads(line)
                victim.samples.append((began, took, wrong))

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield victim
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
            listener.join()


if __name__ == "__main__":
    asyncio.run(_all(int(sys.argv[1])))
