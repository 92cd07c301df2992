"""Each adaptation by an example: what it makes of a request, and that it leaves alone what it is not about."""

from __future__ import annotations

import copy
from typing import Any

from backends.adapt.facts import Request
from backends.adapt.fields import DROPPABLE
from backends.adapt.table import ADAPTATIONS, BY_NAME, adapted
from tests.backends.adapt.histories import ANY, call, calling, image, result, say, text, tool
from tests.cases import in_one_test

USER = say("user", "Hi")


def of(*messages: Any) -> Request:
    return {"model": "m", "messages": list(messages)}


def tools(*declared: Any, **fields: Any) -> Request:
    return {"model": "m", "messages": [USER], "tools": list(declared), **fields}


PLAIN = tools(tool(), temperature=0.5) | {
    "messages": [
        say("system", "S"),
        USER,
        calling(call(id="aBc123xyZ"), content=""),
        result(id="aBc123xyZ"),
        say("assistant", "a"),
        USER,
    ]
}
"""A request that most adaptations leave alone."""
NAMED = {"type": "function", "function": {"name": "a"}}
SPOKEN = calling(call(), content="T")

EXAMPLES: dict[str, tuple[Request, Request]] = {
    "functions": (
        {"messages": [USER], "functions": [{"name": "f"}], "function_call": "auto"},
        {"messages": [USER], "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"},
    ),
    "content_text": (
        of(say("user", [text("a"), text("b")]), say("user", [text("c"), image()]), say("user", [])),
        of(say("user", "a\nb"), say("user", [text("c"), image()]), say("user", "")),
    ),
    "result_images": (
        of(USER, calling(call()), result([image()])),
        of(USER, calling(call()), result("(see the next message)"), say("user", [text("Result of call_1:"), image()])),
    ),
    "developer": (of(say("developer", "D"), USER), of(say("system", "D"), USER)),
    "without_nulls": (
        of(
            USER,
            {**calling({**call(), "index": None}), "refusal": None, "annotations": []},
            say("assistant", "a", tool_calls=[]),
        ),
        of(USER, calling(call()), say("assistant", "a")),
    ),
    "ids_unique": (
        of(calling(call(id="x")), result(id="x"), calling(call(id="x")), result(id="x")),
        of(calling(call(id="x")), result(id="x"), calling(call(id="hi6p9U93Z")), result(id="hi6p9U93Z")),
    ),
    "order_results": (
        of(USER, calling(call(id="a"), call(id="b")), result("B", "b"), USER, result("A", "a")),
        of(USER, calling(call(id="a"), call(id="b")), result("A", "a"), result("B", "b"), USER),
    ),
    "arguments_raw": (
        of(calling(call(arguments='{"a": '), call(arguments=""), call())),
        of(calling(call(arguments='{"_raw": "{\\"a\\": "}'), call(arguments="{}"), call())),
    ),
    "arguments_text": (
        of(calling(call(arguments={"a": "서울"}), call())),
        of(calling(call(arguments='{"a": "서울"}'), call())),
    ),
    "arguments_object": (
        of(calling(call(arguments='{"a": "서울"}'), call(arguments="{"))),
        of(calling(call(arguments={"a": "서울"}), call(arguments="{"))),
    ),
    "one_call": (
        of(calling(call(id="a"), call(id="b"), content="T"), result("A", "a"), result("B", "b")),
        of(calling(call(id="a"), content="T"), result("A", "a"), calling(call(id="b"), content=""), result("B", "b")),
    ),
    "ids_nine": (of(calling(call(id="call_1")), result()), of(calling(call(id="dAVTMPSJO")), result(id="dAVTMPSJO"))),
    "system_first": (of(USER, say("developer", "D"), say("system", "S")), of(say("system", "D\n\nS"), USER)),
    "system_in_user": (
        of(say("system", "S"), say("assistant", "a"), USER),
        of(say("assistant", "a"), say("user", "S\n\nHi")),
    ),
    "prefill_dropped": (of(USER, say("assistant", ""), say("assistant", " \n")), of(USER)),
    "assistant_between": (
        of(calling(call()), result(), USER),
        of(calling(call()), result(), say("assistant", "OK."), USER),
    ),
    "alternate": (
        of(say("assistant", "a"), say("assistant", "b", reasoning_content="r"), USER, say("user", "")),
        of(say("user", "(start)"), say("assistant", "a\n\nb", reasoning_content="r"), USER),
    ),
    "text_apart": (of(USER, SPOKEN, result()), of(USER, say("assistant", "T"), calling(call(), content=""), result())),
    "content_empty": (
        of(USER, calling(call()), {"role": "assistant"}),
        of(USER, calling(call(), content=""), say("assistant", "")),
    ),
    "content_space": (of(USER, calling(call()), result("")), of(USER, calling(call(), content=" "), result(" "))),
    "reasoning_empty": (of(USER, say("assistant", "a")), of(USER, say("assistant", "a", reasoning_content=""))),
    "without_reasoning": (
        of(USER, say("assistant", "a", reasoning_content="r", reasoning="r")),
        of(USER, say("assistant", "a")),
    ),
    "without_name": (of(say("user", "a", name="bob")), of(say("user", "a"))),
    "functions_only": (tools({"type": "web_search"}, tool_choice="auto"), of(USER)),
    "tools_tidy": (
        tools({"function": {"name": "f", "description": None, "parameters": {"properties": {"a": {}}}}, "x": 1}),
        tools(
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}
        ),
    ),
    "strict": (
        tools({"type": "function", "function": {"name": "f", "strict": True}}),
        tools({"type": "function", "function": {"name": "f"}}),
    ),
    "schema_simple": (tools(tool("f", type="string", format="uri")), tools(tool("f", type="string"))),
    "choice_required": (tools(tool("a"), tool("b"), tool_choice=NAMED), tools(tool("a"), tool_choice="required")),
    "choice_auto": (tools(tool(), tool_choice="required"), tools(tool(), tool_choice="auto")),
    "raw": (tools(tool()), tools(tool(), tool_choice="none")),
    "thinking_off": (
        of(USER, say("assistant", "Well,")),
        of(USER, say("assistant", "Well,")) | {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    "effort_none": ({"think": False}, {"think": False, "reasoning_effort": "none"}),
    "max_tokens": ({"max_completion_tokens": 5, "max_tokens": 9}, {"max_tokens": 5}),
    "max_completion_tokens": ({"max_tokens": 5}, {"max_completion_tokens": 5}),
    "stream_options": ({"stream_options": {"include_usage": True}, "a": 1}, {"a": 1}),
    **{f"without_{name}": ({name: 1, "a": 1}, {"a": 1}) for name in DROPPABLE},
}
CHANGE_PLAIN = {"prompted", "raw", "reasoning_empty", "text_apart", "assistant_between", "content_space"}
CHANGE_PLAIN |= {"arguments_object", "system_in_user"}
"""Adaptations of which the plain request has something."""


def test_every_adaptation_has_an_example() -> None:
    assert {*EXAMPLES, "prompted"} == set(BY_NAME)


@in_one_test("name", EXAMPLES)
def test_what_an_adaptation_makes_of_a_request(name: str) -> None:
    before, after = EXAMPLES[name]
    kept = copy.deepcopy(before)
    assert adapted(before, [name], ANY) == after
    assert before == kept, "it changed what it got"
    assert adapted(after, [name], ANY) is after, "twice is once"


@in_one_test("name", BY_NAME)
def test_a_request_without_what_it_is_about_stays_the_same_object(name: str) -> None:
    if name not in CHANGE_PLAIN:
        assert adapted(PLAIN, [name], ANY) is PLAIN
    empties: list[Request] = [{}, {"messages": []}, {"messages": None, "tools": None}]
    for empty in empties:
        assert adapted(empty, [name], ANY) is empty


def test_the_order_of_the_names_does_not_matter_and_unknown_ones_mean_nothing() -> None:
    body = of(say("developer", "D"), USER, say("system", [text("S")]))
    names = ["alternate", "system_first", "content_text", "developer"]
    assert adapted(body, names, ANY) == adapted(body, [*reversed(names), "?"], ANY) == of(say("system", "D\n\nS"), USER)


def test_what_is_a_fact_of_one_history_is_not_learned() -> None:
    assert {each.name for each in ADAPTATIONS if not each.learned} == {"arguments_raw", "order_results", "ids_unique"}
    at_once = {"functions", "content_text", "developer", "system_first", "text_apart", "content_empty", "max_tokens"}
    at_once |= {"prompted", "arguments_object", "one_call", "ids_nine", "system_in_user", "alternate", "content_space"}
    at_once.add("effort_none")
    assert {each.name for each in ADAPTATIONS if each.at_once} == at_once


def test_references_of_a_schema_cannot_make_it_grow_without_end() -> None:
    wide = {f"p{level}": {"anyOf": [{"$ref": f"#/$defs/p{level + 1}"}] * 8} for level in range(12)}
    body = tools(tool("f", type="object", properties={"a": {"$ref": "#/$defs/p0"}}, **{"$defs": wide}))
    after = adapted(body, ["schema_simple"], ANY)
    assert len(str(after)) < 2_000_000
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep, "minItems": 1}
    assert "minItems" not in str(adapted(tools(tool("f", **deep)), ["schema_simple"], ANY))
