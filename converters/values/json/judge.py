"""Whether a quote ends its string, at the place in a value where it stands: `behind`, asked with what is open there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from converters.values.json.behind import Follow, Found, Key, Verdict, json_key, look, verdict
from converters.values.json.output import JsonOutput
from converters.values.json.repairs import Repairs
from converters.values.json.words import Spelling


class Judge:
    """Knows what is open around the place, and what may follow the whole value."""

    __slots__ = ("_delimiter", "_key", "_output", "_repairs", "ends_at", "finishing", "follow", "taken", "waits")

    def __init__(
        self, output: JsonOutput, repairs: Repairs, follow: Follow, ends_at: Sequence[str], spelling: Spelling
    ) -> None:
        """`ends_at`: what ends the arguments though closers are missing, such as the marker that closes a call."""
        self._key: Key = partial(json_key, bare=spelling.key_word)
        self._output = output
        self._repairs = repairs
        self.follow: Follow = follow
        self.ends_at = ends_at
        self._delimiter = spelling.delimiter
        self.finishing = False
        """No more text comes."""
        self.waits = False
        """More must come behind the last quote; blanks alone change nothing."""
        self.taken = -1
        """Up to where the text is taken, while what follows may not belong to the value; else -1."""

    def behind(self, text: str, pos: int) -> Found:
        """What stands from a position on, which is behind a value."""
        return look(
            text,
            pos,
            "".join([frame.opener for frame in self._output.frames]),
            self.follow,
            self.ends_at,
            self._delimiter,
            self._key,
        )

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
            self.waits = found.what == "waits"
            self.taken = -1 if self.waits else found.end
        elif told == "data":
            for frame in frames:
                frame.has_inner_quotes = True
            if self._repairs.duplicate_key or any(frame.has_undeclared for frame in frames):
                return "unreadable"
        return told
