"""The log probabilities of tokens, in frames that must be written anew: they leave with the text of their frame.

A frame is also written anew where only white space at its end waits. Its log probabilities are still those of the text
that leaves. Where a frame says something else than its bytes, as behind a tag that was removed, they are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reply import Extension

_FIELD = "logprobs"


def logprobs_of(choice: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a choice says of the tokens of its text, if it says anything."""
    found = choice.get(_FIELD)
    return found if isinstance(found, dict) and found else None


def extension_of(found: Sequence[Mapping[str, Any]]) -> Extension:
    """The log probabilities of neighbouring frames as one: lists are joined, of other fields the last is taken."""
    joined: dict[str, Any] = {}
    for each in found:
        for name, value in each.items():
            before = joined.get(name)
            if not isinstance(value, list):
                joined[name] = value
            elif isinstance(before, list):
                before += value
            else:
                joined[name] = [*value]  # a list of ours, which may grow
    return Extension({_FIELD: joined}, of="choice")


class WaitingLogprobs:
    """The log probabilities of frames of a choice whose text has not left."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[int, list[Mapping[str, Any]]] = {}

    def of_frame(
        self, index: int, choice: Mapping[str, Any], *, as_received: bool, text_leaves: bool
    ) -> Extension | None:
        """What leaves with the text of a frame. `text_leaves`: all of it that was read so far, but white space."""
        found = logprobs_of(choice)
        if not as_received:
            self._waiting.pop(index, None)
            return None
        if found is not None:
            self._waiting.setdefault(index, []).append(found)
        return extension_of(self._waiting.pop(index)) if text_leaves and index in self._waiting else None
