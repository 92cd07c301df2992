"""`make soak`: mixed traffic for a long time, with clients that leave at random; then nothing may be left of it.

Memory, threads and descriptors are taken after a start with the same traffic, and again at the end, both at rest. The
exit code tells.

    python -m tests.load.soak [--seconds N] [--clients N] [--how gunicorn|gthread|app] [--mixed]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.load.__main__ import backend_process
from tests.load.client import Result, ask_for
from tests.load.measure import Held, held_by, machine, many_descriptors
from tests.load.speech import KINDS, Speech
from tests.servers import COMMANDS, How, proxy_process

LEAVING = 0.3
"""Of the clients."""
START: Mapping[How, float] = {"gunicorn": 15.0, "gthread": 120.0, "app": 120.0}
"""Seconds of traffic before the first measure, or a quarter of all. What serves with threads gets longer: glibc's
memory for each of them grows for minutes until it fits the traffic."""
REST = 4.0
"""Seconds in which what was left must have been let go, before both measures."""
QUIET = 0.8
"""Seconds in which nothing more is let go, so that it is all at rest."""
MORE_MEGABYTES = 16.0
"""What memory may grow by: a few are the allocator's, and a leak of a byte a stream would be hundreds."""
MORE_DESCRIPTORS = 2
OVERLAPPING = 0.15
"""Of the clients: so many may ask while the exchange of one that left is still ending, each in a thread of its own,
which is then kept for the next. A leak would be one thread for each of thousands of exchanges."""


@dataclass
class Soaked:
    seconds: float
    clients: int
    result: Result
    start: Held
    end: Held
    log: str

    def failures(self) -> Iterator[str]:
        yield from self.result.wrong[:10]
        if self.end.megabytes > self.start.megabytes + MORE_MEGABYTES:
            yield f"memory grew from {self.start.megabytes:.1f} to {self.end.megabytes:.1f} MB"
        if self.end.threads > self.start.threads + max(4, self.clients * OVERLAPPING):
            yield f"threads grew from {self.start.threads} to {self.end.threads}"
        if self.end.descriptors > self.start.descriptors + MORE_DESCRIPTORS:
            yield f"descriptors grew from {self.start.descriptors} to {self.end.descriptors}"
        if "Traceback" in self.log:
            yield self.log[-2000:]
        if not (self.result.whole and self.result.left):
            yield "nobody stayed, or nobody left"


async def traffic(
    port: int,
    clients: int,
    seconds: float,
    result: Result,
    look: Callable[[], Held] | None = None,
    leaving: float = LEAVING,
    longest: int = 60,
    coming: float = 0.0,
) -> None:
    """So many clients, each asking for one speech after the other; some leave at any moment."""
    until = time.monotonic() + seconds
    numbers = itertools.count()

    async def client() -> None:
        await asyncio.sleep(random.random() * min(coming, seconds / 2))
        while time.monotonic() < until:
            speech = Speech(next(numbers), random.choice(KINDS), random.randint(2, longest))
            leave_after = random.random() * 2 if random.random() < leaving else None
            await ask_for(port, speech, result, leave_after)

    async def tell() -> None:
        while True:
            await asyncio.sleep(30)
            so_far = f"{result.whole} right, {result.left} left, {len(result.wrong)} wrong"
            so_far += f"; {await asyncio.to_thread(look)}" if look else ""
            print(f"  {so_far}; {max(0, until - time.monotonic()):.0f} s to go", flush=True)

    teller = asyncio.create_task(tell())
    await asyncio.gather(*(client() for _ in range(clients)))
    teller.cancel()


def at_rest(look: Callable[[], Held], at_least: float) -> Held:
    """What is held once nothing more is let go, after so many seconds at least."""
    time.sleep(at_least)
    until, last, since = time.monotonic() + REST, look(), time.monotonic()
    while time.monotonic() < until and time.monotonic() - since < QUIET:
        time.sleep(0.05)
        now = look()
        if (now.threads, now.descriptors) != (last.threads, last.descriptors):
            since = time.monotonic()
        last = now
    return last


def soak(seconds: float, clients: int, how: How = "gunicorn", start: float | None = None) -> Soaked:
    start = min(START[how], seconds / 4) if start is None else start
    with backend_process(0.03) as backend, proxy_process(how, backend.url, FLASK_ENV="testing") as proxy:
        look: Callable[[], Held] = lambda: held_by(proxy, backend.port)  # noqa: E731
        before, result = Result(), Result()
        asyncio.run(traffic(proxy.port, clients, start, before))
        at_least = REST if seconds > 60 else 0.0
        at_start = at_rest(look, at_least)
        began = time.monotonic()
        asyncio.run(traffic(proxy.port, clients, seconds, result, look))
        took = time.monotonic() - began
        result.wrong += before.wrong
        soaked = Soaked(took, clients, result, at_start, at_rest(look, at_least), proxy.said())
        if any(soaked.failures()):  # it gets all the time that it may take
            time.sleep(REST)
            soaked.end = look()
        return soaked


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=None, help="how long (1200; mixed: 600)")
    parser.add_argument("--clients", type=int, default=None, help="how many at once (100; mixed: 1000)")
    parser.add_argument("--mixed", action="store_true", help="a tenth of the clients is hostile, in half of the time")
    parser.add_argument("--how", choices=COMMANDS, default="gunicorn", help="what serves the proxy (gunicorn)")
    options = parser.parse_args(argv)
    many_descriptors()
    print(machine(), flush=True)
    if options.mixed:
        from tests.load.mixed import mixed

        run = mixed(options.seconds or 600, options.clients or 1000, options.how)
        print(run.report())
        for failure in run.failures():
            print("FAILED", failure[:600])
        return 1 if any(run.failures()) else 0
    clients = options.clients or 100
    soaked = soak(options.seconds or 1200, clients, options.how)
    result, failures = soaked.result, list(soaked.failures())
    told = f"{result.whole} answers right to the byte, {result.left} clients left, {len(result.wrong)} wrong"
    print(f"{soaked.seconds:.0f} s, {clients} clients at once: {told}; {result.bytes / 1e6:.0f} MB")
    print(f"  start {soaked.start}\n  end   {soaked.end}")
    for failure in failures:
        print("FAILED", failure[:600])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
