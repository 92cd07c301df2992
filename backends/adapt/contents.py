"""Adaptations of what stands in messages: contents that are lists, null or empty, images of results, old fields."""

from __future__ import annotations

from typing import Any

from backends.adapt.messages import (
    Message,
    is_empty,
    is_result,
    parts_of,
    role_of,
    text_of,
    text_of_part,
    with_calls,
    without,
)

SEEN_BELOW = "(see the next message)"
"""The text of a result whose parts are all in the message behind it."""


def content_text(message: Message) -> Message:
    """A content that is a list of texts becomes one text."""
    content = message.get("content")
    text = text_of(content) if isinstance(content, list) else None
    return message if text is None else {**message, "content": text}


def content_empty(message: Message) -> Message:
    """A content that is null or missing becomes an empty text."""
    if role_of(message) and message.get("content") is None:
        return {**message, "content": ""}
    return message


def content_space(message: Message) -> Message:
    """A content that is empty, null or missing becomes a space."""
    if role_of(message) and is_empty(message.get("content")):
        return {**message, "content": " "}
    return message


def result_images(messages: list[Any]) -> list[Any]:
    """What is no text in the results of tools goes into a message of the user behind these results."""
    found: list[Any] = []
    moved: list[Any] = []
    for message in messages:
        if is_result(message):
            text, others = _split(message)
            found.append(text)
            moved += others
            continue
        if moved:
            found.append({"role": "user", "content": moved})
            moved = []
        found.append(message)
    return [*found, {"role": "user", "content": moved}] if moved else found


def _split(result: Message) -> tuple[Message, list[Any]]:
    """A result with its texts alone, and its other parts behind a line that says whose they are."""
    content = result.get("content")
    parts = parts_of(content) if isinstance(content, list | dict) else []
    others = [part for part in parts if text_of_part(part) is None]
    if not others:
        return result, []
    texts = [text for part in parts if (text := text_of_part(part)) is not None]
    name = result.get("name") or result.get("tool_call_id")
    head = f"Result of {name}:" if isinstance(name, str) else "Result:"
    return {**result, "content": "\n".join(texts) or SEEN_BELOW}, [{"type": "text", "text": head}, *others]


def reasoning_empty(message: Message) -> Message:
    """A message of the assistant without reasoning says that there was none."""
    if role_of(message) == "assistant" and not isinstance(message.get("reasoning_content"), str):
        return {**message, "reasoning_content": ""}
    return message


def without_reasoning(message: Message) -> Message:
    """The reasoning of earlier turns leaves."""
    if role_of(message) != "assistant":
        return message
    return without(message, "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")


def without_names(message: Message) -> Message:
    """The names of participants and of the tools of results leave."""
    return without(message, "name")


def without_nulls(message: Message) -> Message:
    """Members that are null, or empty lists, leave messages and calls, but for the content."""
    return with_calls(_no_nulls(message, "content"), _no_nulls)


def _no_nulls(value: Message, kept: str = "") -> Message:
    names = [name for name, each in value.items() if name != kept and (each is None or each == [])]
    return without(value, *names)
