"""The chat request as the backend should see it: the bytes that were received, unless something in it must go.

A body that is changed keeps its unknown fields, the order of its keys, the digits of its numbers, and non-ASCII.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wire import lossless_json


def body_for_backend(raw: bytes, body: Mapping[str, Any]) -> bytes:
    """`tools: []` changes how servers behave, and a choice among no tools is an error to some: both go."""
    unwanted = [name for name in ("tools", "functions") if body.get(name) == []]
    if unwanted and not body.get("tools"):
        unwanted += [name for name in ("parallel_tool_calls",) if name in body]  # OpenAI refuses it without tools
    if not body.get("tools") and not body.get("functions"):
        choices = ("tool_choice", "function_call")
        unwanted += [name for name in choices if isinstance(body.get(name), str | dict)]
    if not unwanted:
        return raw
    kept = {name: value for name, value in lossless_json.loads(raw).items() if name not in unwanted}
    return lossless_json.dumps(kept).encode(errors="surrogatepass")
