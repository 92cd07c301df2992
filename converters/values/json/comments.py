"""Comments in near-JSON, and a code fence around it: read in pieces, and left out."""

from __future__ import annotations

import re

from converters.values.json.strings import JsonStrings

_FENCE = re.compile(r"```\w{0,16}\s{0,64}")


class JsonComments(JsonStrings):
    """The states inside a comment, behind which the state goes on that it stood in, and those at a fence."""

    __slots__ = ("_behind", "_fenced", "done")

    def __init__(self) -> None:
        super().__init__()
        self._behind: JsonStrings.State
        self._fenced = False
        self.done = False

    def _stop(self, place: int) -> int:
        """Here is something that no JSON holds."""
        raise NotImplementedError

    def _comment(self, text: str, place: int) -> int:
        opener = text[place : place + 2]
        if len(opener) < 2:
            return -1
        if opener not in ("//", "/*"):
            return self._stop(place + 1)  # the slash may have been held, and what was held is not handed back
        return self._begin_comment(self._line_comment if opener == "//" else self._block_comment, place + 2)

    def _begin_comment(self, comment: JsonStrings.State, place: int) -> int:
        self.respelled = True
        self._behind = self._state
        self._state = comment
        return place

    def _line_comment(self, text: str, place: int) -> int:
        return self._comment_ends(text.find("\n", place), 1, len(text))

    def _block_comment(self, text: str, place: int) -> int:
        end = text.find("*/", place)
        if end < 0 and text.endswith("*"):
            return -1 if place == len(text) - 1 else len(text) - 1
        return self._comment_ends(end, 2, len(text))

    def _comment_ends(self, end: int, length: int, text_end: int) -> int:
        if end < 0:
            return text_end
        self._state = self._behind
        return end + length

    def _fence(self, text: str, place: int) -> int:
        """The opening line of a code fence around it all."""
        fence = _FENCE.match(text, place)
        if fence is None:
            begun = len(text) - place - len(text[place:].lstrip("`"))
            return -1 if "```".startswith(text[place:]) else self._stop(place + begun)  # they may have been held
        if fence.end() == len(text):
            return -1
        self.respelled = self._fenced = True
        return fence.end()

    def _unfence(self, text: str, place: int) -> int:
        """Behind a value that a fence stood in front of: the fence that closes it, if it is there."""
        letter = text[place]
        if letter in " \t\r\n":
            return place + 1
        if text.startswith("```", place):
            self.done = True
            return place + 3
        if "```".startswith(text[place:]):
            return -1
        self.done = True
        return len(text) - len(text[place:].lstrip("`"))  # they may have been held
