"""`dragoman syntaxes`: all rows of the table, and one whole."""

from __future__ import annotations

from converters.render import render_calls
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.events import CallStart
from tests.cases import in_one_test
from tests.command.running import dragoman, refused
from tests.helpers import parse


def test_each_row_has_its_line() -> None:
    ran = dragoman("syntaxes")
    head, *lines = ran.out.splitlines()
    assert (ran.status, ran.err) == (0, "") and head.split() == ["row", "shape", "sample", "models"]
    assert [line.split()[:2] for line in lines] == [[row.name, row.shape] for row in SYNTAXES]
    assert all(len(line) <= 100 for line in lines)


def test_a_narrow_screen_gets_narrow_lines() -> None:
    ran = dragoman("syntaxes", environ={"COLUMNS": "80"})
    assert max(map(len, ran.out.splitlines())) <= 84  # the narrowest cells do not shrink any more


@in_one_test("row", SYNTAXES, ids=lambda row: row.name)
def test_one_row_is_shown_whole(row: Syntax) -> None:
    told = dragoman("syntaxes", row.name, "--json").json
    assert (told["name"], told["shape"], told["source"]) == (row.name, row.shape, row.source)
    assert told["sample"] == render_calls(row, [("get_weather", {"city": "Seoul"})])
    shown = dragoman("syntaxes", row.name).out
    assert row.source in shown and told["sample"] in shown


def test_the_samples_are_what_is_read() -> None:
    for told in dragoman("syntaxes", "--json").json:
        events = parse(told["sample"], {"get_weather": {}}, row=told["name"])
        assert [event.name for event in events if isinstance(event, CallStart)] == ["get_weather"], told["name"]


def test_an_unknown_row_is_wrong_use() -> None:
    refused(dragoman("syntaxes", "hermez"), "there is no row 'hermez'")
