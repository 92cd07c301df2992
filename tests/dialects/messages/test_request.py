"""Requests of the Messages API as chat requests: each field, each block, and what is refused by name."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.messages import Messages
from dialects.messages.request import MessagesOptions
from errors import RequestError
from tests.cases import in_one_test
from tests.dialects.messages.reading import TOOL, asking
from tests.servers import ROOT, Json

CAPTURES = sorted((ROOT / "tests/captures/clients/claude-code").glob("*.json"))
FUNCTION = {
    "type": "function",
    "function": {"name": "f", "description": "Does it.", "parameters": TOOL["input_schema"]},
}


def chat(**asked: Any) -> Json:
    """The chat request of a request."""
    found: Json = json.loads(Messages().parse_request(json.dumps(asking(**asked)).encode()).upstream.body)
    return found


def user(*blocks: Any) -> Json:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
LINKED = {"type": "image", "source": {"type": "url", "url": "http://x/y.png"}}
PDF = {
    "type": "document",
    "title": "a.pdf",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "BB"},
}
USE = {"type": "tool_use", "id": "toolu_abc", "name": "f", "input": {"a": 1, "b": "é"}}
CALL = {"id": "abc", "type": "function", "function": {"name": "f", "arguments": '{"a": 1, "b": "é"}'}}
OTHER_USE = {"type": "tool_use", "id": "toolu_b64_Zi46MA", "name": "f", "input": {}}
OTHER_CALL = {"id": "f.:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def result(content: Any = None, **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": "toolu_abc", "content": content, **more}


def tool(content: str, call: str = "abc") -> Json:
    return {"role": "tool", "tool_call_id": call, "content": content}


def said(content: Any) -> Json:
    return {"role": "user", "content": content}


TURNS: dict[str, tuple[list[Json], list[Json]]] = {
    "text as a string": ([said("Hi")], [said("Hi")]),
    "one block of text": ([user(text("Hi"))], [said("Hi")]),
    "several texts": ([user(text("a"), text("b\n"), text("c"), text(""))], [said("a\n\nb\nc")]),
    "no blocks": ([user()], [said("")]),
    "an image": ([user(text("See"), PNG)], [said([{"type": "text", "text": "See"}, PNG_PART])]),
    "an image by URL": ([user(LINKED)], [said([{"type": "image_url", "image_url": {"url": "http://x/y.png"}}])]),
    "a document of text": (
        [user({"type": "document", "title": "T", "source": {"type": "text", "data": "words"}})],
        [said("T\nwords")],
    ),
    "a document of blocks": (
        [user({"type": "document", "source": {"type": "content", "content": [text("x"), text("y")]}})],
        [said("x\n\ny")],
    ),
    "a document in base64": (
        [user(PDF)],
        [said([{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"}}])],
    ),
    "a search result": (
        [user({"type": "search_result", "source": "http://s", "title": "T", "content": [text("found")]})],
        [said("http://s\nT\nfound")],
    ),
    "an unknown block": ([user({"type": "new", "id": "x", "inner": {"said": ["one", "two"]}})], [said("one\ntwo")]),
    "a reference to a tool": (
        [user(result([{"type": "tool_reference", "tool_name": "Grep"}]))],
        [tool("Grep")],
    ),
    "system anywhere": (
        [said("a"), {"role": "system", "content": [text("s"), text("t")]}, said("b")],
        [said("a"), {"role": "system", "content": "s\n\nt"}, said("b")],
    ),
    "a call and its result": (
        [assistant(text("Let me."), USE), user(result("found"))],
        [{"role": "assistant", "content": "Let me.", "tool_calls": [CALL]}, tool("found")],
    ),
    "calls alone": (
        [assistant(USE, OTHER_USE)],
        [{"role": "assistant", "content": "", "tool_calls": [CALL, OTHER_CALL]}],
    ),
    "thinking": (
        [assistant({"type": "thinking", "thinking": "hm", "signature": "x"}, text("So"))],
        [{"role": "assistant", "content": "So", "reasoning_content": "hm"}],
    ),
    "thinking that nobody may read": (
        [assistant({"type": "redacted_thinking", "data": "x"}, text("So"))],
        [{"role": "assistant", "content": "So"}],
    ),
    "nothing is left of a turn": ([said("a"), assistant({"type": "redacted_thinking", "data": "x"})], [said("a")]),
    "a result in blocks": ([user(result([text("one"), text("two")]))], [tool("one\n\ntwo")]),
    "a result without content": ([user(result())], [tool("")]),
    "a result that is an error": ([user(result("no such file", is_error=True))], [tool("Error: no such file")]),
    "a result that is none": ([user(result("fine", is_error=False))], [tool("fine")]),
    "results before other parts of their turn": (
        [user(text("first"), result("r"), text("then"), result("s", tool_use_id="call_2"))],
        [tool("r"), tool("s", "call_2"), said("first\n\nthen")],
    ),
    "an image in a result": (
        [user(result([text("a"), PNG, text("b")]), text("Well?"))],
        [tool("a\n\n[image]\n\nb"), said([PNG_PART, {"type": "text", "text": "Well?"}])],
    ),
    "a search of the vendor's": (
        [assistant({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}, text("So"))],
        [{"role": "assistant", "content": "web_search\nq\n\nSo"}],
    ),
}


@in_one_test("name", TURNS)
def test_turns(name: str) -> None:
    turns, expected = TURNS[name]
    assert chat(messages=turns)["messages"] == expected


FIELDS: dict[str, tuple[Json, Json]] = {
    "max_tokens": ({"max_tokens": 7}, {"max_tokens": 7}),
    "sampling": ({"temperature": 0.5, "top_p": 1, "top_k": 5}, {"temperature": 0.5, "top_p": 1, "top_k": 5}),
    "stop sequences": ({"stop_sequences": ["END", ""]}, {"stop": ["END"]}),
    "no stop sequences": ({"stop_sequences": []}, {}),
    "streaming": ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    "not streaming": ({"stream": False}, {}),
    "auto": ({"tool_choice": {"type": "auto"}}, {"tool_choice": "auto"}),
    "any": ({"tool_choice": {"type": "any"}}, {"tool_choice": "required"}),
    "none": ({"tool_choice": {"type": "none"}}, {"tool_choice": "none"}),
    "one tool": (
        {"tool_choice": {"type": "tool", "name": "f"}},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    "one call": (
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"tool_choice": "auto", "parallel_tool_calls": False},
    ),
    "thinking on": (
        {"thinking": {"type": "enabled", "budget_tokens": 9}},
        {"chat_template_kwargs": {"enable_thinking": True}},
    ),
    "thinking as it likes": ({"thinking": {"type": "adaptive"}}, {"chat_template_kwargs": {"enable_thinking": True}}),
    "thinking off": ({"thinking": {"type": "disabled"}}, {"chat_template_kwargs": {"enable_thinking": False}}),
    "thinking of Kimi": (
        {"thinking": {"type": "disabled"}, "model": "kimi-k2.5"},
        {"chat_template_kwargs": {"thinking": False}},
    ),
    "thinking of who knows": ({"thinking": {"type": "disabled"}, "model": "m"}, {}),
    "a format of the answer": (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}},
        {},
    ),
    "a format that is none": ({"output_config": ["x"], "output_format": 5}, {}),
    "what only the vendor's servers need": (
        {
            "cache_control": {"type": "ephemeral"},
            "context_management": {"edits": []},
            "output_config": {"effort": "high"},
            "betas": ["x"],
            "metadata": {"user_id": "u"},
            "service_tier": "auto",
            "unheard_of": [1],
        },
        {},
    ),
}


@in_one_test("name", FIELDS)
def test_fields(name: str) -> None:
    asked, expected = FIELDS[name]
    found = chat(**asked)
    plain = {"model": "glm-4.5", "messages": [said("Hi")], "tools": [FUNCTION], "max_tokens": 100}
    model = {"model": asked["model"]} if "model" in asked else {}
    assert found == {**plain, **model, **expected}


def test_the_system_prompt_is_the_first_message() -> None:
    first = {"role": "system", "content": "one\n\ntwo"}
    assert chat(system=[text("one"), {**text("two"), "cache_control": {}}])["messages"][0] == first
    assert chat(system="one\n\ntwo")["messages"][0] == first
    assert chat(system="")["messages"] == chat(system=None)["messages"] == [said("Hi")]


def test_tools_of_the_vendor_leave_with_a_code() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
    own = {"type": "custom", "name": "g"}
    parsed = Messages().parse_request(json.dumps(asking(tools=[search, TOOL, own])).encode())
    body = json.loads(parsed.upstream.body)
    assert [each["function"]["name"] for each in body["tools"]] == ["f", "g"]
    assert body["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert parsed.codes == {"tool_skipped"}
    choice = {"type": "tool", "name": "web_search"}
    parsed = Messages().parse_request(json.dumps(asking(tools=[search, TOOL], tool_choice=choice)).encode())
    assert "tool_choice" not in json.loads(parsed.upstream.body)
    odd = [{"type": "mcp_toolset", "mcp_server_name": "x"}, {**TOOL, "type": "function"}]
    parsed = Messages().parse_request(json.dumps(asking(tools=odd)).encode())
    assert json.loads(parsed.upstream.body)["tools"] == [FUNCTION] and parsed.codes == {"tool_skipped"}
    only = Messages().parse_request(json.dumps(asking(tools=[search], tool_choice=choice)).encode())
    assert not {"tools", "tool_choice"} & set(json.loads(only.upstream.body))
    assert not Messages().parse_request(json.dumps(asking()).encode()).codes


REFUSED: dict[str, tuple[Json, str | None]] = {
    "no max_tokens": ({"max_tokens": None}, "max_tokens"),
    "max_tokens of none": ({"max_tokens": 0}, "max_tokens"),
    "max_tokens in words": ({"max_tokens": "9"}, "max_tokens"),
    "max_tokens true": ({"max_tokens": True}, "max_tokens"),
    "model": ({"model": 7}, "model"),
    "no messages": ({"messages": None}, "messages"),
    "a message in words": ({"messages": ["Hi"]}, "messages.0"),
    "a role": ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    "a role that is no word": ({"messages": [{"role": [], "content": "x"}]}, "messages.0.role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages.0.content"),
    "a block": ({"messages": [said(["x"])]}, "messages.0.content.0"),
    "a call without an id": ({"messages": [assistant({**USE, "id": None})]}, "messages.0.content.0.id"),
    "a call without a name": ({"messages": [assistant({**USE, "name": ""})]}, "messages.0.content.0.name"),
    "an input": ({"messages": [assistant({**USE, "input": "x"})]}, "messages.0.content.0.input"),
    "a result without an id": ({"messages": [user({"type": "tool_result"})]}, "messages.0.content.0.tool_use_id"),
    "a stored image": (
        {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "x"}})]},
        "messages.0.content.0.source",
    ),
    "a linked document": (
        {"messages": [user(result([{"type": "document", "source": {"type": "url", "url": "http://x"}}]))]},
        "messages.0.content.0.content.0.source",
    ),
    "a system": ({"system": 7}, "system"),
    "tools": ({"tools": {}}, "tools"),
    "a tool": ({"tools": [7]}, "tools.0"),
    "a tool without a name": ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
    "a schema": ({"tools": [{"name": "f", "input_schema": "x"}]}, "tools.0.input_schema"),
    "a choice": ({"tool_choice": "auto"}, "tool_choice"),
    "a choice of a kind": ({"tool_choice": {"type": ["any"]}}, "tool_choice.type"),
    "a choice of nobody": ({"tool_choice": {"type": "tool", "name": "g"}}, "tool_choice.name"),
    "a choice of a list": ({"tool_choice": {"type": "tool", "name": []}}, "tool_choice.name"),
    "stops": ({"stop_sequences": "END"}, "stop_sequences"),
    "a temperature": ({"temperature": "hot"}, "temperature"),
    "a stream": ({"stream": "yes"}, "stream"),
    "a thought": ({"thinking": True}, "thinking"),
    "an infinite number": (
        {"messages": [assistant({**USE, "input": {"a": float("inf")}})]},
        "messages.0.content.0.input.a",
    ),
    "an infinite bound": (
        {"tools": [{"name": "f", "input_schema": {"minimum": float("-inf")}}]},
        "tools.0.input_schema.minimum",
    ),
}


@in_one_test("name", REFUSED)
def test_what_is_refused_is_named(name: str) -> None:
    asked, field = REFUSED[name]
    with pytest.raises(RequestError) as refused:
        chat(**asked)
    assert refused.value.param == field
    assert field is None or field in refused.value.message


@in_one_test("raw", [b"", b"{", b"[]", b"7", b"\xff", b'{"max_tokens": 1}'])
def test_bodies_that_are_no_request(raw: bytes) -> None:
    with pytest.raises(RequestError):
        Messages().parse_request(raw)


def test_a_large_request_says_the_same() -> None:
    """It is read and written in slices."""
    long = "words and 서울 " * 90_000
    turns = [assistant(text(long), USE), user(result(long), PNG)]
    found = chat(messages=turns, temperature=0.5)
    assert found["messages"] == [
        {"role": "assistant", "content": long, "tool_calls": [CALL]},
        tool(long),
        said([PNG_PART]),
    ]
    assert found["temperature"] == 0.5 and found["tools"] == [FUNCTION]


@in_one_test(
    ("more", "field"),
    [
        ({"messages": {"role": "user"}}, "messages"),
        ({"messages": [user(text("x")), {"role": "boss", "content": ""}]}, "messages.1.role"),
        ({"max_tokens": None}, "max_tokens"),
        ({"tools": [{"name": 7}]}, "tools.0.name"),
    ],
)
def test_a_large_request_is_refused_by_name_too(more: Json, field: str) -> None:
    with pytest.raises(RequestError) as refused:
        chat(**{"system": "x" * 1_100_000, **more})
    assert refused.value.param == field
    with pytest.raises(RequestError, match="JSON"):
        Messages().parse_request(json.dumps(asking(system="x" * 1_100_000)).encode()[:-1])


def test_a_large_request_is_never_there_in_objects() -> None:
    """Hundreds of thousands of messages take no more than their text."""
    asked = json.dumps(asking(messages=[said("w"), {"role": "assistant", "content": "x"}] * 24_000)).encode()
    tracemalloc.start()
    try:
        parsed = Messages().parse_request(asked)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(json.loads(parsed.upstream.body)["messages"]) == 48_000
    assert peak < 8 * len(asked)


def test_what_the_answer_needs_to_know() -> None:
    asked = asking(messages=[assistant(USE), user(result("x"))], stop_sequences=["END"], stream=True)
    parsed = Messages().parse_request(json.dumps(asked).encode())
    assert (parsed.model, parsed.stream, parsed.ids) == ("glm-4.5", True, {"abc"})
    assert parsed.expectations.tools == {"f": TOOL["input_schema"]} and parsed.expectations.stops
    assert parsed.prompt.behind_result
    options = parsed.options
    assert isinstance(options, MessagesOptions)
    assert options.id.startswith("msg_") and options.stops == {"END"} and options.estimated > 10


@in_one_test("path", CAPTURES, ids=lambda path: path.stem)
def test_requests_of_claude_code(path: Any) -> None:
    """As it sent them; long texts are cut."""
    asked = json.loads(path.read_text(encoding="utf-8"))
    parsed = Messages().parse_request(json.dumps(asked).encode())
    body = json.loads(parsed.upstream.body)
    assert set(parsed.expectations.tools) == {each["name"] for each in asked["tools"]}
    assert body["messages"][0]["role"] == "system" and body["stream_options"] == {"include_usage": True}
    told = json.dumps(body["messages"], ensure_ascii=False)
    for message in asked["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else [{"text": message["content"]}]
        for block in blocks:
            words = block.get("text") or block.get("thinking") or block.get("content") or block["input"]["command"]
            assert json.dumps(words, ensure_ascii=False)[1:-1] in told.replace("\\\\", "\\")
    results = [message for message in body["messages"] if message["role"] == "tool"]
    ids = [call["id"] for message in body["messages"] for call in message.get("tool_calls", ())]
    assert [message["tool_call_id"] for message in results] == ids


def test_there_are_requests_of_claude_code() -> None:
    assert len(CAPTURES) >= 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking", "new", "search_result"])
NAMES = st.sampled_from(
    ["type", "text", "id", "name", "input", "content", "source", "tool_use_id", "thinking", "title"]
)
BLOCK = st.builds(lambda kind, more: {"type": kind, **more}, TYPES, st.dictionaries(NAMES, JSON, max_size=4))
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.lists(BLOCK, max_size=3) | JSON}
)
FIELD = st.sampled_from(
    ["model", "system", "tools", "tool_choice", "stop_sequences", "thinking", "mcp_servers", "top_k"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGE, max_size=3), st.dictionaries(FIELD, JSON | st.lists(BLOCK, max_size=2), max_size=3))
def test_nothing_but_a_request_error_is_raised(messages: list[Json], more: Json) -> None:
    try:
        Messages().parse_request(json.dumps({**asking(messages=messages), **more}).encode())
    except RequestError as error:
        assert error.message
