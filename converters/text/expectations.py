"""What a request lets us expect of the answer: its tools, its choice, and where the reasoning starts.

Built once by the dialect, frozen, and handed to every stage. It may not know how anything is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from converters.text.reasons import Reason

Schema = Mapping[str, Any]
"""A JSON Schema as the client sent it."""

Choice = Literal["auto", "none", "required"]
"""What `tool_choice` demands."""

_LONGEST_NAME = 1024
"""Characters of a name that is worth comparing: no tool has a longer one, and the time is quadratic in its length."""
_DECORATION = re.compile(r"^(?:functions|default_api)[.:/]")
_TRAILING = re.compile(r"(?:<\|.*|[\s:]+|:\d+)$", re.DOTALL)
_DOUBLED = re.compile(r"(.+)\.\1")
_SEPARATORS = re.compile(r"[-_.]")


@dataclass(frozen=True, slots=True)
class Expectations:
    """`tools` maps each declared name to the schema of its parameters (an empty one if it gave none)."""

    tools: Mapping[str, Schema] = field(default_factory=dict)
    translate: bool = True
    """Off: the request declares no tools and its history holds no calls, so markup is the client's own business."""
    choice: Choice = "auto"
    allowed: frozenset[str] | None = None
    """The functions that `tool_choice` names, where it names any: no other may be called."""
    parallel: bool = True
    heal: bool = True
    """Off: names and JSON stay as the model wrote them, right or wrong."""
    json_answer: bool = False
    """The request asks for an answer in JSON, so bare JSON is one."""
    whole_calls: bool = False
    """TOOL_CALL_STREAMING=whole: a call leaves at its end, or not at all."""
    buffered: bool = False
    """The client gets the answer in one piece, so that a call whose arguments cannot be read can still be text."""
    starts_inside: bool = False
    """The prompt has already opened the reasoning, so the answer begins in it."""
    reasoning: Literal["split", "keep", "drop"] = "split"
    """`keep` leaves reasoning and its tags in the text; `drop` removes it."""
    strip_end_tokens: bool = True
    stops: bool = False
    """The request names strings at which the text ends, so that it may end anywhere though the model "stopped"."""

    def declared(self, name: str) -> str | None:
        """The declared tool that `name` can only mean, or None: never another tool's name.

        A name may differ by a `functions.` or `default_api.` prefix, white space around it, special tokens, a colon
        or a counter behind it, case, `-`, `_` and `.` in it or missing, or by being there twice (`read.read`), if
        that leaves exactly one candidate; the prefix may also be part of the name.
        """
        if name in self.tools:
            return name
        if not self.heal or len(name) > _LONGEST_NAME:
            return None
        plain = _plain(name)
        found = [tool for tool in self.tools if not plain.isdisjoint(_plain(tool))]
        return found[0] if len(found) == 1 else None

    @property
    def holds_calls(self) -> bool:
        """Whether no call leaves before its end."""
        return self.whole_calls or self.buffered

    def refuses(self, calls: int) -> Reason | None:
        """Why one more call may not be delivered behind so many, if it may not."""
        if self.choice == "none":
            return "choice_none"
        return "parallel_off" if calls and not self.parallel else None

    def allows(self, name: str) -> bool:
        """Whether `tool_choice` lets this function be called, if any may be."""
        return self.allowed is None or name in self.allowed

    def schema(self, name: str) -> Schema:
        """The schema of a tool's parameters, empty for a tool that was not declared."""
        return self.tools.get(name, {})


@lru_cache(maxsize=4096)
def _plain(name: str) -> frozenset[str]:
    """The name with its prefix and without, both as plain as names are compared."""
    name = _TRAILING.sub("", name.strip()).strip()
    bare = _DECORATION.sub("", name)
    doubled = _DOUBLED.fullmatch(bare)
    spelled = (name, bare, *(doubled.groups() if doubled else ()))
    return frozenset(_SEPARATORS.sub("", each).casefold() for each in spelled)
