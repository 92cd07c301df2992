"""The messages of a request, and its system prompt, as chat messages.

Results of tools become messages of their own, before whatever else their turn holds: chat templates want them directly
behind the calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dialects.messages.content import Block, Part, blocks_of, content_of, joined, part_of, result_of, text_of
from dialects.messages.ids import from_client
from errors import RequestError
from turns import Turns
from wire.json_body import LongList
from wire.json_written import as_models_write_json

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


def _of_message(message: Any, where: str, turns: Turns | None) -> Sequence[Message]:
    if not isinstance(message, dict):
        raise RequestError(f"'{where}' must be an object.", param=where)
    role, where_content = message.get("role"), f"{where}.content"
    blocks = blocks_of(message.get("content"), where_content)
    if role == "user":
        return _of_user(blocks, where_content, turns)
    if role == "assistant":
        return _of_assistant(blocks, where_content, turns)
    if role in ("system", "developer"):
        return [{"role": "system", "content": joined(map(text_of, blocks))}]
    raise RequestError(f"'{where}.role' must be user, assistant or system.", param=f"{where}.role")


def _of_user(blocks: list[Block], where: str, turns: Turns | None) -> Sequence[Message]:
    messages: list[Message] = []
    others: list[Part] = []
    parts: list[Part] = []
    for place, block in enumerate(blocks):
        if turns is not None:
            turns.take()
        at = f"{where}.{place}"
        if block.get("type") != "tool_result":
            parts.append(part_of(block, at))
            continue
        text, beside = result_of(block, at)
        others += beside
        messages.append({"role": "tool", "tool_call_id": _id_of(block, "tool_use_id", at), "content": text})
    if others or parts or not messages:
        messages.append({"role": "user", "content": content_of([*others, *parts])})
    return messages


def _of_assistant(blocks: list[Block], where: str, turns: Turns | None) -> Sequence[Message]:
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
    message: Message = {"role": "assistant", "content": joined(texts) if texts else ""}
    if thoughts:
        message["reasoning_content"] = joined(thoughts)
    if calls:
        message["tool_calls"] = calls
    return [message] if len(message) > 2 or message["content"] else []


def _call(block: Block, where: str, turns: Turns | None) -> Message:
    name, given = block.get("name"), block.get("input")
    if not isinstance(name, str) or not name:
        raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
    if given is not None and not isinstance(given, dict):
        raise RequestError(f"'{where}.input' must be an object.", param=f"{where}.input")
    return {
        "id": _id_of(block, "id", where),
        "type": "function",
        "function": {"name": name, "arguments": as_models_write_json(given or {}, turns)},
    }


def _id_of(block: Block, name: str, where: str) -> str:
    found = block.get(name)
    if not isinstance(found, str) or not found:
        raise RequestError(f"'{where}.{name}' must be a string.", param=f"{where}.{name}")
    return from_client(found)
