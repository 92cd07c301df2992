"""Conversations of the chat API that are generated: calls, their results, text and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.properties.generated import STRETCHES, calls_of

Call = tuple[str, Mapping[str, Any]]

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "The city"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "search",
            "description": "Search it",
            "parameters": {
                "type": "object",
                "properties": {"q": {"type": "string"}, "opts": {"type": "object"}},
                "required": ["q"],
            },
        },
    },
]


def called(calls: Sequence[Call], text: str | None = "", first_id: int = 0, **fields: Any) -> dict[str, Any]:
    """A message of the assistant with these calls, as a client sends it back."""
    entries = [
        {
            "type": "function",
            "id": f"call{first_id + number:05}",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for number, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": text, "tool_calls": entries, **fields}


def result(text: Any, number: int = 0) -> dict[str, Any]:
    """The result of the call with that number."""
    return {"role": "tool", "tool_call_id": f"call{number:05}", "content": text}


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _turn(asked: str, text: str, calls: list[Call], results: list[str], answer: str) -> list[dict[str, Any]]:
    told = [result(each, number) for number, each in enumerate((results * len(calls))[: len(calls)])]
    return [user(asked), called(calls, text), *told, {"role": "assistant", "content": answer}]


def turns(row: str) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    """Turns of a conversation, of which each begins with the user and ends with the assistant's answer."""
    texts = st.one_of(st.just(""), STRETCHES)
    told = st.lists(st.one_of(STRETCHES, st.just('{"r": 2}')), min_size=1, max_size=3)
    return st.lists(st.builds(_turn, STRETCHES, texts, calls_of(row), told, STRETCHES), min_size=1, max_size=3)


def numbered(history: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The same turns, with ids that are unique in all of them."""
    written = json.dumps(history, ensure_ascii=True)
    turns = json.loads(written)
    for place, turn in enumerate(turns):
        for message in turn:
            for entry in message.get("tool_calls", ()):
                entry["id"] = f"{entry['id'][:-5]}{place:02}{entry['id'][-3:]}"
            if "tool_call_id" in message:
                message["tool_call_id"] = f"{message['tool_call_id'][:-5]}{place:02}{message['tool_call_id'][-3:]}"
    return list(turns)
