"""Markers at the ends of pieces: found, missing, or not there yet."""

from __future__ import annotations

import re

import pytest

from converters.text.scanner import (
    Lookahead,
    Markers,
    Pattern,
    any_of,
    first_token,
    loosened,
    only_more_space,
    spellings,
    tokens,
)

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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<call name="get_weather">{', "get_weather"),
        ("<call name='get_weather'> \n{", "get_weather"),
        ("<call  name=a.b:c-d>{", "a.b:c-d"),
        ("<x:call name=a>{", "a"),
        ('<call name="a">x', None),
        ('<call nome="a">{', None),
        ('<callname="a">{', None),
    ],
)
def test_pattern(text: str, name: str | None) -> None:
    pattern = Pattern('<call name="{name}">', then=["{"], prefix="x:")
    match = pattern.match(text)
    assert (match and match["name"]) == name
    if name:
        assert all(pattern.may_match(text[:end]) for end in range(text.index("{") + 1))
        assert not any(pattern.match(text[:end]) for end in range(text.index("{") + 1))
        assert pattern.match_at_end(text[: text.index("{")])


@pytest.mark.parametrize(
    ("text", "fits"), [("⟦", False), ("<a>x", True), ("<b>x", True), ("<c>x", False), ("<", False)]
)
def test_one_of_two(text: str, fits: bool) -> None:
    assert bool(Pattern("<⟦a¦b⟧>").match(text)) == fits


def test_a_name_is_bounded() -> None:
    pattern = Pattern("<{name}>")
    assert pattern.match(f"<{'x' * 256}>")
    assert not pattern.match(f"<{'x' * 257}>")
    assert not pattern.may_match(f"<{'x' * 300}")


def test_pieces_of_templates() -> None:
    assert first_token('<call name="{name}">\n{parameters}') == "<call"
    assert first_token("[TOOL]{object}") == "[TOOL]"
    assert tokens("</a></b>\n</c>") == ["</a>", "</b>", "</c>"]
    assert loosened("<a><b>x</b>") == "<a>\n<b>x</b>"
    assert spellings("</a>", "p:") == ["</a>", "</p:a>"]
    assert spellings("[a]", "p:") == ["[a]"]
    assert loosened("!<a>!<b>", "!") == "!\n<a>!\n<b>"
    assert spellings("!<a>", "", "!") == ["!<a>", "! <a>", "!\n<a>"]
    assert spellings("<a>", "", "!") == ["<a>"]


def test_only_more_space() -> None:
    assert only_more_space("<a> ", " \n")
    assert only_more_space(" ", " ")
    assert not only_more_space("<a>", " ")
    assert not only_more_space("<a> ", " b")
    assert not only_more_space("<a> ", "")
    assert only_more_space("<a>" + " " * 4094, " ")
    assert not only_more_space("<a>" + " " * 4095, " ")
