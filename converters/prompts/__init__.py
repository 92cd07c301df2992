"""A conversation with tools, written without them, for a backend that takes none.

The declarations and an instruction stand in the system message; past calls and results become text. All of it is in
the syntax of a row, as the chat template of the row's family writes it (converters/syntaxes/prompt.py), so that the
model answers in that syntax and its answer is read like any other. It does no I/O, and no message or tool raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from converters.prompts.content import as_text
from converters.prompts.declare import declared
from converters.prompts.history import SYSTEM_ROLES, History
from converters.syntaxes import Syntax
from converters.text.expectations import Choice

__all__ = ["Choice", "prompted"]


def prompted(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    syntax: Syntax,
    choice: Choice = "auto",
    named: str | None = None,
) -> list[dict[str, Any]]:
    """Return chat messages of the roles system, user and assistant that say what these messages and tools say.

    `messages` and `tools` are those of a chat-completions request. `named` is the only function that may be called,
    where the request names one. With the choice `none` the tools are not told; calls and results still become text.
    The messages of a longer conversation begin with those of a shorter one, as long as tools and choice are the same.
    """
    front = _front(messages)
    texts = [text for text in (as_text(message.get("content")) for message in messages[:front]) if text]
    said, told = "\n\n".join(texts), declared(syntax, tools, choice, named)
    parts = [told, said] if syntax.prompt.before_system else [said, told]
    text = syntax.prompt.beside_system.join(part for part in parts if part)
    rest = list(History(syntax).written(messages[front:]))
    if not front and not told:
        return rest
    first = messages[0] if front else {}
    return [{**first, "role": "system", "content": text}, *rest]


def _front(messages: Sequence[Any]) -> int:
    """How many messages at the beginning are the system's."""
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in SYSTEM_ROLES:
            return number
    return len(messages)
