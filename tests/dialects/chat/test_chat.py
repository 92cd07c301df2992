"""Chat completions: the request as we read it, and the reply as we write it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Reasoning, Removed, Text
from dialects.chat import CHAT, Chat
from dialects.chat.request import ChatOptions
from dialects.protocol import ParsedRequest
from errors import ErrorInfo, RequestError
from reply import Extension, Finish, Reply, ReplyHead, Step, Usage
from tests.wire.test_sse import frames
from wire.sse import data_of

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
HEAD = ReplyHead("x", 7, "m", "fp")
CALL = [
    CallStart(0, "f", "id-1"),
    ArgumentsDelta(0, '{"a":'),
    ArgumentsDelta(0, ""),
    ArgumentsDelta(0, "1}"),
    CallEnd(0),
]


def parse(body: Any, chat: Chat = CHAT) -> ParsedRequest:
    return chat.parse_request(json.dumps(body).encode())


# -- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "translate"),
    [
        ({}, False),
        ({"tools": []}, False),
        ({"tools": [TOOL]}, True),
        ({"functions": [{"name": "f"}]}, True),
        ({"messages": [{"role": "user", "content": "hi"}]}, False),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]}, True),
        ({"messages": [{"role": "tool", "tool_call_id": "a"}]}, True),
        ({"messages": [{"role": "function", "name": "f"}]}, True),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, True),
        ({"messages": [{"role": "assistant", "tool_calls": []}]}, False),
    ],
)
def test_when_we_translate(body: dict[str, Any], translate: bool) -> None:
    assert parse(body).expectations.translate is translate


def test_what_is_read_of_a_request() -> None:
    history = [
        {"role": "assistant", "tool_calls": [{"id": "a"}, {"id": None}, 7]},
        {"role": "tool", "tool_call_id": "b"},
        "x",
    ]
    body = {
        "model": "m",
        "stream": True,
        "tools": [TOOL, {"type": "web_search"}],
        "messages": history,
        "parallel_tool_calls": False,
        "tool_choice": "none",
        "response_format": {"type": "json_schema"},
        "stream_options": {"include_usage": True},
    }
    request = parse(body)
    expectations = request.expectations
    assert (request.model, request.stream, request.ids) == ("m", True, {"a", "b"})
    assert request.options == ChatOptions(include_usage=True, legacy=False)
    assert expectations.tools == {"f": {"type": "object"}}
    assert (expectations.choice, expectations.parallel, expectations.json_answer) == ("none", False, True)
    assert request.upstream.body == json.dumps(body).encode()


@pytest.mark.parametrize(
    ("body", "thinking"),
    [
        ({}, None),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "high"}, True),
        ({"think": "low"}, True),
        ({"chat_template_kwargs": {"thinking_mode": "adaptive", "other": 1}}, None),
        ({"messages": [{"role": "user", "content": "/think or /no_think"}]}, False),
        ({"messages": [{"role": "assistant", "content": "/no_think"}]}, None),
        ({"chat_template_kwargs": {"enable_thinking": True}}, True),
        ({"chat_template_kwargs": {"thinking": False}}, False),
        ({"chat_template_kwargs": 7}, None),
    ],
)
def test_what_it_says_of_thinking(body: dict[str, Any], thinking: bool | None) -> None:
    assert parse(body).prompt.thinking is thinking


@pytest.mark.parametrize(
    ("messages", "prefill", "behind_result"),
    [
        ([], None, False),
        ([7], None, False),
        ([{"role": "user", "content": "hi"}], None, False),
        ([{"role": "assistant", "content": "Sure"}], "Sure", False),
        (
            [{"role": "assistant", "content": [{"type": "text", "text": "Su"}, {"type": "text", "text": "re"}, 7]}],
            "Sure",
            False,
        ),
        ([{"role": "assistant", "content": None, "tool_calls": []}], "", False),
        ([{"role": "assistant", "content": "Sure"}, {"role": "user", "content": "hi"}], None, False),
        ([{"role": "tool", "content": "ok"}], None, True),
        ([{"role": "function", "content": "ok"}], None, True),
    ],
)
def test_what_the_answer_goes_on_from(messages: list[Any], prefill: str | None, behind_result: bool) -> None:
    prompt = parse({"messages": messages}).prompt
    assert (prompt.prefill, prompt.behind_result) == (prefill, behind_result)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([], None),
        ({"model": 7}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"messages": "hi"}, "messages"),
        ({"tools": {}}, "tools"),
        ({"tools": [7]}, "tools[0]"),
        ({"tools": [TOOL, {"type": "function"}]}, "tools[1].function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        ({"functions": [{}]}, "functions[0].name"),
    ],
)
def test_a_wrong_request_is_told_where(body: Any, param: str | None) -> None:
    with pytest.raises(RequestError) as raised:
        parse(body)
    assert raised.value.param == param


@pytest.mark.parametrize("name", ["model", "stream", "messages", "tools"])
def test_null_is_as_good_as_absent(name: str) -> None:
    assert parse({name: None}).model == ""


# -- tool_choice -----------------------------------------------------------------------------------------------------

OTHER = {"type": "function", "function": {"name": "g"}}


def chosen(choice: Any, tools: list[Any] | None = None) -> tuple[str, frozenset[str] | None]:
    body = {"tools": [TOOL, OTHER] if tools is None else tools, "tool_choice": choice}
    expectations = parse(body).expectations
    return expectations.choice, expectations.allowed


def listed(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(
    ("choice", "demand", "allowed"),
    [
        (None, "auto", None),
        ("auto", "auto", None),
        ("none", "none", None),
        ("required", "required", None),
        ("any", "required", None),
        ("whatever a server takes", "auto", None),
        ({"type": "function", "function": {"name": "g"}}, "required", {"g"}),
        (listed("auto", "f"), "auto", {"f"}),
        (listed("required", "f", "g"), "required", {"f", "g"}),
        ({"type": "web_search"}, "auto", None),
    ],
)
def test_what_a_choice_demands(choice: Any, demand: str, allowed: set[str] | None) -> None:
    assert chosen(choice) == (demand, allowed)


def test_a_choice_without_tools_demands_nothing() -> None:
    assert chosen("required", []) == ("auto", None)
    assert chosen({"type": "function", "function": {"name": "f"}}, []) == ("auto", None)
    assert chosen("none", []) == ("none", None)


def test_the_choice_of_the_older_form() -> None:
    body = {"functions": [{"name": "f"}], "function_call": {"name": "f"}}
    expectations = parse(body).expectations
    assert (expectations.choice, expectations.allowed) == ("required", {"f"})


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        (7, "tool_choice"),
        ({"type": "function"}, "tool_choice.function"),
        ({"type": "function", "function": {"name": "nobody"}}, "tool_choice.function"),
        ({"type": "function", "function": {"name": ["f"]}}, "tool_choice.function"),
        ({"type": "allowed_tools"}, "tool_choice.allowed_tools.tools"),
        (listed("auto", "f", "nobody"), "tool_choice.allowed_tools.tools"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_its_name(choice: Any, param: str) -> None:
    with pytest.raises(RequestError) as raised:
        chosen(choice)
    assert raised.value.param == param


# -- streamed --------------------------------------------------------------------------------------------------------


def written(*steps: Step, field: Any = "reasoning_content", **body: Any) -> list[dict[str, Any]]:
    chat = Chat(field)
    writer = chat.stream_writer(parse({"model": "asked", **body}, chat))
    return [json.loads(data_of(frame) or "") for frame in frames([writer.write(step) for step in steps])]


def deltas(*events: Any, **options: Any) -> list[Any]:
    steps = [Step(b"", [(0, HEAD)]), Step(None, [(0, each) for each in events])]
    return [chunk["choices"][0]["delta"] for chunk in written(*steps, **options)]


def test_a_call_in_pieces() -> None:
    assert deltas(*CALL) == [
        {"tool_calls": [{"index": 0, "id": "id-1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    ]


def test_the_legacy_form() -> None:
    assert deltas(*CALL, Finish("tool_calls"), functions=[{"name": "f"}]) == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": '{"a":'}},
        {"function_call": {"arguments": "1}"}},
        {},
    ]


@pytest.mark.parametrize(
    ("field", "delta"),
    [
        ("reasoning_content", {"reasoning_content": "hm"}),
        ("reasoning", {"reasoning": "hm"}),
        ("both", {"reasoning_content": "hm", "reasoning": "hm"}),
    ],
)
def test_reasoning_under_its_name(field: str, delta: dict[str, str]) -> None:
    assert deltas(Reasoning("hm"), field=field) == [delta]


def test_what_says_nothing_writes_nothing() -> None:
    assert deltas(Text(""), Reasoning(""), Removed("x", "marker"), ArgumentsDelta(0, "")) == []


def test_the_envelope_is_constant_and_extras_come_once() -> None:
    events: list[Any] = [
        (0, Text("a")),
        (1, Text("b")),
        (0, ReplyHead("y", 8, "n", "fp")),
        (0, Extension({"timings": {"t": 2}}, of="reply")),
    ]
    out = written(Step(b"", [(0, HEAD), (1, HEAD)]), Step(None, events), Step(None, [(0, Finish("stop"))]))
    heads = [(c["id"], c["object"], c["created"], c["model"], c["system_fingerprint"]) for c in out]
    assert set(heads) == {("x", "chat.completion.chunk", 7, "m", "fp")}
    assert [c["choices"][0]["index"] for c in out] == [0, 1, 0]
    assert [c["choices"][0]["finish_reason"] for c in out] == [None, None, "stop"]
    assert [c.get("timings") for c in out] == [None, None, {"t": 2}]
    assert not any("usage" in c for c in out)


@pytest.mark.parametrize(("asked", "usage"), [(True, [{"n": 1}]), (False, [])])
def test_usage_for_those_who_asked(asked: bool, usage: list[Any]) -> None:
    out = written(Step(None, [(0, Usage({"n": 1}))]), stream_options={"include_usage": asked})
    assert [c["usage"] for c in out] == usage
    assert all(c["choices"] == [] for c in out)


def test_without_a_name_there_is_still_an_envelope() -> None:
    [out] = written(Step(None, [(0, Text("a"))]))
    assert out["id"]
    assert out["model"] == "asked"


def test_a_choice_begins_with_its_role_once() -> None:
    steps = [Step(None, [(0, HEAD), (0, Text("a"))]), Step(None, [(0, HEAD), (0, Text("b"))])]
    told = [chunk["choices"][0]["delta"] for chunk in written(*steps)]
    assert told == [{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}]


@pytest.mark.parametrize("kind", ["text", "reasoning", "arguments"])
def test_what_stands_around_more_of_a_text(kind: Any) -> None:
    events: dict[str, Any] = {
        "text": Text("\\ x"),
        "reasoning": Reasoning("\\ x"),
        "arguments": ArgumentsDelta(3, "\\ x"),
    }
    for body in ({}, {"functions": [{"name": "f"}]}):
        writer = CHAT.stream_writer(parse(body))
        around = writer.around(1, kind, 3)
        assert around is not None
        assert around[0] + b"\\\\ x" + around[1] == writer.write(Step(None, [(1, events[kind])]))
    both = Chat("both")
    assert (both.stream_writer(parse({}, both)).around(0, kind, 0) is None) == (kind == "reasoning")


def test_received_bytes_and_the_end() -> None:
    writer = CHAT.stream_writer(parse({}))
    assert writer.write(Step(b"data: as it was\n\n", [(0, Text("x"))])) == b"data: as it was\n\n"
    assert writer.error(ErrorInfo(500, {"message": "é"})) == 'data: {"error": {"message": "é"}}\n\n'.encode()
    assert writer.end("outcome=untouched") == b": dragoman outcome=untouched\n\ndata: [DONE]\n\n"


# -- buffered --------------------------------------------------------------------------------------------------------


def whole(*events: Any, field: Any = "reasoning_content", message: Any = None, **body: Any) -> dict[str, Any]:
    chat = Chat(field)
    choice: dict[str, Any] = {
        "index": 0,
        "message": message or {"role": "assistant", "content": "raw"},
        "vendor": 1,
        "logprobs": {"content": []},
    }
    source = {"id": "x", "usage": {"n": 1}, "choices": [choice]}
    read = Reply(None, [(0, each) for each in events], source)
    reply = json.loads(chat.write_whole(read, parse(body, chat)))
    assert (reply["id"], reply["usage"]) == ("x", {"n": 1})
    written_choice: dict[str, Any] = reply["choices"][0]
    assert written_choice["vendor"] == 1
    return written_choice


def test_text_and_a_call() -> None:
    choice = whole(Text("Hi"), *CALL, Finish("tool_calls"))
    function = {"name": "f", "arguments": '{"a":1}'}
    calls = [{"id": "id-1", "type": "function", "function": function}]
    assert choice["message"] == {"role": "assistant", "content": "Hi", "tool_calls": calls}
    assert (choice["finish_reason"], choice["logprobs"]) == ("tool_calls", None)


def test_content_is_null_only_beside_calls() -> None:
    assert whole(*CALL, Finish("tool_calls"))["message"]["content"] is None
    assert whole(Finish("stop"))["message"] == {"role": "assistant", "content": ""}


def test_an_empty_list_of_calls_goes() -> None:
    message: dict[str, Any] = {"role": "assistant", "content": "a", "tool_calls": [], "refusal": None}
    assert whole(Text("a"), Finish("stop"), message=message)["message"] == {
        "role": "assistant",
        "content": "a",
        "refusal": None,
    }


def test_native_calls_stay() -> None:
    call = {"id": "n", "type": "function", "function": {"name": "f", "arguments": "{}"}, "vendor": 1}
    events = [CallStart(0, "f", "n"), ArgumentsDelta(0, "{}"), CallEnd(0)]
    out = whole(*events, Finish("tool_calls"), message={"content": None, "tool_calls": [call]})["message"]
    assert out == {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("reasoning_content", {"reasoning_content"}),
        ("reasoning", {"reasoning"}),
        ("both", {"reasoning", "reasoning_content"}),
    ],
)
def test_reasoning(field: str, fields: set[str]) -> None:
    message = {"role": "assistant", "content": "", "reasoning": "hm"}
    out = whole(Reasoning("hm"), Text("Hi"), Finish("stop"), field=field, message=message)["message"]
    assert {name for name in out if name.startswith("reasoning")} == fields


def test_the_legacy_form_of_a_whole_reply() -> None:
    choice = whole(*CALL, Finish("tool_calls"), functions=[{"name": "f"}])
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


def test_an_id_of_the_history_does_not_come_again() -> None:
    history = [{"role": "assistant", "tool_calls": [{"id": "id-1"}]}]
    assert whole(*CALL, Finish("tool_calls"), messages=history)["message"]["tool_calls"][0]["id"] != "id-1"
