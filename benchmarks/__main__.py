"""`make bench`: what this proxy costs beside no proxy, nginx and LiteLLM, and what reading costs by itself.

    python -m benchmarks [all]           everything, about half an hour
    python -m benchmarks rows|json       the converters alone; how near-JSON is read
    python -m benchmarks faces           requests and chunks of the other client APIs beside chat
    python -m benchmarks proxies         the proxies; --suite, --targets, --rounds, --quick, --before say which and how
    python -m benchmarks paired          CPU time beside an earlier commit: --before, --pairs, --quick; 12 minutes
    python -m benchmarks show|page FILE  a run as text again; docs/SPEED.md written from it

`paired` ends with status 1 if a target is missed, 2 if one could not be measured. Without --before it compares with the
commit at which the branch left `main`; on `main` with the parent, or with HEAD if there are uncommitted changes.

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

from benchmarks import faces, page, paired, proxies, rows, show, targets, transducer, wire
from benchmarks.figures import Figures
from tests.load.measure import machine

_ROUNDS = 5
_OTHER = "gthread" if 'worker_class = "gevent"' in (targets.ROOT / "gunicorn.conf.py").read_text() else "gevent"
"""The worker class that is not shipped is measured, too: the choice rests on it."""
_WHAT = ("all", "rows", "json", "faces", "proxies", "paired", "show", "page")
_TARGETS = f"direct,nginx,litellm,dragoman,dragoman-off,{_OTHER}"


def main(arguments: list[str]) -> int:
    chosen = _chosen(arguments)
    if chosen.what == "page":
        print(page.write(Figures.read(chosen.results)))
        return 0
    if chosen.what == "show":
        print(paired.shown(chosen.results) or show.whole(Figures.read(chosen.results)))
        return 0
    results = chosen.results or wire.BUILD / "results" / time.strftime("%Y-%m-%d-%H%M%S.jsonl")
    if chosen.what == "paired":
        return _compare(chosen, results, arguments)
    proxies.keep(results, _about(chosen, arguments))
    if chosen.what in ("all", "json"):
        transducer.measure(chosen)
    if chosen.what in ("all", "rows"):
        for line in rows.measure(chosen):
            proxies.keep(results, line)
    if chosen.what in ("all", "faces"):
        for line in faces.measure(chosen):
            proxies.keep(results, line)
    if chosen.what in ("all", "proxies"):
        _measure_proxies(chosen, results)
        print("\n" + show.whole(Figures.read(results)))
    print(f"\nkept in {results}")
    return 0


def _chosen(arguments: list[str]) -> argparse.Namespace:
    chosen = _options().parse_args(arguments)
    if chosen.quick:
        chosen.rounds = 1
    if chosen.pairs is None:
        chosen.pairs = paired.QUICK_PAIRS if chosen.quick else paired.PAIRS
    return chosen


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("what", nargs="?", default="all", choices=_WHAT)
    options.add_argument("results", nargs="?", type=Path, help="the file of results, to read or to add to")
    options.add_argument("--rounds", type=int, default=_ROUNDS, help=f"how often everything is measured ({_ROUNDS})")
    options.add_argument("--pairs", type=int, help=f"how often two commits are compared ({paired.PAIRS})")
    options.add_argument("--quick", action="store_true", help=f"one round; {paired.QUICK_PAIRS} short pairs")
    options.add_argument("--piece", type=int, default=4, help="characters in a piece of JSON (4)")
    options.add_argument("--row", help="only this syntax")
    options.add_argument("--suite", default=",".join(proxies.SUITES), help="%(default)s, or single cases of them")
    options.add_argument("--targets", default=_TARGETS, help=f"{_TARGETS}; there are {', '.join(targets.NAMES)}")
    options.add_argument(
        "--before", metavar="REV", help="measure this commit, too, in the same run; what `paired` compares with"
    )
    return options


def _compare(chosen: argparse.Namespace, results: Path, arguments: list[str]) -> int:
    """Pairs of two commits; the status for the shell."""
    try:
        if results.exists():
            raise targets.Missing(f"{results} is there already; pairs are not added to those of another run")
        if not wire.available():
            raise targets.Missing("there is no gcc to compile the load generator with")
        chosen.before = chosen.before or targets.commit_before()
        proxies.keep(results, _about(chosen, arguments))
        print(f"{_commit()} beside {_version('before', chosen.before)}, {chosen.pairs} pairs", flush=True)
        paired.Run(chosen.before, chosen.pairs, results, chosen.quick).measure()
    except (targets.Missing, subprocess.SubprocessError) as error:  # status 1 is for a target that is missed
        print(error, file=sys.stderr)
        return 2
    print(f"\n{paired.shown(results)}\n\nkept in {results}")
    return paired.status(paired.read(results))


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
    if chosen.what == "paired":
        about["before"] = targets.version("before", chosen.before)
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
