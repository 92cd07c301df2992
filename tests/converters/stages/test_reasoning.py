"""Where reasoning goes."""

from __future__ import annotations

from converters.stages.reasoning import DropReasoning, KeepReasoning
from converters.text.events import CallStart, Event, Reasoning, Removed, Text
from tests.converters.stages import through

TAG = Removed("<think>", "marker", tag=True)
OTHER = Removed("<f>", "marker")
EVENTS: list[Event] = [TAG, Reasoning("a"), Text("b"), OTHER, CallStart(0, "f")]


def test_kept_reasoning_is_text_with_its_tags() -> None:
    assert through(KeepReasoning(), EVENTS) == [Text("<think>ab"), OTHER, CallStart(0, "f")]


def test_dropped_reasoning_is_removed() -> None:
    out = [TAG, Removed("a", "reasoning_off"), Text("b"), OTHER, CallStart(0, "f")]
    assert through(DropReasoning(), EVENTS) == out
