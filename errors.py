"""The errors Dragoman raises on purpose, and what each tells the client.

    ProxyError                  has a status, an OpenAI error type and a code
    ├── RequestError            400  the client's request is wrong; names the field
    │   ├── Unauthorised        401  no key of ours
    │   ├── NotFound            404  no such path here
    │   ├── MethodNotAllowed    405
    │   └── TooLarge            413  over MAX_REQUEST_BYTES
    ├── BackendError            502  the backend's fault
    │   ├── Unreachable         502  no connection could be made
    │   ├── TimedOut            504  connect, first_byte, idle or answer: `phase` says which
    │   ├── Interrupted         502  the answer broke off
    │   └── Refused             502  the backend's own refusal, told late
    ├── Stopping                503  the proxy is being stopped, and its patience is over
    └── ClientLeft              499  nobody is there to be told

ConfigError stands apart: it ends the start, before there is a client.
Model output is never an error; nothing here is raised because of what a model wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as any client API can tell it. `error` is OpenAI's error object: message, type, param and code."""

    status: int
    error: Mapping[str, Any]
    raw: bytes | None = None
    """The backend's own body, if it has OpenAI's shape already."""

    @property
    def message(self) -> str:
        return str(self.error.get("message") or "")

    def redacted(self, redact: Callable[[bytes], bytes]) -> ErrorInfo:
        """The same error without what `redact` takes out of its JSON."""
        error = json.loads(redact(json.dumps(self.error).encode()))
        return replace(self, error=error, raw=None if self.raw is None else redact(self.raw))


class ConfigError(ValueError):
    """A variable holds what it cannot take. `str()` is the one line the user sees."""


class ProxyError(Exception):
    """Base of all errors that end an exchange. `message` is for the client, so it holds no secret."""

    status = 500
    type = "proxy_error"
    code = "proxy_error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    @property
    def info(self) -> ErrorInfo:
        """What a client is told of it."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return ErrorInfo(self.status, error)


class RequestError(ProxyError):
    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class Unauthorised(RequestError):
    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class NotFound(RequestError):
    status = 404
    code = "not_found"


class MethodNotAllowed(RequestError):
    status = 405
    code = "method_not_allowed"


class TooLarge(RequestError):
    status = 413
    code = "request_too_large"


class BackendError(ProxyError):
    status = 502
    type = "backend_error"
    code = "backend_error"


class Unreachable(BackendError):
    code = "backend_unreachable"


class TimedOut(BackendError):
    """`phase` is `connect`, `first_byte`, `idle`, or `answer`, which is all of a buffered one."""

    status = 504
    code = "backend_timeout"

    def __init__(self, message: str, phase: str) -> None:
        super().__init__(message)
        self.phase = phase
        self.code = f"backend_{phase}_timeout"


class Interrupted(BackendError):
    code = "backend_interrupted"


class Refused(BackendError):
    """The backend's refusal where its status cannot tell it: behind heartbeats, or under the status of a success.

    `refusal` is what the backend said.
    """

    code = "backend_refused"

    def __init__(self, refusal: ErrorInfo) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.status = refusal.status

    @property
    def info(self) -> ErrorInfo:
        return self.refusal


class Stopping(ProxyError):
    status = 503
    code = "proxy_stopping"


class ClientLeft(ProxyError):
    status = 499
    code = "client_left"
