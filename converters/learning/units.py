"""One call, two calls: which part of the text of calls is a call, which stands around them all, which between them.

one   GROUP-OPENER HEAD core FOOT GROUP-CLOSER
two   GROUP-OPENER HEAD core FOOT between HEAD core FOOT GROUP-CLOSER
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from converters.learning.tokens import Tokens, common_ending


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


def counted(first: str, second: str) -> tuple[str, str]:
    """Two texts that differ in a number which counts calls, with a hole for it; as they are if they do not."""
    same = len(common_ending(first, second))
    ends = [re.search(r"\d+\Z", text[: len(text) - same]) for text in (first, second)]
    if ends[0] is None or ends[1] is None or int(ends[1].group()) != int(ends[0].group()) + 1:
        return first, second
    behind = first[len(first) - same :]
    return f"{first[: ends[0].start()]}{{id}}{behind}", f"{second[: ends[1].start()]}{{id}}{behind}"


def around_one(before: str, behind: str) -> Around:
    """For a template that renders one call only: whether there is a group cannot be told, but for a list's brackets."""
    if before.rstrip().endswith("[") and behind.lstrip().startswith("]"):
        return Around("", "", before, behind, ", ")
    return Around(before, behind)


def around_two(before: str, middle: str, behind: str, tokens: Tokens, lead: str = "") -> Around:
    """For a template that renders two calls, `middle` between their cores; `lead` stands in front of each tag."""
    if middle.startswith(behind) and middle.endswith(before) and len(middle) >= len(behind) + len(before):
        return Around(before, behind, between=middle[len(behind) : len(middle) - len(before)])
    foot = tokens.prefix(middle, behind).rstrip()
    foot = foot.removesuffix(lead).rstrip() if lead else foot
    rest = middle[len(foot) :]
    head = tokens.suffix(rest, before).lstrip()
    between = rest[: len(rest) - len(head)]
    return Around(head, foot, before[: len(before) - len(head)], behind[len(foot) :], between)


def addressed(around: Around) -> Around:
    """A call whose name also stands in front of its own markup, as the recipient of a message: that is its group."""
    start = max(around.head.rfind("<"), around.head.rfind("["))
    close = re.match(r"\s*(?:<[^<>]*>|\[[^\[\]]*\])", around.foot)
    end = close.end() if close else 0
    opener, head = around.head[:start], around.head[start:]
    if start < 0 or "{name}" not in opener:
        return around
    return Around(head, around.foot[:end], opener, around.foot[end:], around.between, "each")
