"""README and the guides in docs/ as the tests read them: pages in two languages, their blocks, tables and headings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

Block = tuple[str, str]
"""The language of a fenced block, and its text."""


class Pair(NamedTuple):
    """One page in English and in Korean, as paths from the root of the project."""

    english: str
    korean: str

    @property
    def name(self) -> str:
        return Path(self.english).stem


GUIDES = ("CLIENTS", "CONFIGURATION", "EXTENDING", "SERVING", "TROUBLESHOOTING")
PAIRS = (Pair("README.md", "README.ko.md"), *(Pair(f"docs/{name}.md", f"docs/ko/{name}.md") for name in GUIDES))

each_pair = pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
PAGES = [page for pair in PAIRS for page in pair]
each_page = pytest.mark.parametrize("page", PAGES)


def in_both_languages(name: str) -> pytest.MarkDecorator:
    """Runs a test with the text of the page `name` in English, then in Korean."""
    (pair,) = [pair for pair in PAIRS if pair.name == name]
    return pytest.mark.parametrize("text", [read(page) for page in pair], ids=["en", "ko"])


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*$", prose(text), re.MULTILINE)


def tables(text: str) -> list[list[list[str]]]:
    """The cells of the rows of each table, without its head."""
    found = re.findall(r"(?:^\|.*\n)+", prose(text), re.MULTILINE)
    cells = [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()[2:]] for table in found]
    return [[[cell.strip(" ") for cell in row] for row in table] for table in cells]


def table(text: str, first: str) -> list[list[str]]:
    """The table whose first cell is `first`."""
    (found,) = [rows for rows in tables(text) if rows[0][0] == first]
    return found


def code(cell: str) -> str:
    """The text of a cell that is one code span; one that holds backticks stands between two of them and a space."""
    shown = re.fullmatch(r"`([^`]+)`|`` (.*`.*) ``", cell)
    assert shown, cell
    return shown[1] or shown[2]


def inline(text: str) -> list[str]:
    """The code spans outside of fenced blocks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(text))
