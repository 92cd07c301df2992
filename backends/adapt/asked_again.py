"""The request that asks a model again: its own wrong answer behind the messages, and what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

from backends.adapt.facts import Request
from backends.protocol import WrongAnswer


def asked_again(body: Request, wrong: WrongAnswer) -> Request:
    """The request, with two or more messages behind its own. Arguments that are no JSON object are told as text."""
    messages = body.get("messages")
    said: dict[str, Any] = {"role": "assistant", "content": wrong.text or None}
    if wrong.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _object(call.arguments)},
            }
            for call in wrong.calls
        ]
    elif not wrong.text:
        said["content"] = ""
    told: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": call.id, "content": call.result} for call in wrong.calls
    ]
    if wrong.demand:
        told.append({"role": "user", "content": wrong.demand})
    return {**body, "messages": [*(messages if isinstance(messages, list) else []), said, *told]}


def _object(arguments: str) -> str:
    try:
        if isinstance(json.loads(arguments), dict):
            return arguments
    except (ValueError, RecursionError):
        pass
    return json.dumps({"_raw": arguments}, ensure_ascii=False)
