"""The hostile tenth of a mixed load: `python -m tests.load.hostile PORT CLIENTS SECONDS`, with a lower priority.

Each client does one bad thing after the other: drips heads and bodies, floods, sends what is no HTTP or no JSON, asks
for odd paths, leaves in the middle. What comes back is thrown away.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from contextlib import suppress

from tests.answers import Json, ask
from tests.servers import HOST

LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
NICE = 10
SLOW = 3.0
"""Seconds that a dripping client goes on."""
PAUSE = 2.0
"""Seconds between two bad things of a client, at most twice that."""


def _post(body: bytes, length: int | None = None) -> bytes:
    head = LINE + b"Content-Type: application/json\r\nConnection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def _deep(levels: int) -> bytes:
    return b'{"model": "m", "messages": [], "tools": [], "x": ' + b"[" * levels + b"]" * levels + b"}"


RING: Json = {"type": "function", "function": {"name": "f", "parameters": {"$ref": "#"}}}
WHOLE: tuple[bytes, ...] = (
    _post(b"{"),
    _post(_deep(129)),
    _post(_deep(20_000)),
    _post(b'{"model": "m", "messages": [], "tools": [], "x": [' + b"0," * 100_000 + b"0]}"),
    _post(
        json.dumps(ask(tools=[{"type": "function", "function": {"name": "f", "parameters": {"$ref": "#"}}}])).encode()
    ),
    _post(b"x" * 1000, 10**12),
    LINE + b"".join(b"X-%d: %s\r\n" % (number, b"v" * 7000) for number in range(20)) + b"\r\n",
    LINE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 25 + b"\r\nx",
    LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 5000,
    b"\x16\x03\x01\x02\x00\x01\x00" + b"\x00" * 300,
    b"GET /v1/%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n" * 20,
    b"GET /v1/" + b"a" * 70_000,
    b"\r\n" * 5000,
)
DRIPPED: tuple[tuple[bytes, bytes], ...] = (
    (LINE + b"X: " + b"v" * 30_000, b"v" * 20),
    (LINE, b"X: y\r\n"),
    (_post(b'{"x": "', 100_000), b"y"),
)


async def _bad_thing(port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        if random.random() < 0.3:
            start, piece = random.choice(DRIPPED)
            writer.write(start)
            until = time.monotonic() + SLOW
            while time.monotonic() < until and not writer.is_closing():
                writer.write(piece)
                await asyncio.sleep(0.1)
            return
        data = random.choice(WHOLE)
        writer.write(data[: random.randrange(len(data))] if random.random() < 0.3 else data)
        if random.random() < 0.5:
            await asyncio.wait_for(reader.read(), 2)
    finally:
        writer.transport.abort()


async def hostile(port: int, clients: int, seconds: float) -> None:
    until = time.monotonic() + seconds

    async def client() -> None:
        while time.monotonic() < until:
            with suppress(OSError, asyncio.TimeoutError, TimeoutError, asyncio.IncompleteReadError):
                await _bad_thing(port)
            await asyncio.sleep(random.random() * 2 * PAUSE)

    await asyncio.gather(*(client() for _ in range(clients)))


if __name__ == "__main__":
    os.nice(NICE)
    asyncio.run(hostile(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
