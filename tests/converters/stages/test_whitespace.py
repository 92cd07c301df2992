"""White space at the edges of what was removed; everything else stays, byte for byte."""

from __future__ import annotations

import pytest

from converters.stages.whitespace import Whitespace
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Reasoning, Removed, Text
from tests.converters.stages import through
from tests.helpers import assemble, spans

CALL: list[Event] = [CallStart(0, "f", raw="<f>"), ArgumentsDelta(0, "{}"), CallEnd(0, raw="</f>")]
GONE: list[Event] = [Removed("<x>", "marker")]
THOUGHT: list[Event] = [Removed("<t>", "marker", True), Reasoning("hm"), Removed("</t>", "marker", True)]


@pytest.mark.parametrize(
    ("events", "content"),
    [
        ([Text("a \n")], "a \n"),
        ([Text(" \n a")], " \n a"),
        ([Text(" \n ")], " \n "),
        ([Text("a\n\n"), *CALL], "a"),
        ([Text("a\n\n"), *CALL, Text("\n")], "a"),
        ([*CALL, Text("\n\nb")], "b"),
        ([*CALL, Text("\n\nb \n")], "b"),
        ([Text("\n a\n"), *CALL, Text("\n\nb")], "\n a\n\n\nb"),
        ([Text("\n"), *CALL, Text("\nb")], "b"),
        ([Text("a "), *GONE, Text(" b")], "a  b"),
        ([Text("a "), *GONE, Text(" \n"), *GONE, Text(" b")], "a  b"),
        ([*THOUGHT, Text("\n\nHi")], "Hi"),
        ([Text("a "), Noted("converter_raised"), Text(" b")], "a  b"),
        ([Text("a\u00a0"), *CALL], "a"),
    ],
)
def test_what_of_a_text_stays(events: list[Event], content: str) -> None:
    for fed in (events, [piece for event in events for piece in pieces(event)]):
        for whole in (True, False):
            out = through(Whitespace(), [*fed], whole=whole)
            assert assemble(out).content == content
            assert spans(out) == spans(events)


def pieces(event: Event) -> list[Event]:
    return [Text(letter) for letter in event.text] if isinstance(event, Text) else [event]


def test_reasoning_is_tidied_by_itself() -> None:
    events: list[Event] = [THOUGHT[0], Reasoning("\n hm \n"), THOUGHT[2], Text("\n\nHi")]
    message = assemble(through(Whitespace(), events))
    assert (message.reasoning, message.content) == ("hm", "Hi")


def test_what_the_server_split_is_left_alone() -> None:
    tidy = Whitespace()
    tidy.apart = True
    message = assemble(through(tidy, [Reasoning("hm\n"), Text("\nHi")]))
    assert (message.reasoning, message.content) == ("hm\n", "\nHi")


def test_white_space_is_held_but_not_for_ever() -> None:
    tidy = Whitespace()
    assert tidy.feed([Text("a ")]) == [Text("a")]
    assert tidy.feed([Text(" " * 4000)]) == []
    assert len(spans(tidy.feed([Text(" " * 4000)]))) == 4096
    assert Whitespace(holds=False).feed([Text("a ")])[-1].raw.endswith(" ")


@pytest.mark.parametrize("size", [4096, 4097, 9000])
def test_the_cap_does_not_depend_on_the_cut(size: int) -> None:
    text = "a" + " " * size
    out = [through(Whitespace(), [*fed, *CALL]) for fed in ([Text(text)], [Text(letter) for letter in text])]
    assert assemble(out[0]).content == assemble(out[1]).content
