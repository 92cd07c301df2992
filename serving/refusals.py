"""Answers to requests that do not reach the application: in OpenAI's error format, as API clients read JSON."""

from __future__ import annotations

import json
import re
from http import HTTPStatus

TOO_LARGE = "The head of the request is larger than 65536 bytes."
LINE_TOO_LONG = "The request line is larger than 65536 bytes."
TOO_SLOW = "The head of the request did not come in time."


def refusal(status: int, message: str) -> bytes:
    """A complete HTTP response, in OpenAI's error format, for a request that does not reach the application.

    An empty `message` becomes the standard phrase of `status`.
    """
    phrase = HTTPStatus(status).phrase
    kind, code = "invalid_request_error" if status < 500 else "proxy_error", re.sub(r"\W+", "_", phrase.lower())
    error = {"message": message or phrase, "type": kind, "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    lines = [f"HTTP/1.1 {status} {phrase}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
