"""The way of a model's text: detection, then the stages in their order. `new_parser` is the one way in.

Detector     text, reasoning and calls are told apart
EndTokens      end-of-turn tokens at the end are taken off; then a registered converter may read the text
ReasoningCalls       a call inside the reasoning is a draft, unless it is the last thing there
ToolChoice         the calls that the request allows, numbered
SchemaCheck          finished arguments held against their schema
Keep/Drop    reasoning stays in the text, or goes
Whitespace         white space at the edges of what was removed
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from converters.detect.detector import Detector
from converters.detect.openers import opener_index, reasoning_index
from converters.stages.end_tokens import EndTokens
from converters.stages.reasoning import DropReasoning, KeepReasoning
from converters.stages.reasoning_calls import ReasoningCalls
from converters.stages.schema_check import SchemaCheck
from converters.stages.tool_choice import ToolChoice
from converters.stages.whitespace import Whitespace
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, Event, Noted, Reasoning, Text
from converters.text.expectations import Expectations
from converters.text.scanner import MarkerPrefilter
from converters.values.json.output import Flow

AS_IT_IS = ("", "")
"""What `Pipeline.flow` says of a text that leaves as it came."""


class OutputParser(Protocol):
    """Text in pieces to events. It never raises, whatever a model writes."""

    def feed(self, text: str) -> list[Event]: ...

    def finish(self, cut: bool = False) -> list[Event]:
        """The text is over; `cut` says that max_tokens ended it."""
        ...


class Filter(Protocol):
    """Events to events."""

    def feed(self, events: list[Event]) -> list[Event]: ...

    def finish(self, cut: bool) -> list[Event]: ...


class Stage(Filter, Protocol):
    """A filter between detection and the tidying up."""

    def lets_flow(self, text: str, inside: bool) -> bool:
        """Whether a text that has nothing to do with calls passes as it is, and nothing is held."""
        ...

    def lets_pass(self, event: ArgumentsDelta) -> bool:
        """Whether more of a call's arguments passes; what follows it then does, too, until the next event."""
        ...


class Pipeline:
    """A detector and the stages behind it. An OutputParser."""

    __slots__ = (
        *("_detector", "_filters", "_stages", "_tidy"),
        *("_flow", "_flowed", "_flowed_inside", "_index", "_keep", "_server_splits"),
    )

    def __init__(
        self,
        detector: Detector,
        stages: Sequence[Stage],
        tidy: Whitespace | None = None,
        keep: Callable[[str], None] | None = None,
    ) -> None:
        """`keep` is given the arguments that pass the stages by."""
        self._detector = detector
        self._tidy = tidy or Whitespace()
        self._filters = stages
        self._stages: list[Filter] = [*stages, self._tidy]
        self._keep = keep
        self._server_splits = False
        self._flow: Flow | None = None  # takes more of the arguments of the call with this index
        self._index = 0
        self._flowed = self._flowed_inside = False  # the last text did, and all of it left; it was of the reasoning

    @property
    def syntax(self) -> str | None:
        """The name of the row that the model wrote its first call in."""
        return self._detector.syntax.name if self._detector.syntax else None

    @property
    def left_marker(self) -> bool:
        """What opens a call was left in the text, as no row has what followed it."""
        return self._detector.left_marker

    def feed(self, text: str) -> list[Event]:
        if self._flow is not None:
            if text and (delta := self._flow(text)) is not None:
                if self._keep is not None:
                    self._keep(delta)
                return [ArgumentsDelta(self._index, delta, text)]
            self._flow = None
        inside = self._detector.inside
        if self._server_splits and inside:
            self._flowed = False
            return self._through(self._detector.turn(inside=False) + self._detector.feed(text))
        edges = self.flow(text, inside) if text else None
        if edges is None:
            return self._through(self._detector.feed(text))
        if edges is not AS_IT_IS:
            text = edges[0] + text[: len(text) - len(edges[1])]
        if not text:
            return []
        return [Reasoning(text) if inside else Text(text)]

    def flow(self, text: str, inside: bool) -> tuple[str, str] | None:
        """A text, of the reasoning or not, may leave but for its edges, and counts as read: the same as a `feed` that
        returns just that, for a fraction of its cost. None if it must be fed.

        (white space that was held and leaves before it, white space at its end that is held now)
        """
        if self._flowed and inside is self._flowed_inside and self._calm(text):
            return AS_IT_IS
        self._flowed = False
        if inside != self._detector.inside or not self._detector.lets_flow(text):
            return None
        for stage in self._filters:
            if not stage.lets_flow(text, inside):
                return None
        edges = self._tidy.flow(text, inside)
        if edges is not None:
            self._detector.flowed(text)
            self._flowed, self._flowed_inside = edges == AS_IT_IS, inside
        return AS_IT_IS if self._flowed else edges

    def _calm(self, text: str) -> bool:
        """Whether more of the same line brings nothing that matters."""
        restless = self.restless
        return restless is not None and restless.in_text(text) is None and not text[-1].isspace()

    @property
    def restless(self) -> MarkerPrefilter | None:
        """Finds what could matter in more text like that which has just flowed; None if any text could.

        What it finds nothing in need not be told to us, but for white space at the end of it all.
        """
        return self._detector.restless if self._flowed else None

    def holds_space(self, inside: bool) -> bool:
        """Whether white space, of the reasoning or not, waits for what follows it."""
        return self._tidy.holds_space(inside)

    def feed_reasoning(self, text: str) -> list[Event]:
        """Text that the server itself calls reasoning. What `feed` gets afterwards is then outside of it."""
        self._flowed, self._flow = False, None
        events = self._detector.turn(inside=True) + self._detector.feed(text)
        self._server_splits = self._tidy.apart = True
        return self._through(events)

    def _through(self, events: list[Event]) -> list[Event]:
        if len(events) == 1 and isinstance(event := events[0], ArgumentsDelta):
            for each in self._filters:
                if not each.lets_pass(event):
                    break
            else:
                if self._keep is not None:
                    self._keep(event.delta)
                self._flow, self._index = self._detector.flow, event.index
                return events  # tidying up has nothing to do with it
        for stage in self._stages:
            if not events:
                break
            events = stage.feed(events)
        return events

    def finish(self, cut: bool = False, followed: bool = False) -> list[Event]:
        """`followed`: not by more text, but by a call that the server read out of the text itself."""
        events = self._detector.finish(cut)
        if followed:
            events.append(Noted("native_follows"))
        for stage in self._stages:
            events = (stage.feed(events) if events else []) + stage.finish(cut)
        return events


def new_parser(expectations: Expectations, prior: Syntax | None = None, custom: Stage | None = None) -> Pipeline:
    """A parser for one choice of one answer.

    `prior` is the row that the model's name speaks for; `custom` a stage that finds calls in the text instead of us.
    """
    ours = expectations.translate and custom is None
    detector = Detector(opener_index(prior) if ours else reasoning_index(), expectations)
    stages: list[Stage] = []
    if expectations.strip_end_tokens:
        stages.append(EndTokens())
    if custom is not None:
        stages.append(custom)
    fit = SchemaCheck(expectations) if expectations.translate else None
    if fit is not None:
        stages += [ReasoningCalls(expectations), ToolChoice(expectations), fit]
    if expectations.reasoning == "keep":
        stages.append(KeepReasoning())
    elif expectations.reasoning == "drop":
        stages.append(DropReasoning())
    return Pipeline(detector, stages, Whitespace(holds=expectations.translate), fit.keep if fit else None)
