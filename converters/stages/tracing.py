"""A parser that also tells what became of each character, and why. It reads as the ordinary one does, but slower.

It takes no short way, so that all text is counted. What it keeps is a list of decisions, each with at most the first
80 characters of its span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from converters.detect.detector import SLICE, Detector
from converters.detect.openers import OpenerIndex
from converters.stages.lease import Lease
from converters.stages.pipeline import Pipeline, Stage, new_parser
from converters.syntaxes import Syntax
from converters.text.events import (
    ArgumentsDelta,
    CallEnd,
    CallStart,
    Event,
    Noted,
    Reasoning,
    Removed,
    Text,
)
from converters.text.expectations import Expectations
from converters.text.reasons import LEFT, Reason, sentence

Became = Literal["content", "reasoning", "call", "arguments", "removed"]
"""What became of text. `call` is the markup of a call that was delivered, `arguments` is its arguments."""

EXCERPT = 80
"""Characters of a span that are kept."""


@dataclass(slots=True)
class Decision:
    """What became of a span of the raw text. `start` and `end` are places in it, in characters."""

    start: int
    end: int
    became: Became
    code: Reason | None = None
    """Why it was removed or left as it is, or what else was decided here. Such a decision may have no span."""
    excerpt: str = ""
    """How the span begins."""

    @property
    def sentence(self) -> str:
        """The decision in words."""
        return sentence(self.code or self.became)


class TracingDetector(Detector):
    """Knows how far it has read, and where it found calls."""

    def __init__(self, index: OpenerIndex, expectations: Expectations) -> None:
        super().__init__(index, expectations)
        self._passed = 0  # characters of all events that have left
        self._counted, self._waiting = 0, 0  # events that wait to leave and were counted, and their characters
        self._from: int | None = None  # where the call begins that is being read
        self.found: list[tuple[int, int]] = []
        """Where calls stand that were read as such: their first character, and the one behind them."""
        self.abandoned.position = self._position

    def _position(self) -> int:
        if self._counted > len(self._events):
            self._counted = self._waiting = 0
        self._waiting += sum(len(event.raw) for event in self._events[self._counted :])
        self._counted = len(self._events)
        return self._passed + self._waiting

    def feed(self, text: str) -> list[Event]:
        return self._left(super().feed(text))

    def turn(self, *, in_reasoning: bool) -> list[Event]:
        return self._left(super().turn(in_reasoning=in_reasoning))

    def _take_events(self) -> list[Event]:
        self._counted = self._waiting = 0
        return super()._take_events()

    def _left(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, CallStart):
                self._from = self._passed
            self._passed += len(event.raw)
            if isinstance(event, CallEnd) and self._from is not None:
                self.found.append((self._from, self._passed))
                self._from = None
        return events


class TracedPipeline(Pipeline):
    """A pipeline that keeps its decisions. An OutputParser."""

    __slots__ = ("_at", "_declared", "_kept", "_told", "_tracing")

    _tracing: TracingDetector

    def start(self, expectations: Expectations, told: Callable[[Sequence[Decision]], None] | None) -> None:
        """Called once, before anything is read. `told` is given the decisions at the end."""
        assert isinstance(self._detector, TracingDetector)
        self._tracing = self._detector
        self._declared = frozenset(expectations.tools)
        self._kept: list[Decision] = []
        self._at = 0
        self._told = told

    def lease(self) -> Lease | None:
        """None: what is taken by lease would not be counted."""
        self._lease_known = True
        return None

    def feed(self, text: str) -> list[Event]:
        return [event for piece in _slices(text) for event in self._seen(super(TracedPipeline, self).feed(piece))]

    def feed_reasoning(self, text: str) -> list[Event]:
        found = [self._seen(super(TracedPipeline, self).feed_reasoning(piece)) for piece in _slices(text)]
        return [event for events in found for event in events]

    def finish(self, cut: bool = False, followed: bool = False) -> list[Event]:
        events = self._seen(super().finish(cut, followed))
        if self._told is not None:
            self._told(self.decisions())
        return events

    def ending(self, cut: bool = False, followed: bool = False) -> Iterator[list[Event]]:
        """All in one batch: who wants decisions waits for them."""
        return iter([self.finish(cut, followed)])

    def decisions(self) -> list[Decision]:
        """All of them, in the order of the text, once it is finished. Those with a span cover it, each part once."""
        spans = {left.start: left for left in self._tracing.abandoned.spans if left.code == "marker_left"}
        spans |= {left.start: left for left in self._tracing.abandoned.spans if left.code != "marker_left"}
        marks: list[tuple[int, int, Reason]] = [
            *((start, start + length, code) for start, length, code in spans.values()),
            *((start, end, "draft_call") for start, end in self._tracing.found),
        ]
        marks.sort()
        return list(_joined(_marked(self._kept, marks)))

    def _seen(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, Text | Reasoning) and event.restored:
                self._restore(event)
                continue
            became, code = self._meaning(event)
            end = self._at + len(event.raw)
            if end > self._at or code is not None:
                self._kept.append(Decision(self._at, end, became, code, event.raw))
            self._at = end
        return events

    def _restore(self, event: Text | Reasoning) -> None:
        """White space that was removed has come back."""
        for decision in reversed(self._kept):
            if decision.code == "whitespace" and decision.excerpt == event.text:
                decision.became, decision.code = "content" if isinstance(event, Text) else "reasoning", None
                return

    def _meaning(self, event: Event) -> tuple[Became, Reason | None]:
        match event:
            case Text():
                return "content", None
            case Reasoning():
                return "reasoning", None
            case CallStart(name=name):
                return "call", None if name in self._declared else "undeclared_name"
            case ArgumentsDelta():
                return "arguments", None
            case CallEnd():
                return "call", None
            case Removed(reason=reason):
                return "removed", reason
            case Noted(code=code):
                return self._kept[-1].became if self._kept else "content", code


def traced_parser(
    expectations: Expectations,
    prior: Syntax | None = None,
    custom: Stage | None = None,
    told: Callable[[Sequence[Decision]], None] | None = None,
) -> TracedPipeline:
    """A parser as `new_parser` makes it, that keeps its decisions, and gives them to `told` at the end."""
    parser = new_parser(expectations, prior, custom, TracedPipeline, TracingDetector)
    assert isinstance(parser, TracedPipeline)
    parser.start(expectations, told)
    return parser


def _slices(text: str) -> Iterator[str]:
    """What is read at once, so that no part of it is counted twice."""
    return (text[start : start + SLICE] for start in range(0, max(1, len(text)), SLICE))


def _marked(decisions: list[Decision], marks: list[tuple[int, int, Reason]]) -> Iterator[Decision]:
    """The decisions, those about text cut where a mark begins or ends. `marks` are sorted by their beginning."""
    place = 0
    for decision in decisions:
        at = decision.start
        if decision.became in ("content", "reasoning") and decision.code is None:
            while place < len(marks) and marks[place][0] < decision.end:
                start, end, code = marks[place]
                start, end = max(start, at), min(end, decision.end)
                if end > start:
                    if start > at:
                        yield _part(decision, at, start, None)
                    yield _part(decision, start, end, _in_place(code, decision.became))
                    at = end
                if marks[place][1] > decision.end:
                    break
                place += 1
        if at < decision.end or decision.start == decision.end:
            yield _part(decision, at, decision.end, decision.code)


def _in_place(code: Reason, became: Became) -> Reason | None:
    """The reason for a mark where it is: a call that was read and became content could not be delivered."""
    if code == "draft_call":
        return code if became == "reasoning" else "arguments_unreadable"
    return code if code in LEFT or code == "marker_left" else None


def _part(decision: Decision, start: int, end: int, code: Reason | None) -> Decision:
    first = start - decision.start
    excerpt = decision.excerpt[first : first + min(EXCERPT, end - start)]
    return Decision(start, end, decision.became, code, excerpt)


def _joined(decisions: Iterator[Decision]) -> Iterator[Decision]:
    """Neighbours that differ only in how the text was cut are one."""
    last: Decision | None = None
    for each in decisions:
        if last is not None and last.end > last.start and each.end > each.start and _alike(last, each):
            room = EXCERPT - len(last.excerpt)
            last = Decision(last.start, each.end, last.became, last.code, last.excerpt + each.excerpt[:room])
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _alike(one: Decision, other: Decision) -> bool:
    return (one.became, one.code) == (other.became, other.code)
