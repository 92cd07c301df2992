"""Whether a call begins at an opener: the rows that share the opener look at the text behind it.

Pure matching. It may not know what was read before; detector.py does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from converters.detect.openers import OpenerIndex
from converters.shapes.grouped import named
from converters.shapes.machine import Grammar, Opener
from converters.syntaxes import REASONING_TAGS
from converters.text.events import End
from converters.text.expectations import Expectations
from converters.text.scanner import folded
from converters.values.schema import properties


class Header(NamedTuple):
    """The first header of a run of calls, in the row that takes it."""

    row: Grammar
    raw: str
    end: int
    name: str
    id: str | None
    grouped: bool
    """Its name need not be declared."""


def _header(row: Grammar, entry: Opener, match: re.Match[str]) -> Header:
    name, call_id = named(match)
    return Header(row, match.group(), match.end(), name, call_id, entry.explicit)


def header_at(
    index: OpenerIndex, opener: re.Match[str], expectations: Expectations, end: End
) -> Header | re.Match[str] | bool:
    """The header that begins at an opener, or a group without calls, as its match.

    True: more text must come. False: no row takes what follows the opener.
    """
    text, start = opener.string, opener.start()
    waits = False
    waiting: set[str] = set()  # rows of which an earlier sample may still fit
    for pattern in index.empty_at(folded(opener.group())):
        empty = pattern.match(text, start)
        if empty:
            return empty
        waits = waits or pattern.may_match(text, start)
    for row, entry in index.entries_at(folded(opener.group())):
        match = entry.pattern.match(text, start)
        if match is None and end is End.STOP:
            match = _header_at_end(entry, text, start, expectations)
        if match is not None and entry.believes(named(match)[0], expectations):
            return True if row.syntax.name in waiting and end is End.MORE else _header(row, entry, match)
        if match is None and entry.pattern.may_match(text, start):
            waits = True
            waiting.add(row.syntax.name)
    return waits


def is_undeclared(index: OpenerIndex, opener: re.Match[str], expectations: Expectations) -> bool:
    """Whether a header begins at an opener that only a declared name would make a call."""
    for _, entry in index.entries_at(folded(opener.group())):
        match = entry.pattern.match(opener.string, opener.start())
        if match is not None and not entry.believes(named(match)[0], expectations):
            return True
    return False


def takes_nothing(name: str, expectations: Expectations) -> bool:
    """Whether a name is that of a tool that is called without arguments."""
    declared = expectations.declared(name)
    return declared is not None and not properties(expectations.schema(declared))


def header_behind_prefill(row: Grammar, text: str, expectations: Expectations, end: End) -> Header | bool:
    """The header that a text begins with; its opener was written by the prompt, and stands in `text`.

    True: the text may still become a header, or a reasoning tag. False: it is neither.
    """
    tools = expectations.tools
    for entry in row.entries:
        match = entry.pattern.match(text)
        if match is None and end is End.STOP:
            match = _header_at_end(entry, text, 0, expectations)
        if match is not None and named(match)[0] in tools and entry.believes(named(match)[0], expectations):
            return _header(row, entry, match)
    return end is not End.STOP and _may_become_header(row, text, tools)


def _header_at_end(entry: Opener, text: str, start: int, expectations: Expectations) -> re.Match[str] | None:
    """The model stopped right behind a header: a call without arguments, if its name is declared."""
    match = entry.pattern.match_at_end(text, start)
    return match if match is not None and expectations.declared(named(match)[0]) else None


def _may_become_header(row: Grammar, text: str, tools: Iterable[str]) -> bool:
    """Whether a text could go on as a header that names a tool, or as a reasoning tag."""
    word = re.split(r"[\s<]", text.removeprefix(row.syntax.prefilled_call), maxsplit=1)[0]
    if any(tag.opens.startswith(text) for tag in REASONING_TAGS):
        return True
    return any(entry.pattern.may_match(text) for entry in row.entries) and any(tool.startswith(word) for tool in tools)
