"""The table of docs/CLIENTS.md, written from the results of `make clients`, in both languages.

Results are kept between runs, so that a run of some clients renews only their rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from tests.clients.environments import CACHE
from tests.clients.play import Loop, Result
from tests.clients.table import CLIENTS, Client
from tests.servers import ROOT


class Words(NamedTuple):
    """What a page says in its language."""

    heads: tuple[str, ...]
    works: str
    fails: str
    failed: str


RESULTS = CACHE / "results.json"
PAGES = {
    "docs/CLIENTS.md": Words(
        ("program", "version", "API", "how it is pointed here", "what was tried"), "works", "fails", "failed"
    ),
    "docs/ko/CLIENTS.md": Words(
        ("프로그램", "버전", "API", "가리키는 방법", "시험한 것"), "되는 것", "안 되는 것", "실패"
    ),
}
BEGIN, END = "<!-- written by make clients -->", "<!-- the end of what make clients writes -->"


def write(results: Sequence[Result]) -> None:
    """Keep the results and renew the tables of both pages."""
    kept = {result.client: result for result in (*_kept(), *results)}
    CACHE.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([each.as_json() for each in kept.values()], ensure_ascii=False, indent=1))
    for name, words in PAGES.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        table = "\n".join(_lines(kept, words))
        path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _kept() -> list[Result]:
    return [Result.from_json(each) for each in json.loads(RESULTS.read_text())] if RESULTS.exists() else []


def _lines(results: dict[str, Result], words: Words) -> list[str]:
    rows = [row(client, results[client.name], words) for client in CLIENTS if client.name in results]
    return [f"| {' | '.join(cells)} |" for cells in (words.heads, ("---",) * len(words.heads), *rows)]


def row(client: Client, result: Result, words: Words) -> tuple[str, ...]:
    points = client.points.replace("|", "\\|")
    return (client.title, result.version or "–", client.speaks, f"`{points}`", _tried(result, words))


def _tried(result: Result, words: Words) -> str:
    """The ways that work with every model, those that do not, and what stopped it."""
    ways: dict[str, list[Loop]] = {}
    for loop in result.loops:
        ways.setdefault(loop.way, []).append(loop)
    good = [way for way, loops in ways.items() if not any(loop.complaint for loop in loops)]
    bad = [
        f"{way} ({', '.join(loop.model for loop in loops if loop.complaint)})"
        for way, loops in ways.items()
        if way not in good
    ]
    parts = [f"{words.works}: {', '.join(good)}"] if good else []
    parts += [f"{words.fails}: {', '.join(bad)}"] if bad else []
    parts += [f"{words.failed}: {result.trouble}"] if result.trouble else []
    return ". ".join(parts).replace("|", "\\|")
