"""Markers at the ends of pieces: found, missing, or not there yet."""

from __future__ import annotations

import re

import pytest

from converters.text.scanner import Lookahead, Markers, any_of, folded, only_more_space

WORDS = ["<tool", "<tool_call>", "[CALL]"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a <tool_call> b", "<tool_call>"),
        ("a <tool b", "<tool"),
        ("a <tool", "<tool"),
        ("a <tool_ca", "<tool_ca"),
        ("a <", "<"),
        ("a [CAL", "[CAL"),
        ("a <t b [CALL]", "[CALL]"),
        ("a <t b", None),
        ("", None),
    ],
)
def test_markers_and_their_starts_at_the_end(text: str, found: str | None) -> None:
    match = Markers(WORDS).search(text)
    assert (match and match.group()) == found


def test_the_case_of_a_tag_means_nothing() -> None:
    """Defect B1."""
    found = Markers([*WORDS, "<|TOOL|>"])
    for text in ("a <TOOL_Call> b", "<Tool_caLl", "</TOOL_CALL>"):
        match = found.search(text)
        assert (match is not None and folded(match.group()).startswith("<tool")) == ("/" not in text)
    assert found.search("<|tool|>") is None
    assert Lookahead(["</a>"]).look("</A>", 0) == (Lookahead.FOUND, "</a>", 4)


def test_any_of_takes_the_longest() -> None:
    assert re.match(any_of(["a", "ab", "abc"]), "abcd")[0] == "abc"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" \n</a>x", (Lookahead.FOUND, "</a>", 6)),
        ("</a>", (Lookahead.FOUND, "</a>", 4)),
        ("</a", (Lookahead.YET, "", 0)),
        ("  ", (Lookahead.YET, "", 0)),
        ("", (Lookahead.YET, "", 0)),
        (" x</a>", (Lookahead.MISSING, "", 0)),
        ("</b>", (Lookahead.MISSING, "", 0)),
        ("[", (Lookahead.YET, "", 0)),  # it may become the longer one
        ("[x", (Lookahead.FOUND, "[", 1)),
        ("[[", (Lookahead.FOUND, "[[", 2)),
    ],
)
def test_ahead(text: str, found: tuple[int, str, int]) -> None:
    assert Lookahead(["</a>", "[", "[["]).look(text, 0) == found


def test_white_space_is_not_held_for_ever() -> None:
    assert Lookahead(["x"]).look(" " * 5000, 0)[0] == Lookahead.MISSING


def test_only_more_space() -> None:
    assert only_more_space("<a> ", " \n")
    assert only_more_space(" ", " ")
    assert not only_more_space("<a>", " ")
    assert not only_more_space("<a> ", " b")
    assert not only_more_space("<a> ", "")
    assert only_more_space("<a>" + " " * 4094, " ")
    assert not only_more_space("<a>" + " " * 4095, " ")
