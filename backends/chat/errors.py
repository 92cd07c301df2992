"""What a body of the chat API says where it is no chat completion: an error, in whatever shape, or nothing known."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from backends.chat.fields import json_or_none
from backends.chat.large import LARGE
from errors import BackendError, ErrorInfo
from turns import Turns
from wire.json_values import SMALL, spelled_whole

# llama.cpp: "Failed to parse input at pos 184: <tool_call>bash..."
_QUOTE = re.compile(
    r"failed to parse (?:the )?(?:input|output|response)[^:\n]*: ?(?P<text>.*\S.*)", re.IGNORECASE | re.DOTALL
)
_MESSAGES = ("error", "message", "detail")
"""Where servers put the message of an error."""
_MEMBERS = frozenset({*_MESSAGES, "type", "param", "code"})
_LONGEST = 2000
"""Characters of a text or HTML body that are worth quoting."""


def chat_completion(body: bytes) -> dict[str, Any] | None:
    """The reply that a body holds; None for a body that is something else."""
    reply = json_or_none(body)
    return reply if isinstance(reply, dict) and isinstance(reply.get("choices"), list) else None


def is_error(body: bytes) -> bool:
    """Whether a body that is no chat completion reports an error, whatever its status says."""
    found = json_or_none(body)
    return isinstance(found, dict) and bool(found.get("error"))


def error_of(status: int, body: bytes) -> ErrorInfo:
    """A backend's error body as an error; a body of another shape is quoted as the message."""
    found = json_or_none(body)
    long = len(body) > LARGE  # then it is told in brief
    if isinstance(found, dict) and isinstance(found.get("error"), dict) and not long:
        error = found["error"]
        if isinstance(error.get("message"), str) and _is_strict(body):
            return ErrorInfo(status, error, raw=body)
        known = {name: error[name] for name in ("type", "param", "code") if name in error}
        return ErrorInfo(status, {"type": "backend_error", **known, "message": _told(status, error)[:_LONGEST]})
    message = _message_in(found.get("error")) if long and isinstance(found, dict) else None
    message = message or _message_in(found)
    if message is None or long:
        message = (message or body[:SMALL].decode(errors="replace").strip())[:_LONGEST]
    error = {
        "message": message or f"{_unsaid(status)} and no body.",
        "type": "backend_error",
        "param": None,
        "code": status,
    }
    return ErrorInfo(status, error)


def _is_strict(body: bytes) -> bool:
    """Whether any client can read it: Python takes NaN, and halves of characters, for JSON."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _told(status: int, error: dict[str, Any]) -> str:
    """The message of an error object that has none as a text; members that the API does not have are quoted in it."""
    message = _message_in(error)
    others = {name: value for name, value in error.items() if name not in _MEMBERS and value}
    if not others:
        return message or f"{_unsaid(status)}."
    return f"{message or f'{_unsaid(status)}:'} {json.dumps(others, ensure_ascii=False)}"


def _unsaid(status: int) -> str:
    return f"The backend answered with status {status}"


def late_error_of(body: bytes) -> ErrorInfo:
    """The same for an error under a success status: its code may name the status, which else is 502."""
    found = error_of(BackendError.status, body)
    code = found.error.get("code")
    if not isinstance(code, int) or not 400 <= code < 600:
        return found
    return ErrorInfo(code, found.error, found.raw)


def quoted_text(body: bytes) -> str | None:
    """What the model wrote, where a backend that could not read it quotes it in its error."""
    found = json_or_none(body)
    error = found.get("error") if isinstance(found, dict) else None
    message = _message_in(error if isinstance(error, dict) else found) or ""
    quote = _QUOTE.search(message[:SMALL])
    return message[quote.start("text") :] if quote else None


def _message_in(found: Any) -> str | None:
    if isinstance(found, dict):
        for name in _MESSAGES:
            value = found.get(name)
            if value:
                if isinstance(value, str):
                    return value
                return spelled_whole(value, Turns()).decode(errors="replace")
    return None
