"""What may stand between the tokens of near-JSON: blanks, comments, and a code fence around it.

The functions keep no state. Positions are indexes into the text.
"""

from __future__ import annotations

import re

WAIT = -1
"""More text must come before the function can answer."""

LIMIT = 256
"""Characters that a comment may have, and that are looked at behind a quote."""

BLANKS = " \\t\\r\\n\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
"""All of Unicode's blanks, zero-width ones too, as the inside of a class of characters."""

BLANK = re.compile(f"[{BLANKS}]+")
EDGES = re.compile(rf"\A[{BLANKS}]+|[{BLANKS}]+\Z")
"""The blanks around a text."""

_SPACES = re.compile(rf"(?:[{BLANKS}]|\\[nrt])+")
_COMMENT = re.compile(rf"""//[^\n"']{{0,{LIMIT}}}\n|/\*(?:[^*"']|\*(?!/)){{0,{LIMIT}}}\*/|\#[^\n"']{{0,{LIMIT}}}\n""")
_HALF_COMMENT = re.compile(
    rf"""/(?:/[^\n"']{{0,{LIMIT}}}|\*(?:[^*"']|\*(?!/)){{0,{LIMIT}}})?\Z|\#[^\n"']{{0,{LIMIT}}}\Z"""
)
_HALF_ESCAPE = re.compile(r"\\\Z")
PLAIN_SPACE = " \t\r\n"

_OPENING_FENCE = re.compile(r"```\w{0,16}\s{0,64}")
_NOT_STRICT = re.compile(r"[^ \t\r\n]+")


def blanks_end(text: str, pos: int, *, partly: bool = False) -> int:
    """The position behind blanks, in their escaped spelling (`\\n`) too, and comments; WAIT at half of one.

    A comment is closed within the limit and holds no quote: else it is none. `partly`: what stands before half a
    comment counts already, so that it need not be read again with each piece.
    """
    start = pos
    while True:
        space = _SPACES.match(text, pos)
        if space:
            pos = space.end()
        if pos == len(text) or text[pos] not in "/#\\":
            return pos
        comment = _COMMENT.match(text, pos)
        if comment is None:
            half = _HALF_COMMENT.match(text, pos) or _HALF_ESCAPE.match(text, pos)
            return WAIT if half and not (partly and pos > start) else pos
        pos = comment.end()


def strict_space(text: str) -> str:
    """Of blanks those that strict JSON may have between its tokens."""
    return text if text.isascii() and not _NOT_STRICT.search(text) else _NOT_STRICT.sub("", text)


def weight(text: str, pos: int, end: int) -> int:
    """How many characters stand there, blanks not counted; no more than is known to be over the limit is counted."""
    return end - pos if end - pos <= LIMIT else len(BLANK.sub("", text[pos:end]))


def opening_fence_end(text: str, pos: int) -> int | None:
    """The position behind the line that opens a fence at `pos`; WAIT, or None if none opens there."""
    fence = _OPENING_FENCE.match(text, pos)
    if fence is None:
        return WAIT if "```".startswith(text[pos:]) else None
    return WAIT if fence.end() == len(text) else fence.end()


def closing_fence_end(text: str, pos: int) -> int | None:
    """The position behind a fence that closes at `pos`; WAIT, or None if none closes there."""
    if text.startswith("```", pos):
        return pos + 3
    return WAIT if "```".startswith(text[pos:]) else None


def behind_backticks(text: str, pos: int) -> int:
    """The position behind a run of backticks that may be empty."""
    return len(text) - len(text[pos:].lstrip("`"))
