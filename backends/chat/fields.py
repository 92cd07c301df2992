"""Access to the fields of a chat completion in JSON that may be anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backends.chat import large
from reply import NO_FEATURES, Extension, Features, ReplyHead, Tokens, count_of
from wire.json_depth import MAX_DEPTH, too_deep

REASONING_FIELDS = ("reasoning_content", "reasoning")
FUNCTION_CALL: Features = frozenset({"function_call"})
TOOL_CALLS: Features = frozenset({"tool_calls"})
USAGE: Features = frozenset({"usage"})

_READ = frozenset({"role", "content", "tool_calls", "function_call", *REASONING_FIELDS})
_HEAD = frozenset({"id", "object", "created", "model", "system_fingerprint", "choices", "usage"})
_MATCHED = ("stop_reason", "matched_stop")


def json_or_none(data: str | bytes) -> Any:
    """The value of a JSON text; None if it is none, or too deep. In a long one, what nobody looks into is a RawJson."""
    if len(data) > large.LARGE:
        return large.read(data)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    # a bracket and its partner for each level: nearly all chunks are too short for that
    return None if len(data) > 2 * MAX_DEPTH and too_deep(data, value) else value


def choices_of(reply: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = reply.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def index_of(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if type(index) is int else 0  # true is an int, too, and would be written as True


def delta_of(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}


def head_of(reply: Mapping[str, Any]) -> ReplyHead:
    return ReplyHead(
        reply.get("id") or None,
        reply.get("created") or None,
        reply.get("model") or None,
        reply.get("system_fingerprint"),
    )


def usage_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The token counts of a chunk or reply; None if it has none, or something else in their place."""
    usage = body.get("usage")
    return usage if isinstance(usage, dict) and usage else None


def tokens_of(usage: Mapping[str, Any]) -> Tokens:
    """The counts that the record keeps of `usage`."""
    return Tokens(
        count_of(usage, "prompt_tokens"),
        count_of(usage, "completion_tokens"),
        count_of(usage.get("completion_tokens_details"), "reasoning_tokens"),
        count_of(usage.get("prompt_tokens_details"), "cached_tokens"),
    )


def reply_extension(reply: Mapping[str, Any]) -> Extension | None:
    """Unknown fields beside the choices: timings, a vendor's own."""
    others = {name: value for name, value in reply.items() if name not in _HEAD and value is not None}
    return Extension(others, of="reply") if others else None


def stop_extension(choice: Mapping[str, Any]) -> Extension | None:
    """The stop sequence that ended a choice, under the name that vLLM or SGLang gave it; a number is a token's."""
    told = {name: text for name in _MATCHED if isinstance(text := choice.get(name), str) and text}
    return Extension(told, of="choice") if told else None


def message_extension(message: Mapping[str, Any]) -> Extension | None:
    """Unknown fields of a message or a delta, which must survive when its frame is rewritten."""
    others = {name: value for name, value in message.items() if name not in _READ and value is not None}
    return Extension(others) if others else None


def features_of(message: Mapping[str, Any], reason: object) -> Features:
    """Which of several spellings a message or a delta and its finish reason use (see `StreamWriter.accepts`)."""
    if not (reason or message.get("tool_calls") or message.get("function_call")):
        return reasoning_features(message)
    found = reasoning_features(message)
    if message.get("function_call") or reason == "function_call":
        found |= FUNCTION_CALL
    if message.get("tool_calls") or reason == "tool_calls":
        found |= TOOL_CALLS
    return found


def reasoning_features(message: Mapping[str, Any]) -> Features:
    """The names under which reasoning stands, joined: `reasoning_content`, `reasoning`, or both."""
    names = [name for name in REASONING_FIELDS if message.get(name)]
    return frozenset({"+".join(names)}) if names else NO_FEATURES
