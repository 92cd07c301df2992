"""The fast lane: most frames of a stream differ in one string alone, so only that is read.

Once a frame that brings nothing but text has been read, what stands around its text is a mould, and other frames that
fit it say the same with another text. Blocks of them leave as they came if the parser lets their text flow; one alone
is read without its envelope. All that does not fit is read in full, with the same outcome.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NOT_PLAIN = re.compile(rb'["\\\x00-\x1f]')
"""What a JSON string cannot hold as it is, or what could end it."""


@dataclass(frozen=True, slots=True)
class Mould:
    """What stands before and behind the text in each frame of a choice, and what kind of text it is."""

    before: bytes
    behind: bytes
    index: int
    field: str
    """The name of the text in a delta."""
    wanted: bool
    """The client wants this text under this very name."""
    chunk: Mapping[str, Any]
    """The frame that it was made of."""

    @property
    def reasoning(self) -> bool:
        return self.field != "content"

    def text_in(self, frame: bytes) -> str | None:
        """The text of one frame; None if it is not of this mould."""
        if not self._fits(frame):
            return None
        try:
            text = json.loads(b'"%b"' % frame[len(self.before) : len(frame) - len(self.behind)])
        except ValueError:  # the string ended, and more than a text stands here
            return None
        return text if isinstance(text, str) and text else None

    def _fits(self, block: bytes) -> bool:
        shortest = len(self.before) + len(self.behind)
        return len(block) > shortest and block.startswith(self.before) and block.endswith(self.behind)

    def text_of(self, block: bytes) -> str | None:
        """The text of all frames of a block, joined; None if they are not all of this mould, or not plain."""
        before, behind = self.before, self.behind
        if not self._fits(block):
            return None
        texts = block[len(before) : len(block) - len(behind)].replace(behind + before, b"")
        if not texts or _NOT_PLAIN.search(texts):
            return None
        try:
            return texts.decode()
        except UnicodeDecodeError:  # cut inside a character, or no UTF-8
            return None


def mould_of(
    frame: bytes, text: str, index: int, field: str, wanted: bool = True, chunk: Mapping[str, Any] | None = None
) -> Mould | None:
    """The mould of a frame that says this text; None if where it stands is not plain to see."""
    spelled = text.encode(errors="replace")
    place = frame.find(b'"' + spelled + b'"')
    if not spelled or _NOT_PLAIN.search(spelled) or place < 0 or frame.find(b'"' + spelled + b'"', place + 1) >= 0:
        return None
    key, colon, space = frame[:place].rpartition(b":")
    if not colon or space.strip() or not key.rstrip().endswith(b'"%b"' % field.encode()):
        return None
    if not frame.startswith(b"data:") or frame.count(b"\n") != 2:  # one line of data and nothing else
        return None
    return Mould(frame[: place + 1], frame[place + 1 + len(spelled) :], index, field, wanted, chunk or {})
