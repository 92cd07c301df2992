"""The fast lane: most frames of a stream differ in one string alone, so only that is read.

Once a frame that brings nothing but text has been read, what stands around its text is a mould, and other frames that
fit it say the same with another text. Blocks of them leave as they came if the parser lets their text flow, but for
white space at their edges; what else it makes of a text is read without the envelope. In the middle of a line even the
parser need not be asked. All that does not fit is read in full, with the same outcome.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from converters.text.scanner import MarkerPrefilter
from reply import NO_FEATURES, Features

_NOT_PLAIN = re.compile(rb'["\\\x00-\x1f]')
"""What a JSON string cannot hold as it is, or what could end it."""
_BLANK = ord(" ")
_MOST_BLANKS = 1000
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class FrameTemplate:
    """What stands before and behind the text in each frame of a choice, and what kind of text it is."""

    before: bytes
    behind: bytes
    index: int
    field: str
    """The name of the text in a delta."""
    features: Features

    @property
    def reasoning(self) -> bool:
        return self.field != "content"

    def text_of(self, block: bytes) -> str | None:
        """The text of all frames of a block, joined, if they are of this mould and say something."""
        texts = self.texts_of(block)
        try:
            if b'"' in texts or b"\\" in texts:
                text = json.loads(b'"%b"' % texts)
                return text if isinstance(text, str) and text else None
            text = texts.decode()
        except ValueError:  # the string ended, and more than a text stands here; or it was cut inside a character
            return None
        return text or None if text.isprintable() or not _CONTROL.search(text) else None

    def fits(self, block: bytes) -> bool:
        """Whether it begins and ends as frames of this mould do."""
        least = len(self.before) + len(self.behind)
        return len(block) >= least and block.startswith(self.before) and block.endswith(self.behind)

    def texts_of(self, block: bytes) -> bytes:
        """As they are spelled, joined; nothing if not all frames of the block are of this mould."""
        before, behind = self.before, self.behind
        if not self.fits(block):
            return b""
        texts = block[len(before) : len(block) - len(behind)]
        return texts.replace(behind + before, b"") if b"\n" in texts else texts

    def with_edges(self, block: bytes, text: str, lead: str, tail: str) -> bytes:
        """A block whose text is this, with `lead` before it and without `tail`, which its last frame ends in.

        Frames in the middle stay as they are, if their text is plain to see.
        """
        before, behind = self.before, self.behind
        said = block[len(before) : len(block) - len(behind)]
        seam = behind + before
        if _NOT_PLAIN.search(said.replace(seam, b"")):
            return before + _spelled(lead + text[: len(text) - len(tail)]) + behind
        return before + _spelled(lead) + said[: len(said) - len(tail.encode())] + behind

    def blank(self, block: bytes) -> bool:
        """Whether the last frame of a block of this mould holds nothing but white space."""
        last = block[block.rfind(self.before) :]
        return (self.text_of(last) or " ").isspace()


class Calm:
    """In the middle of a line of prose: takes blocks that bring more of it, and nobody else need know.

    Blanks at the end of a block wait here for the next one, and in `held` for whoever reads on. This is where most of a
    stream goes through, with a thousand other streams between two blocks, so it touches as little as it can.
    """

    __slots__ = ("_before", "_behind", "_blanks", "_mould", "_restless", "_stirs", "_waits")

    def __init__(self, mould: FrameTemplate, restless: MarkerPrefilter, waits: bool) -> None:
        """`waits`: white space may not leave before what follows it."""
        self._mould = mould
        self._before, self._behind = mould.before, mould.behind
        self._stirs = restless.in_string
        self._restless = restless
        self._waits = waits
        self._blanks = b""

    def take(self, block: bytes) -> bytes | None:
        """What leaves of it; None if it is to be read, behind `held`."""
        if not (block.startswith(self._before) and block.endswith(self._behind)):
            return None
        end = len(block) - len(self._behind)
        if self._stirs(block, len(self._before), end) is not None and not self._rests(block, end):
            return None
        if (block[end - 1] == _BLANK or self._blanks) and self._waits:
            return self._without_last_blanks(block, end)
        return block

    def _rests(self, block: bytes, end: int) -> bool:
        """The same for several frames at once, escapes, and letters beyond ASCII."""
        text = self._mould.text_of(block)
        if text is None or self._restless.in_text(text) is not None:
            return False
        return not text[-1].isspace() or block[end - 1] == _BLANK

    def _without_last_blanks(self, block: bytes, end: int) -> bytes | None:
        stop = end
        while block[stop - 1] == _BLANK:
            stop -= 1
        if end - stop > _MOST_BLANKS or block.endswith(self._before, 0, stop):  # a frame of nothing else
            return None
        blanks, self._blanks = self._blanks, block[stop:end]
        start = len(self._before)
        return self._before + blanks + block[start:stop] + self._behind

    @property
    def held(self) -> bytes:
        """Blanks that have not left, as a frame."""
        return self._before + self._blanks + self._behind if self._blanks else b""


def _spelled(text: str) -> bytes:
    """As it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode(errors="replace")


def template_of(frame: bytes, text: str, index: int, field: str) -> FrameTemplate | None:
    """The template of a frame that says this text; None if where it stands is not plain to see."""
    spelled = text.encode(errors="replace")
    place = frame.find(b'"' + spelled + b'"')
    if not spelled or _NOT_PLAIN.search(spelled) or place < 0 or frame.find(b'"' + spelled + b'"', place + 1) >= 0:
        return None
    key, colon, space = frame[:place].rpartition(b":")
    if not colon or space.strip() or not key.rstrip().endswith(b'"%b"' % field.encode()):
        return None
    if not frame.startswith(b"data:") or frame.count(b"\n") != 2:  # one line of data and nothing else
        return None
    features = NO_FEATURES if field == "content" else frozenset({field})
    return FrameTemplate(frame[: place + 1], frame[place + 1 + len(spelled) :], index, field, features)
