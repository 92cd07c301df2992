"""A call inside the reasoning is meant only if it is the last thing the model did."""

from __future__ import annotations

import pytest

from converters import Expectations
from converters.stages.reasoning_calls import ReasoningCalls
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Ending, Event, Reasoning, Removed, Text
from tests.converters.stages import through
from tests.helpers import assemble, parse

TOOLS = Expectations({"f": {}})
CLOSE = Removed("</think>", "marker", tag=True)


def call(inside: bool = True, name: str = "f", how: Ending = "complete") -> list[Event]:
    return [CallStart(0, name, raw="<f>", in_reasoning=inside), ArgumentsDelta(0, "{}", "{}"), CallEnd(0, "</f>", how)]


DRAFT = Reasoning("<f>{}</f>")
THOUGHT = Reasoning("So")


@pytest.mark.parametrize(
    ("events", "out"),
    [
        ([THOUGHT, *call()], [THOUGHT, *call()]),
        ([THOUGHT, *call(), CLOSE], [THOUGHT, *call(), CLOSE]),
        (
            [THOUGHT, *call(), Reasoning("\n"), CLOSE, Text("\n")],
            [THOUGHT, *call(), Reasoning("\n"), CLOSE, Text("\n")],
        ),
        ([*call(), Reasoning("\n"), *call()], [*call(), Reasoning("\n"), *call()]),
        ([*call(), Reasoning(" then")], [Reasoning("<f>{}</f> then")]),
        ([*call(), CLOSE, Text("Hi")], [DRAFT, CLOSE, Text("Hi")]),
        ([*call(), CLOSE, *call(inside=False)], [DRAFT, CLOSE, *call(inside=False)]),
        ([*call(name="nobody")], [DRAFT]),
        ([*call(), *call(name="nobody")], [Reasoning("<f>{}</f><f>{}</f>")]),
        ([*call(how="unreadable")], [DRAFT]),
        ([*call(how="cut")], [DRAFT]),
        ([*call(name="functions.F")], [*call(name="functions.F")]),
        ([Text("a"), *call(inside=False)], [Text("a"), *call(inside=False)]),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_a_draft(events: list[Event], out: list[Event], whole: bool) -> None:
    assert through(ReasoningCalls(TOOLS), events, whole=whole) == out


def test_a_call_outside_is_not_held() -> None:
    assert ReasoningCalls(TOOLS).feed(call(inside=False)) == call(inside=False)
    assert ReasoningCalls(TOOLS).feed(call()) == []


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ('<tool_call>\n{"name": "f", "arguments": {"a": "b"}', True),
        ('<tool_call>\n{"name": "f", "arguments": {"a": "b"', False),
        ('<tool_call>\n{"name": "f", "arguments": {', False),
        ('[TOOL_CALLS]f[ARGS]{"a": "b"}', True),
        ('[TOOL_CALLS]f[ARGS]{"a": "b"', False),
        ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>b</arg_value>", True),
        ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>b</arg_val", False),
        ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>b\n", False),
        ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>b", False),
    ],
)
def test_the_model_stopped_behind_the_arguments_or_in_them(text: str, ends: bool) -> None:
    """Outside the reasoning each of them is a call."""
    for pieces in ([text], list(text)):
        inside = assemble(parse("", {"f": {}}, ["<think>x\n", *pieces]))
        assert (inside.names, inside.reasoning) == ((["f"], "x") if ends else ([], f"x\n{text.rstrip()}"))
        assert assemble(parse("", {"f": {}}, pieces)).names == ["f"]
