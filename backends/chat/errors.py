"""What a backend's whole body is: a chat completion, or a no, which is put in the shape that OpenAI's clients read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from errors import BackendError
from wire.sse import frame_of

# llama.cpp: "Failed to parse input at pos 184: <tool_call>bash..."
_QUOTE = re.compile(
    r"failed to parse (?:the )?(?:input|output|response)[^:\n]*: ?(?P<text>.*\S.*)", re.IGNORECASE | re.DOTALL
)
_LONGEST = 2000
"""Characters of a text or HTML body that are worth quoting."""


def chat_completion(body: bytes) -> dict[str, Any] | None:
    """The reply that a body holds; None for a body that is something else."""
    reply = _parsed(body)
    return reply if isinstance(reply, dict) and isinstance(reply.get("choices"), list) else None


def is_error(body: bytes) -> bool:
    """Whether a body that is no chat completion says that something failed, whatever its status says."""
    found = _parsed(body)
    return isinstance(found, dict) and bool(found.get("error"))


def openai_error(status: int, body: bytes) -> bytes:
    """A backend's error body: as it is if it has OpenAI's shape, else wrapped with what it says as the message."""
    found = _parsed(body)
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


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message_in(found: Any) -> str | None:
    if isinstance(found, dict):
        for name in ("error", "message", "detail"):
            value = found.get(name)
            if value:
                return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None


def quoted_text(body: bytes) -> str | None:
    """What the model wrote, where a backend that could not read it quotes it in its error."""
    found = _parsed(body)
    error = found.get("error") if isinstance(found, dict) else None
    quote = _QUOTE.search(_message_in(error if isinstance(error, dict) else found) or "")
    return quote["text"] if quote else None


def error_frame(frame: bytes, chunk: Mapping[str, Any]) -> bytes:
    """The frame of an error in mid-stream: as received if its error is an object, as clients expect it to be."""
    if isinstance(chunk["error"], dict):
        return frame
    return frame_of(openai_error(502, json.dumps(chunk).encode()).decode())


class Refused(BackendError):
    """The backend's refusal where its status cannot tell it: behind heartbeats, or where it is that of a success."""

    code = "backend_refused"

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"The backend answered with status {status}.")
        self._said: dict[str, Any] = json.loads(openai_error(status if status >= 400 else self.status, body))
        code = self._said["error"].get("code")
        if isinstance(code, int) and 400 <= code < 600:
            self.status = code

    def redact(self, of: Callable[[bytes], bytes]) -> None:
        """Take out of the backend's words what `of` takes out."""
        self._said = json.loads(of(json.dumps(self._said).encode()))

    def body(self) -> dict[str, object]:
        return self._said
