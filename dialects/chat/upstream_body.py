"""The chat request for the backend: the received bytes, unless a field must be removed.

Of a body that is changed, only the members that change are touched. All else is the bytes that were received.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wire.json_edit import REMOVED, edit


def body_for_backend(raw: bytes, body: Mapping[str, Any]) -> tuple[bytes, Mapping[str, Any]]:
    """Remove `tools: []`, which changes how servers behave, and a choice without tools, which some refuse.

    Returns the bytes, and the same as objects.
    """
    unwanted = [name for name in ("tools", "functions") if body.get(name) == []]
    if unwanted and not body.get("tools"):
        unwanted += [name for name in ("parallel_tool_calls",) if name in body]  # OpenAI refuses it without tools
    if not body.get("tools") and not body.get("functions"):
        choices = ("tool_choice", "function_call")
        unwanted += [name for name in choices if isinstance(body.get(name), str | dict)]
    if not unwanted:
        return raw, body
    kept = {name: value for name, value in body.items() if name not in unwanted}
    return edit(raw, dict.fromkeys(unwanted, REMOVED)), kept
