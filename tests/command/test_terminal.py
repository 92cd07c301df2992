"""What is printed: widths of cells, control characters, tables."""

from __future__ import annotations

import sys
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command import terminal

WIDTHS = {"abc": 3, "서울": 4, "⛅": 2, "e\u0301": 1, "\x1b[35mred\x1b[0m": 3, "": 0}


@pytest.mark.parametrize("text", WIDTHS)
def test_columns(text: str) -> None:
    assert terminal.columns(text) == WIDTHS[text]


@given(st.text(max_size=40), st.integers(2, 30))
@settings(max_examples=200, deadline=None)
def test_a_cell_is_one_line_that_drives_no_terminal(text: str, width: int) -> None:
    cell = terminal.in_one_line(text, width)
    assert terminal.columns(cell) <= width and len(cell.splitlines()) <= 1
    assert not any(terminal._drives(each) for each in cell)


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_visible_text_keeps_what_drives_nothing(text: str) -> None:
    shown = terminal.visible(text)
    assert not any(terminal._drives(each) for each in shown if each not in "\n\t")
    assert [each for each in text if not terminal._drives(each)] == [
        each for each in shown if each in text and not terminal._drives(each)
    ] or "\\" in shown


def test_a_table_fits_its_cells() -> None:
    lines = list(terminal.table(["city", "days"], [["서울", "3"], ["Busan", "12"]], indent="  "))
    assert [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines] == [
        "  city   days",
        "  서울   3",
        "  Busan  12",
    ]


def test_an_unknown_meaning_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        terminal.paint("text", "purple")


def test_progress_shows_only_where_somebody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress(3, "probing") as bar:
        bar.update(1, "text")
    assert capsys.readouterr() == ("", "")
    with mock.patch.object(sys.stderr, "isatty", lambda: True), terminal.progress(3, "probing") as bar:
        bar.update(1, "text")
    out, err = capsys.readouterr()
    assert out == "" and "probing" in err and "text" in err
