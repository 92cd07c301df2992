"""The messages of a request, and its system prompt, as chat messages.

Results of tools become messages of their own, before whatever else their turn holds: chat templates want them directly
behind the calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dialects.messages.content import Block, Part, blocks_of, content_of, joined, part_of, result_of, text_of
from dialects.messages.ids import from_client
from errors import RequestError
from turns import Turns
from wire.json_body import LongList
from wire.json_values import spelled

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)
"""Made once: `json.dumps` makes one for each value."""
Message = dict[str, Any]
"""A chat message."""


def chat_messages(system: Any, messages: Any, turns: Turns | None = None) -> Iterator[Message]:
    """The chat messages of a request, one after the other. Raises RequestError, which names the field.

    With `turns`, as for a long request, others take their turn meanwhile.
    """
    if not isinstance(messages, list | LongList):
        raise RequestError("'messages' must be a list.", param="messages")
    if system is not None:
        text = joined(map(text_of, blocks_of(system, "system")))
        if text:
            yield {"role": "system", "content": text}
    for place, message in enumerate(messages):
        yield from _of_message(message, f"messages.{place}", turns)


def _of_message(message: Any, where: str, turns: Turns | None) -> Iterator[Message]:
    if not isinstance(message, dict):
        raise RequestError(f"'{where}' must be an object.", param=where)
    blocks = blocks_of(message.get("content"), f"{where}.content")
    role = message.get("role")
    if role in ("system", "developer"):
        yield {"role": "system", "content": joined(map(text_of, blocks))}
    elif role == "assistant":
        yield from _of_assistant(blocks, f"{where}.content", turns)
    elif role == "user":
        yield from _of_user(blocks, f"{where}.content", turns)
    else:
        raise RequestError(f"'{where}.role' must be user, assistant or system.", param=f"{where}.role")


def _of_user(blocks: list[Block], where: str, turns: Turns | None) -> Iterator[Message]:
    others: list[Part] = []
    parts: list[Part] = []
    results = False
    for place, block in enumerate(blocks):
        if turns is not None:
            turns.take()
        if block.get("type") != "tool_result":
            parts.append(part_of(block, f"{where}.{place}"))
            continue
        results = True
        text, beside = result_of(block, f"{where}.{place}")
        others += beside
        yield {"role": "tool", "tool_call_id": _id_of(block, "tool_use_id", f"{where}.{place}"), "content": text}
    if others or parts or not results:
        yield {"role": "user", "content": content_of([*others, *parts])}


def _of_assistant(blocks: list[Block], where: str, turns: Turns | None) -> Iterator[Message]:
    """One message; none if nothing is left of it."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[Message] = []
    for place, block in enumerate(blocks):
        if turns is not None:
            turns.take()
        kind = block.get("type")
        if kind == "tool_use":
            calls.append(_call(block, f"{where}.{place}", turns))
        elif kind == "thinking":
            thoughts += [block["thinking"]] if isinstance(block.get("thinking"), str) and block["thinking"] else []
        elif kind != "redacted_thinking":
            texts.append(text_of(block))
    message: Message = {"role": "assistant", "content": joined(texts)}
    if thoughts:
        message["reasoning_content"] = joined(thoughts)
    if calls:
        message["tool_calls"] = calls
    if len(message) > 2 or message["content"]:
        yield message


def _call(block: Block, where: str, turns: Turns | None) -> Message:
    name, given = block.get("name"), block.get("input")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    if given is not None and not isinstance(given, dict):
        raise RequestError(f"'{where}.input' must be an object.", param=f"{where}.input")
    try:
        arguments = _spelled(given or {}, turns)
    except ValueError:
        raise RequestError(f"'{where}.input' holds a number that is not finite.", param=f"{where}.input") from None
    return {
        "id": _id_of(block, "id", where),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _spelled(given: dict[str, Any], turns: Turns | None) -> str:
    """Raises ValueError for a number that is not finite."""
    if turns is None:
        return _ENCODER.encode(given)
    return b"".join(spelled(given, turns)).decode()


def _id_of(block: Block, name: str, where: str) -> str:
    found = block.get(name)
    if not isinstance(found, str) or not found:
        raise RequestError(f"'{where}.{name}' must be a string.", param=f"{where}.{name}")
    return from_client(found)
