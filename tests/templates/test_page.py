"""docs/TEMPLATES.md, which `make templates` writes, holds what must hold, and leaves nothing unjudged."""

from __future__ import annotations

import re

from converters.syntaxes import SYNTAXES
from tests.templates.__main__ import MUST, SPOILT
from tests.templates.page import NOT_PROVED, PAGE, RIGHT

TEXT = PAGE.read_text(encoding="utf-8")


def number(row: str) -> int:
    """The number behind a line of the first table."""
    found = re.search(rf"^\| {re.escape(row)}[^|]*\| (\d+) \|$", TEXT, re.MULTILINE)
    assert found, row
    return int(found[1])


def test_enough_rows_are_derived_and_proved() -> None:
    assert number("A row is derived from them alone, and proved") >= MUST
    assert number("Rows that were spoilt on purpose") >= SPOILT


def test_every_difference_is_judged() -> None:
    assert "Not judged yet" not in TEXT
    for name in (*RIGHT, *NOT_PROVED):
        assert f"| {name} |" in TEXT, f"{name} is judged, and is no template of the page"


def test_it_names_rows_that_there_are() -> None:
    rows = {row.name for row in SYNTAXES} | {"–"}
    table = TEXT.partition("## All templates")[2]
    named = re.findall(r"^\| \S+ \| (\S+) \| (\S+) \| (?:yes|no) \|$", table, re.MULTILINE)
    assert len(named) == number("Templates")
    assert {name for pair in named for name in pair} <= rows
