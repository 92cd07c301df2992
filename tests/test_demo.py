"""The demonstration: the pretend models over HTTP as a client sees them, and `python -m demo` from start to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from openai import DefaultHttpxClient, OpenAI
from werkzeug.serving import make_server

from demo.backend import Http11, create_backend

ROOT = Path(__file__).resolve().parent.parent
QUESTION = 'How is the weather in Seoul for 4 days, and search the web for "night markets" with 2 results?'
RESULTS = ("sunny all week", "three markets")

# What only that model's syntax writes for QUESTION.
MARKUP = {
    "glm-4.5-air": "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Seoul</arg_value>\n<arg_key>days",
    "glm-4.7": "</arg_value></tool_call><tool_call>search_web<arg_key>query</arg_key><arg_value>night markets</arg",
    "hermes-3-llama-3.1-8b": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 4}}\n</tool',
    "qwen2.5-7b-instruct": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 4}}\n</tool',
    "qwen3-coder-30b": "<tool_call>\n<function=get_weather>\n<parameter=city>\nSeoul\n</parameter>\n<parameter=days>",
    "mimo-v2-flash": "<tool_call>\n<function=get_weather>\n<parameter=city>Seoul</parameter>\n<parameter=days>4</param",
    "claude-distill": '<function_calls>\n<invoke name="get_weather">\n<parameter name="city">Seoul</parameter>\n',
    "claude-legacy": "<invoke>\n<tool_name>get_weather</tool_name>\n<parameters>\n<city>Seoul</city>\n<days>4</days>\n",
    "claude-2.1": "<invoke>\n<tool_name>search_web</tool_name>\n<parameters>\n<query>night markets</query>\n",
    "lmstudio-default": '[TOOL_REQUEST]{"name": "get_weather", "arguments": {"city": "Seoul", "days": 4}}[END_TOOL_REQ',
    "somebody/unheard-of": '<tool_call>\n{"name": "search_web", "arguments": {"query": "night markets", "limit": 2}}\n',
}
OPENERS = ("<tool_call>", "<function_calls>", "<invoke", "[TOOL_REQUEST]")


def tool(name: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)} | more
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [
    tool("get_weather", {"city": {"type": "string"}, "days": {"type": "integer"}}),
    tool("search_web", {"query": {"type": "string"}, "limit": {"type": "integer"}}),
]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_backend(delay=0), threaded=True, request_handler=Http11)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def client(base: str) -> Iterator[OpenAI]:
    transport = DefaultHttpxClient(trust_env=False)
    with OpenAI(base_url=base, api_key="none", max_retries=0, http_client=transport) as made:
        yield made


def chat(base: str, said: str, tools: list[dict[str, Any]], model: str = "native", **more: Any) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": said}], "tools": tools} | more
    answer = requests.post(f"{base}/chat/completions", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    choice: dict[str, Any] = answer.json()["choices"][0]
    return choice


def called(base: str, said: str, tools: list[dict[str, Any]], **more: Any) -> list[tuple[str, Any]]:
    """Names and arguments, read from the model that needs no converter."""
    calls = chat(base, said, tools, **more)["message"].get("tool_calls", [])
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def second_turn() -> list[dict[str, Any]]:
    names = ("get_weather", "search_web")
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in names]
    results = [
        {"role": "tool", "tool_call_id": name, "content": text} for name, text in zip(names, RESULTS, strict=True)
    ]
    return [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *results,
    ]


@pytest.mark.parametrize("model", MARKUP)
def test_first_turn_is_the_models_own_markup(base: str, model: str) -> None:
    choice = chat(base, QUESTION, TOOLS, model)
    assert MARKUP[model] in choice["message"]["content"]
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"


def test_native_first_turn_is_real_tool_calls(base: str) -> None:
    choice = chat(base, QUESTION, TOOLS)
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert called(base, QUESTION, TOOLS) == [
        ("get_weather", {"city": "Seoul", "days": 4}),
        ("search_web", {"query": "night markets", "limit": 2}),
    ]


@pytest.mark.parametrize("model", [*MARKUP, "native"])
def test_second_turn_is_text_that_quotes_the_results(base: str, model: str) -> None:
    choice = chat(base, "", TOOLS, model, messages=second_turn())
    content = choice["message"]["content"]
    assert all(result in content for result in RESULTS)
    assert not any(opener in content for opener in OPENERS)
    assert choice["finish_reason"] == "stop" and "tool_calls" not in choice["message"]


def test_a_new_question_is_a_first_turn_again(base: str) -> None:
    messages = [
        *second_turn(),
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Weather, Oslo?"},
    ]
    assert called(base, "", TOOLS, messages=messages) == [("get_weather", {"city": "Oslo", "days": 3})]


@pytest.mark.parametrize("model", [*MARKUP, "native"])
def test_without_tools_a_friendly_answer(base: str, model: str) -> None:
    for choice in (
        chat(base, "Good morning", [], model),
        chat(base, "Good morning", TOOLS, model, tool_choice="none"),
    ):
        assert "Good morning" in choice["message"]["content"]
        assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("model", [*MARKUP, "native"])
def test_streamed_pieces_join_to_the_buffered_answer(client: OpenAI, base: str, model: str) -> None:
    for messages in ([{"role": "user", "content": QUESTION}], second_turn()):
        choice = chat(base, "", TOOLS, model, messages=messages)
        content, calls, finishes, heads = "", [], [], set()
        asked: Any = {"model": model, "messages": messages, "tools": TOOLS}
        with client.chat.completions.create(**asked, stream=True) as stream:
            for at, chunk in enumerate(stream):
                heads.add((chunk.id, chunk.created, chunk.model))
                delta, finish = chunk.choices[0].delta, chunk.choices[0].finish_reason
                assert (delta.role == "assistant") is (at == 0)
                assert len(delta.content or "") <= 6
                content += delta.content or ""
                finishes += [finish] if finish else []
                for part in delta.tool_calls or []:
                    if part.id:
                        calls.append([part.function.name, ""])
                    calls[part.index][1] += part.function.arguments
        whole = choice["message"].get("tool_calls", [])
        assert content == (choice["message"]["content"] or "")
        assert calls == [[call["function"]["name"], call["function"]["arguments"]] for call in whole]
        assert finishes == [choice["finish_reason"]]
        assert len(heads) == 1 and heads.pop()[2] == model


def test_usage_chunk_only_when_asked(base: str) -> None:
    body = {"model": "glm-4.5-air", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    for options, wanted in ({}, 0), ({"stream_options": {"include_usage": True}}, 1):
        answer = requests.post(f"{base}/chat/completions", json=body | options, timeout=10)
        events = answer.text.split("\n\n")
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert events[-2:] == ["data: [DONE]", ""] and events.count("data: [DONE]") == 1
        chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
        assert [chunk["choices"] for chunk in chunks].count([]) == wanted
        assert sum("usage" in chunk for chunk in chunks) == wanted
        if wanted:
            assert chunks[-1]["usage"]["total_tokens"] > chunks[-1]["usage"]["completion_tokens"] > 0


def test_any_tool_is_filled_as_its_schema_says(base: str) -> None:
    properties = {
        "text": {"type": "string"},
        "whole": {"type": "integer"},
        "part": {"type": "number"},
        "flag": {"type": "boolean"},
        "kind": {"type": "string", "enum": ["slow", "fast"]},
        "fixed": {"const": 7},
        "nothing": {"type": "null"},
        "maybe": {"type": ["null", "integer"], "maximum": 10},
        "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
        "list": {"type": "array", "items": {"type": "integer"}},
        "pairs": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "free": {"type": "object"},
        "nested": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]},
        "both": {"allOf": [{"type": "object"}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}]},
        "untyped": {},
    }
    everything = tool("make_thing", properties, **{"$defs": {"a": {"type": "boolean"}}})
    [(name, arguments)] = called(base, "Please do it for Ada: 12 of them at 2.5 each, 2026", [everything])
    assert name == "make_thing" and list(arguments) == list(properties)
    assert arguments["text"] == "Ada"
    assert (arguments["whole"], arguments["part"], arguments["maybe"]) == (12, 2.5, 10)
    assert (arguments["flag"], arguments["either"], arguments["nested"]) == (True, True, {"a": True})
    assert (arguments["kind"], arguments["fixed"], arguments["nothing"]) == ("slow", 7, None)
    assert [type(item) for item in arguments["list"]] == [int]
    assert [type(item) for item in arguments["pairs"]] == [str, str]
    assert arguments["free"] and isinstance(arguments["free"], dict)
    assert isinstance(arguments["both"]["b"], str) and isinstance(arguments["untyped"], str)


def test_arguments_without_material_in_the_message(base: str) -> None:
    tools = [tool("ping", {}), tool("wait", {"n": {"type": "integer"}, "why": {"type": "string"}})]
    assert called(base, "", tools) == [("ping", {})]
    assert called(base, "wait", tools) == [("wait", {"n": 3, "why": "example"})]
    recursive = tool("grow", {"tree": {"$ref": "#"}, "trees": {"type": "array", "items": {"$ref": "#"}}})
    assert called(base, "grow", [recursive])[0][0] == "grow"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Use readFile, then write_file, then list-dir.", ["readFile", "write_file", "list-dir"]),
        ("write the thing", ["write_file"]),
        ("a file", ["readFile"]),  # a part that two names share names neither, so the first tool it is
        ("listing what you can reach", ["list-dir"]),
        ("write_file로 저장해 줘", ["write_file"]),
        ("xwrite_filex and unlistable", ["readFile"]),
    ],
)
def test_tools_are_picked_by_the_users_words(base: str, said: str, wanted: list[str]) -> None:
    tools = [tool(name, {"path": {"type": "string"}}) for name in ("readFile", "write_file", "list-dir")]
    assert [name for name, _ in called(base, said, tools)] == wanted


def test_tool_choice_and_parallel_tool_calls_are_heard(base: str) -> None:
    forced = {"type": "function", "function": {"name": "search_web"}}
    assert [name for name, _ in called(base, QUESTION, TOOLS, tool_choice=forced)] == ["search_web"]
    assert [name for name, _ in called(base, QUESTION, TOOLS, parallel_tool_calls=False)] == ["get_weather"]


def test_legacy_functions_and_content_parts_are_read(base: str) -> None:
    functions = [one["function"] for one in TOOLS]
    messages = [{"role": "user", "content": [{"type": "text", "text": "search for Bergen"}]}]
    assert called(base, "", [], functions=functions, messages=messages)[0][1]["query"] == "Bergen"


def test_text_values_are_written_raw_and_the_rest_as_json(base: str) -> None:
    tools = [tool("save", {"text": {"type": "string"}, "tags": {"type": "array"}, "on": {"type": "boolean"}})]
    content = chat(base, 'save "a < b & “c”"', tools, "qwen3-coder-30b")["message"]["content"]
    assert "<parameter=text>\na < b & “c”\n</parameter>" in content
    assert "<parameter=on>\ntrue\n</parameter>" in content
    assert "<parameter=tags>\n[" in content


def test_thinking_is_written_and_can_be_switched_off(base: str) -> None:
    assert chat(base, "Hi", [], "glm-4.5-air")["message"]["content"].startswith("<think>")
    opened = chat(base, "Hi", [], "glm-4.7")["message"]["content"]  # this family's prompt has the opener
    assert "<think>" not in opened and "</think>" in opened
    for off in ({"chat_template_kwargs": {"enable_thinking": False}}, {"reasoning_effort": "none"}):
        assert "think>" not in chat(base, "Hi", [], "glm-4.7", **off)["message"]["content"]


def test_max_tokens_cuts(base: str) -> None:
    choice = chat(base, QUESTION, TOOLS, "hermes-3-llama-3.1-8b", max_tokens=5)
    assert choice["finish_reason"] == "length" and "</tool_call>" not in choice["message"]["content"]
    choice = chat(base, QUESTION, TOOLS, max_tokens=3)
    assert choice["finish_reason"] == "length" and len(choice["message"]["tool_calls"]) == 1


def test_models_completions_and_embeddings(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert set(MARKUP) - {"somebody/unheard-of"} <= set(names) and "native" in names

    whole = client.completions.create(model="native", prompt="Once upon a time")
    assert "Once upon a time" in whole.choices[0].text
    with client.completions.create(model="native", prompt="Once upon a time", stream=True) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream) == whole.choices[0].text

    one, two, again = (entry.embedding for entry in client.embeddings.create(model="e", input=["a", "b", "a"]).data)
    assert one == again != two
    assert sum(number * number for number in one) == pytest.approx(1)
    plain = client.embeddings.create(model="e", input="a", encoding_format="float", dimensions=8)
    assert plain.data[0].embedding == pytest.approx(one, abs=1e-6)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/chat/completions", b"{", 400),
        ("/chat/completions", b"[]", 400),
        ("/chat/completions", b"{}", 400),
        ("/chat/completions", b'{"messages": ["hi"]}', 400),
        ("/chat/completions", b'{"messages": [{"role": "user", "content": "x"}], "tools": [{}]}', 400),
        ("/embeddings", b"{}", 400),
        ("/nowhere", b"{}", 404),
        ("/models", b"{}", 405),
    ],
)
def test_errors_are_shaped_as_openais(base: str, path: str, body: bytes, status: int) -> None:
    answer = requests.post(base + path, data=body, timeout=10)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"] and error["type"] == "invalid_request_error"


def test_the_demonstration_from_start_to_end() -> None:
    environ = os.environ | {"ONCE": "1", "COLUMNS": "110"}
    pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([sys.executable, "-m", "demo"], cwd=ROOT, env=environ, **pipes) as process:
        try:
            shown, _ = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.terminate()  # not kill: it has children of its own to end
            shown, _ = process.communicate(timeout=25)
    assert process.returncode == 0, shown
    for part in ("tool_calls", "get_weather", "search_web", "<tool_call>", "<function_calls>", "final answer"):
        assert part in shown
    assert "\x1b" not in shown
    assert all(len(line) <= 120 for line in shown.splitlines())
