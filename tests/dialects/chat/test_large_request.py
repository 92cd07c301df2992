"""A large request is read in slices and understood like a small one (defects C2, C10)."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.chat import large_request, request
from dialects.protocol import ParsedRequest
from errors import RequestError
from wire import json_slices, json_values

pytestmark = pytest.mark.long

MIB = 1 << 20


def parsed(raw: bytes) -> ParsedRequest | str:
    try:
        return request.parse(raw)
    except RequestError as error:
        return f"{error.param}: {error.message}"


@contextmanager
def in_slices() -> Iterator[None]:
    """Every request is a large one, and all slices are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request, "LARGE", 0)
        patch.setattr(json_slices, "_RUN", 20)
        patch.setattr(json_slices, "_SLICE", 16)
        patch.setattr(json_values, "SMALL", 30)
        patch.setattr(large_request, "SMALL", 30)
        yield


def same(body: Any) -> None:
    raw = json.dumps(body).encode()
    wanted = parsed(raw)
    with in_slices():
        found = parsed(raw)
    assert found == wanted


TOOL = {"type": "function", "function": {"name": "get", "parameters": {"type": "object", "properties": {"n": {}}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
LONG = "long " * 20


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        3,
        {"model": "m", "stream": True, "n": 3, "stop": ["a"], "stream_options": {"include_usage": True, "x": LONG}},
        {"tools": [TOOL, TOOL | {"x": LONG}], "tool_choice": {"type": "function", "function": {"name": "get"}}},
        {"tools": [{"type": "web", "x": [LONG]}], "parallel_tool_calls": False},
        {"tools": [{"type": "web"}, 3]},
        {"tools": [{"function": {"name": ""}}]},
        {"tools": [{"function": {"name": "f", "parameters": [LONG], "description": LONG}}]},
        {"tools": [{"function": {"x": LONG}}]},
        {"tools": [{"function": [LONG]}]},
        {"tools": [LONG]},
        {"tools": [], "tool_choice": "auto", "x": LONG},
        {"tools": {}},
        {"tools": "x"},
        {"tools": None, "functions": [{"name": "f", "description": LONG}], "function_call": {"name": "f"}},
        {"functions": [{"name": "f", "parameters": {"properties": {"a": {"enum": [LONG, LONG]}}}}]},
        {"functions": [None]},
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [LONG]}}},
        {"messages": {"role": "user"}},
        {"messages": [1, None, {"role": "user", "content": f"a {LONG} /no_think {LONG}"}]},
        {"messages": [{"role": "user", "content": "/no_think"}, {"role": "system", "content": LONG + "/think"}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": LONG}, {"text": "/think"}, 3, {"text": 3}]}
            ]
        },
        {"messages": [{"role": "assistant", "content": "<think>" + LONG}]},
        {"messages": [{"role": "assistant", "content": "/think"}]},
        {"messages": [{"role": "assistant", "content": LONG + "/no_think" + LONG}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL, CALL | {"id": "b" * 9}]}]},
        {"messages": [{"role": "assistant", "content": LONG, "tool_calls": [{"x": LONG}]}]},
        {"messages": [{"role": "assistant", "content": LONG, "tool_calls": [1, [LONG]]}]},
        {"messages": [{"role": "assistant", "content": LONG, "tool_calls": LONG}]},
        {"messages": [{"role": "tool", "tool_call_id": "call_9", "content": LONG}]},
        {"messages": [{"function_call": {"name": LONG}, "content": 3}, [LONG]]},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"x": [LONG, LONG]}}}},
        {"chat_template_kwargs": {"enable_thinking": False, "x": LONG}, "reasoning_effort": "none", "think": True},
        {"stream": LONG},
        {"model": [LONG, LONG]},
        {"model": 1.5, "stream": None},
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_a_large_request_is_understood_like_a_small_one(body: Any) -> None:
    same(body)


def _fields(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


texts = st.sampled_from(["", "/think", "/no_think", "x/think ", LONG, "<think>", "é😀" * 20, "a", None, 3])
contents = texts | st.lists(_fields(type=texts, text=texts) | texts, max_size=3)
ids = st.sampled_from(["", "a", "call_1", None, 3])  # of an id of over 64 kB only a stand-in is kept
calls = st.lists(_fields(id=ids, function=texts, x=texts) | texts, max_size=3) | texts
roles = st.sampled_from(["user", "assistant", "tool", "system", "developer", "function", LONG])
messages = _fields(role=roles, content=contents, tool_calls=calls, tool_call_id=ids, function_call=texts | calls)
schemas = st.sampled_from([{}, {"type": "object", "properties": {"a": {"enum": [LONG]}}}, [LONG], LONG, None])
functions = _fields(name=st.sampled_from(["f", "g", ""]), parameters=schemas, x=texts)
tools = _fields(type=st.sampled_from(["function", "web", 3]), function=functions | texts, x=texts)
bodies = _fields(
    messages=st.lists(messages | texts, max_size=4) | texts,
    tools=st.lists(tools | texts, max_size=3) | texts,
    functions=st.lists(functions | texts, max_size=3) | texts,
    tool_choice=texts | st.sampled_from(["auto", "required", {"type": "function", "function": {"name": "f"}}]),
    stop=texts | calls,
    other=texts,
)


@given(bodies)
@settings(deadline=None, max_examples=200)
def test_any_large_request_is_understood_like_a_small_one(body: Any) -> None:
    same(body)


def test_the_ends_of_a_long_text_and_its_last_switch_are_kept() -> None:
    text = "<think>" + "a" * 50_000 + "/no_think" + "b" * 300_000 + "/think" + "c" * 300_000
    found = request.parse(json.dumps({"messages": [{"role": "assistant", "content": text}]}).encode() + b" " * MIB)
    prefill = found.prompt.prefill
    assert prefill is not None
    assert len(prefill) < 70_000
    assert prefill.startswith("<think>")
    assert prefill.endswith("c")
    asked = request.parse(json.dumps({"messages": [{"role": "user", "content": text}]}).encode() + b" " * MIB)
    assert asked.prompt.asked_in_messages is True


@pytest.mark.parametrize("border", range(32_760, 32_772))
def test_a_switch_is_seen_over_the_border_of_what_is_kept(border: int) -> None:
    text = "a" * border + "/no_think" + "b" * 400_000
    raw = json.dumps({"messages": [{"role": "user", "content": text}], "x": "y" * MIB}).encode()
    assert request.parse(raw).prompt.asked_in_messages is False


def test_a_long_text_in_a_schema_goes_and_the_types_stay() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "description": "x" * 2 * MIB}}}
    tool = {"type": "function", "function": {"name": "f", "description": "y" * MIB, "parameters": schema}}
    found = request.parse(json.dumps({"tools": [tool]}).encode())
    assert found.expectations.tools == {"f": {"type": "object", "properties": {"n": {"type": "integer"}}}}


def test_a_schema_without_end_counts_as_none() -> None:
    schema = {"type": "object", "properties": {"n": {"enum": ["x"] * MIB}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    found = request.parse(json.dumps({"tools": [tool]}).encode())
    assert found.expectations.tools == {"f": {}}


def test_the_schemas_of_all_functions_have_a_limit() -> None:
    tools = [{"function": {"name": f"f{n}", "parameters": {"enum": ["x" * 30_000]}}} for n in range(400)]
    found = request.parse(json.dumps({"tools": tools}).encode()).expectations.tools
    assert len(found) == 400
    assert found["f0"]
    assert found["f399"] == {}


@pytest.mark.parametrize("name", ["model", "tool_choice", "function_call"])
def test_a_field_without_end_is_named(name: str) -> None:
    with pytest.raises(RequestError, match=f"'{name}' is longer") as error:
        request.parse(json.dumps({name: "x" * 2 * MIB, "functions": [{"name": "f"}]}).encode())
    assert error.value.param == name


def test_what_is_wrong_in_a_large_body_is_named_with_its_place() -> None:
    raw = b'{"messages": [\n' + b'{"role": "user", "content": "\xc3\xa9"},\n' * 40_000 + b"x]}"
    with pytest.raises(RequestError, match=r"Expecting value at line 40002, column 1\.") as error:
        request.parse(raw)
    assert error.value.status == 400
    with pytest.raises(RequestError, match="nested more than 128 levels"):
        request.parse(b'{"a":' + b"[" * 2 * MIB)


@pytest.mark.parametrize("unit", [b"0,", b"[],", b'"a",', b'{"a":1},'])
def test_a_large_request_that_is_rewritten_costs_little_memory(unit: bytes) -> None:
    raw = b'{"tools": [], "x": [' + unit * (4 * MIB // len(unit)) + b'0], "tool_choice": "none"}'
    tracemalloc.start()
    found = request.parse(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.upstream.body == raw.replace(b'"tools": [], ', b"").replace(b', "tool_choice": "none"', b"")
    assert peak < 3 * len(raw)


def test_expectations_of_a_large_request_are_whole() -> None:
    body = {"model": "m", "stream": True, "tools": [TOOL], "messages": [{"role": "user", "content": "hi"}]}
    small = request.parse(json.dumps(body).encode())
    large = request.parse(json.dumps(body | {"x": "y" * 2 * MIB}).encode())
    assert replace(large, upstream=small.upstream) == small


def test_many_messages_take_linear_time() -> None:
    def seconds(count: int) -> float:
        message = b'{"role":"tool","tool_call_id":"%d","content":"ok"}'
        raw = b'{"messages":[' + b",".join(message % n for n in range(count)) + b"]}"
        began = time.process_time()
        assert len(request.parse(raw).ids) == count
        return time.process_time() - began

    assert seconds(120_000) < 8 * seconds(30_000)
