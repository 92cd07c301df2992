"""Templates: what fits them, what could still fit, and what they start with."""

from __future__ import annotations

import pytest

from converters.text.templates import Pattern, first_token, first_tokens, loosened, spellings, tokens


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<call name="get_weather">{', "get_weather"),
        ("<call name='get_weather'> \n{", "get_weather"),
        ("<call  name=a.b:c-d>{", "a.b:c-d"),
        ("<x:call name=a>{", "a"),
        ('<call name="a">x', None),
        ('<call nome="a">{', None),
        ('<callname="a">{', "a"),
        ("<call=a>{", None),
        ("<call name = 'a' >\u200b{", "a"),
        ('<call name="a" type="b" c=d>{', "a"),
        ("<CALL NAME=a/>\r\n{", "a"),
        ("<call>{", None),
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
    assert loosened("<a><b>x</b>") == "<a>\n<b>\nx\n</b>"
    assert spellings("</a>", "p:") == ["</a>", "</p:a>"]
    assert spellings("[a]", "p:") == ["[a]"]
    assert loosened("!<a>!<b>", "!") == "!\n<a>\n!\n<b>"
    assert spellings("!<a>", "", "!") == [
        f"!{blanks}<a>" for blanks in ("", " ", "\n", "  ", " \n", "\n ", "\n\n", " \n ", " \n \n")
    ]
    assert spellings("<a>", "", "!") == ["<a>"]
    assert first_tokens('<a name="{name}">', "p:") == ["<a\n", "<p:a\n", "<a ", "<p:a "]
    assert first_tokens("<|a|>call:{name}") == ["<|a|>"]
    assert loosened("<|a|>{name}[B]<|c|>{arguments}") == "<|a|>\n{name}\n[B]\n<|c|>\n{arguments}"
