"""Fast path of a stream: most frames differ in one string only, so only that is examined.

Once a frame that brings nothing but text has been read, what stands around its text is a template. While the parser
grants a lease (converters/stages/lease.py), other frames that fit the template need not be read: a search finds nothing
in their bytes, or the lease takes their text. All else is read in full, with the same outcome.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from backends.chat.choice import ChoiceReader
from backends.chat.halves import has_half
from converters.stages.lease import Lease
from converters.text.events import ArgumentsDelta, Reasoning, Text
from reply import NO_FEATURES, Around, Features, Step

_NOT_PLAIN = re.compile(rb'["\\\x00-\x1f]')
"""What a JSON string cannot hold as it is, or what could end it."""
_LONGEST_BLOCK = 1 << 18
"""Bytes that pass in one go. Longer ones are read, in slices."""
_BLANK = ord(" ")
_MOST_BLANKS = 1000
"""Longest run of blanks at the end of a frame that is taken without the parser, in characters."""
_CONTROL = re.compile(r"[\x00-\x1f]")
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""Characters that end a line for some readers of lines, which JSON strings may hold as they are."""


@dataclass(frozen=True, slots=True)
class FrameTemplate:
    """The bytes before and behind the text in each frame of a choice, and which text it is."""

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
        """The joined text of a block whose frames all fit; None if one does not fit, or all are empty."""
        texts = self.texts_of(block)
        try:
            if b'"' in texts or b"\\" in texts:
                text = json.loads(b'"%b"' % texts)
                return text if isinstance(text, str) and text and not has_half(text) else None
            text = texts.decode()
        except ValueError:  # the string ended, and more than a text stands here; or it was cut inside a character
            return None
        return text or None if text.isprintable() or not _CONTROL.search(text) else None

    def fits(self, block: bytes) -> bool:
        """Whether a block begins and ends as frames of this template do."""
        least = len(self.before) + len(self.behind)
        return least <= len(block) <= _LONGEST_BLOCK and block.startswith(self.before) and block.endswith(self.behind)

    def texts_of(self, block: bytes) -> bytes:
        """The texts of all frames as spelled in JSON, joined; empty if one does not fit."""
        before, behind = self.before, self.behind
        if not self.fits(block):
            return b""
        texts = block[len(before) : len(block) - len(behind)]
        return texts.replace(behind + before, b"") if b"\n" in texts else texts

    def with_edges(self, block: bytes, text: str, lead: str, tail: str) -> bytes:
        """The block with `lead` put before its `text` and `tail` taken off its end.

        Frames in the middle stay as they are, if their text is plain to see.
        """
        before, behind = self.before, self.behind
        texts = block[len(before) : len(block) - len(behind)]
        if _NOT_PLAIN.search(texts.replace(behind + before, b"")):
            return before + _spelled(lead + text[: len(text) - len(tail)]) + behind
        return before + _spelled(lead) + texts[: len(texts) - len(tail.encode())] + behind

    def blank(self, block: bytes) -> bool:
        """Whether the last frame of a block of this template holds nothing but white space."""
        last = block[block.rfind(self.before) :]
        return (self.text_of(last) or " ").isspace()


def template_of(frame: bytes, text: str, index: int, field: str) -> FrameTemplate | None:
    """The template of a frame with this text; None if the position of the text is ambiguous, or the frame is long."""
    if len(frame) > _LONGEST_BLOCK:
        return None
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


class LeasedFrames:
    """Frames of a template whose text a lease takes."""

    __slots__ = ("_choice", "_template", "lease", "same")

    def __init__(self, template: FrameTemplate, lease: Lease, choice: ChoiceReader) -> None:
        """`choice` is notified of what bypasses it."""
        self._template = template
        self._choice = choice
        self.lease = lease
        self.same = lease.kind == ("reasoning" if template.reasoning else "text")
        """Received frames say the same as their events."""

    def step(self, block: bytes) -> Step | None:
        """Whole frames as a step; None if they must be read."""
        index = self._template.index
        if self.same:
            received = self.received(block)
            if received is None:
                return None
            return Step(received[0], [(index, self._event(received[1]))], self._template.features)
        taken = self.taken(block)
        return None if taken is None else Step(None, [(index, self._event(taken))])

    def _event(self, taken: str) -> Text | Reasoning | ArgumentsDelta:
        if self.lease.kind == "arguments":
            return ArgumentsDelta(self.lease.call, taken)
        return Reasoning(taken) if self.lease.kind == "reasoning" else Text(taken)

    def taken(self, block: bytes) -> str | None:
        """Take whole frames; returns the text, or the JSON of arguments. None if they must be read."""
        text = self._template.text_of(block)
        taken = None if text is None else self.lease.take(text)
        if taken is not None:
            self._choice.passed(self.lease, taken)
        return taken

    def hold(self, blanks: int) -> None:
        """So many blanks at the end of a frame wait now, in place of those that waited before."""
        self.lease.hold(" " * blanks)
        self._choice.passed(self.lease, "")

    def received(self, block: bytes) -> tuple[bytes, str] | None:
        """Take whole frames; returns (the bytes to send, their text). None if they must be read."""
        template, lease = self._template, self.lease
        text = template.text_of(block)
        if text is None or (text[-1].isspace() and template.blank(block)):
            return None  # a frame that is held is held whole, and leaves as it came if no call follows
        lead = lease.held
        taken = lease.take(text)
        if taken is None:
            return None
        self._choice.passed(lease, taken)
        return (block if taken == text else template.with_edges(block, text, lead, lease.held)), taken


class ReceivedFrames:
    """Lets frames pass as they were received. A Passthrough.

    This is where most of a stream goes through, with a thousand other streams between two blocks, so it touches as
    little as it can.
    """

    __slots__ = ("_before", "_behind", "_finds", "_frames", "_held", "_start", "_waits")

    def __init__(self, template: FrameTemplate, frames: LeasedFrames) -> None:
        self._before, self._behind = template.before, template.behind
        self._start = len(template.before)
        self._frames = frames
        self._waits = frames.lease.holds_space
        self._look()

    def _look(self) -> None:
        """Choose the search that replaces asking the lease, if there is one now."""
        lease = self._frames.lease
        prefilter, held = lease.prefilter, lease.held
        self._held = held.encode()  # used where it is blanks alone
        self._finds = prefilter.in_string if prefilter is not None and not held.strip(" ") else None

    def take(self, block: bytes) -> bytes | None:
        if not (block.startswith(self._before) and block.endswith(self._behind)):
            return None
        if self._finds is not None:
            end = len(block) - len(self._behind)
            if self._finds(block, self._start, end) is None:
                if not self._waits or (block[end - 1] != _BLANK and not self._held):
                    return block
                passed = self._with_blanks(block, end)
                if passed is not None:
                    return passed
        taken = self._frames.received(block)
        if taken is None:
            return None
        self._look()
        return taken[0]

    def _with_blanks(self, block: bytes, end: int) -> bytes | None:
        """The frame, behind the blanks that waited and without those at its end; None if it holds nothing else."""
        stop = end
        while block[stop - 1] == _BLANK:
            stop -= 1
        if stop <= self._start or end - stop > _MOST_BLANKS:
            return None
        blanks, self._held = self._held, block[stop:end]
        self._frames.hold(end - stop)
        return self._before + blanks + block[self._start : stop] + self._behind


class WrittenFrames:
    """Writes the text of frames into events of the client's API. A Passthrough."""

    __slots__ = ("_frames", "_write")

    def __init__(self, frames: LeasedFrames, around: Around) -> None:
        """`around` is how such an event brings more text (`StreamWriter.around`)."""
        self._frames = frames
        self._write = _between(*around) if isinstance(around, tuple) else around

    def take(self, block: bytes) -> bytes | None:
        taken = self._frames.taken(block)
        if not taken:
            return None if taken is None else b""
        return self._write(taken)


def _between(before: bytes, behind: bytes) -> Callable[[str], bytes]:
    return lambda text: before + _spelled(text) + behind


def _spelled(text: str) -> bytes:
    """The text as it is written inside a JSON string."""
    spelled = json.dumps(text, ensure_ascii=False)[1:-1]
    if not spelled.isascii() and _LINE_ENDS.search(spelled):
        spelled = _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", spelled)
    return spelled.encode(errors="replace")
