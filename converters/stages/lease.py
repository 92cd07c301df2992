"""The short way of a text: a lease lets pieces leave without the parser while nothing but more of the same comes.

`Pipeline.lease()` grants one if detection (or the shape that reads a call) and every stage permit it. `take` returns
what leaves of a piece, which is what feeding it would have returned. None means: nothing was consumed, the lease is
over, feed the piece. Feeding a parser ends its lease, too: ask for a new one, and never use the old one again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, TypeAlias

from converters.detect.abandoned import may_name
from converters.detect.detector import Detector
from converters.detect.quoting import may_quote
from converters.stages.whitespace import TextChannel
from converters.text.events import ArgumentsDelta, Event, Reasoning, Text
from converters.text.scanner import MarkerPrefilter
from converters.values.json.output import Flow


class TextLease:
    """For more text, or more reasoning: what holds no marker passes. White space at its end waits for what follows."""

    __slots__ = ("_channel", "_detector", "_finds_marker", "_is_plain", "_last", "kind", "prefilter")

    call: ClassVar[int] = -1

    def __init__(self, kind: Literal["text", "reasoning"], detector: Detector, channel: TextChannel) -> None:
        self._detector = detector
        self._channel = channel
        self._finds_marker = detector.index.prefilter.in_prose
        self._is_plain = detector.index.is_plain
        self._last = detector.index.prefilter.last if kind == "text" else frozenset[str]()
        self.kind = kind
        self.prefilter: MarkerPrefilter | None = detector.prefilter
        """In the middle of a line, a search for what could matter; None elsewhere. Any `take` may change it.

        A text in which it finds nothing may pass as it is without `take`, if `held` is empty and the text does not end
        in white space (unless `holds_space` is false).
        """

    @property
    def held(self) -> str:
        """White space that waits: the next `take` returns it first, and so does the parser if it is fed."""
        return self._channel.held

    @property
    def holds_space(self) -> bool:
        """White space at the end of a piece waits for what follows it."""
        return self._channel.holds_space

    def hold(self, space: str) -> None:
        """Replace the white space that waits, for a caller that has sent the old and took `space` off a piece."""
        self._channel.held = space

    def take(self, text: str) -> str | None:
        """The text that leaves for a piece, which must not be empty: the piece itself if its edges do not change."""
        if text[-1] in self._last and may_quote(text):
            return None
        if self._finds_marker(text) is not None and (not self._is_plain(text) or may_name(text)):
            return None
        taken = self._channel.take(text)
        if taken is not None and (self.prefilter is None or "\n" in text):
            self._detector.goes_on(text)
            self.prefilter = self._detector.prefilter
        return taken

    def feed(self, text: str) -> list[Event] | None:
        """`take`, with the event that feeding the parser would return."""
        taken = self.take(text)
        if taken is None:
            return None
        return [Text(taken) if self.kind == "text" else Reasoning(taken)]


class ArgumentsLease:
    """For more of a string in the arguments of a call: its reader alone is asked."""

    __slots__ = ("_keep", "_take", "call")

    kind: ClassVar[Literal["arguments"]] = "arguments"
    prefilter: ClassVar[None] = None
    held: ClassVar[str] = ""
    holds_space: ClassVar[bool] = False

    def hold(self, space: str) -> None:
        """Nothing waits in arguments."""

    def __init__(self, call: int, take: Flow, keep: Callable[[str], None]) -> None:
        """`take` reads; `keep` is given all that leaves."""
        self.call = call
        """The index of the call, as the client is told."""
        self._take = take
        self._keep = keep

    def take(self, text: str) -> str | None:
        """The JSON that leaves for a piece, which must not be empty."""
        delta = self._take(text)
        if delta is not None:
            self._keep(delta)
        return delta

    def feed(self, text: str) -> list[Event] | None:
        """`take`, with the event that feeding the parser would return."""
        delta = self._take(text)
        if delta is None:
            return None
        self._keep(delta)
        return [ArgumentsDelta(self.call, delta, text)]


Lease: TypeAlias = TextLease | ArgumentsLease
