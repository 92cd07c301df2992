"""The clients of a load, all in one loop: each asks for one speech, and reads it to its end or leaves before."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.load.speech import Speech
from tests.servers import HOST

PATIENCE = 150.0


@dataclass
class Result:
    """What came of some exchanges."""

    whole: int = 0
    left: int = 0
    bytes: int = 0
    events: int = 0
    heads: list[float] = field(default_factory=list)
    """Seconds from the first byte sent to the end of the head received, of streams whose clients stayed."""
    wrong: list[str] = field(default_factory=list)


async def ask_for(port: int, speech: Speech, result: Result, leave_after: float | None = None) -> None:
    """One exchange, checked; or broken off after so many seconds, if it still goes on then."""
    try:
        fetched = fetch(port, speech)
        status, body, seconds = await asyncio.wait_for(fetched, PATIENCE if leave_after is None else leave_after)
    except (asyncio.TimeoutError, TimeoutError):
        if leave_after is not None:
            result.left += 1
        else:
            result.wrong.append(f"{speech.name}: nothing came for {PATIENCE} s")
        return
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        result.wrong.append(f"{speech.name}: {type(error).__name__} {error}")
        return
    if speech.streamed:  # the backend begins at once, and what is buffered comes when it likes
        result.heads.append(seconds)
    result.bytes += len(body)
    result.events += body.count(b"\n\n")
    wrong = speech.check(status, body)
    if wrong:
        result.wrong.append(f"{speech.name}: {wrong}")
    else:
        result.whole += 1


async def fetch(port: int, speech: Speech) -> tuple[int, bytes, float]:
    """(the status, the body, the seconds to the head)"""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        body = speech.request()
        head = f"POST {speech.target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        seconds = time.monotonic() - began
        return int(head.split(" ")[1]), await _body(reader, head), seconds
    finally:
        with suppress(OSError):
            writer.transport.abort()


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of what comes next."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    return int(head.split(" ")[1]), await _body(reader, head)


async def _body(reader: asyncio.StreamReader, head: str) -> bytes:
    if "transfer-encoding: chunked" not in head:
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return await reader.readexactly(length)
    pieces: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return b"".join(pieces)
