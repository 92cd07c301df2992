"""Suffixes that all tags of an answer share."""

from __future__ import annotations

import pytest

from converters.detect.suffixes import may_be_tag, split, suffixed, suffixed_grammar, suffixed_tag, tag_at
from converters.syntaxes import ReasoningTag
from tests.helpers import ROWS, assemble, cuts, parse

CALL = (
    "<tool_call{s}>get_weather<tool_sep{s}>\n<arg_key{s}>city</arg_key{s}>\n<arg_value{s}>x</arg_value{s}>\n"
    "</tool_call{s}>"
)
GROUP = "<tool_calls{s}>\n" + CALL + "\n</tool_calls{s}>"


def test_a_suffix_goes_into_each_tag() -> None:
    assert suffixed("<a>{x}</a>\n<b_c>", "q-1.2") == "<a:q-1.2>{x}</a:q-1.2>\n<b_c:q-1.2>"
    assert suffixed_tag(ReasoningTag("<t>", ("</t>",), at_line_start=True), "q") == ReasoningTag("<t:q>", ("</t:q>",))


@pytest.mark.parametrize("suffix", ["q", "-", "a.b", "x" * 24, "가"])
def test_what_is_a_tag_with_a_suffix(suffix: str) -> None:
    tag = f"</t:{suffix}>"
    found = tag_at("_" + tag + "_", 1)
    assert found and found.group() == tag and split(tag) == ("</t>", suffix)
    assert all(may_be_tag(tag[:length], 0) for length in range(4, len(tag)))


@pytest.mark.parametrize("tag", ["<t:>", "<t: q>", "<t:q >", "<t:" + "x" * 25 + ">", "<t:<q>"])
def test_what_is_none(tag: str) -> None:
    assert tag_at(tag, 0) is None and split(tag) == (tag, "")
    assert not may_be_tag(tag, 0)


def test_no_more_than_a_few_are_kept() -> None:
    for number in range(100):
        suffixed_grammar(ROWS["hy3"], f"s{number}")
    assert suffixed_grammar.cache_info().currsize <= 16


@pytest.mark.parametrize("written", [CALL, GROUP], ids=["call", "group"])
@pytest.mark.parametrize("row", ["hy3", "hermes", None])
def test_any_suffix_is_learnt_from_the_first_tag(written: str, row: str | None) -> None:
    text = "Look: \n" + written.replace("{s}", ":never-seen_1")
    for pieces in cuts(text):
        message = assemble(parse(text, ["get_weather"], pieces, row=row))
        assert message.names == ["get_weather"] and message.arguments == [{"city": "x"}]
        assert message.content == "Look:"


@pytest.mark.parametrize("text", ["<tool_calls:", "<tool_call:x> y", "a <think:no end", "</think: >", "<tool_calls:x>"])
def test_what_fits_no_row_is_text(text: str) -> None:
    for pieces in cuts(text):
        assert assemble(parse(text, ["get_weather"], pieces)).content == text


def test_reasoning_ends_at_the_tag_with_its_own_suffix() -> None:
    text = "<think:a>one </think:b> two</think> three</think:a>four"
    for pieces in cuts(text):
        message = assemble(parse(text, ["get_weather"], pieces))
        assert (message.reasoning, message.content) == ("one </think:b> two</think> three", "four")


def test_a_colon_that_is_the_tags_own_is_no_suffix() -> None:
    """`<seed:tool_call>` and `<mm:think>` are what they are."""
    text = "<mm:think>Hm.</mm:think><seed:tool_call>\n<function=ping>\n</function>\n</seed:tool_call>"
    for pieces in cuts(text):
        message = assemble(parse(text, ["ping"], pieces))
        assert (message.names, message.reasoning, message.content) == (["ping"], "Hm.", "")
