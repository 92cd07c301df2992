"""Requests that servers were reported to refuse, or to lose something of, by the numbers of the reports.

Each says the refusal, what it asks for, and what the next request looks like.
"""

from __future__ import annotations

import json
from typing import Any

from backends.adapt.facts import Facts, Request, facts_of
from backends.adapt.refusals import asked_for
from backends.adapt.silent import at_once
from backends.adapt.table import adapted
from errors import ErrorInfo
from tests.backends.adapt.histories import ANY, call, calling, image, result, say, text, tool
from tests.cases import in_one_test

USER = say("user", "Hi")


def ask(*messages: Any, **fields: Any) -> Request:
    return {"model": "m", "messages": list(messages), **fields}


def refused(body: Request, *refusals: str, status: int = 400, facts: Facts = ANY) -> Request:
    """The request that is sent after these refusals, the last of which the server meant."""
    on: list[str] = list(at_once(body, facts))
    for message in refusals:
        more = asked_for(ErrorInfo(status, {"message": message}), body, on)
        assert more, f"nothing is asked for by {message!r} with {on}"
        on += more
    return adapted(body, on, facts)


def messages(body: Request) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["messages"]
    return found


def test_2_14_a_call_that_was_cut_in_the_history_is_quoted() -> None:
    cut = '{"path": "a.py", "content": "import os\\nprint('
    body = ask(USER, calling(call("write_file", cut)), result("not run"))
    after = refused(body, "Unterminated string starting at: line 1 column 30 (char 29)")
    assert json.loads(messages(after)[1]["tool_calls"][0]["function"]["arguments"]) == {"_raw": cut}


@in_one_test(
    "message",
    [
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "Missing `reasoning_content` field in the assistant message at message index 2.",
    ],
)
def test_5_07_reasoning_that_must_be_there_is_there_empty(message: str) -> None:
    kept = say("assistant", "a", reasoning_content="thought")
    after = refused(ask(USER, kept, USER, calling(call()), result()), message)
    assert messages(after)[1] is kept and messages(after)[3]["reasoning_content"] == ""
    assert "reasoning_content" not in messages(after)[0]


def test_5_08_an_empty_message_at_the_end_leaves() -> None:
    body = ask(USER, say("assistant", ""))
    assert messages(refused(body, "Assistant response prefill is incompatible with enable_thinking.")) == [USER]


@in_one_test(
    ("model", "setting"),
    [
        ("some", {"chat_template_kwargs": {"x": 1, "enable_thinking": False}}),
        ("qwen3.5-4b", {"chat_template_kwargs": {"x": 1, "enable_thinking": False}}),
        ("deepseek-v3.1", {"chat_template_kwargs": {"x": 1, "thinking": False}}),
        ("minimax-m3", {"chat_template_kwargs": {"x": 1, "thinking_mode": "disabled"}}),
        ("tencent/hy3", {"chat_template_kwargs": {"x": 1}, "reasoning_effort": "none"}),
    ],
)
def test_5_08_thinking_is_off_behind_a_text_of_the_assistant(model: str, setting: Request) -> None:
    body = ask(USER, say("assistant", "The answer is"), chat_template_kwargs={"x": 1})
    facts = facts_of(model)
    after = refused(body, "Assistant response prefill is incompatible with enable_thinking.", facts=facts)
    assert after == {**body, **setting}
    without = ask(USER, chat_template_kwargs={"x": 1})
    assert adapted(without, ["thinking_off"], facts) is without  # so it may be learned


def test_5_08_two_messages_of_the_assistant_at_the_end_are_joined() -> None:
    body = ask(USER, say("assistant", "one"), say("assistant", "two"))
    after = refused(body, "Cannot have 2 or more assistant messages at the end of the list.")
    assert messages(after) == [USER, say("assistant", "one\n\ntwo")]


NAMED = {"type": "function", "function": {"name": "a"}}
NOT_STRING = "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"


@in_one_test("choice", ["required", NAMED], ids=str)
def test_6_01_a_choice_that_cannot_be_demanded_is_auto(choice: Any) -> None:
    body = ask(USER, tools=[tool("a"), tool("b")], tool_choice=choice)
    message = "The tool_choice parameter does not support being set to required or object in thinking mode"
    assert refused(body, message) == {**body, "tool_choice": "auto"}


def test_6_02_a_named_function_is_the_only_one_that_is_required() -> None:
    body = ask(USER, tools=[tool("a"), tool("b")], tool_choice=NAMED)
    assert refused(body, NOT_STRING) == {**body, "tools": [tool("a")], "tool_choice": "required"}
    assert refused(body, NOT_STRING, NOT_STRING)["tool_choice"] == "auto"


def test_6_03_prompted_tools_are_left_out_where_none_is_chosen() -> None:
    body = ask(USER, calling(call()), result(), tools=[tool()], tool_choice="none")
    after = adapted(body, ["prompted"], ANY)
    assert not {"tools", "tool_choice"} & set(after)
    assert "parameters" not in json.dumps(after) and "22 °C" in json.dumps(after, ensure_ascii=False)


@in_one_test(
    "message",
    [
        "registry.ollama.ai/library/gemma3:27b does not support tools",
        "tools param requires --jinja flag",
        "Unsupported param: tools",
        "litellm.UnsupportedParamsError: ollama does not support parameters: ['tools', 'tool_choice'], for model=x",
        "No endpoints found that support tool use. To learn more about provider routing, visit: https://x.y",
        "This model does not support tool calling.",
        "Function calling is not enabled for models/gemma-3-27b-it",
    ],
)
def test_6_04_tools_that_are_refused_are_prompted(message: str) -> None:
    body = ask(USER, tools=[tool()], tool_choice="auto", parallel_tool_calls=True)
    after = refused(body, message)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(after)
    assert "get_weather" in json.dumps(messages(after))


@in_one_test(
    "message",
    [
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        'tool_choice="required" requires --tool-call-parser to be set',
        'tool_choice=function "get_weather" requires --tool-call-parser to be set',
        "Internal server error: Unsupported tool_call_parser: None",
        "Cannot use custom grammar constraints with tools.",
    ],
)
def test_6_04_a_missing_parser_gives_raw_text_and_then_prompted_tools(message: str) -> None:
    body = ask(USER, tools=[tool()], tool_choice="required")
    assert refused(body, message) == {**body, "tool_choice": "none"}
    assert "tools" not in refused(body, message, message)
    assert "tools" not in refused({**body, "model": "google/gemma-3-27b-it"}, message)  # its template would lose them


@in_one_test(
    "message",
    [
        "Can only get item pairs from a mapping.",
        "'str object' has no attribute 'items'",
        "tool_call.function.arguments must be a dictionary; got a string",
        "Muse Glimmer ATEM chat template requires tool_call arguments to be a mapping",
        'Invalid tool call arguments passed: {"city": "Seoul", "n": 1.50}',
    ],
)
def test_7_01_arguments_are_objects_with_their_digits(message: str) -> None:
    body = ask(USER, calling(call(arguments='{"city": "서울", "n": 1.50, "big": 12345678901234567890123}')), result())
    after = refused(body, message, status=500)
    found = messages(after)[1]["tool_calls"][0]["function"]["arguments"]
    assert found["city"] == "서울" and found["n"].text == "1.50" and found["big"] == 12345678901234567890123


def test_7_01_the_other_way_round() -> None:
    body = ask(USER, calling(call(arguments={"city": "Seoul"})), result())
    for message in (
        "messages.1.tool_calls.0.function.arguments: Input should be a valid string",
        'can only concatenate str (not "dict") to str',
        "{'type': 'string_type', 'loc': ('body', 'messages', 1, 'tool_calls', 0, 'function', 'arguments')}",
    ):
        after = refused(body, message)
        assert messages(after)[1]["tool_calls"][0]["function"]["arguments"] == '{"city": "Seoul"}'


@in_one_test(
    "message",
    [
        "Expected 'content' to be a string or an array",
        "content field must be a string or an array",
        "'NoneType' object is not iterable",
        "argument of type 'NoneType' is not iterable",
        "object of type 'NoneType' has no len()",
        'can only concatenate str (not "NoneType") to str',
        "None has no element 0",
        "'None' has no attribute 'split'",
        "'dict object' has no attribute 'content'",
        "invalid message content type: <nil>",
    ],
)
def test_7_02_content_that_is_null_is_empty(message: str) -> None:
    after = refused(ask(USER, calling(call()), result()), message, status=500)
    assert messages(after) == [USER, calling(call(), content=""), result()]
    missing = {name: value for name, value in calling(call()).items() if name != "content"}
    assert messages(refused(ask(USER, missing, result()), message))[1]["content"] == ""


def test_7_02_content_that_may_not_be_empty_is_a_space() -> None:
    body = ask(USER, calling(call()), result(""), USER)
    after = refused(body, "messages: text content blocks must be non-empty")
    assert [each["content"] for each in messages(after)] == ["Hi", " ", " ", "Hi"]


ALTERNATE = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/..."


def test_7_04_neighbours_of_one_role_are_joined() -> None:
    body = ask(say("system", "S"), say("user", "a"), say("user", "b"), calling(call()), result(), say("user", "c"))
    after = refused(body, ALTERNATE, status=500)
    assert messages(after)[:2] == [say("system", "S"), say("user", "a\n\nb")]
    assert messages(refused(body, ALTERNATE, ALTERNATE))[4:] == [say("assistant", "OK."), say("user", "c")]
    no_tool_role = ask(USER, calling(call(), content=""), result(), tools=[tool()])
    assert [each["role"] for each in messages(refused(no_tool_role, ALTERNATE))][-3:] == ["user", "assistant", "user"]
    assert messages(refused(ask(say("assistant", "Hello"), USER), ALTERNATE))[0] == say("user", "(start)")


def test_7_04_images_and_calls_survive_the_joining() -> None:
    body = ask(say("user", "a"), say("user", [text("b"), image()]), say("assistant", "c"), calling(call()), result())
    after = messages(refused(body, ALTERNATE))
    assert after[0] == say("user", [text("a"), text("b"), image()])
    assert after[1] == calling(call(), content="c")


def test_7_05_all_system_messages_are_one_at_the_front() -> None:
    body = ask(say("system", "A"), USER, say("system", [text("B")]), say("developer", "C"))
    after = refused(body, "System message must be at the beginning.")
    assert messages(after) == [say("system", [text("A"), text("B"), text("C")]), USER]
    plain = ask(say("system", "A"), say("system", "B"), USER)
    assert messages(refused(plain, "System message must be at the beginning.")) == [say("system", "A\n\nB"), USER]


def test_7_05_the_error_of_a_template_may_quote_the_template() -> None:
    message = (
        "\n------------\nWhile executing CallExpression at line 85, column 32 in source:\n"
        "{{- raise_exception('Conversation roles must alternate') }}\n"
        "Error: Jinja Exception: System message must be at the beginning."
    )
    body = ask(USER, say("user", "b"), say("system", "A"))
    assert asked_for(ErrorInfo(500, {"message": message}), body, ()) == ("system_first",)


def test_7_06_developer_is_system_at_once_but_for_those_who_know_it() -> None:
    body = ask(say("developer", "Be brief."), USER)
    assert adapted(body, at_once(body, ANY), ANY)["messages"] == [say("system", "Be brief."), USER]
    for facts in (facts_of("gpt-oss:20b"), facts_of("gpt-5", "openai")):
        assert at_once(body, facts) == ()
    for message in ("Unexpected message role.", "unknown variant `developer`, expected one of `system`, `user`"):
        assert messages(refused(body, message, facts=facts_of("gpt-5", "openai")))[0]["role"] == "system"


@in_one_test("message", ["System role not supported", "Only user and assistant roles are supported!"])
def test_7_07_the_system_speaks_through_the_user(message: str) -> None:
    body = ask(say("system", "S"), say("user", [text("a"), image()]))
    assert messages(refused(body, message)) == [say("user", [text("S"), text("a"), image()])]
    assert messages(refused(ask(say("system", "S")), message)) == [say("user", "S")]


def test_7_08_ids_are_nine_letters_and_digits_one_to_one() -> None:
    ids = ["call_49c89af0", "functions.get_weather:0", "aBc123xyZ"]
    body = ask(USER, calling(*(call(id=each) for each in ids)), *(result(id=each) for each in reversed(ids)))
    after = messages(refused(body, "Tool call id was call_49c89af0 but must be a-z, A-Z, 0-9, with a length of 9."))
    new = [each["id"] for each in after[1]["tool_calls"]]
    assert all(len(each) == 9 and each.isalnum() for each in new) and len(set(new)) == 3 and new[2] == ids[2]
    assert [each["tool_call_id"] for each in after[2:]] == new[::-1]
    assert messages(adapted(ask(*messages(body), USER), ["ids_nine"], ANY))[1] == after[1]


def test_7_09_each_call_has_its_result_behind_it() -> None:
    body = ask(USER, calling(call(id="a"), call(id="b")), result("B", "b"), result("lost", "zzz"), USER)
    after = messages(refused(body, "Not the same number of function calls and responses"))
    assert after[2:4] == [result("(no result)", "a"), result("B", "b")]
    assert after[4:] == [say("user", "Result of a tool:\n\nlost"), USER]


def test_7_09_the_user_does_not_speak_directly_behind_a_result() -> None:
    body = ask(USER, calling(call()), result(), USER)
    after = messages(refused(body, "Unexpected role 'user' after role 'tool'"))
    assert after == [USER, calling(call()), result(), say("assistant", "OK."), USER]


def test_7_09_ids_that_repeat_keep_their_own_results() -> None:
    body = ask(USER, calling(call(id="x")), result("1", "x"), calling(call(id="x")), USER, result("2", "x"))
    after = messages(adapted(body, ["order_results"], ANY))
    assert [each["content"] for each in after if each["role"] == "tool"] == ["1", "2"]
    assert after[4] == result("2", "x")


@in_one_test("message", ["tool messages must contain string content", "'list object' has no attribute 'startswith'"])
def test_7_10_a_result_in_parts_is_one_text(message: str) -> None:
    body = ask(USER, calling(call(), content=""), result([text("22"), text("°C")]))
    assert messages(refused(body, message))[2] == result("22\n°C")


def test_7_10_images_of_results_are_shown_by_the_user() -> None:
    shown = result([text("page"), image()], "a", name="look")
    body = ask(USER, calling(call(id="a"), call(id="b")), shown, result("B", "b"))
    for message in (
        "Invalid 'messages' in payload. Please check the structure of your 'messages' and try again.",
        ".messages[2].image[0]: You have uploaded an unsupported image.",
        "Image parts are not allowed in messages with role tool",
    ):
        after = messages(refused(body, message))
        assert after[2:4] == [result("page", "a", name="look"), result("B", "b")]
        assert after[4] == say("user", [text("Result of look:"), image()])


@in_one_test("arguments", ['{"a": ', '{"path":"a.rs"}{"path":"b.rs"}', "[1]", "NaN", '{"a": NaN}', '"{}"'])
def test_7_11_past_arguments_that_are_no_object_are_quoted(arguments: str) -> None:
    body = ask(USER, calling(call(arguments=arguments), call(arguments='{"b":1}')), result(), result())
    message = "Failed to parse tool call arguments as JSON: [json.exception.parse_error.101] parse error at line 1"
    after = messages(refused(body, message, status=500))[1]["tool_calls"]
    assert json.loads(after[0]["function"]["arguments"]) == {"_raw": arguments}
    assert after[1] is messages(body)[1]["tool_calls"][1]


def test_7_11_no_arguments_are_none() -> None:
    calls = [call(arguments=each) for each in ("", "  ", None)] + [{"id": "x", "function": {"name": "f"}}]
    after = messages(refused(ask(USER, calling(*calls)), "Expecting value: line 1 column 1 (char 0)"))
    assert [each["function"]["arguments"] for each in after[1]["tool_calls"]] == ["{}"] * 4


def test_7_12_ids_that_repeat_become_new_ones_with_their_results() -> None:
    turn = [calling(call(id="call_0")), result("r", "call_0")]
    after = messages(refused(ask(USER, *turn, USER, *turn), "messages.4: `tool_use` ids must be unique"))
    assert after[1:3] == turn
    assert after[4]["tool_calls"][0]["id"] == after[5]["tool_call_id"] != "call_0"


def test_7_13_ids_that_are_missing_are_made_up() -> None:
    made = {"type": "function", "function": {"name": "f", "arguments": "{}"}, "id": None}
    body = ask(USER, calling(made), {"role": "tool", "content": "r"})
    after = messages(refused(body, "Missing field 'tool_call_id'"))
    assert after[1]["tool_calls"][0]["id"] == after[2]["tool_call_id"] and len(after[2]["tool_call_id"]) == 9
    nulls = "[json.exception.type_error.302] type must be string, but is null"
    assert "id" not in messages(refused(body, nulls))[1]["tool_calls"][0]


def test_7_14_tools_say_what_they_must_and_no_more() -> None:
    odd: dict[str, Any] = {
        "function": {"name": "f", "description": None, "parameters": {}, "x": 1},
        "cache_control": {},
    }
    after = refused(ask(USER, tools=[odd, tool()]), "type must be string, but is null", status=500)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    assert after["tools"] == [{"function": function, "type": "function"}, tool()]
    assert refused(ask(USER, tools=[odd]), "tools.0: Invalid input")["tools"] == after["tools"][:1]


MCP = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "email": {"type": "string", "pattern": "^(?!\\.)", "format": "email", "description": "D"},
        "pattern": {"type": "string", "maxLength": 10000},
        "node": {"$ref": "#/$defs/node", "description": "N"},
        "one": {"anyOf": [{"type": "integer", "minimum": 1}], "title": "One"},
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}], "enum": ["pattern", None]},
    },
    "required": ["pattern"],
    "additionalProperties": False,
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "minProperties": 1}},
}


@in_one_test(
    "message",
    [
        "Failed to initialize samplers: failed to parse grammar",
        "JSON schema conversion failed: Pattern must start with '^' and end with '$'",
        'Unimplemented keys: ["pattern"]',
    ],
)
def test_7_15_schemas_without_what_a_grammar_cannot_say(message: str) -> None:
    body = ask(USER, tools=[tool("mail", **MCP)])
    after = refused(body, message)
    assert after["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "email": {"type": "string", "description": "D"},
            "pattern": {"type": "string"},
            "node": {"type": "object", "properties": {"next": {}}, "description": "N"},
            "one": {"type": "integer", "title": "One"},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}], "enum": ["pattern", None]},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }
    assert refused(body, message, message)["tool_choice"] == "none"
    assert "tools" not in refused(body, message, message, message)


def test_7_16_what_is_prompted_is_written_in_the_syntax_that_is_read() -> None:
    body = ask(USER, calling(call()), result(), tools=[tool()])
    for model, marker in (
        ("qwen3-8b", "<tool_call>\n{"),
        ("glm-4.6", "<arg_key>city</arg_key>"),
        ("unknown", "<tool_call>\n{"),
    ):
        assert marker in messages(adapted(body, ["prompted"], facts_of(model)))[2]["content"]


def test_10_15_what_the_server_cannot_parse_it_is_not_asked_to_parse() -> None:
    body = ask(USER, tools=[tool()])
    message = "Failed to parse input at pos 184: <tool_call>bash does not support tools, roles must alternate"
    assert refused(body, message, status=500) == {**body, "tool_choice": "none"}
    assert "tools" not in refused(body, message, message, status=500)


@in_one_test(
    ("field", "message"),
    [
        ("parallel_tool_calls", "Unrecognized request argument supplied: parallel_tool_calls"),
        (
            "stream_options",
            "{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}",
        ),
        (
            "stream_options",
            '[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]',
        ),
        ("stream_options", "Stream options can only be defined when `stream=True`."),
        ("metadata", "Unknown parameter: 'metadata'."),
        ("store", "Unsupported parameter: 'store'"),
        ("parallel_tool_calls", 'json: unknown field "parallel_tool_calls"'),
        ("reasoning_effort", "property 'reasoning_effort' is unsupported"),
        ("reasoning_effort", '"llama3.1" does not support thinking'),
        ("parallel_tool_calls", "litellm: x does not support parameters: ['parallel_tool_calls'], for model=y"),
        ("service_tier", "create() got an unexpected keyword argument 'service_tier'"),
    ],
)
def test_10_16_a_field_that_is_unknown_leaves(field: str, message: str) -> None:
    body = ask(USER, temperature=0.5, tools=[tool()])
    value: Any = {"include_usage": True} if field == "stream_options" else "low"
    assert refused({**body, field: value}, message, status=422) == body


def test_10_16_the_two_names_of_one_limit() -> None:
    new = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    old = (
        "{'type': 'extra_forbidden', 'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs are not permitted'}"
    )
    assert refused(ask(USER, max_tokens=5), new) == ask(USER, max_completion_tokens=5)
    assert refused(ask(USER, max_completion_tokens=5), old) == ask(USER, max_tokens=5)
    assert not asked_for(ErrorInfo(400, {"message": new}), ask(USER, max_completion_tokens=5), ["max_tokens"])
    ollama = facts_of("x", "ollama")
    assert at_once(ask(USER, max_completion_tokens=5), ollama) == ("max_tokens",)
    assert at_once(ask(USER, max_completion_tokens=5, max_tokens=5), ollama) == ()


def test_10_16_fields_of_messages_that_are_unknown_leave() -> None:
    message = "'messages.1' : property 'reasoning_content' is unsupported"
    body = ask(USER, say("assistant", "a", reasoning_content="r"), say("user", "b", name="bob"))
    assert messages(refused(body, message))[1] == say("assistant", "a")
    unknown = "{'type': 'extra_forbidden', 'loc': ('body', 'messages', 2, 'user', 'name'), 'msg': 'no'}"
    assert messages(refused(body, unknown))[2] == say("user", "b")


def test_10_16_a_field_that_changes_the_answer_never_leaves() -> None:
    for field in ("temperature", "response_format", "messages", "seed", "n", "logprobs", "stop", "model"):
        body = ask(USER, **{field: [USER] if field == "messages" else 1})
        assert (
            asked_for(ErrorInfo(400, {"message": f"Unrecognized request argument supplied: {field}"}), body, ()) == ()
        )


def test_11_02_tools_that_are_no_functions_leave() -> None:
    body = ask(USER, tools=[tool(), {"type": "web_search"}], tool_choice="auto")
    assert refused(body, "'type' of tool must be 'function'")["tools"] == [tool()]
    assert refused(
        ask(USER, tools=[{"type": "web_search"}], tool_choice="auto"), "'type' of tool must be 'function'"
    ) == ask(USER)


def test_the_older_functions_become_tools() -> None:
    history = [say("assistant", None, function_call={"name": "f", "arguments": "{}"}), say("function", "r", name="f")]
    body = ask(USER, *history, functions=[tool("f")["function"]], function_call={"name": "f"}, seed=1)
    assert at_once(body, ANY) == ("functions",) and at_once(body, facts_of("gpt-4", "openai")) == ()
    after = adapted(body, ["functions"], ANY)
    made = after["messages"][1]["tool_calls"][0]
    assert made["function"] == {"name": "f", "arguments": "{}"} and len(made["id"]) == 9
    assert after["messages"][2] == {**history[1], "role": "tool", "tool_call_id": made["id"]}
    assert after["tools"] == [tool("f")] and after["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert list(after) == ["model", "messages", "tools", "tool_choice", "seed"]


def test_one_call_a_message_with_its_result() -> None:
    calls = [call(id=each) for each in "abc"]
    body = ask(USER, calling(*calls, content="T"), result("B", "b"), result("A", "a"), result("C", "c"), USER)
    after = messages(refused(body, "This model only supports single tool-calls at once!"))
    found = [each["content"] for each in after[1:7]]
    assert found == ["T", "A", "", "B", "", "C"]
    assert [each["tool_calls"][0]["id"] for each in after[1:7:2]] == ["a", "b", "c"]
