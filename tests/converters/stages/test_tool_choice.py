"""Which calls the request allows."""

from __future__ import annotations

from typing import Any

import pytest

from converters import Expectations
from converters.stages.tool_choice import ToolChoice
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Ending, Event, Noted, Removed, Text
from tests.converters.stages import through


def call(index: int = 0, how: Ending = "complete") -> list[Event]:
    return [CallStart(index, "f", raw="<f>"), ArgumentsDelta(index, "{}", "{}"), CallEnd(index, "</f>", how)]


def gone(reason: Any) -> Removed:
    return Removed("<f>{}</f>", reason)


@pytest.mark.parametrize(
    ("options", "events", "out"),
    [
        ({}, [*call(0), *call(1)], [*call(0), *call(1)]),
        ({}, [*call(3), Text("a"), *call(7)], [*call(0), Text("a"), *call(1)]),
        ({"choice": "none"}, [*call(0), *call(1)], [Removed("<f>{}</f>" * 2, "choice_none")]),
        ({"parallel": False}, [*call(0), Text("a"), *call(1)], [*call(0), Text("a"), gone("parallel_off")]),
        ({}, call(how="cut"), call(how="cut")),
        ({"whole_calls": True}, call(), call()),
        ({"whole_calls": True}, call(how="unreadable"), [Noted("arguments_unreadable"), Text("<f>{}</f>")]),
        ({"buffered": True}, call(how="unreadable"), [Noted("arguments_unreadable"), Text("<f>{}</f>")]),
        ({}, call(how="unreadable"), [*call()[:-1], Noted("arguments_unreadable"), *call(how="unreadable")[-1:]]),
        ({"buffered": True}, call(how="cut"), call(how="cut")),
        ({"whole_calls": True}, call(how="cut"), [gone("cut")]),
        ({"whole_calls": True}, [*call(0), *call(1, "cut")], [*call(0), gone("cut")]),
        ({"whole_calls": True, "parallel": False}, [*call(0), *call(1)], [*call(0), gone("parallel_off")]),
        ({"whole_calls": True, "choice": "none"}, call(), [gone("choice_none")]),
        ({"allowed": frozenset({"f"})}, [*call(0), *call(1)], [*call(0), *call(1)]),
        ({"allowed": frozenset({"g"})}, call(), [Noted("choice_other"), gone("choice_none")]),
        ({"choice": "required"}, call(), call()),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_passes(options: dict[str, Any], events: list[Event], out: list[Event], whole: bool) -> None:
    assert through(ToolChoice(Expectations(**options)), [*events], whole=whole) == out


def test_a_whole_call_is_held_until_it_ends() -> None:
    gate = ToolChoice(Expectations(whole_calls=True))
    start, delta, end = call()
    assert gate.feed([Text("a"), start]) == [Text("a")]
    assert gate.feed([delta]) == []
    assert gate.feed([end]) == [start, delta, end]
