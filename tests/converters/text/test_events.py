"""Events: their spans, and neighbours joined."""

from __future__ import annotations

import pytest

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Reasoning, Removed, Text, merge

START, END = CallStart(0, "f"), CallEnd(0)


@pytest.mark.parametrize(
    ("event", "raw"),
    [
        (Text("a"), "a"),
        (Text(" ", restored=True), ""),
        (Reasoning("a"), "a"),
        (Reasoning(" ", restored=True), ""),
        (CallStart(0, "f", raw="<f>"), "<f>"),
        (ArgumentsDelta(0, "{}", raw="()"), "()"),
        (CallEnd(0, raw="</f>"), "</f>"),
        (Removed(" ", "whitespace"), " "),
        (Noted("arguments_unreadable"), ""),
    ],
)
def test_spans(event: Event, raw: str) -> None:
    assert event.raw == raw


@pytest.mark.parametrize(
    ("events", "merged"),
    [
        ([], []),
        ([Text("a"), Text("b")], [Text("ab")]),
        ([Text("a"), Text("b", restored=True)], [Text("a"), Text("b", restored=True)]),
        ([Reasoning("a"), Text("b"), Text("c")], [Reasoning("a"), Text("bc")]),
        ([Removed("a", "marker"), Removed("b", "marker")], [Removed("ab", "marker")]),
        ([Removed("a", "marker"), Removed("b", "cut")], [Removed("a", "marker"), Removed("b", "cut")]),
        (
            [Removed("a", "marker", True), Removed("b", "marker")],
            [Removed("a", "marker", True), Removed("b", "marker")],
        ),
        ([ArgumentsDelta(0, "{", "a"), ArgumentsDelta(0, "}", "b")], [ArgumentsDelta(0, "{}", "ab")]),
        ([ArgumentsDelta(0, "{"), ArgumentsDelta(1, "}")], [ArgumentsDelta(0, "{"), ArgumentsDelta(1, "}")]),
        ([START, START, END, END], [START, START, END, END]),
    ],
)
def test_neighbours_are_joined(events: list[Event], merged: list[Event]) -> None:
    before = repr(events)
    assert merge(events) == merged
    assert repr(events) == before
