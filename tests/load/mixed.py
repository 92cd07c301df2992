"""`make soak ARGS=--mixed`: many clients of mixed traffic, a third of them leaving, and then a tenth of them hostile.

The same honest traffic runs twice, without and with hostile clients beside it: none of its answers may be wrong or
lost, its p99 may rise by 50 ms, and memory must come back.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.load.__main__ import backend_process
from tests.load.client import Result
from tests.load.measure import Held, held_by
from tests.load.soak import at_rest, traffic
from tests.servers import ROOT, How, proxy_process

HOSTILE = 0.1
"""Of the clients."""
LEAVING = 1 / 3
PAUSE = 2.0
"""Seconds between two events of a stream: so there are many streams at once, and two processors can serve them."""
LONGEST = 12
"""Events of a stream, so that the last of them do not go on for long."""
COMING = 8.0
"""Seconds in which the clients come, as they would: not all in one instant."""
SLOWER = 0.05
"""Seconds that the p99 of the time to an answer's head may rise by."""
MORE_MEGABYTES = 10.0
SETTLING = 6.0
"""Seconds that the last of it gets to end."""


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[-(-len(seconds) * 99 // 100) - 1] if seconds else 0.0


@dataclass
class Mixed:
    alone: Result
    beside: Result
    """Honest traffic, without and with hostile clients."""
    start: Held
    end: Held
    log: str

    @property
    def slower(self) -> float:
        return p99(self.beside.heads) - p99(self.alone.heads)

    def failures(self) -> Iterator[str]:
        yield from [*self.alone.wrong, *self.beside.wrong][:10]
        if self.slower > SLOWER:
            yield f"p99 rose by {self.slower * 1000:.0f} ms"
        if self.end.megabytes > self.start.megabytes + MORE_MEGABYTES:
            yield f"memory grew from {self.start.megabytes:.1f} to {self.end.megabytes:.1f} MB"
        if "Traceback" in self.log:
            yield self.log[-2000:]
        if not (self.alone.whole and self.beside.whole and self.beside.left):
            yield "nobody stayed, or nobody left"

    def report(self) -> str:
        lines = []
        for name, result in (("without", self.alone), ("with", self.beside)):
            told = f"{result.whole} right to the byte, {result.left} left, {len(result.wrong)} wrong or lost"
            lines.append(f"  {name} the hostile tenth: {told}; p99 of the head {p99(result.heads) * 1000:.0f} ms")
        return "\n".join([*lines, f"  start {self.start}", f"  end   {self.end}"])


def mixed(
    seconds: float, clients: int, how: How = "gunicorn", pause: float = PAUSE, settling: float = SETTLING
) -> Mixed:
    """`pause` stands between two events of a stream, and after `settling` seconds its memory is looked at."""
    hostile = max(1, round(clients * HOSTILE))
    alone, beside, warming = Result(), Result(), Result()

    def honest(seconds: float, result: Result) -> None:
        asyncio.run(
            traffic(proxy.port, clients - hostile, seconds, result, leaving=LEAVING, longest=LONGEST, coming=COMING)
        )

    def bad(seconds: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.load.hostile", str(proxy.port), str(hostile), str(seconds)]
        return subprocess.Popen(command, cwd=ROOT)

    with backend_process(pause) as backend, proxy_process(how, backend.url, FLASK_ENV="testing") as proxy:
        first = min(30.0, seconds / 4)
        with bad(first):  # all that will come, so that memory has its size
            honest(first, warming)
        start = at_rest(lambda: held_by(proxy, backend.port), settling)
        honest(seconds / 2, alone)
        with bad(seconds / 2):
            honest(seconds / 2, beside)
        end = at_rest(lambda: held_by(proxy, backend.port), settling)
        alone.wrong += warming.wrong
        return Mixed(alone, beside, start, end, proxy.said())
