"""Comments in near-JSON, and a code fence around it: where they begin and end in text that comes in pieces.

The functions keep no state. Positions are indexes into the text.
"""

from __future__ import annotations

import re

WAIT = -1
"""More text must come before the function can answer."""

COMMENTS = {"//": "\n", "/*": "*/", "#": "\n"}
"""The openers of comments and what ends each."""

_OPENING_FENCE = re.compile(r"```\w{0,16}\s{0,64}")


def comment_end(text: str, pos: int, closer: str) -> tuple[int, bool]:
    """(how far the comment is read from `pos` on, whether it ends there); (WAIT, False) at half a closer."""
    end = text.find(closer, pos)
    if end >= 0:
        return end + len(closer), True
    if len(closer) > 1 and text.endswith(closer[0]):
        last = len(text) - 1
        return (WAIT if pos == last else last), False
    return len(text), False


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
