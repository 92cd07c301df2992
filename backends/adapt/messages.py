"""What adaptations share: walking over the messages of a request, and joining contents.

Nothing is taken for granted: a message may be any JSON. What is no message stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backends.adapt.facts import Apply, Facts, Request

Message = dict[str, Any]
BLANK_LINE = "\n\n"
SYSTEM = ("system", "developer")


def on_messages(change: Callable[[list[Any]], list[Any]]) -> Apply:
    """The adaptation that changes the list of messages."""

    def apply(body: Request, facts: Facts) -> Request:
        messages = body.get("messages")
        if not isinstance(messages, list):
            return body
        changed = change(messages)
        return body if same(changed, messages) else {**body, "messages": changed}

    return apply


def on_each(change: Callable[[Message], Message]) -> Apply:
    """The adaptation that changes each message by itself."""
    return on_messages(lambda messages: [change(each) if isinstance(each, dict) else each for each in messages])


def on_each_call(change: Callable[[Message], Message]) -> Apply:
    """The adaptation that changes each call of the history by itself."""
    return on_each(lambda message: with_calls(message, change))


def with_calls(message: Message, change: Callable[[Message], Message]) -> Message:
    """The message with each of its calls changed."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return message
    changed = [change(each) if isinstance(each, dict) else each for each in calls]
    return message if same(changed, calls) else {**message, "tool_calls": changed}


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two lists hold the same objects."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def role_of(message: Any) -> str:
    """The role of a message; empty for what is none."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else ""


def calls_of(message: Any) -> list[Message]:
    """The calls of a message; a result makes none."""
    calls = message.get("tool_calls") if isinstance(message, dict) and not is_result(message) else None
    return [each for each in calls if isinstance(each, dict)] if isinstance(calls, list) else []


def is_result(message: Any) -> bool:
    """Whether a message is the result of a tool."""
    return role_of(message) == "tool"


def id_of(value: Any, name: str) -> str:
    """The id in a call or a result; empty if there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def is_empty(content: Any) -> bool:
    """Whether a content says nothing."""
    return content is None or content == [] or (isinstance(content, str) and not content)


def says_something(content: Any) -> bool:
    """Whether a content is more than blanks."""
    return bool(content.strip()) if isinstance(content, str) else not is_empty(content)


def joined(contents: Sequence[Any]) -> Any:
    """One content of several, between which stands a blank line: a text, or parts if one of them is in parts."""
    said = [each for each in contents if not is_empty(each)]
    if len(said) < 2:
        return said[0] if said else ""
    if all(isinstance(each, str) for each in said):
        return BLANK_LINE.join(said)
    return [part for each in said for part in parts_of(each)]


def parts_of(content: Any) -> list[Any]:
    """A content as a list of parts."""
    if is_empty(content):
        return []
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if isinstance(content, str) else [content]


def text_of_part(part: Any) -> str | None:
    """The text of a part of a content; None for a part that is no text."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            text: str = part[name]
            return text
    return None


def text_of(content: Any) -> str | None:
    """A content as one text, its parts joined by line ends; None if a part of it is no text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [text_of_part(part) for part in content]
    return None if None in texts else "\n".join(text for text in texts if text is not None)


def without(value: Message, *names: str) -> Message:
    """A copy without these members, or the same object if it has none of them."""
    if not any(name in value for name in names):
        return value
    return {name: each for name, each in value.items() if name not in names}
