"""Requests of the Ollama API as chat requests: field by field, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

import pytest

from dialects.protocol import ParsedRequest
from errors import RequestError
from tests.cases import in_one_test
from tests.dialects.ollama.talk import MESSAGES, START, TOOLS, Path, dialect
from tests.servers import Json

PATHS: Sequence[Path] = ("/api/chat", "/api/generate")
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}


def parsed(body: object, path: Path = "/api/chat") -> ParsedRequest:
    return dialect(path).parse_request(body if isinstance(body, bytes) else json.dumps(body).encode())


def chat_of(path: Path = "/api/chat", **asked: Any) -> Json:
    """The chat request that the backend gets."""
    body: Json = {"model": "m", "messages": MESSAGES} if path == "/api/chat" else {"model": "m", "prompt": "Hi"}
    found: Json = json.loads(parsed({**body, **asked}, path).upstream.body)
    return found


BASE: Json = {"model": "m", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}


@in_one_test(
    ("asked", "more"),
    [
        ({}, {}),
        ({"stream": None}, {}),
        ({"stream": True, "keep_alive": "5m", "truncate": True, "unknown": {"a": 1}}, {}),
        ({"options": {"num_predict": 9}}, {"max_tokens": 9}),
        ({"options": {"num_predict": 9.0}}, {"max_tokens": 9}),
        ({"options": {"num_predict": -1}}, {}),
        ({"options": {"num_predict": -2}}, {}),
        ({"options": {"num_predict": 0, "seed": 0, "temperature": 0}}, {"seed": 0, "temperature": 0}),
        (
            {"options": {"top_p": 0.9, "top_k": 20, "min_p": 0.1, "seed": 42}},
            {"top_p": 0.9, "seed": 42, "top_k": 20, "min_p": 0.1},
        ),
        ({"options": {"typical_p": 0.7, "repeat_penalty": 1.2}}, {"typical_p": 0.7, "repeat_penalty": 1.2}),
        (
            {"options": {"presence_penalty": 1.5, "frequency_penalty": 1}},
            {"presence_penalty": 1.5, "frequency_penalty": 1},
        ),
        ({"options": {"num_ctx": 4096, "num_gpu": 1, "mirostat": 1, "numa": False, "x": []}}, {}),
        ({"options": {"stop": ["a", "b"]}}, {"stop": ["a", "b"]}),
        ({"options": {"stop": "a", "seed": None}}, {"stop": "a"}),
        ({"options": {"stop": []}}, {}),
        ({"options": None, "format": None, "tools": None, "think": None}, {}),
        ({"format": ""}, {}),
        ({"format": "json"}, {"response_format": {"type": "json_object"}}),
        (
            {"format": SCHEMA},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}},
        ),
        ({"tools": []}, {}),
        ({"tools": TOOLS}, {"tools": TOOLS}),
        ({"tools": [{"function": {"name": "f"}}]}, {"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ({"logprobs": True}, {"logprobs": True}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"logprobs": False, "top_logprobs": 3}, {}),
        ({"think": True}, {}),
        ({"think": False}, {"think": False}),
        ({"think": "high"}, {"reasoning_effort": "high"}),
    ],
)
def test_fields(asked: Json, more: Json) -> None:
    assert chat_of(**asked) == {**BASE, **more}


@in_one_test(
    ("model", "think", "more"),
    [
        ("qwen3:8b", False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("qwen3:8b", True, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("zai-org/GLM-4.7", False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("zai-org/GLM-4.6", False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("moonshotai/Kimi-K3", False, {"chat_template_kwargs": {"thinking": False}}),
        ("MiniMaxAI/MiniMax-M3", True, {"chat_template_kwargs": {"thinking_mode": "enabled"}}),
        ("CohereLabs/Cohere2MoE", False, {"chat_template_kwargs": {"reasoning_effort": "none"}}),
        ("CohereLabs/Cohere2MoE", True, {}),
        ("tencent/Hy3", False, {"think": False}),
        ("tencent/Hy3", "low", {"reasoning_effort": "low", "chat_template_kwargs": {"reasoning_effort": "low"}}),
        ("gpt-oss:20b", "low", {"reasoning_effort": "low"}),
        ("gpt-oss:20b", True, {}),
        ("llama3.2", False, {"think": False}),
        ("qwen3-coder:30b", True, {}),
    ],
)
def test_think_becomes_the_setting_that_the_models_template_heeds(model: str, think: object, more: Json) -> None:
    assert chat_of(model=model, think=think) == {**BASE, "model": model, **more}
    assert parsed({"model": model, "messages": MESSAGES, "think": think}).prompt.think == think


def test_without_a_stream_nobody_asks_for_usage_in_one() -> None:
    assert chat_of(stream=False) == {"model": "m", "messages": MESSAGES, "stream": False}
    assert parsed({"model": "m", "messages": MESSAGES, "stream": False}).stream is False


def test_what_the_engine_knows_of_a_request() -> None:
    history = [*MESSAGES, {"role": "assistant", "tool_calls": [{"id": "x", "function": {"name": "f"}}]}]
    request = parsed({"model": "m", "messages": history, "tools": TOOLS, "options": {"stop": ["."]}})
    assert request.upstream.path == "/v1/chat/completions"
    assert (request.model, request.stream, request.choices, request.ids) == ("m", True, 1, {"x"})
    assert list(request.expectations.tools) == ["f"] and request.expectations.translate
    assert request.expectations.whole_calls and request.expectations.stops
    assert request.options.started == START  # type: ignore[attr-defined]


@in_one_test(
    ("asked", "messages"),
    [
        ({"prompt": "Why?"}, [{"role": "user", "content": "Why?"}]),
        (
            {"prompt": "Why?", "system": "Be brief.", "suffix": "", "template": "", "context": [], "raw": False},
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        ),
        (
            {"prompt": "What?", "images": ["/9j/abc"]},
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/abc"}},
                        {"type": "text", "text": "What?"},
                    ],
                }
            ],
        ),
        (
            {"prompt": "", "images": ["R0lGOD"]},
            [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGOD"}}],
                }
            ],
        ),
    ],
)
def test_generate(asked: Json, messages: list[Json]) -> None:
    assert chat_of("/api/generate", **asked)["messages"] == messages
    assert not parsed({"model": "m", **asked}, "/api/generate").expectations.translate


@in_one_test(
    ("path", "asked", "param"),
    [
        ("/api/chat", {"model": None}, "model"),
        ("/api/chat", {"model": ""}, "model"),
        ("/api/chat", {"model": 7}, "model"),
        ("/api/chat", {"messages": "hi"}, "messages"),
        ("/api/chat", {"messages": [7]}, "messages[0]"),
        ("/api/chat", {"messages": [{"content": "hi"}]}, "messages[0].role"),
        ("/api/chat", {"messages": [{"role": "user", "images": "x"}]}, "messages[0].images"),
        ("/api/chat", {"messages": [{"role": "user", "images": ["x", 7]}]}, "messages[0].images[1]"),
        ("/api/chat", {"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        (
            "/api/chat",
            {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
            "messages[0].tool_calls[0].function.name",
        ),
        ("/api/chat", {"stream": 1}, "stream"),
        ("/api/chat", {"tools": {"a": 1}}, "tools"),
        ("/api/chat", {"tools": [7]}, "tools[0]"),
        ("/api/chat", {"tools": [{"function": {}}]}, "tools[0].function.name"),
        ("/api/chat", {"options": []}, "options"),
        ("/api/chat", {"options": [1]}, "options"),
        ("/api/chat", {"options": {"num_predict": "9"}}, "options.num_predict"),
        ("/api/chat", {"options": {"seed": True}}, "options.seed"),
        ("/api/chat", {"options": {"stop": 7}}, "options.stop"),
        ("/api/chat", {"format": "yaml"}, "format"),
        ("/api/chat", {"format": 7}, "format"),
        ("/api/chat", {"think": 7}, "think"),
        ("/api/chat", {"logprobs": 1}, "logprobs"),
        ("/api/chat", {"logprobs": True, "top_logprobs": "3"}, "top_logprobs"),
        ("/api/generate", {"raw": True}, "raw"),
        ("/api/generate", {"suffix": "x"}, "suffix"),
        ("/api/generate", {"template": "{{ .Prompt }}"}, "template"),
        ("/api/generate", {"context": [1, 2]}, "context"),
        ("/api/generate", {"prompt": ["x"]}, "prompt"),
        ("/api/generate", {"system": {"a": 1}}, "system"),
        ("/api/generate", {"images": [None]}, "images[0]"),
    ],
)
def test_what_is_wrong_is_refused_by_name(path: Path, asked: Json, param: str) -> None:
    body = {"model": "m", **({"messages": MESSAGES} if path == "/api/chat" else {"prompt": "Hi"}), **asked}
    with pytest.raises(RequestError) as refused:
        parsed(body, path)
    assert refused.value.param == param


@in_one_test("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 5000, b'{"model": "m", "messages": ' + b"[" * 999])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    for path in PATHS:
        with pytest.raises(RequestError):
            parsed(body, path)


# -- loading and unloading -------------------------------------------------------------------------------------------


@in_one_test("keep_alive", [None, "5m", 5, -1, "1h", True, "x", [], "10s"])
def test_a_request_without_a_question_loads_the_model(keep_alive: object) -> None:
    for path, body in (
        ("/api/chat", {}),
        ("/api/chat", {"messages": []}),
        ("/api/generate", {}),
        ("/api/generate", {"prompt": ""}),
    ):
        request = parsed({"model": "m", "keep_alive": keep_alive, **body}, path)  # type: ignore[arg-type]
        assert request.answered is not None
        told = json.loads(request.answered.body)
        assert (told["done"], told["done_reason"], told["model"]) == (True, "load", "m")
        assert told.get("response", told.get("message", {}).get("content")) == ""
        assert request.answered.media_type == "application/x-ndjson"


@in_one_test("keep_alive", [0, 0.0, "0", "0s", "0m", " 0.0h ", "-0"])
def test_or_unloads_it(keep_alive: object) -> None:
    request = parsed({"model": "m", "keep_alive": keep_alive, "stream": False})
    assert request.answered is not None
    assert request.answered.body == (
        b'{"model":"m","created_at":"2023-11-14T22:13:20.000000000Z","message":{"role":"assistant","content":""},'
        b'"done":true,"done_reason":"unload"}\n'
    )
    assert request.answered.media_type == "application/json"


# -- long requests ---------------------------------------------------------------------------------------------------


def test_a_long_request_is_read_as_a_short_one_is() -> None:
    image = "iVBORw0KGgo" + "A" * 1_500_000
    messages: list[Json] = [
        {"role": "user", "content": "é" * 10, "images": [image]},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "tool", "tool_name": "f", "content": "x" * 100_000},
    ]
    found = chat_of(messages=messages, tools=TOOLS, options={"seed": 7}, think=False, unknown=["y" * 99])
    short = chat_of(
        messages=[{**messages[0], "images": [image[:20]]}, *messages[1:]],
        tools=TOOLS,
        options={"seed": 7},
        think=False,
    )
    url = found["messages"][0]["content"][0]["image_url"]
    assert url["url"] == "data:image/png;base64," + image
    url["url"] = url["url"][: len("data:image/png;base64,") + 20]
    assert found == short


# -- what clients really send ----------------------------------------------------------------------------------------

CAPTURES = sorted((FilePath(__file__).parent.parent.parent / "captures/clients/ollama").glob("*.json"))


@in_one_test("capture", CAPTURES, ids=lambda path: path.stem)
def test_the_second_turn_of_a_real_client(capture: FilePath) -> None:
    """Recorded from ollama 0.6.3 for Python, ollama 0.6.4 for JavaScript and langchain-ollama 1.1.0, 29 Nov 2026."""
    body = capture.read_bytes()
    asked = json.loads(body)
    chat = json.loads(parsed(body).upstream.body)
    (call,) = chat["messages"][1]["tool_calls"]
    name, result = {"name": "get_weather", "arguments": '{"city": "Seoul"}'}, asked["messages"][2].get("tool_name")
    assert chat["messages"] == [
        {"role": "user", "content": "What is the weather in Seoul?"},
        {
            "role": "assistant",
            "content": "Let me look that up.",
            "reasoning_content": "The user needs get_weather.",
            "tool_calls": [{"id": call["id"], "type": "function", "function": name}],
        },
        {
            "role": "tool",
            "tool_call_id": call["id"],
            **({} if result is None else {"name": result}),
            "content": "sunny in Seoul",
        },
    ]
    assert chat["tools"] == asked["tools"]
    assert set(chat) - {"stream_options", "chat_template_kwargs"} == {"model", "messages", "tools", "stream"}
