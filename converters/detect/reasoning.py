"""Whether what is read now is reasoning, which tags open and close it, and whether the prompt seems to open it."""

from __future__ import annotations

from collections.abc import Mapping

from converters.detect.suffixes import split, suffixed_tag
from converters.syntaxes import ReasoningTag
from converters.syntaxes.channels import MESSAGE_ENDS, REASONING_ENDS, Lane


class ReasoningState:
    """`active`: what is read now is reasoning."""

    __slots__ = (
        "_closers",
        "_late",
        "_opener_seen",
        "_opens",
        "_word_closers",
        "active",
        "behind_late",
        "closes_prefill",
        "dropped",
        "expects_end",
        "muted",
        "sole",
    )

    def __init__(self, *, active: bool, opens: Mapping[str, ReasoningTag], late: Mapping[str, ReasoningTag]) -> None:
        """`opens` has the tags by what opens them, `late` by closers that are believed without it."""
        self._opens, self._late = opens, late
        self.active = active
        self.expects_end = active
        """A closing tag must still come."""
        self.behind_late = False
        """Only blanks have followed a closing tag that may close what the prompt has opened."""
        self.closes_prefill = False
        """Such a tag was the last thing on its line."""
        self.dropped = False
        """What is read now is for nobody who reads the answer."""
        self.muted = False
        """What is read now is for a reader: markup in it is no call, unless it is all of the message."""
        self.sole = False
        """Nothing has been read of such a message."""
        self._closers: tuple[str, ...] = ()  # what closes the tag that is open; empty if no opening tag was seen
        self._opener_seen = active  # an opening tag is known, be it in the prompt or as a word of the text
        self._word_closers: tuple[str, ...] = ()  # what closes an opening tag that was only a word: words, too

    def turn(self, *, active: bool) -> None:
        """The server itself says what follows, so no tag need close it."""
        self.active = active
        self.expects_end = self.behind_late = self.dropped = self.muted = self.sole = False
        self._closers = ()

    def opening(self, tag: str, *, at_line_start: bool, first: bool) -> ReasoningTag | None:
        """The tag that opens here; None if it is only a word. `first`: nothing but reasoning came before.

        Inside the reasoning, every opening tag is believed.
        """
        opened = self._opens.get(tag) or suffixed_tag(self._opens[split(tag)[0]], split(tag)[1])
        doubtful = (opened.at_line_start and not at_line_start) or (opened.before_text and not first)
        self._opener_seen = True
        if doubtful and not self.active:
            self._word_closers = opened.closes
            return None
        return opened

    def open(self, tag: ReasoningTag) -> None:
        """Behind an opening tag, which may also say that an answer follows."""
        self.turn(active=tag.reasoning)
        self.expects_end = tag.reasoning
        self._closers = tag.closes
        self._word_closers = ()

    def open_message(self, lane: Lane, *, muted: bool) -> None:
        """Behind the header of a message, which is not for a tool."""
        self.turn(active=lane == "reasoning")
        self.expects_end = self.active
        self.dropped = lane == "dropped"
        self.muted = self.sole = muted
        self._closers = REASONING_ENDS if self.active else MESSAGE_ENDS
        self._opener_seen = True

    def close(self, closer: str, *, behind_words: bool) -> bool | None:
        """Behind a closing tag: True if it closed something, False if its opener is missing but it is believed.

        None: it is only text, and nothing changed. `behind_words`: text that could be reasoning came before.
        """
        tag = self._late.get(closer) or self._late.get(split(closer)[0])
        if self._closers:
            ours = closer in self._closers
        else:
            ours = self.active and tag is not None and tag.reasoning
        if not ours and (tag is None or self.active):
            return None
        if not ours and closer in self._word_closers:
            self._word_closers = ()
            return None
        was_open = ours or not (tag is not None and tag.reasoning)
        self.turn(active=False)
        self.behind_late = not was_open and behind_words and not self._opener_seen
        return was_open

    def stopped(self) -> bool:
        """Behind the last word of the model: whether reasoning is open that should have ended."""
        if self.behind_late:
            self.followed("\n")
        return self.active and self.expects_end

    def followed(self, text: str) -> None:
        """More text stands behind a closing tag for which `behind_late` holds."""
        line, end, _ = text.partition("\n")
        if line.strip() or end:
            self.behind_late = False
            self.closes_prefill = self.closes_prefill or not line.strip()
