"""A call inside the reasoning is meant only if it is the last thing the model did."""

from __future__ import annotations

import pytest

from converters import Expectations
from converters.render import render_calls
from converters.stages.reasoning_calls import ReasoningCalls
from converters.syntaxes import SYNTAXES, Syntax
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Ending, Event, Reasoning, Removed, Text
from tests.cases import in_one_test
from tests.converters.stages import through
from tests.helpers import assemble, parse

TOOLS = Expectations({"f": {}})
CLOSE = Removed("</think>", "marker", tag=True)


def call(inside: bool = True, name: str = "f", how: Ending = "complete") -> list[Event]:
    return [CallStart(0, name, raw="<f>", in_reasoning=inside), ArgumentsDelta(0, "{}", "{}"), CallEnd(0, "</f>", how)]


DRAFT = Reasoning("<f>{}</f>")
THOUGHT = Reasoning("So")
GROUP_END = Removed("</fs>", "marker")


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
        ([*call(name="nobody"), GROUP_END, CLOSE], [Reasoning("<f>{}</f></fs>"), CLOSE]),
        ([*call(name="nobody"), Reasoning("so"), GROUP_END], [Reasoning("<f>{}</f>so"), GROUP_END]),
        ([*call(how="unreadable"), GROUP_END], [Reasoning("<f>{}</f></fs>")]),
        ([*call(), GROUP_END, Reasoning("so")], [Reasoning("<f>{}</f></fs>so")]),
        ([*call(), GROUP_END, *call(name="nobody"), GROUP_END], [Reasoning("<f>{}</f></fs><f>{}</f></fs>")]),
        ([*call(name="nobody"), GROUP_END, *call()], [Reasoning("<f>{}</f></fs>"), *call()]),
        ([*call(how="unreadable")], [DRAFT]),
        ([*call(how="cut")], [DRAFT]),
        ([*call(name="functions.F")], [*call(name="functions.F")]),
        ([Text("a"), *call(inside=False)], [Text("a"), *call(inside=False)]),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_a_draft(events: list[Event], out: list[Event], whole: bool) -> None:
    assert through(ReasoningCalls(TOOLS), events, whole=whole) == out


@in_one_test("row", [row for row in SYNTAXES if not (row.whole_message or row.addressed)], ids=lambda row: row.name)
@in_one_test(("tail", "behind"), [(0, ""), (1, ""), (0, "\nand then"), (0, "\n</think>\nNo.")])
def test_defect_b13_drafts_stay_reasoning_to_their_last_closer(row: Syntax, behind: str, tail: int) -> None:
    """Whatever is not run is what the model wrote. (Where a call is a message, it ends the reasoning.)"""
    drafts = [render_calls(row, [("nobody", {"a": "b"})]), render_calls(row, [("f", {"a": "b"}), ("nobody", {})])]
    for draft in drafts:
        text = f"So {draft[: len(draft) - tail]}"
        message = assemble(parse(text + behind, {"f": {}}, row=row.name, starts_inside=True, strip_end_tokens=False))
        if not message.calls:
            assert message.reasoning == (text + behind.partition("\n</think>")[0]).rstrip()


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
