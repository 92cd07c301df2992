"""`make browser`: the inspector's page in a headless Chromium, then open beside 1,000 live streams.

    python -m tests.browser [--streams N] [--no-tests] [--no-load]

The streams run through gunicorn and are checked byte for byte, as in `make load`. The page has to show what happens
within a second, for 95 of 100 changes. Ends with status 1 where something does not hold, and with 0 without a Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.answers import Json
from tests.browser.driver import CHROMEDRIVER, CHROMIUM, MISSING, Browser, started_browser
from tests.load.__main__ import MIX, backend_process
from tests.load.client import Result, ask_for
from tests.load.measure import machine, many_descriptors
from tests.load.speech import Speech
from tests.servers import Proxy, proxy_process

WITHIN = 1.0
"""Seconds in which 95 of 100 changes are in the page."""
PAUSE = 0.5
"""Seconds between the pieces of a stream: a thousand streams are 2,000 pieces a second."""
_TIMED = """
window.took = [];
const Plain = window.EventSource;
window.EventSource = class extends Plain {
  constructor(url) {
    super(url);
    this.addEventListener("records", () => {
      const came = performance.now();
      setTimeout(() => window.took.push(performance.now() - came), 0);
    });
  }
};
"""
"""Notes how long the page works on each event, in milliseconds."""
_SEEN = """
window.seen = [];
window.longest = 0;
new MutationObserver((changes) => {
  const rows = new Set();
  for (const change of changes) {
    for (const node of change.addedNodes) if (node.nodeName === "TR") rows.add(node);
    const row = change.target.nodeType === 1 && change.target.closest("tr");
    if (row && change.target.classList.contains("c-outcome")) rows.add(row);
  }
  const now = Date.now();
  for (const row of rows) window.seen.push([row.dataset.id, row.classList.contains("is-open"), now]);
}).observe(document.querySelector("#records tbody"), { childList: true, subtree: true });
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  window.longest = Math.max(window.longest, now - last - 50);
  last = now;
}, 50);
"""
"""Notes when a row came or its outcome changed, and the longest time in which the page did nothing else."""


@dataclass
class Watched:
    """What the page showed. Times are in seconds."""

    delays: Sequence[float]
    took: Sequence[float]
    longest_busy: float
    rows: int

    @property
    def p95(self) -> float:
        return _p95(self.delays)

    def __str__(self) -> str:
        middle = statistics.median(self.delays) if self.delays else float("nan")
        told = f"{len(self.delays)} changes shown, median {middle:.2f} s, p95 {self.p95:.2f} s"
        told += f"; {len(self.took)} events took the page {_p95(self.took):.2f} s (p95)"
        return f"{told}; busy for {self.longest_busy:.2f} s at most; {self.rows} rows"


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("inf")


def watched(browser: Browser, proxy: Proxy) -> Watched:
    """How long after they happened changes were in the page, by the clock of this machine."""
    records: dict[str, Json] = {}
    before = ""
    while True:
        with proxy.get(f"/dragoman/api/records?limit=500&before={before}") as client:
            told = client.json()
        records.update({each["id"]: each for each in told["records"]})
        if not told["next"]:
            break
        before = told["next"]
    delays = []
    for name, is_open, shown in browser.js("return window.seen"):
        record = records.get(name)
        if record is None or (record["total_us"] is None and not is_open):
            continue
        happened = record["received_us"] + (0 if is_open else record["total_us"])
        delays.append(max(shown / 1e3 - happened / 1e6, 0))
    rows = len(browser.all("#records tbody tr"))
    took = [each / 1e3 for each in browser.js("return window.took")]
    return Watched(delays, took, float(browser.js("return window.longest")) / 1e3, rows)


def open_beside(streams: int, events: int = 20) -> bool:
    """Whether all streams were right to the byte, and the page showed them in time."""
    many_descriptors()
    print(machine(), flush=True)
    result = Result()
    speeches = [Speech(number, MIX[number % len(MIX)], events + number % 40) for number in range(streams)]

    async def all_of_them(port: int) -> None:
        async def one(speech: Speech, number: int) -> None:
            await asyncio.sleep(number / 100)
            await ask_for(port, speech, result)

        await asyncio.gather(*(one(speech, number) for number, speech in enumerate(speeches)))

    with (
        backend_process(PAUSE, streams) as backend,
        proxy_process("gunicorn", backend.url, FLASK_ENV="testing", RECORD="full") as proxy,
        started_browser() as browser,
    ):
        browser.command("Page.addScriptToEvaluateOnNewDocument", source=_TIMED)
        browser.open(f"{proxy.url}/dragoman/")
        browser.until(lambda: browser.find("#none").is_displayed())
        browser.js(_SEEN)
        thread = threading.Thread(target=lambda: asyncio.run(all_of_them(proxy.port)))
        thread.start()
        thread.join()
        browser.until(lambda: not browser.all("tr.is-open"), within=30)
        found = watched(browser, proxy)
    print(f"{streams} streams: {result.whole} right to the byte, {len(result.wrong)} wrong")
    print(f"the page: {found}", flush=True)
    for wrong in result.wrong[:5]:
        print(f"WRONG {wrong[:400]}")
    return result.whole == streams and not result.wrong and found.p95 <= WITHIN and found.rows <= 500


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description=__doc__.split("\n\n")[0])
    parser.add_argument("--streams", type=int, default=1000, help="how many beside the open page (1000)")
    parser.add_argument("--no-tests", action="store_true", help="only the streams")
    parser.add_argument("--no-load", action="store_true", help="only the tests")
    options = parser.parse_args(argv)
    if CHROMIUM is None or CHROMEDRIVER is None:
        print(f"browser: {MISSING}", file=sys.stderr)
        return 1
    os.environ["BROWSER_WHOLE"] = "1"
    held = options.no_tests or pytest.main(["-q", "tests/browser"]) == 0
    return 0 if held and (options.no_load or open_beside(options.streams)) else 1


if __name__ == "__main__":
    sys.exit(main())
