"""What a message says, as text: its content may be a string, a list of parts, nothing, or anything else.

Parts are those of chat completions, of responses and of messages: they share `type` and `text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.values.json.spelling import write

_KINDS = (
    ("image", "An image"),
    ("audio", "Audio"),
    ("video", "A video"),
    ("file", "A file"),
    ("document", "A document"),
)
_TEXTS = ("text", "refusal")


def as_text(content: Any) -> str:
    """All of a content. Images and the like become a sentence that says that they stood there."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list | tuple):
        return "\n".join(map(_part, content))
    return write(content)


def only_text(content: Any) -> bool:
    """Whether a content can be a string without losing a part that is no text."""
    return not isinstance(content, list | tuple) or all(_text(part) is not None for part in content)


def with_text(content: Any, text: str, between: str, alone: str = "") -> Any:
    """A content with more text behind it: behind `between` if there is any before, behind `alone` otherwise.

    A list of parts stays one if they are not all text.
    """
    if not only_text(content):
        return [*content, {"type": "text", "text": text}]
    before = as_text(content)
    return f"{before}{between}{text}" if before else alone + text


def _part(part: Any) -> str:
    text = _text(part)
    if text is not None:
        return text
    kind = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(kind, str):
        for word, name in _KINDS:
            if word in kind:
                return f"[{name} stands here, which cannot be shown as text.]"
    return write(part)


def _text(part: Any) -> str | None:
    """The text of a part that is text."""
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return None
    found = (part.get(key) for key in _TEXTS)
    return next((text for text in found if isinstance(text, str)), None)
