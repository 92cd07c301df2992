"""`make conformance`: the CanIToolCall corpus through the running proxy, buffered and streamed in every cut.

Prints the figures by family and each failure, writes docs/CONFORMANCE.md when the whole corpus was run, and fails if
fewer fixtures pass than must.

    python -m tests.conformance [--how app|gunicorn] [--only TEXT] [--workers N]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from canitoolcall.fixtures import Fixture, load_families, load_fixtures

from tests.conformance.corpus import questions
from tests.conformance.replay import WORKERS, Case, proxies, replay
from tests.conformance.report import SETTINGS, Run, document, terminal
from tests.servers import COMMANDS, ROOT, How

PAGE = ROOT / "docs" / "CONFORMANCE.md"


def measure(how: How, fixtures: list[Fixture], workers: int, remembers: bool) -> dict[str, list[Case]]:
    """All fixtures through fresh proxies, one after the other if they are to remember."""
    families = load_families()

    def through(setting: str) -> list[Case]:
        asked = questions(fixtures, remembers)
        return replay(backend, running[setting], asked, families, 1 if remembers else workers)

    with proxies(how, SETTINGS) as (backend, running), ThreadPoolExecutor(len(SETTINGS)) as pool:
        return dict(zip(SETTINGS, pool.map(through, SETTINGS), strict=True))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__.split("\n\n")[0])
    parser.add_argument("--how", choices=COMMANDS, default="app", help="what serves the proxy (app)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the fixtures whose id holds TEXT")
    parser.add_argument("--workers", type=int, default=WORKERS, help=f"fixtures at a time, each proxy ({WORKERS})")
    options = parser.parse_args(argv)
    fixtures = [each for each in load_fixtures() if options.only in each.id]
    if not fixtures:
        parser.error(f"no fixture's id holds {options.only!r}")
    began = time.monotonic()
    parts = [measure(options.how, fixtures, options.workers, remembers) for remembers in (False, True)]
    run = Run("python app.py" if options.how == "app" else "gunicorn", *parts)
    print(*terminal(run), sep="\n")
    print(f"{time.monotonic() - began:.0f} s")
    if not options.only:
        PAGE.write_text(document(run), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0 if all(held for _, held in run.musts()) else 1


if __name__ == "__main__":
    sys.exit(main())
