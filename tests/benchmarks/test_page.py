"""docs/SPEED.md is written from results; what is said by hand stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import page
from benchmarks.figures import ROWS, Figures
from benchmarks.page import BY_HAND
from tests.benchmarks.test_figures import line

pytestmark = pytest.mark.long


def _results() -> list[dict[str, Any]]:
    about = {"machine": "a small one", "command": "python -m benchmarks"}
    asked = [
        ("buffered-16", {"answers": 1000}),
        ("streams-64", {"chunks": 3200, "delay_p50_us": 9, "delay_p99_us": 90}),
    ]
    measured = [
        line(case, target, cpu_s=0.05, **figures)
        for case, figures in asked
        for target in ("direct", "nginx", "litellm", "dragoman")
    ]
    prose = {"case": "converter", "syntax": "prose", "piece": 4, "us": [0.6, 0.6, 0.6], "growth": 10.0}
    face = {"case": "face", "api": "messages", "asked": "3 kB", "what": "first", "us": 512.0, "ratio": 1.25}
    return [about, *measured, face, prose]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "docs/SPEED.md")
    return tmp_path / "docs"


def test_the_page_tells_the_run_the_rows_and_the_figures(folder: Path) -> None:
    written = page.write(Figures(_results())).read_text()
    assert "- machine: a small one\n" in written
    assert "- command: `python -m benchmarks`\n" in written
    assert all(f"| {row.number} | {row.figure} |" in written for row in ROWS)
    assert "| 4 | CPU per chunk at 64 × 50/s over nginx | ≤ 2.8× | ≤ 1.8× | 1× ok, aim |" in written
    assert "### streams-64" in written
    assert "| messages | 512 (1.25×) |" in written and "1.25× MISSED" in written
    assert "does not count" in written
    pictures = {path.name for path in (folder / "speed").iterdir()}
    assert pictures == {"cost.png", "delay.png", "converter.png"}
    assert all(f"](speed/{name})" in written for name in pictures)


def test_what_is_kept_by_hand_is_kept(folder: Path) -> None:
    first = page.write(Figures(_results())).read_text()
    page.PAGE.write_text(first.partition(BY_HAND)[0] + BY_HAND + "\nRow 2: because.\n")
    assert page.write(Figures(_results()[:-1])).read_text().endswith(BY_HAND + "\nRow 2: because.\n")


def test_every_table_has_the_cells_of_its_head(folder: Path) -> None:
    width = 0
    for each in page.write(Figures(_results())).read_text().splitlines():
        cells = each.count("|")
        assert cells in (width, 0) or not width, each
        width = cells
