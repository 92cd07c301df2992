"""Whether what is read now is reasoning, and which tags open and close it."""

from __future__ import annotations

from converters.detect.openers import LATE, OPENS
from converters.detect.suffixes import split, suffixed_tag
from converters.syntaxes import ReasoningTag
from converters.syntaxes.channels import MESSAGE_ENDS, Lane


class ReasoningState:
    """`active`: what is read now is reasoning."""

    __slots__ = ("_closers", "active", "dropped", "expects_end", "muted", "sole")

    def __init__(self, *, active: bool) -> None:
        self.active = active
        self.expects_end = active
        """A closing tag must still come."""
        self.dropped = False
        """What is read now is for nobody who reads the answer."""
        self.muted = False
        """What is read now is for a reader: markup in it is no call, unless it is all of the message."""
        self.sole = False
        """Nothing has been read of such a message."""
        self._closers: tuple[str, ...] = ()  # what closes the tag that is open; empty if no opening tag was seen

    def turn(self, *, active: bool) -> None:
        """The server itself says what follows, so no tag need close it."""
        self.active = active
        self.expects_end = self.dropped = self.muted = self.sole = False
        self._closers = ()

    def opening(self, tag: str, *, at_line_start: bool, first: bool) -> ReasoningTag | None:
        """The tag that opens here; None if it is only a word. `first`: nothing but reasoning came before.

        Inside the reasoning, every opening tag is believed.
        """
        opened = OPENS.get(tag) or suffixed_tag(OPENS[split(tag)[0]], split(tag)[1])
        doubtful = (opened.at_line_start and not at_line_start) or (opened.before_text and not first)
        return None if doubtful and not self.active else opened

    def open(self, tag: ReasoningTag) -> None:
        """Behind an opening tag, which may also say that an answer follows."""
        self.turn(active=tag.reasoning)
        self.expects_end = tag.reasoning
        self._closers = tag.closes

    def open_message(self, lane: Lane, *, muted: bool) -> None:
        """Behind the header of a message, which is not for a tool."""
        self.turn(active=lane == "reasoning")
        self.expects_end = self.active
        self.dropped = lane == "dropped"
        self.muted = self.sole = muted
        self._closers = MESSAGE_ENDS

    def close(self, closer: str) -> bool | None:
        """Behind a closing tag: True if it closed something, False if its opener is missing but it is believed.

        None: it is only text, and nothing changed.
        """
        tag = LATE.get(closer) or LATE.get(split(closer)[0])
        if self._closers:
            ours = closer in self._closers
        else:
            ours = self.active and tag is not None and tag.reasoning
        if not ours and (tag is None or self.active):
            return None
        was_open = ours or not (tag is not None and tag.reasoning)
        self.turn(active=False)
        return was_open
