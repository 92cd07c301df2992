"""The backend of a load: `python -m tests.load.backend --port N`. One loop for thousands of streams.

A stream of a `crowd` waits behind its first event until all of the crowd have begun: so they are open at once, which
`/crowd` tells afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress

from tests.load.speech import Speech
from tests.servers import HOST

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}\r\n\r\n"
LONGEST_WAIT = 120.0


class Backend:
    """`pause` is between two events, in seconds at most; `crowd` is how many streams must be open at once."""

    def __init__(self, pause: float, crowd: int) -> None:
        self.pause = pause
        self.crowd = crowd
        self.open = 0
        self.most = 0
        self.all_there = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while body := await self._request(reader, writer):
                await self._answer(Speech.of(json.loads(body)["user"]), writer)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next((int(line[15:]) for line in head.split("\r\n") if line.lower()[:15] == "content-length:"), 0)
            if length:
                return await reader.readexactly(length)
            told = json.dumps({"most": self.most, "open": self.open}).encode()
            writer.write(HEAD.format("application/json", f"Content-Length: {len(told)}").encode() + told)
            await writer.drain()

    async def _answer(self, speech: Speech, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if speech.streamed:
                writer.write(HEAD.format("text/event-stream", "Transfer-Encoding: chunked").encode())
                async for piece in self._events(speech):
                    writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                body = speech.whole()
                await asyncio.sleep(random.random() * self.pause)
                writer.write(HEAD.format("application/json", f"Content-Length: {len(body)}").encode() + body)
            await writer.drain()
        finally:
            self.open -= 1

    async def _events(self, speech: Speech) -> AsyncIterator[bytes]:
        first, *others = speech.frames()
        yield first
        if self.crowd:
            if self.open >= self.crowd:
                self.all_there.set()
            await asyncio.wait_for(self.all_there.wait(), LONGEST_WAIT)
        for piece in others:
            await asyncio.sleep(random.random() * 2 * self.pause)
            cut = random.randrange(len(piece))
            if self.pause and random.random() < 0.1:  # in two pieces, wherever
                yield piece[:cut] or piece
                if cut:
                    yield piece[cut:]
            else:
                yield piece


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pause", type=float, default=0.05)
    parser.add_argument("--crowd", type=int, default=0)
    options = parser.parse_args()
    backend = Backend(options.pause, options.crowd)
    server = await asyncio.start_server(backend.serve, HOST, options.port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
