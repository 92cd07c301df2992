"""The pipeline that a model's text runs through: detection, then the stages in order. `new_parser` makes one.

Detector              tells text, reasoning and calls apart
EndTokens             removes end-of-turn tokens at the end
(custom converter)    may read the text instead of the detector
ReasoningCalls        delivers calls in the reasoning only if they are the last thing there
ToolChoice            removes the calls that the request does not allow, numbers the others
SchemaCheck           validates finished arguments
Keep-/DropReasoning   leaves reasoning in the text, or removes it
Whitespace            removes white space at the edges of what was removed
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from converters.detect.detector import Detector
from converters.detect.openers import opener_index, reasoning_index, sole_index
from converters.stages.end_tokens import EndTokens
from converters.stages.lease import ArgumentsLease, Lease, TextLease
from converters.stages.reasoning import DropReasoning, KeepReasoning
from converters.stages.reasoning_calls import ReasoningCalls
from converters.stages.schema_check import SchemaCheck
from converters.stages.tool_choice import ToolChoice
from converters.stages.whitespace import Whitespace
from converters.syntaxes import Syntax
from converters.text.events import End, Event, LeaseKind, Noted
from converters.text.expectations import Expectations
from converters.text.reasons import Reason

_BATCH = 128
"""Events that go through the stages in about a millisecond."""


class OutputParser(Protocol):
    """Text in pieces to events. It never raises, whatever a model writes."""

    def feed(self, text: str) -> list[Event]: ...

    def finish(self, cut: bool = False) -> list[Event]:
        """The text is over; `cut` says that max_tokens ended it."""
        ...


class Filter(Protocol):
    """Events to events."""

    def feed(self, events: list[Event]) -> list[Event]: ...

    def finish(self, end: End) -> list[Event]: ...


class Stage(Filter, Protocol):
    """A filter between detection and Whitespace."""

    def permits(self, kind: LeaseKind) -> bool:
        """Whether more of this kind passes unchanged and unseen, until the next event. A pure question."""
        ...


class Pipeline:
    """A detector and the stages behind it. An OutputParser."""

    __slots__ = (
        "_check",
        "_choice",
        "_detector",
        "_drafts",
        "_filters",
        "_lease",
        "_lease_known",
        "_server_splits",
        "_stages",
        "_whitespace",
    )

    def __init__(
        self,
        detector: Detector,
        stages: Sequence[Stage],
        whitespace: Whitespace | None = None,
        choice: ToolChoice | None = None,
        check: SchemaCheck | None = None,
    ) -> None:
        """`choice` and `check` are the stages that number calls and keep their arguments, if calls may come."""
        self._detector = detector
        self._whitespace = whitespace or Whitespace()
        self._filters = stages
        self._drafts = next((stage for stage in stages if isinstance(stage, ReasoningCalls)), None)
        self._stages: list[Filter] = [*stages, self._whitespace]
        self._choice = choice
        self._check = check
        self._server_splits = False
        self._lease: Lease | None = None
        self._lease_known = False  # whether `_lease` is the answer for the present state

    @property
    def syntax(self) -> str | None:
        """The name of the row that the model wrote its first call in."""
        return self._detector.syntax.name if self._detector.syntax else None

    @property
    def closes_prefill(self) -> bool:
        """Reasoning was closed that nothing in the text had opened: the prompt seems to have done so."""
        return self._detector.reasoning.closes_prefill

    @property
    def left_marker(self) -> bool:
        """An opener was left in the text, because no row has what followed it."""
        return self._detector.left_marker

    @property
    def left_as_text(self) -> set[Reason]:
        """Why what looks like a call was left as it is, so far."""
        found = self._detector.abandoned.codes - {"marker_left"}
        if self._drafts is not None and self._drafts.drafted:
            found.add("draft_call")
        if self._choice is not None and self._choice.undeclared:
            found.add("undeclared_name")
        return found

    def feed(self, text: str) -> list[Event]:
        lease = self._lease if self._lease_known else self.lease()
        if lease is not None and text and not (self._server_splits and lease.kind == "reasoning"):
            events = lease.feed(text)
            if events is not None:
                return events
        if isinstance(lease, TextLease):
            self._detector.went_by(lease.held)
        self._lease_known = False
        if self._server_splits and self._detector.reasoning.active:
            return self._through(self._detector.turn(in_reasoning=False) + self._detector.feed(text))
        return self._through(self._detector.feed(text))

    def feed_reasoning(self, text: str) -> list[Event]:
        """Text that the server itself calls reasoning. What `feed` gets afterwards is then outside of it."""
        self._lease_known = False
        events = self._detector.turn(in_reasoning=True) + self._detector.feed(text)
        self._server_splits = self._whitespace.apart = True
        return self._through(events)

    def lease(self) -> Lease | None:
        """What takes the next pieces without the parser, until it is fed; None if the next piece must be fed.

        A pure question: it may be asked at any time, and asking changes nothing.
        """
        if not self._lease_known:
            self._lease = self._granted()
            self._lease_known = True
        return self._lease

    def _granted(self) -> Lease | None:
        take = self._detector.arguments_lease()
        if take is not None:
            if self._choice is None or self._check is None or not self._permits("arguments"):
                return None
            return ArgumentsLease(self._choice.index, take, self._check.keep)
        kind = self._detector.plain_kind()
        channel = self._whitespace.lease(kind) if kind is not None and self._permits(kind) else None
        return TextLease(kind, self._detector, channel) if kind is not None and channel is not None else None

    def _permits(self, kind: LeaseKind) -> bool:
        return False not in [stage.permits(kind) for stage in self._filters]  # half the cost of `all`, for each piece

    def _through(self, events: list[Event]) -> list[Event]:
        for stage in self._stages:
            if not events:
                break
            events = stage.feed(events)
        return events

    def finish(self, cut: bool = False, followed: bool = False) -> list[Event]:
        """`followed`: not by more text, but by a call that the server read out of the text itself."""
        self._lease_known = False
        end = End.CUT if cut else End.STOP
        events = self._detector.finish(end)
        if followed:
            events.append(Noted("native_follows"))
        for stage in self._stages:
            events = (stage.feed(events) if events else []) + stage.finish(end)
        return events

    def ending(self, cut: bool = False, followed: bool = False) -> Iterator[list[Event]]:
        """Like `finish`, in batches: of a long text that was held there may be very many events."""
        self._lease_known = False
        end = End.CUT if cut else End.STOP
        events = self._detector.finish(end)
        if followed:
            events.append(Noted("native_follows"))
        batches = _batches(events)
        for stage in self._stages:
            batches = _last_of(stage, batches, end)
        return batches


def _batches(events: list[Event]) -> Iterator[list[Event]]:
    return (events[start : start + _BATCH] for start in range(0, len(events), _BATCH))


def _last_of(stage: Filter, batches: Iterator[list[Event]], end: End) -> Iterator[list[Event]]:
    """What a stage makes of the last events, and of the end."""
    for batch in batches:
        yield from _batches(stage.feed(batch))
    yield from _batches(stage.finish(end))


def new_parser(
    expectations: Expectations,
    prior: Syntax | None = None,
    custom: Stage | None = None,
    kind: type[Pipeline] = Pipeline,
    detects: type[Detector] = Detector,
    *,
    sole: bool = False,
) -> Pipeline:
    """A parser for one choice of one answer.

    `prior` is the row that the model's name speaks for; `custom` a stage that finds calls in the text instead of us;
    `sole`: no row but `prior` is looked for. `kind` and `detects` are what the parser is made of, where more is wanted
    of it than events.
    """
    ours = expectations.translate and custom is None
    index = opener_index(prior) if ours else reasoning_index(prior)
    if ours and sole and prior is not None:
        index = sole_index(prior)
    detector = detects(index, expectations)
    stages: list[Stage] = []
    if expectations.strip_end_tokens:
        stages.append(EndTokens(index.own_ends))
    if custom is not None:
        stages.append(custom)
    choice, check = (ToolChoice(expectations), SchemaCheck(expectations)) if expectations.translate else (None, None)
    if choice is not None and check is not None:
        stages += [ReasoningCalls(expectations), choice, check]
    if expectations.reasoning == "keep":
        stages.append(KeepReasoning())
    elif expectations.reasoning == "drop":
        stages.append(DropReasoning())
    return kind(detector, stages, Whitespace(holds=expectations.translate), choice, check)
