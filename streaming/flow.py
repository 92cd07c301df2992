"""The fast lane: most frames of a stream differ in one string alone, so only that is read.

Once a frame that brings nothing but text has been read, what stands around its text is a mould, and other frames that
fit it say the same with another text. Blocks of them leave as they came if the parser lets their text flow, but for
white space at their edges; what else it makes of a text is read without the envelope. All that does not fit is read in
full, with the same outcome.
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

    def text_of(self, block: bytes) -> str | None:
        """The text of all frames of a block, joined, if they are of this mould and say something."""
        before, behind = self.before, self.behind
        if len(block) < len(before) + len(behind) or not (block.startswith(before) and block.endswith(behind)):
            return None
        texts = block[len(before) : len(block) - len(behind)].replace(behind + before, b"")
        try:
            if not _NOT_PLAIN.search(texts):
                return texts.decode() or None
            text = json.loads(b'"%b"' % texts)
        except ValueError:  # the string ended, and more than a text stands here; or it was cut inside a character
            return None
        return text if isinstance(text, str) else None

    def with_edges(self, block: bytes, text: str, lead: str, tail: str) -> bytes:
        """A block whose text is this, with `lead` before it and without `tail`, which it ends in.

        Nothing at all if nothing is left. Frames in the middle stay as they are, if their text is plain to see.
        """
        if len(tail) == len(text):
            return b""
        before, behind = self.before, self.behind
        said = block[len(before) : len(block) - len(behind)]
        seam = behind + before
        if _NOT_PLAIN.search(said.replace(seam, b"")):
            return before + _spelled(lead + text[: len(text) - len(tail)]) + behind
        texts = said.split(seam)
        surplus = len(tail.encode())
        while surplus and surplus >= len(texts[-1]):
            surplus -= len(texts.pop())
        texts[-1] = texts[-1][: len(texts[-1]) - surplus]
        return before + _spelled(lead) + seam.join(texts) + behind


def _spelled(text: str) -> bytes:
    """As it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode(errors="replace")


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
