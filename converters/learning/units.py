"""One call, two calls: which part of the text of calls is a call, which stands around them all, which between them.

    one   GROUP-OPENER HEAD core FOOT GROUP-CLOSER
    two   GROUP-OPENER HEAD core FOOT between HEAD core FOOT GROUP-CLOSER
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from converters.learning.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the core of a call: its own markup, and the group's."""

    head: str
    foot: str
    opener: str = ""
    closer: str = ""
    between: str = ""
    grouped: Literal["all", "each"] = "all"

    @property
    def group(self) -> str:
        """The sample of the group; empty if there is none."""
        return f"{self.opener}{{calls}}{self.closer}" if self.opener or self.closer else ""


def around_one(before: str, behind: str) -> Around:
    """For a template that renders one call only: whether there is a group cannot be told, but for a list's brackets."""
    if before.rstrip().endswith("[") and behind.lstrip().startswith("]"):
        return Around("", "", before, behind, ", ")
    return Around(before, behind)


def around_two(before: str, middle: str, behind: str, tokens: Tokens) -> Around:
    """For a template that renders two calls, `middle` between their cores."""
    if middle.startswith(behind) and middle.endswith(before) and len(middle) >= len(behind) + len(before):
        return Around(before, behind, between=middle[len(behind) : len(middle) - len(before)])
    foot = tokens.prefix(middle, behind).rstrip()
    rest = middle[len(foot) :]
    head = tokens.suffix(rest, before).lstrip()
    between = rest[: len(rest) - len(head)]
    return Around(head, foot, before[: len(before) - len(head)], behind[len(foot) :], between)
