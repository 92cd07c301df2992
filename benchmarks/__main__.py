"""`make bench`: what this proxy costs beside no proxy, nginx and LiteLLM, and what reading costs by itself.

    python -m benchmarks [all]           everything, about half an hour
    python -m benchmarks rows|json       the converters alone; how near-JSON is read
    python -m benchmarks proxies         the proxies; --suite, --targets, --rounds, --quick, --before say which and how
    python -m benchmarks show|page FILE  a run as text again; docs/SPEED.md written from it

A run says which machine it was; compare only within a run.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from importlib.metadata import version as installed
from pathlib import Path

from benchmarks import page, proxies, rows, show, targets, transducer, wire
from benchmarks.figures import Figures
from tests.load.measure import machine

_ROUNDS = 5
_OTHER = "gthread" if 'worker_class = "gevent"' in (targets.ROOT / "gunicorn.conf.py").read_text() else "gevent"
"""The worker class that is not shipped is measured, too: the choice rests on it."""
_TARGETS = f"direct,nginx,litellm,dragoman,dragoman-off,{_OTHER}"


def main(arguments: list[str]) -> int:
    chosen = _options().parse_args(arguments)
    if chosen.what in ("show", "page"):
        figures = Figures.read(chosen.results)
        print(page.write(figures) if chosen.what == "page" else show.whole(figures))
        return 0
    results = chosen.results or wire.BUILD / "results" / time.strftime("%Y-%m-%d-%H%M%S.jsonl")
    proxies.keep(results, _about(chosen, arguments))
    if chosen.what in ("all", "json"):
        transducer.measure(chosen)
    if chosen.what in ("all", "rows"):
        for line in rows.measure(chosen):
            proxies.keep(results, line)
    if chosen.what in ("all", "proxies"):
        _measure_proxies(chosen, results)
        print("\n" + show.whole(Figures.read(results)))
    print(f"\nkept in {results}")
    return 0


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("what", nargs="?", default="all", choices=("all", "rows", "json", "proxies", "show", "page"))
    options.add_argument("results", nargs="?", type=Path, help="the file of results, to read or to add to")
    options.add_argument("--rounds", type=int, default=_ROUNDS, help=f"how often everything is measured ({_ROUNDS})")
    options.add_argument("--quick", action="store_const", const=1, dest="rounds", help="one round")
    options.add_argument("--piece", type=int, default=4, help="characters in a piece of JSON (4)")
    options.add_argument("--row", help="only this syntax")
    options.add_argument("--suite", default=",".join(proxies.SUITES), help="%(default)s, or single cases of them")
    options.add_argument("--targets", default=_TARGETS, help=f"{_TARGETS}; there are {', '.join(targets.NAMES)}")
    options.add_argument("--before", metavar="REV", help="measure this commit, too, in the same run")
    return options


def _measure_proxies(chosen: argparse.Namespace, results: Path) -> None:
    if not wire.available():
        print("\nthe proxies are left out: there is no gcc to compile the load generator with")
        return
    wanted = chosen.suite.split(",")
    cases = [case for suite, of_it in proxies.SUITES.items() for case in of_it if {suite, case.name} & {*wanted}]
    proxies.Run(cases, _names(chosen), chosen.rounds, results, chosen.before).measure()


def _names(chosen: argparse.Namespace) -> list[str]:
    names = chosen.targets.split(",")
    unknown = set(names) - set(targets.NAMES)
    if unknown:
        sys.exit(f"--targets: there is no {', '.join(sorted(unknown))}, only {', '.join(targets.NAMES)}")
    return [*names, "before"] if chosen.before and "before" not in names else names


def _about(chosen: argparse.Namespace, arguments: list[str]) -> dict[str, str]:
    """What a reader must know to compare, or to do it again."""
    packages = ("gunicorn", "gevent", "Flask", "urllib3", "httptools")
    about = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": ", ".join(f"{name} {installed(name)}" for name in packages),
        "command": shlex.join(["python", "-m", "benchmarks", *arguments]),
        "commit": _commit(),
    }
    if chosen.what in ("all", "proxies"):
        about |= {
            name: _version(name, chosen.before) for name in _names(chosen) if name in ("nginx", "litellm", "before")
        }
    return about


def _version(name: str, before: str | None) -> str:
    try:
        return targets.version(name, before)
    except targets.Missing:
        return "not to be had here"


def _commit() -> str:
    described = ["git", "-C", str(targets.ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(described, capture_output=True, text=True).stdout.strip() or "no git"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
