"""docs/REQUESTS.md is what the tables say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from backends.adapt.losses import LOSSES
from backends.adapt.table import ADAPTATIONS
from backends.adapt.words import REFUSALS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "REQUESTS.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "make_requests.py"))["page"]
    assert page() == PAGE, "run: python docs/make_requests.py"


def test_every_line_of_a_table_has_the_cells_of_its_head() -> None:
    tables = [table.splitlines() for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)]
    assert [len(table) - 2 for table in tables] == [4, 5, len(ADAPTATIONS), len(LOSSES), len(REFUSALS)]
    for head, *body in tables:
        assert all(len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"(?<!\\)\|", head)) for line in body), head


def test_the_lines_for_people_say_something() -> None:
    for each in ADAPTATIONS:
        for line in (each.does, each.loses):
            assert line and "\n" not in line and not line.endswith("."), each.name
        assert re.fullmatch(r"[a-z_]+", each.name)
