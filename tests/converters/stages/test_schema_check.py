"""What is said behind a call whose arguments do not fit, and that nothing else changes."""

from __future__ import annotations

from typing import Any

from converters.stages.schema_check import SchemaCheck
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Ending, Event, Noted, Text
from converters.text.expectations import Expectations

TOOLS = {"f": {"properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}}


def through(*batches: list[Event], tools: Any = TOOLS) -> list[Event]:
    stage = SchemaCheck(Expectations(tools))
    return [event for batch in batches for event in stage.feed(batch)] + stage.finish(End.STOP)


def call(*deltas: str, name: str = "f", how: Ending = "complete") -> list[Event]:
    return [CallStart(0, name), *(ArgumentsDelta(0, delta) for delta in deltas), CallEnd(0, how=how)]


def test_what_does_not_fit_is_told_behind_its_call() -> None:
    events = call('{"n": ', '"x"}')
    told: list[Event] = [Noted("arguments_misfit", "f/properties/n/type")]
    assert through([Text("a")], events, [Text("b")]) == [Text("a"), *events, *told, Text("b")]
    assert through(*([event] for event in events)) == [*events, *told]


def test_what_fits_passes_as_it_is() -> None:
    for events in (call('{"n": 1}'), call('{"n": "x"}', name="undeclared"), call('{"n": "x', how="cut"), call()[:1]):
        assert through(events) == events


def test_very_long_arguments_are_not_kept() -> None:
    events = call('{"n": "', *["x" * 1000] * 1001, '"}')
    assert through(events) == events


def test_each_call_is_judged_by_itself() -> None:
    right, wrong = call('{"n": 1}'), call('{"s": 1}')
    assert through(wrong + right + wrong)[-1] == Noted("arguments_misfit", "f/properties/s/type")
    assert sum(isinstance(event, Noted) for event in through(wrong + right + wrong)) == 2


def test_a_call_that_holds_nothing_of_what_the_tool_takes_is_told_and_not_improved() -> None:
    closed = {"f": {"properties": {"path": {"type": "string"}}, "required": ["path"], "additionalProperties": False}}
    for arguments, rules in (
        ('{"file": "a"}', {"f/additionalProperties", "f/required"}),
        ("{}", {"f/required"}),
    ):
        events = call(arguments)
        told = through(events, tools=closed)
        assert told[: len(events)] == events
        assert {event.detail for event in told[len(events) :] if isinstance(event, Noted)} == rules
