"""What a backend says when it says no, in the shape that OpenAI's clients read."""

from __future__ import annotations

import json
from typing import Any

from errors import ProxyError

_LONGEST = 2000
"""Characters of a text or HTML body that are worth quoting."""


def openai_error(status: int, body: bytes) -> bytes:
    """A backend's error body: as it is if it has OpenAI's shape, else wrapped with what it says as the message."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        return body
    message = _message_in(found) or body.decode(errors="replace").strip()[:_LONGEST]
    error = {
        "message": message or f"The backend answered with status {status} and no body.",
        "type": "backend_error",
        "param": None,
        "code": status,
    }
    return json.dumps({"error": error}, ensure_ascii=False).encode(errors="replace")


def _message_in(found: Any) -> str | None:
    if isinstance(found, dict):
        for name in ("error", "message", "detail"):
            value = found.get(name)
            if value:
                return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None


class RefusedLate(ProxyError):
    """The backend's refusal after heartbeats had begun: its status is lost, its words are not."""

    code = "backend_refused"

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"The backend answered with status {status}.")
        self._said: dict[str, object] = json.loads(openai_error(status, body))

    def body(self) -> dict[str, object]:
        return self._said
