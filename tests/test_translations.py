"""README and the guides say the same in English and in Korean: blocks, headings, tables, code and links."""

from __future__ import annotations

import re

import pytest

from tests.documents import PAIRS, ROOT, Pair, blocks, each_pair, headings, inline, prose, read, tables

LINKING = [str(page.relative_to(ROOT)) for page in (*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md")]
"""The pages in English."""


def both(pair: Pair) -> tuple[str, str]:
    return read(pair.english), read(pair.korean)


@each_pair
def test_the_same_blocks(pair: Pair) -> None:
    english, korean = both(pair)
    assert blocks(english) == blocks(korean)


@each_pair
def test_the_same_headings(pair: Pair) -> None:
    english, korean = ([heading.split(" ")[0] for heading in headings(text)] for text in both(pair))
    assert english == korean


@each_pair
def test_the_same_tables(pair: Pair) -> None:
    english, korean = (tables(text) for text in both(pair))
    assert [len(rows) for rows in english] == [len(rows) for rows in korean]
    for one, other in zip(english, korean, strict=True):
        for row, its in zip(one, other, strict=True):
            assert [inline(cell) for cell in row] == [inline(cell) for cell in its], row


@each_pair
def test_the_same_code_in_each_paragraph(pair: Pair) -> None:
    """Code in the running text, too, paragraph by paragraph; its order may follow the language."""

    def paragraphs(text: str) -> list[list[str]]:
        return [sorted(inline(part)) for part in re.split(r"\n(?:\n|(?=- ))", prose(text)) if part.strip()]

    english, korean = both(pair)
    assert paragraphs(english) == paragraphs(korean)


def links(page: str) -> list[str]:
    """The files that a page links to, from the root of the project."""
    without_code = re.sub(r"(`+)[^\n]*?\1", "", prose(read(page)))
    found = re.findall(r"\]\((?!https?:)([^)#]+)", without_code)
    return [str(((ROOT / page).parent / target).resolve().relative_to(ROOT)) for target in found]


@each_pair
def test_the_same_links(pair: Pair) -> None:
    """But for the first, which leads to the other language; and each page stays in its own where there are both."""
    (other, *english), (original, *korean) = links(pair.english), links(pair.korean)
    assert (other, original) == (pair.korean, pair.english)
    translated = {each.english: each.korean for each in PAIRS}
    assert korean == [translated.get(target, target) for target in english]


@pytest.mark.parametrize("page", [*LINKING, *(pair.korean for pair in PAIRS)])
def test_every_link_leads_somewhere(page: str) -> None:
    for target in links(page):
        assert (ROOT / target).exists(), target
