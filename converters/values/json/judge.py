"""Whether a quote ends its string, at the place in a value where it stands: `behind`, asked with what is open there."""

from __future__ import annotations

from converters.values.json.behind import Follow, Found, Verdict, look, verdict
from converters.values.json.output import JsonOutput
from converters.values.json.repairs import Repairs


class Judge:
    """Knows what is open around the place, and what may follow the whole value."""

    __slots__ = ("_output", "_repairs", "finishing", "follow", "taken", "waits")

    def __init__(self, output: JsonOutput, repairs: Repairs, follow: Follow) -> None:
        self._output = output
        self._repairs = repairs
        self.follow: Follow = follow
        self.finishing = False
        """No more text comes."""
        self.waits = False
        """More must come behind the last quote; blanks alone change nothing."""
        self.taken = -1
        """While what has come behind the whole value does not tell yet: the position behind the value."""

    def behind(self, text: str, pos: int) -> Found:
        """What stands from a position on, which is behind a value."""
        return look(text, pos, "".join([frame.opener for frame in self._output.frames]), self.follow)

    def can_follow(self, text: str, pos: int) -> bool:
        """Whether what stands at a position, of which all has come, can follow a value."""
        if not self._output.frames and self.follow == "anything":
            return True
        return self.behind(text, pos).what in ("fits", "key")

    def ends(self, text: str, pos: int, has_data: bool, odd: bool) -> Verdict:
        """Whether the quote before a position ends its string."""
        frames = self._output.frames
        if not frames and self.follow == "anything":
            return "ends"
        found = self.behind(text, pos)
        declared = found.what != "key" or frames[found.level - 1].declares(found.key)
        told = verdict(found, has_data, odd, declared, self.finishing)
        if told == "waits":
            self.waits = found.what != "over"
            self.taken = -1 if self.waits else found.end
        elif told == "data":
            for frame in frames:
                frame.has_inner_quotes = True
            if self._repairs.duplicate_key or any(frame.has_undeclared for frame in frames):
                return "unreadable"
        return told
