"""Responses requests become chat requests: item by item, tool by tool, and what is refused is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.responses import Responses
from dialects.responses.request import ResponsesOptions
from errors import RequestError
from tests.cases import in_one_test
from tests.servers import Json
from wire.json_body import LARGE

USER: Json = {"role": "user", "content": "Hi"}
CALL: Json = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
RESULT: Json = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}


def chat_of(**asked: Any) -> Json:
    """The chat request that is made of a request."""
    parsed = Responses().parse_request(json.dumps({"model": "glm-4.6", "input": "Hi", **asked}).encode())
    assert parsed.upstream.path == "/v1/chat/completions"
    found: Json = json.loads(parsed.upstream.body)
    return found


def codes_of(**asked: Any) -> set[str]:
    return set(Responses().parse_request(json.dumps({"model": "m", "input": "Hi", **asked}).encode()).codes)


def called(name: str, arguments: str, call_id: str = "c1") -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def told(content: str, *calls: Json, **more: Any) -> Json:
    return {"role": "assistant", "content": content, **more, **({"tool_calls": list(calls)} if calls else {})}


def answered(content: str, call_id: str = "c1") -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def part(text: str, kind: str = "input_text") -> Json:
    return {"type": kind, "text": text}


SAID = {
    "type": "message",
    "role": "assistant",
    "content": [part("Sure.", "output_text")],
    "id": "msg_1",
    "status": "completed",
}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [part("hm", "summary_text")],
    "content": [part("h", "reasoning_text"), part("m")],
}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}
CHAT_IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}}
ONE_CALL = told("", called("f", '{"a": 1}'))

INPUTS: dict[str, tuple[Any, list[Json]]] = {
    "a string": ("Hi", [USER]),
    "a message without a type": ([USER], [USER]),
    "parts": ([{"role": "user", "content": [part("a"), part("b")]}], [{"role": "user", "content": "a\nb"}]),
    "system and developer": (
        [{"role": "system", "content": "s"}, {"type": "message", "role": "developer", "content": [part("d")]}],
        [{"role": "system", "content": "s"}, {"role": "developer", "content": "d"}],
    ),
    "an image": (
        [{"role": "user", "content": [part("see"), IMAGE]}],
        [{"role": "user", "content": [part("see", "text"), CHAT_IMAGE]}],
    ),
    "a file": (
        [{"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": "data:,x"}]}],
        [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:,x"}}]}],
    ),
    "audio": (
        [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]}],
        [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]}],
    ),
    "an unknown part with text": (
        [{"role": "user", "content": [part("t", "new_kind")]}],
        [{"role": "user", "content": "t"}],
    ),
    "an unknown part without": (
        [{"role": "user", "content": [{"type": "z", "x": 1}]}],
        [{"role": "user", "content": '{"x": 1}'}],
    ),
    "a turn": (
        [USER, THOUGHT, SAID, CALL, RESULT],
        [USER, told("Sure.", called("f", '{"a": 1}'), reasoning_content="h\nm"), answered("sunny")],
    ),
    "two calls at once": (
        [CALL, {**CALL, "call_id": "c2"}, RESULT, {**RESULT, "call_id": "c2"}],
        [told("", called("f", '{"a": 1}'), called("f", '{"a": 1}', "c2")), answered("sunny"), answered("sunny", "c2")],
    ),
    "text behind a call": (
        [SAID, CALL, SAID, RESULT],
        [told("Sure.\n\nSure.", called("f", '{"a": 1}')), answered("sunny")],
    ),
    "a refusal": ([{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}], [told("No.")]),
    "a call in a namespace": ([{**CALL, "namespace": "files"}], [told("", called("files__f", '{"a": 1}'))]),
    "arguments as an object": ([{**CALL, "arguments": {"a": 1}}], [ONE_CALL]),
    "a call without arguments": ([{**CALL, "arguments": ""}], [told("", called("f", "{}"))]),
    "a call that only has an id": (
        [{"type": "function_call", "id": "fc_1", "name": "f", "arguments": "{}"}],
        [told("", called("f", "{}", "fc_1"))],
    ),
    "a custom call": (
        [
            {"type": "custom_tool_call", "call_id": "c1", "name": "p", "input": 'a"\n'},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
        ],
        [told("", called("p", '{"input": "a\\"\\n"}')), answered("ok")],
    ),
    "a local shell": (
        [
            {
                "type": "local_shell_call",
                "id": "i",
                "call_id": "c1",
                "status": "completed",
                "action": {"type": "exec", "command": ["ls"]},
            },
            {"type": "local_shell_call_output", "id": "c1", "output": "a.txt"},
        ],
        [told("", called("local_shell", '{"type": "exec", "command": ["ls"]}')), answered("a.txt")],
    ),
    "a patch": (
        [
            {"type": "apply_patch_call", "call_id": "c1", "operation": {"type": "delete_file", "path": "a"}},
            {"type": "apply_patch_call_output", "call_id": "c1", "status": "completed", "output": "done"},
        ],
        [told("", called("apply_patch", '{"type": "delete_file", "path": "a"}')), answered("done")],
    ),
    "a result in parts": ([CALL, {**RESULT, "output": [part("a"), part("b")]}], [ONE_CALL, answered("a\nb")]),
    "a result with an image": (
        [CALL, {**RESULT, "output": [part("a"), IMAGE]}, {**CALL, "call_id": "c2"}],
        [
            ONE_CALL,
            answered("a\n(image: it follows)"),
            {"role": "user", "content": [CHAT_IMAGE]},
            told("", called("f", '{"a": 1}', "c2")),
        ],
    ),
    "a result that is an object": ([CALL, {**RESULT, "output": {"a": 1}}], [ONE_CALL, answered('{"a": 1}')]),
    "an unknown item with text": (
        [{"type": "agent_message", "content": [part("t")]}],
        [{"role": "user", "content": "t"}],
    ),
    "an unknown item of the assistant": ([{"type": "note", "role": "assistant", "text": "t"}], [told("t")]),
    "a search of the vendor's": (
        [{"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}}],
        [told('{"action": {"query": "q"}}')],
    ),
    "what holds no text": (
        [USER, {"type": "compaction", "encrypted_content": "x"}, {"type": "compaction_trigger"}, {}],
        [USER],
    ),
    "encrypted reasoning of others": (
        [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}, SAID],
        [told("Sure.")],
    ),
    "reasoning alone": ([USER, THOUGHT, USER], [USER, USER]),
    "nothing": ([], []),
}


@in_one_test("name", INPUTS)
def test_the_messages_of_an_input(name: str) -> None:
    given_input, messages = INPUTS[name]
    assert chat_of(input=given_input)["messages"] == messages


def test_instructions_stand_first() -> None:
    assert chat_of(instructions="Be kind.")["messages"] == [{"role": "system", "content": "Be kind."}, USER]


def test_reasoning_goes_back_where_the_template_takes_it_and_is_dropped_with_a_code_elsewhere_5_07() -> None:
    history = [USER, THOUGHT, SAID]
    assert chat_of(input=history, model="glm-4.6")["messages"][1] == told("Sure.", reasoning_content="h\nm")
    assert chat_of(input=history, model="llama-3")["messages"][1] == told("Sure.")
    assert codes_of(input=history, model="llama-3") == {"reasoning_dropped"}
    assert codes_of(input=history, model="glm-4.6") == set()
    assert codes_of(input=[THOUGHT, USER], model="glm-4.6") == {"reasoning_dropped"}
    by_id = {"type": "item_reference", "id": "rs_1"}  # as the AI SDK sends it back unless it is told not to store
    assert chat_of(input=[USER, by_id, SAID], model="glm-4.6")["messages"][1] == told("Sure.")
    assert codes_of(input=[USER, by_id, SAID], model="glm-4.6") == {"reasoning_dropped"}


FIELDS: list[tuple[Json, Json]] = [
    ({"max_output_tokens": 9}, {"max_tokens": 9}),
    ({"temperature": 0.5, "top_p": 0.25, "user": "u"}, {"temperature": 0.5, "top_p": 0.25, "user": "u"}),
    ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
    ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
    ({"top_logprobs": 0}, {}),
    ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
    ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {}),
    ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
            }
        },
    ),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    (
        {"stop": ["x"], "seed": 1, "chat_template_kwargs": {"enable_thinking": False}},
        {"stop": ["x"], "seed": 1, "chat_template_kwargs": {"enable_thinking": False}},
    ),
    ({"metadata": {"a": "b"}, "store": True, "truncation": "auto", "prompt_cache_key": "k", "client_metadata": {}}, {}),
    ({"background": False, "conversation": None, "prompt": None, "previous_response_id": None}, {}),
    ({"tool_choice": "required", "parallel_tool_calls": False}, {}),
]


@in_one_test("asked, expected", FIELDS)
def test_fields(asked: Json, expected: Json) -> None:
    assert chat_of(**asked) == {"model": "glm-4.6", "messages": [USER], **expected}


def test_what_of_the_request_stands_in_the_response() -> None:
    asked = {"metadata": {"a": "b"}, "store": True, "temperature": 0.5, "instructions": "x", "max_output_tokens": 5}
    body = json.dumps({"model": "m", "input": "Hi", "reasoning": {"effort": "low"}, **asked}).encode()
    options = Responses().parse_request(body).options
    assert isinstance(options, ResponsesOptions)
    echo = json.loads(b"{" + options.echo + b"}")
    assert "store" not in echo  # the end of the answer shows whether it is
    assert {name: value for name, value in asked.items() if name != "store"}.items() <= echo.items()
    assert echo["reasoning"] == {"effort": "low", "summary": None}


# -- tools -------------------------------------------------------------------------------------------------------------

F: Json = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
CUSTOM: Json = {
    "type": "custom",
    "name": "p",
    "description": "d",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
}
INSIDE: Json = {
    "type": "namespace",
    "name": "n",
    "description": "d",
    "tools": [{**F, "name": "g"}, {**CUSTOM, "name": "q"}],
}


def test_tools_become_functions() -> None:
    found = [each["function"] for each in chat_of(tools=[F, CUSTOM, INSIDE])["tools"]]
    assert [each["name"] for each in found] == ["f", "p", "n__g", "n__q"]
    assert found[0] == {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    schema = found[1]["parameters"]
    assert schema["required"] == ["input"] and schema["properties"]["input"]["type"] == "string"
    assert "start: x" in schema["properties"]["input"]["description"]


@in_one_test("kind", ["web_search", "file_search", "mcp", "code_interpreter", "image_generation", "local_shell", "x"])
def test_hosted_and_unknown_tools_leave_with_a_code_11_02(kind: str) -> None:
    body = chat_of(tools=[{"type": kind, "server_label": "x"}], tool_choice="auto", parallel_tool_calls=True)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)
    assert codes_of(tools=[F, {"type": kind}]) == {"tool_skipped"}
    assert codes_of(tools=[F]) == set()


NAMED = {"type": "function", "function": {"name": "f"}}
CHOICES: list[tuple[Any, Any]] = [
    ("auto", "auto"),
    ("none", "none"),
    ("required", "required"),
    ({"type": "function", "name": "f"}, NAMED),
    ({"type": "custom", "name": "p"}, {"type": "function", "function": {"name": "p"}}),
    ({"type": "function", "name": "g", "namespace": "n"}, {"type": "function", "function": {"name": "n__g"}}),
    ({"type": "function", "name": "g"}, {"type": "function", "function": {"name": "n__g"}}),
    ({"type": "web_search_preview"}, "auto"),
    (
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}]},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
    ),
    ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "image_generation"}]}, "none"),
]


@in_one_test("choice, expected", CHOICES)
def test_tool_choice(choice: Any, expected: Any) -> None:
    assert chat_of(tools=[F, CUSTOM, INSIDE], tool_choice=choice)["tool_choice"] == expected


def test_tools_in_the_input_count() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [INSIDE]}
    assert len(chat_of(input=[added, USER], tools=[F])["tools"]) == 3


# -- what is refused ---------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Json, str]] = [
    ({"background": True}, "background"),
    ({"conversation": "c"}, "conversation"),
    ({"prompt": {"id": "p"}}, "prompt"),
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"input": 5}, "input"),
    ({"input": [5]}, "input[0]"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"id": "fc_1"}]}, "input[0]"),
    ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
    ({"input": [USER, {"role": "user", "content": 5}]}, "input[1].content"),
    ({"input": [{"role": "user", "content": [5]}]}, "input[0].content[0]"),
    (
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        "input[0].content[0].image_url",
    ),
    ({"tools": {}}, "tools"),
    ({"tools": [5]}, "tools[0]"),
    ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ({"tools": [{"type": "namespace", "name": "n"}]}, "tools[0].tools"),
    ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "custom"}]}]}, "tools[0].tools[0].name"),
    ({"tools": [F], "tool_choice": "maybe"}, "tool_choice"),
    ({"tools": [F], "tool_choice": {"type": "function", "name": "z"}}, "tool_choice.name"),
    ({"tools": [F], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.tools"),
    (
        {"tools": [F], "tool_choice": {"type": "allowed_tools", "tools": [{"type": "function"}]}},
        "tool_choice.tools[0].name",
    ),
    ({"instructions": 5}, "instructions"),
    ({"stream": "yes"}, "stream"),
    ({"text": 5}, "text"),
    ({"text": {"format": 5}}, "text.format"),
    ({"reasoning": []}, "reasoning"),
    ({"model": 5}, "model"),
]


@in_one_test("asked, field", REFUSED)
def test_what_is_refused_is_refused_by_name(asked: Json, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        chat_of(**asked)
    assert caught.value.param == field
    code = "previous_response_not_found" if field == "previous_response_id" else "invalid_request"
    assert caught.value.code == code


@in_one_test("given", ["", 5, ["resp_1"], {}])
def test_what_is_no_id_of_a_response_is_told_by_the_name_of_the_field(given: object) -> None:
    with pytest.raises(RequestError, match="'previous_response_id' must be the id of a response") as caught:
        chat_of(previous_response_id=given)
    assert (caught.value.param, caught.value.code) == ("previous_response_id", "invalid_request")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "type",
                        "role",
                        "content",
                        "text",
                        "name",
                        "id",
                        "call_id",
                        "output",
                        "arguments",
                        "tools",
                        "input",
                    ),
                    *("summary", "namespace", "image_url", "file", "function", "mode", "format", "action", "effort"),
                ]
            ),
            inner
            | st.sampled_from(["message", "function_call", "x_output", "y_call", "reasoning", "custom", "namespace"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["input", "tools", "tool_choice", "text", "reasoning", "include", "metadata"]), JSON
    )
)
def test_no_request_raises_anything_but_a_request_error(asked: Json) -> None:
    try:
        chat_of(**asked)
    except RequestError as error:
        assert error.message


def test_a_long_request_is_read_in_slices_to_the_same() -> None:
    items = [USER, SAID, CALL, RESULT, {"role": "user", "content": [part("long " * 80_000)]}]
    items += [{"role": "user", "content": f"{number}"} for number in range(20_000)]
    asked = {"input": items, "tools": [F, CUSTOM], "instructions": "x" * 70_000}
    assert len(json.dumps(asked)) > LARGE
    whole = chat_of(**asked)
    assert whole["messages"][0]["content"] == asked["instructions"]
    short = chat_of(input=items[:5])["messages"]
    assert whole["messages"][1:5] == short
    assert len(whole["messages"]) == 1 + 4 + 20_000 and whole["tools"] == chat_of(tools=[F, CUSTOM])["tools"]
    text = "y" * (LARGE + 5)
    assert chat_of(input=text)["messages"] == [{"role": "user", "content": text}]
    with pytest.raises(RequestError) as caught:
        chat_of(input=[*items, 5])
    assert caught.value.param == f"input[{len(items)}]"
