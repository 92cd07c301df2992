"""The texts of an exchange as a span holds them, if somebody asks for that: the messages that went in and came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from records.replay import replay
from records.spans import Message
from records.texts import Redact, texts_of
from streaming.record import ExchangeRecord

_LONGEST = 65536
"""Characters of such an attribute; more is cut off. Many collectors refuse longer ones."""


def contents_of(record: ExchangeRecord, redact: Redact) -> Mapping[str, str]:
    """The attributes with the texts on the record's tape. What cannot be read is left out."""
    assert record.tape is not None
    found: dict[str, str] = {}
    texts = texts_of(record.tape, record.started, redact)
    sent = next((text for text in reversed(texts) if text.kind.startswith("sent.")), None)
    if sent is not None and (asked := _messages(sent.body)):
        found["gen_ai.input.messages"] = json.dumps(asked, ensure_ascii=False)[:_LONGEST]
    answers = replay(texts, record.model)
    if answers and answers[-1].choices:
        said = [_answer(choice.message) for choice in answers[-1].choices]
        found["gen_ai.output.messages"] = json.dumps(said, ensure_ascii=False)[:_LONGEST]
    return found


def _messages(body: bytes) -> list[Mapping[str, Any]]:
    try:
        messages = json.loads(body)["messages"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [_message(each) for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []


def _message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """A chat message in the form of the conventions: a role, and parts with types."""
    role, content = str(message.get("role")), message.get("content")
    if role == "tool":
        return _told(role, [{"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content}])
    parts: list[Mapping[str, Any]] = []
    if isinstance(content, str):
        parts.append({"type": "text", "content": content})
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):  # of an image only that there was one
            text = part.get("text")
            parts.append(
                {"type": "text", "content": text} if isinstance(text, str) else {"type": str(part.get("type"))}
            )
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            parts.append(_call(call.get("id"), function.get("name"), function.get("arguments")))
    return _told(role, parts)


def _answer(message: Message) -> Mapping[str, Any]:
    parts: list[Mapping[str, Any]] = []
    if message.reasoning:
        parts.append({"type": "reasoning", "content": message.reasoning})
    if message.content:
        parts.append({"type": "text", "content": message.content})
    parts += [_call(None, call.name, call.arguments) for call in message.calls]
    return {**_told("assistant", parts), "finish_reason": message.finish_reason}


def _call(name: object, tool: object, arguments: object) -> Mapping[str, Any]:
    return {"type": "tool_call", "id": name, "name": tool, "arguments": arguments}


def _told(role: str, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"role": role, "parts": parts}
