"""The clients of a load, all in one loop: each asks for one speech, and reads it to its end or leaves before."""

from __future__ import annotations

import asyncio
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
    wrong: list[str] = field(default_factory=list)


async def ask_for(port: int, speech: Speech, result: Result, leave_after: float | None = None) -> None:
    """One exchange, checked; or broken off after so many seconds, if it still goes on then."""
    try:
        status, body = await asyncio.wait_for(fetch(port, speech), PATIENCE if leave_after is None else leave_after)
    except (asyncio.TimeoutError, TimeoutError):
        if leave_after is not None:
            result.left += 1
        else:
            result.wrong.append(f"{speech.name}: nothing came for {PATIENCE} s")
        return
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        result.wrong.append(f"{speech.name}: {type(error).__name__} {error}")
        return
    result.bytes += len(body)
    result.events += body.count(b"\n\n")
    wrong = speech.check(status, body)
    if wrong:
        result.wrong.append(f"{speech.name}: {wrong}")
    else:
        result.whole += 1


async def fetch(port: int, speech: Speech) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        body = speech.request()
        head = f"POST {speech.target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        return await _answer(reader)
    finally:
        with suppress(OSError):
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ")[1])
    if "transfer-encoding: chunked" not in head:
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return status, await reader.readexactly(length)
    pieces: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return status, b"".join(pieces)
