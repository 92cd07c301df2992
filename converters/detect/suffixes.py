"""Suffixes that all tags of an answer share, such as `<tool_calls:opensource>`: learnt from the first tag that has one.

A row or a reasoning tag that is `suffixed` may be written so. It may not know which tags these are; the rows say it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from converters.shapes import SHAPES
from converters.shapes.machine import Grammar
from converters.syntaxes import ReasoningTag, Syntax

_SUFFIX = r"[\w.-]"
_LONGEST = 24
"""Longest suffix, in characters. Bounded, because a tag that is not whole is held."""

_TAG = re.compile(rf"(</?\w+):({_SUFFIX}{{1,{_LONGEST}}})>")
_HALF = re.compile(rf"</?\w+:{_SUFFIX}{{0,{_LONGEST}}}\Z")
_PLAIN = re.compile(r"(</?\w+)>")


def stem(tag: str) -> str:
    """What a tag begins with if it carries a suffix."""
    return tag.removesuffix(">") + ":"


def suffixed(text: str, suffix: str) -> str:
    """A template, or a tag, with the suffix in each of its tags."""
    return _PLAIN.sub(rf"\g<1>:{suffix}>", text)


def tag_at(text: str, pos: int) -> re.Match[str] | None:
    return _TAG.match(text, pos)


def may_be_tag(text: str, pos: int) -> bool:
    """Whether the text ends inside a tag with a suffix."""
    return _HALF.match(text, pos) is not None


def split(tag: str) -> tuple[str, str]:
    """(the tag without its suffix, the suffix or nothing)"""
    match = _TAG.fullmatch(tag)
    return (match[1] + ">", match[2]) if match else (tag, "")


def suffixed_tag(tag: ReasoningTag, suffix: str) -> ReasoningTag:
    """Its tag is no word any more."""
    closes = tuple(suffixed(closer, suffix) for closer in tag.closes)
    return replace(tag, opens=suffixed(tag.opens, suffix), closes=closes, at_line_start=False)


@lru_cache(maxsize=16)  # a model may write any
def suffixed_grammar(row: Syntax, suffix: str) -> Grammar:
    """A row whose tags all carry this suffix, made ready for reading."""

    def each(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(suffixed(text, suffix) for text in texts)

    call, group, parameter = each((row.call, row.group, row.parameter))
    also, also_group, also_parameter = map(each, (row.also_call, row.also_group, row.also_parameter))
    return SHAPES[row.shape](
        replace(
            row,
            call=call,
            group=group,
            parameter=parameter,
            also_call=also,
            also_group=also_group,
            also_parameter=also_parameter,
        )
    )
