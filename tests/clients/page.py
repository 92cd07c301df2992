"""The table of docs/CLIENTS.md, written from the results of `make clients`, in both languages.

Results are kept between runs, so that a run of some clients renews only their rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.clients.environments import CACHE
from tests.clients.play import Loop, Result
from tests.clients.table import CLIENTS, Client
from tests.servers import ROOT

RESULTS = CACHE / "results.json"
PAGES = {
    "docs/CLIENTS.md": ("program", "version", "API", "how it is pointed here", "what was tried"),
    "docs/ko/CLIENTS.md": ("프로그램", "버전", "API", "가리키는 방법", "시험한 것"),
}
"""The pages, and the heads of their tables."""
BEGIN, END = "<!-- written by make clients -->", "<!-- the end of what make clients writes -->"


def write(results: Sequence[Result]) -> None:
    """Keep the results and renew the tables of both pages."""
    kept = {result.client: result for result in (*_kept(), *results)}
    CACHE.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([each.as_json() for each in kept.values()], ensure_ascii=False, indent=1))
    for name, heads in PAGES.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        table = "\n".join(_lines(kept, heads))
        path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _kept() -> list[Result]:
    return [Result.from_json(each) for each in json.loads(RESULTS.read_text())] if RESULTS.exists() else []


def _lines(results: dict[str, Result], heads: Sequence[str]) -> list[str]:
    rows = [row(client, results[client.name]) for client in CLIENTS if client.name in results]
    return [f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows)]


def row(client: Client, result: Result) -> tuple[str, ...]:
    points = client.points.replace("|", "\\|")
    return (client.title, result.version or "–", client.speaks, f"`{points}`", _tried(result))


def _tried(result: Result) -> str:
    """The ways that work with every model, those that do not, and what stopped it."""
    ways: dict[str, list[Loop]] = {}
    for loop in result.loops:
        ways.setdefault(loop.way, []).append(loop)
    good = [way for way, loops in ways.items() if not any(loop.complaint for loop in loops)]
    bad = [
        f"{way} with {', '.join(loop.model for loop in loops if loop.complaint)}"
        for way, loops in ways.items()
        if way not in good
    ]
    parts = [f"works: {', '.join(good)}"] if good else []
    parts += [f"fails: {'; '.join(bad)}"] if bad else []
    parts += [f"failed: {result.trouble}"] if result.trouble else []
    return ". ".join(parts).replace("|", "\\|")
