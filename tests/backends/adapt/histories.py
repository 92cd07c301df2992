"""Requests to adapt: conversations as clients send them, and bodies that no client would send."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from backends.adapt.facts import Facts, Request, facts_of

ANY = facts_of("some-model")
Message = dict[str, Any]


def say(role: str, content: Any, **others: Any) -> Message:
    return {"role": role, "content": content, **others}


def call(name: str = "get_weather", arguments: Any = '{"city": "Seoul"}', id: Any = "call_1") -> Message:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Message, content: Any = None) -> Message:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(content: Any = "22 °C", id: Any = "call_1", **others: Any) -> Message:
    return {"role": "tool", "tool_call_id": id, "content": content, **others}


def tool(name: str = "get_weather", **parameters: Any) -> Message:
    schema = parameters or {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "description": "The weather.", "parameters": schema}}


def image(url: str = "data:image/png;base64,AAAA") -> Message:
    return {"type": "image_url", "image_url": {"url": url}}


def text(said: str) -> Message:
    return {"type": "text", "text": said}


# -- conversations ---------------------------------------------------------------------------------------------------

Rounds = list[list[Message]]


@st.composite
def rounds(draw: st.DrawFn) -> Rounds:
    """A conversation that a client could have had, in parts behind each of which it could have sent a request.

    Every text in it is there once, and looks like `«17»`.
    """
    count = itertools.count(10)
    ids = itertools.count()

    def words() -> str:
        return f"«{next(count)}»" + draw(st.sampled_from(["", " ", "\n", ' "quoted"', " 한국어"]))

    def content(images: bool = False) -> Any:
        kind = draw(st.integers(0, 5))
        if kind > 1:
            return words()
        parts: list[Any] = [text(words()) for _ in range(kind + 1)]
        return [*parts, image(words())] if images and draw(st.booleans()) else parts

    def step() -> list[Message]:
        calls, results = [], []
        for _ in range(draw(st.integers(1, 3))):
            name = draw(st.sampled_from(["call_{}", "functions.f:{}", "{}", "aBc0000{:02}"])).format(next(ids))
            arguments: Any = {"a": words(), "n": draw(st.sampled_from([1, 2.5, None]))}
            calls.append(
                call("f", arguments if draw(st.booleans()) else json.dumps(arguments, ensure_ascii=False), name)
            )
            results.append(result(content(images=True), name))
        said = draw(st.sampled_from([None, "", "text"]))
        message = calling(*calls, content=words() if said == "text" else said)
        if draw(st.booleans()):
            message["reasoning_content"] = words()
        return [message, *draw(st.permutations(results))]

    found: Rounds = []
    first = [say(draw(st.sampled_from(["system", "developer"])), content())] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        found.append([*first, say("user", content(images=True))])
        found += [step() for _ in range(draw(st.integers(0, 2)))]
        first = [say("assistant", content())] if draw(st.booleans()) or found[-1][-1]["role"] == "user" else []
    return found


def request_of(parts: Rounds) -> Request:
    return {"model": "m", "messages": [each for part in parts for each in part], "tools": [tool("f")]}


def marks(value: Any) -> set[str]:
    """The texts of a generated conversation that are in it."""
    dumped = json.dumps(value, ensure_ascii=False)
    return {f"«{each.split('»')[0]}»" for each in dumped.split("«")[1:]}


# -- bodies that no client would send --------------------------------------------------------------------------------

_NAMES = (
    *("messages", "role", "content", "tool_calls", "id", "type", "function", "name", "arguments", "tools", "text"),
    *(
        "parameters",
        "properties",
        "tool_call_id",
        "$ref",
        "anyOf",
        "items",
        "functions",
        "function_call",
        "tool_choice",
    ),
    *("reasoning_content", "chat_template_kwargs", "max_tokens", "stream_options"),
)
_VALUES: tuple[Any, ...] = (
    *("user", "assistant", "system", "developer", "tool", "function", "text", "required", "none", "object"),
    *("", " ", "{}", '{"a": 1}', "{", "[1]", "null", "#", "#/properties", "#/$ref", "call_1", "get_weather"),
    *(None, True, False, 0, -1, 1.5, 10**30, "\ud800", "\x00"),
)
_scalars = st.sampled_from(_VALUES) | st.text(max_size=4)
anything: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
_calls = st.fixed_dictionaries({}, optional={"id": anything, "type": anything, "function": anything})
_messages = st.fixed_dictionaries(
    {"role": st.sampled_from(_VALUES[:6]) | anything},
    optional={
        "content": anything,
        "tool_calls": st.lists(_calls | anything, max_size=3) | anything,
        "tool_call_id": anything,
        "name": anything,
        "function_call": anything,
    },
)
_tools = st.fixed_dictionaries({}, optional={"type": anything, "function": anything, "name": anything, "x": anything})
hostile_bodies: st.SearchStrategy[Request] = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(_messages | anything, max_size=5) | anything,
        "tools": st.lists(_tools | anything, max_size=3) | anything,
        "functions": st.lists(anything, max_size=2) | anything,
        "tool_choice": anything,
        "function_call": anything,
        "chat_template_kwargs": anything,
        "max_tokens": anything,
        "max_completion_tokens": anything,
        "stream_options": anything,
        "model": anything,
    },
)


def several_facts() -> Iterator[Facts]:
    for model in ("", "gpt-oss-20b", "minimax-m2", "qwen3.5-4b", "llama-3.1-8b", "cohere2moe", "hy3", "deepseek-v3.1"):
        yield facts_of(model)
    yield facts_of("some", "openai")
    yield facts_of("some", "ollama")
