"""What a reply of the Messages API is made of besides its blocks: usage, the reason of its end, errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from errors import ErrorInfo
from reply import Extension, count_of

_REASONS: Mapping[str, str] = {"tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
_ERRORS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MATCHED = ("stop_reason", "matched_stop")
"""Under which names vLLM and SGLang tell the stop sequence that ended a choice."""
_REASONING = ("reasoning_content", "reasoning")


def error_body(error: ErrorInfo) -> dict[str, Any]:
    """An error, in a body of its own or as an event."""
    kind = _ERRORS.get(error.status, "api_error")
    message = error.message or f"The server answered with status {error.status}."
    return {"type": "error", "error": {"type": kind, "message": message}}


def usage_of(counts: Mapping[str, Any] | None) -> dict[str, int]:
    """The token counts. Tokens that came from a cache are not among `input_tokens` in this API."""
    counts = counts or {}
    prompt = count_of(counts, "prompt_tokens") or 0
    cached = min(count_of(counts.get("prompt_tokens_details"), "cached_tokens") or 0, prompt)
    return {
        "input_tokens": prompt - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": count_of(counts, "completion_tokens") or 0,
    }


def signature_of(message_id: str, index: int) -> str:
    """The signature of a block of reasoning. It says whose block it is; nothing depends on it when it comes back."""
    return base64.urlsafe_b64encode(f"dragoman {message_id} {index}".encode()).decode()


class Stop:
    """Why an answer ended: collects what its events say of that."""

    def __init__(self, stops: frozenset[str]) -> None:
        """`stops` are the stop sequences of the request."""
        self._stops = stops
        self._reason: str | None = None
        self._matched: str | None = None
        self._refused = False

    def refuse(self) -> None:
        """The model said in a field of its own that it refuses."""
        self._refused = True

    def see(self, extension: Extension) -> None:
        """Look for the stop sequence that ended the choice, which some backends tell."""
        found = [extension.fields.get(name) for name in _MATCHED]
        self._matched = next((each for each in found if isinstance(each, str) and each in self._stops), self._matched)

    def finish(self, reason: str) -> None:
        """The choice is over; `reason` is a Finish event's."""
        self._reason = reason

    def fields(self) -> dict[str, str | None]:
        """`stop_reason` and `stop_sequence`."""
        reason = _REASONS.get(self._reason or "", "end_turn")
        if self._refused and reason != "max_tokens":
            reason = "refusal"
        if reason == "end_turn" and self._matched is not None:
            return {"stop_reason": "stop_sequence", "stop_sequence": self._matched}
        return {"stop_reason": reason, "stop_sequence": None}

    @property
    def cut(self) -> bool:
        """Something else than the model ended the answer, so that its last call may be half of one."""
        return self._reason in ("length", "content_filter")


def texts_in(extension: Extension) -> tuple[str, str]:
    """(reasoning that the server's own field holds, text of a refusal) of a message's unknown fields."""
    if extension.of != "message":
        return "", ""
    fields = extension.fields
    reasoning = next((fields[name] for name in _REASONING if isinstance(fields.get(name), str)), "")
    refusal = fields.get("refusal")
    return reasoning, refusal if isinstance(refusal, str) else ""


def dumped(value: Any) -> str:
    """JSON in one line without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
