"""Refusals: the words of each engine, what is never asked for, and what a client wrote itself."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.adapt import refusals
from backends.adapt.facts import Request
from backends.adapt.refusals import asked_for
from backends.adapt.table import BY_NAME
from backends.adapt.words import NEVER, REFUSALS, UNKNOWN_FIELD
from backends.chat.errors import error_of
from errors import ErrorInfo
from tests.backends.adapt.histories import call, calling, image, result, say, text, tool
from tests.cases import in_one_test

USER = say("user", "Hi")
FULL: Request = {
    "model": "m",
    "messages": [
        say("system", "S"),
        say("user", [text("a")]),
        say("user", "b", name="bob"),
        calling(call(arguments="{"), call(id="call_2", arguments={"a": 1})),
        result([text("r"), image()], "call_2"),
        say("developer", "D"),
        USER,
        say("assistant", ""),
    ],
    "tools": [tool("f", type="object", properties={"a": {"type": "string", "pattern": "^a", "x": None}})],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 10,
    "user": "u",
    "reasoning_effort": "low",
}
"""A request that everything could be changed of."""


def asked(message: str, body: Request = FULL, on: tuple[str, ...] = (), status: int = 400) -> tuple[str, ...]:
    return asked_for(ErrorInfo(status, {"message": message}), body, on)


ENGINES = [
    ("vllm", 'tool_choice="required" requires --tool-call-parser to be set', ("raw",)),
    ("vllm", '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', ("raw",)),
    ("vllm", "Expecting value: line 1 column 1 (char 0)", ("arguments_raw",)),
    ("llama.cpp", "tools param requires --jinja flag", ("prompted",)),
    ("llama.cpp", "Failed to initialize samplers: failed to parse grammar", ("schema_simple",)),
    ("llama.cpp", "Expected 'content' to be a string or an array", ("content_text", "content_empty")),
    ("ollama", "registry.ollama.ai/library/gemma3:27b does not support tools", ("prompted",)),
    ("ollama", "invalid message content type: <nil>", ("content_empty",)),
    ("ollama", "invalid tool call arguments", ("arguments_raw",)),
    (
        "lm studio",
        "Invalid tool_choice type: 'object'. Supported string values: none, auto, required",
        ("choice_required",),
    ),
    ("lm studio", "Invalid 'messages' in payload. Please check the structure.", ("result_images",)),
    ("sglang", "Internal server error: Unsupported tool_call_parser: None", ("raw",)),
    ("mlx", "'NoneType' object is not iterable", ("content_empty",)),
    ("mlx", 'can only concatenate str (not "list") to str', ("content_text",)),
    ("transformers", "Can only get item pairs from a mapping.", ("arguments_raw",)),
    ("transformers", "Unexpected message role.", ("developer", "system_first")),
    ("llama-cpp-python", "Tool call IDs should be alphanumeric strings with length 9!", ("ids_nine",)),
    (
        "mistral api",
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        ("prefill_dropped",),
    ),
    ("mistral api", "Unexpected role 'user' after role 'tool'", ("assistant_between",)),
    ("deepseek api", "Missing `reasoning_content` field in the assistant message", ("reasoning_empty",)),
    ("deepseek api", "deepseek-reasoner does not support this tool_choice", ("choice_auto",)),
    (
        "openai api",
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each",
        ("order_results",),
    ),
    ("openai api", "Unrecognized request argument supplied: user", ("without_user",)),
    (
        "openai api",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        ("system_in_user",),
    ),
    ("deepseek api", "deepseek-reasoner does not support successive user or assistant messages", ("alternate",)),
    ("deepseek api", "The last message of deepseek-reasoner must be a user message", ("prefill_dropped",)),
    ("llama.cpp", "Assistant message must contain either 'content' or 'tool_calls'!", ("prefill_dropped",)),
    ("anthropic api", "messages.2: `tool_use` ids must be unique", ()),
    ("openrouter", "No endpoints found that support tool use.", ("prompted",)),
]


@in_one_test(
    ("engine", "message", "wants"), ENGINES, ids=[f"{engine}: {message[:40]}" for engine, message, _ in ENGINES]
)
def test_the_words_of_each_engine(engine: str, message: str, wants: tuple[str, ...]) -> None:
    body = {**FULL, "messages": [*FULL["messages"][:4], *FULL["messages"][4:]]}
    if "user' after" in message:
        body["messages"] = [USER, calling(call()), result(), USER]
    found = asked(message, body)
    assert found == wants or (wants and set(wants) <= set(found)), found


@in_one_test(
    "raw",
    [
        b'{"error":{"message":"registry/x does not support tools","param":null,"code":null}}',
        b'{"error":"registry/x does not support tools"}',
        b'{"detail":"registry/x does not support tools"}',
        b'{"object":"error","message":"registry/x does not support tools","code":400}',
        b"registry/x does not support tools",
        b'{"error":{"message":"Provider error","metadata":{"raw":"{\\"error\\":\\"x does not support tools\\"}"}}}',
        b'{"error":{"message":"400","type":"this model does not support tools"}}',
    ],
)
def test_refusals_are_read_in_every_shape(raw: bytes) -> None:
    assert asked_for(error_of(400, raw), FULL, ()) == ("prompted",)


@in_one_test(
    "message",
    [
        "request (45005 tokens) exceeds the available context size (4096 tokens), try increasing it; tools too",
        "This model's maximum context length is 4096 tokens. Your prompt with tools, which does not support tools",
        "Rate limit reached: does not support tools",
        "Invalid API Key",
        "The model `nope` does not exist. It does not support tools.",
        "Loading model",
        "Internal server error",
        "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        "logprobs is not supported with tools + stream",
        "'messages' is required",
        "",
    ],
)
def test_what_no_other_request_would_change_passes(message: str) -> None:
    assert asked(message) == ()


@in_one_test("status", [401, 402, 403, 408, 413, 429, 503, 504])
def test_a_status_that_speaks_of_something_else_passes(status: int) -> None:
    assert asked("does not support tools", status=status) == ()


def test_what_is_on_is_not_asked_for_again_and_what_changes_nothing_is_not_tried() -> None:
    assert asked("does not support tools", on=("prompted",)) == ()
    assert asked("roles must alternate", {"messages": [USER]}) == ()
    assert asked("System message must be at the beginning.", {"messages": [say("system", "S"), USER]}) == (
        "system_in_user",
    )
    assert asked('can only concatenate str (not "dict") to str', on=("arguments_object",)) == ()


# -- what a client wrote itself --------------------------------------------------------------------------------------

SENTENCES = [
    "gemma does not support tools",
    "Conversation roles must alternate",
    "System role not supported",
    "content must be a string",
    "Tool call IDs should be alphanumeric strings with length 9",
    "Unrecognized request argument supplied: user",
    "Failed to initialize samplers: failed to parse grammar",
    'tool_choice="required" requires --tool-call-parser to be set',
]
QUOTES = [
    "{}",
    "Invalid input: {}",
    "400: cannot handle '{}' here",
    '[{{"type":"value_error","loc":["body"],"msg":"Value error","input":"{}"}}]',
    "could not tokenize: ...{}...",
]
PLACES: dict[str, Any] = {
    "content": lambda said: {"messages": [say("user", said)]},
    "part": lambda said: {"messages": [say("user", [text(f"see {said} here")])]},
    "arguments": lambda said: {"messages": [calling(call(arguments=f'{{"a": "{said}"}}'))]},
    "id": lambda said: {"messages": [calling(call(id=said)), result(id=said)]},
    "description": lambda said: {"tools": [{"type": "function", "function": {"name": "f", "description": said}}]},
    "key": lambda said: {"metadata": {said: 1}},
    "model": lambda said: {"model": said},
    "in pieces": lambda said: {"tools": [tool(each) for each in said.split()]},
}


@in_one_test("place", PLACES)
@in_one_test("quote", QUOTES)
@in_one_test("sentence", SENTENCES)
def test_a_refusal_that_quotes_the_client_teaches_nothing(sentence: str, quote: str, place: str) -> None:
    said = sentence.replace('"', "") if place == "arguments" else sentence
    body = {**FULL, **PLACES[place](said)}
    assert asked(quote.format(said.replace('"', '\\"')), body) == ()
    assert asked(quote.format(said.upper()), body) == ()
    assert asked(quote.format(said), {**FULL}) != ()


def test_a_quotation_that_completes_words_of_the_server_teaches_nothing() -> None:
    named = {**FULL, "tools": [tool("required is not supported")]}
    assert asked("tool_choice names the tool required is not supported", named) == ()
    said = {**FULL, "messages": [USER, say("user", "is not supported at all")]}
    assert asked("The system role of `is not supported at all`", said) == ()


def test_a_refusal_of_the_server_counts_although_the_client_used_its_words() -> None:
    body = {
        **FULL,
        "messages": [USER, say("user", "tools"), say("user", "It does not work. Support tools are not found.")],
    }
    assert asked("gemma3 does not support tools", body) == ("prompted",)
    quoted = {**FULL, "messages": [say("user", "gemma does not support tools")]}
    assert asked("Invalid 'gemma does not support tools'. System message must be at the beginning", quoted) == ()
    both = {**FULL, "messages": [*FULL["messages"], say("user", "gemma does not support tools")]}
    found = asked("Invalid 'gemma does not support tools'. System message must be at the beginning", both)
    assert found == ("system_first",)


@given(st.sampled_from(SENTENCES), st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_surroundings_make_a_quotation_teach_something(sentence: str, before: str, behind: str) -> None:
    body = {**FULL, "messages": [say("user", f"{before} {sentence} {behind}")]}
    assert asked(f"Invalid: {before} {sentence} {behind}", body) == ()


# -- the data --------------------------------------------------------------------------------------------------------


def test_the_words_name_adaptations_and_engines() -> None:
    engines = {words.engine for words in REFUSALS}
    assert len(engines - {"template"}) >= 9
    for words in REFUSALS:
        assert words.source and words.patterns
        assert all(name.strip() in BY_NAME for name in re.split("[>+]", words.asks)), words.asks
        for pattern in words.patterns:
            assert re.compile(pattern).pattern == pattern.lower() or re.search(r"\\[A-Z]", pattern), pattern
            assert len(re.findall(r"[a-z]{3,}", pattern)) >= 2, f"{pattern} is one word"
    ladders = [*refusals._FIELDS.values()]
    assert all(name in BY_NAME for ladder in ladders for rung in ladder for name in rung)


def test_every_adaptation_can_be_asked_for() -> None:
    asked_by_words = {name.strip() for words in REFUSALS for name in re.split("[>+]", words.asks)}
    by_fields = {name for ladder in refusals._FIELDS.values() for rung in ladder for name in rung}
    assert set(BY_NAME) - (asked_by_words | by_fields) == {"text_apart", "effort_none"}, (
        "no server refuses what they save"
    )


@pytest.mark.parametrize(
    "unit", ["tool_choice ", "content ", "unknown field ", "does not support ", "loc: (body, ", "a b c d "]
)
def test_the_time_is_linear_in_an_error(unit: str) -> None:
    def seconds(count: int) -> float:
        error = ErrorInfo(400, {"message": unit * count})
        times = []
        for _ in range(3):
            start = time.perf_counter()
            asked_for(error, FULL, ())
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds(100_000) < 0.3, "what is read of an error is bounded"
    assert all(len(pattern) for pattern in (*NEVER, *UNKNOWN_FIELD))


def test_a_long_request_is_read_once_and_in_slices() -> None:
    long = {**FULL, "messages": [say("user", "does not support everything. " * 300_000), USER]}
    start = time.perf_counter()
    assert asked("gemma3 does not support tools", long) == ("prompted",)
    assert time.perf_counter() - start < 10
    hidden = {**FULL, "messages": [say("user", "x" * (1 << 16) + " gemma3 does not support tools " + "y " * 100_000)]}
    assert asked("Invalid: gemma3 does not support tools", hidden) == ()
