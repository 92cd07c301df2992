"""The fast lane: blocks of a stream that say nothing but more text leave as they came, unread but for their text.

Most frames of a stream differ in one string alone. Once one of them has been read and nothing in it had to change, what
stands around its text is a mould. Frames that fit it say the same with another text, so only that is looked at: whether
it is plain, and whether the parser lets it flow. All that does not fit is read frame by frame, with the same outcome.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_KEYS = {False: (b'"content"',), True: (b'"reasoning_content"', b'"reasoning"')}
_NOT_PLAIN = re.compile(rb'["\\\x00-\x1f]')
"""What a JSON string cannot hold as it is, or what could end it."""


@dataclass(frozen=True, slots=True)
class Mould:
    """What stands before and behind the text in each frame of a choice, and which text it is."""

    before: bytes
    behind: bytes
    index: int
    reasoning: bool

    def text_of(self, block: bytes) -> str | None:
        """The text of all frames of a block, joined; None if they are not all of this mould, or not plain."""
        before, behind = self.before, self.behind
        if not (block.startswith(before) and block.endswith(behind)):
            return None
        texts = block[len(before) : len(block) - len(behind)].replace(behind + before, b"")
        if not texts or _NOT_PLAIN.search(texts):
            return None
        try:
            return texts.decode()
        except UnicodeDecodeError:  # cut inside a character, or no UTF-8
            return None


def mould_of(frame: bytes, text: str, index: int, reasoning: bool) -> Mould | None:
    """The mould of a frame that says this text; None if where it stands is not plain to see."""
    spelled = text.encode(errors="replace")
    place = frame.find(b'"' + spelled + b'"')
    if not spelled or _NOT_PLAIN.search(spelled) or place < 0 or frame.find(b'"' + spelled + b'"', place + 1) >= 0:
        return None
    key, colon, space = frame[:place].rpartition(b":")
    if not colon or space.strip() or not key.rstrip().endswith(_KEYS[reasoning]):
        return None
    if not frame.startswith(b"data:") or frame.count(b"\n") != 2:  # one line of data and nothing else
        return None
    return Mould(frame[: place + 1], frame[place + 1 + len(spelled) :], index, reasoning)
