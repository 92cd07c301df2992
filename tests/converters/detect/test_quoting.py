"""What stands in a fence, or between backticks on one line, is a quotation."""

from __future__ import annotations

import re

import pytest

from converters.detect.quoting import Quoting

_RUN = re.compile(r"`+|~{3,}")


def told(text: str) -> Quoting:
    """The state behind a text."""
    quoting = Quoting()
    place = 0
    for run in _RUN.finditer(text):
        if run.start() > place:
            quoting.prose(text[place : run.start()])
        quoting.run(run.group())
        place = run.end()
    quoting.prose(text[place:])
    return quoting


@pytest.mark.parametrize(
    ("text", "fenced"),
    [
        ("", False),
        ("```\n", True),
        ("x\n```py\ncode\n", True),
        ("~~~\n", True),
        ("  ```\n", True),
        ("```\na\n```\n", False),
        ("```\na\n``` \n", False),
        ("```\na\n``` b\n", True),
        ("````\na\n```\n", True),
        ("````\na\n`````\n", False),
        ("~~~\na\n```\n", True),
        ("```\na ```\n", True),
        ("x ```\n", False),
        ("```x``` y\n", False),
        ("``\n", False),
    ],
)
def test_fences(text: str, fenced: bool) -> None:
    assert told(text).fenced is fenced


@pytest.mark.parametrize(
    ("text", "inline"),
    [
        ("`", True),
        ("a `b", True),
        ("``a`b", True),
        ("`a`", False),
        ("`a\n", False),
        ("``a``", False),
        ("```\n`", False),
        ("x ```~~~", True),  # a pair of equal backtick runs
    ],
)
def test_inline_code_stays_on_its_line(text: str, inline: bool) -> None:
    assert told(text).inline is inline


@pytest.mark.parametrize(
    ("before", "behind", "whole", "end"),
    [
        ("", "<x>` y", False, 0),
        ("`", "<x>` y", False, 4),
        ("`", "<x>\n", False, 0),
        ("`", "<x>", False, None),
        ("`", "<x>", True, 0),
        ("`", "<x>`", False, None),  # the run may grow
        ("``", "<x>` y``.", False, 8),
        ("`", "<x>" + "y" * 5000, False, 0),
    ],
)
def test_whether_a_marker_stands_in_a_quotation(before: str, behind: str, whole: bool, end: int | None) -> None:
    assert told(before).quotation(behind, 3, whole=whole) == end


@pytest.mark.parametrize(("text", "blank"), [("", True), ("a", False), ("a\n", True), ("a\n  ", True), ("`", False)])
def test_what_stands_on_the_line(text: str, blank: bool) -> None:
    assert told(text).blank is blank


def test_behind_what_was_removed_a_line_begins() -> None:
    quoting = told("a `b")
    quoting.removed()
    assert (quoting.blank, quoting.inline) == (True, False)
