"""`make load`: hundreds of streams at once through gunicorn, as it is shipped, each checked byte for byte.

A backend that lets none of them end before all have begun proves that they are open at once. The exit code tells.

    python -m tests.load [--streams N ...] [--events N] [--how gunicorn|gthread|app]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.load.client import Result, ask_for
from tests.load.measure import Held, held_by, machine, many_descriptors
from tests.load.speech import Kind, Speech
from tests.servers import COMMANDS, Client, How, Process, free_port, proxy_process, started, wait_until_listening

MIX: tuple[Kind, ...] = ("text", "call", "reasoning", "forwarded")


@dataclass
class Run:
    streams: int
    result: Result
    at_once: int
    seconds: float
    before: Held
    during: Held
    after: Held

    @property
    def held(self) -> bool:
        return not self.result.wrong and self.result.whole == self.streams and self.at_once >= self.streams


@contextmanager
def backend_process(pause: float, crowd: int = 0) -> Iterator[Process]:
    port = free_port()
    arguments = ["-m", "tests.load.backend", "--port", str(port), "--pause", str(pause), "--crowd", str(crowd)]
    with started(arguments, {}, port) as process:
        wait_until_listening(process)
        yield process


async def crowd(port: int, speeches: Sequence[Speech], result: Result, peek: list[Held], look: object) -> None:
    """All of them at once; in the middle, a look at what the proxy holds."""

    async def one(speech: Speech, number: int) -> None:
        await asyncio.sleep(number / 1000)  # a thousand clients do not come in the same instant
        await ask_for(port, speech, result)

    async def opener_index() -> None:
        while True:
            await asyncio.sleep(0.5)
            peek.append(await asyncio.to_thread(look))  # type: ignore[arg-type]

    watcher = asyncio.create_task(opener_index())
    await asyncio.gather(*(one(speech, number) for number, speech in enumerate(speeches)))
    watcher.cancel()


def load(streams: int, events: int, how: How = "gunicorn", pause: float = 0.1) -> Run:
    with backend_process(pause, streams) as backend, proxy_process(how, backend.url, FLASK_ENV="testing") as proxy:
        with proxy.get("/health") as client:
            client.rest()

        def look() -> Held:
            return held_by(proxy, backend.port)

        before, result = look(), Result()
        peeks: list[Held] = []
        speeches = [Speech(number, MIX[number % len(MIX)], events) for number in range(streams)]
        began = time.monotonic()
        asyncio.run(crowd(proxy.port, speeches, result, peeks, look))
        seconds = time.monotonic() - began
        with Client(backend.port, "/crowd", method="GET") as client:
            at_once = json.loads(client.more())["most"]
        time.sleep(1)
        most = max(peeks or [before], key=lambda each: each.megabytes)
        if "Traceback" in proxy.said():
            result.wrong.append(proxy.said()[-2000:])
        return Run(streams, result, at_once, seconds, before, most, look())


def report(run: Run) -> str:
    result = run.result
    lines = [f"WRONG {wrong[:400]}" for wrong in result.wrong[:10]]
    told = f"{run.streams} streams, {run.at_once} at once: {result.whole} right to the byte, {len(result.wrong)} wrong"
    lines.append(f"{told}; {result.events} events, {result.bytes / 1e6:.1f} MB in {run.seconds:.1f} s")
    lines += [f"  before {run.before}", f"  during {run.during}", f"  after  {run.after}"]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__.split("\n\n")[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[256, 1000], help="how many at once (256 1000)")
    parser.add_argument("--events", type=int, default=40, help="pieces of each stream (40)")
    parser.add_argument("--how", choices=COMMANDS, default="gunicorn", help="what serves the proxy (gunicorn)")
    options = parser.parse_args(argv)
    many_descriptors()
    print(machine())
    held = True
    for streams in options.streams:
        run = load(streams, options.events, options.how)
        print(report(run), flush=True)
        held = held and run.held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
