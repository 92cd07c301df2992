"""Whose words come next: the headers of turns, and the results of tools, at a place where a turn may begin.

Such a place is behind the end of a turn or directly behind a call. Pure matching at one position; detector.py knows the
places. Nothing is searched for here, so a long table costs a text nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from converters.syntaxes import END_TOKENS, RESULTS, TURN_HEADERS, Speaker, TurnHeader
from converters.text.once import made_once
from converters.text.scanner import Search, any_of, beginnings, folded

_HEADERS = {folded(each.opens): each for each in TURN_HEADERS}
_HEADERS |= {folded(opens): TurnHeader(opens, "result") for opens in RESULTS}
_LONGER = beginnings(_HEADERS).intersection(_HEADERS)
_ROLE = re.compile(r"\s{0,64}([\w./-]{0,64})")
_ENDS = frozenset(map(folded, END_TOKENS))
_ATTRIBUTES = re.compile(r"[^<>\n]{0,64}")

DUAL = frozenset(token for token in END_TOKENS if token in _HEADERS)
"""Tokens that end a turn at the end of a text, and begin that of another speaker elsewhere."""

_HELD = 4096
"""How much white space may stand behind a dual token before it counts as the end."""


@made_once()
def _opener() -> Search:
    """Made when it is first asked: not every process reads behind a call, and these are long."""
    return re.compile(any_of(_HEADERS)).match


@made_once()
def _end_token() -> Search:
    return re.compile(any_of(END_TOKENS)).match


class Voice(NamedTuple):
    """A header: who speaks behind it, and where it ends."""

    speaker: Speaker
    end: int
    tag: bool = False
    """It is the tag of a result, not the header of a turn."""


def voice_at(text: str, pos: int, *, whole: bool, results: tuple[str, ...] = ()) -> Voice | bool:
    """The header at a position. True: more text must come. False: there is none. `whole`: no more text will come.

    `results` open the result of a tool, beside those of the table.
    """
    for opener in results:
        if text.startswith(opener, pos):
            return Voice("result", pos + len(opener), tag=True)
        if not whole and pos < len(text) and opener.startswith(text[pos : pos + len(opener)]):
            return True
    match = _opener()(text, pos)
    if match is None:
        return False
    token, end = folded(match.group()), match.end()
    header = _HEADERS.get(token)
    if header is None:
        return not whole
    if token in _LONGER and end == len(text) and not whole:
        return True
    if token in DUAL:
        goes_on = followed(text, end, whole=whole)
        if goes_on != "text":
            return goes_on is None
    if not header.own and not header.results:
        return Voice(header.speaker, end, header.opens in RESULTS)
    return _named(header, text, end, whole=whole)


def _named(header: TurnHeader, text: str, pos: int, *, whole: bool) -> Voice | bool:
    """A header whose word says who speaks."""
    role = _ROLE.match(text, pos)
    if role is None or (role.end() == len(text) and not whole):
        return True
    end = role.end()
    if role[1] in header.results:
        return Voice("result", end)
    if role[1] not in header.own:
        return Voice("other", end)
    attributes = _ATTRIBUTES.match(text, end)
    after = attributes.end() if attributes and header.closes else end
    for closer in header.closes:
        if text.startswith(closer, after):
            return Voice("own", after + len(closer))
        if not whole and after + len(closer) > len(text) and closer.startswith(text[after:]):
            return True
    return Voice("own", end)


def followed(text: str, pos: int, *, whole: bool) -> str | None:
    """What stands behind a token: `end` (nothing, or the end of a turn), `text`; None: not known yet."""
    rest = len(text[pos : pos + _HELD].lstrip())
    if not rest:
        return "end" if whole or len(text) - pos >= _HELD else None
    match = _end_token()(text, min(len(text), pos + _HELD) - rest)
    if match is None:
        return "text"
    if folded(match.group()) in _ENDS:
        return "end"
    return "text" if whole else None


def in_a_sentence(text: str, pos: int) -> bool:
    """Whether what stands before a position is a word of a sentence that goes on behind it on the same line."""
    return re.compile(r"[ \t]+\S|[.,;:)!?/'\"`*\]]").match(text, pos) is not None
