"""The errors that Dragoman raises on purpose, with the status, type and code that the client receives.

    ProxyError                  500  base; also a failure of the proxy itself
    ├── RequestError            400  the request is invalid; `param` names the field
    │   ├── BadFilter           400  a filter of records cannot be understood; `at` is the number of its term
    │   ├── Unauthorised        401  none of PROXY_API_KEYS
    │   ├── Forbidden           403  who asks may not see or do that
    │   ├── NotFound            404  no such path
    │   ├── MethodNotAllowed    405
    │   ├── TooSlow             408  the body did not come within CLIENT_TIMEOUT
    │   ├── TooLarge            413  over MAX_REQUEST_BYTES
    │   ├── UnknownCoding       415  a Content-Encoding that is not decoded
    │   ├── NotJson             415  a Content-Type other than the one that is wanted
    │   ├── Misdirected         421  a Host that is none of ours
    │   ├── TooMany             429  as many as there may be, of feeds, logins or the like, are there
    │   └── BrokenCoding        400  the body is not what its Content-Encoding says
    ├── BackendError            502  the backend failed
    │   ├── NotAnApi            502  a page in place of an answer
    │   ├── TooMuch             502  more is held, or more choices or calls came, than in any real answer
    │   ├── Unreachable         502  no connection
    │   ├── TimedOut            504  a time limit passed; `phase` says which
    │   ├── Interrupted         502  the response broke off or is invalid
    │   └── Refused             ...  the backend's own error, with its status
    ├── Unreadable              502  the model left a value of a call's arguments open
    ├── RecordsUnavailable      503  the store of records does not answer; the proxy itself works on
    ├── Stopping                503  the proxy is shutting down, and the grace period is over
    └── ClientLeft              499  the client hung up; only the log sees it

ConfigError is separate: it ends the process at its start. Model output never causes an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error independent of the client's API, from which a dialect writes its own format."""

    status: int
    """The HTTP status."""
    error: Mapping[str, Any]
    """OpenAI's error object: `message`, `type`, `param`, `code`."""
    raw: bytes | None = None
    """The body as the backend sent it, if it is in OpenAI's format already."""

    @property
    def message(self) -> str:
        """The text for people; empty if there is none."""
        return str(self.error.get("message") or "")

    def redacted(self, redact: Callable[[bytes], bytes]) -> ErrorInfo:
        """A copy with `redact` applied to the JSON of the error and to the raw body."""
        error = json.loads(redact(json.dumps(self.error).encode()))
        return replace(self, error=error, raw=None if self.raw is None else redact(self.raw))


class ConfigError(ValueError):
    """A setting is invalid. `str()` is the one line that the user sees."""


class ProxyError(Exception):
    """Base of all errors that end an exchange. `message` is sent to the client, so it must contain no secret."""

    status = 500
    type = "proxy_error"
    code = "proxy_error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        """`param` is the field of the request that is wrong, if one is."""
        super().__init__(message)
        self.message = message
        self.param = param

    @property
    def info(self) -> ErrorInfo:
        """The error as it is sent to the client."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return ErrorInfo(self.status, error)


class RequestError(ProxyError):
    """The client's request is invalid."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class BadFilter(RequestError):
    """A filter of records cannot be understood."""

    code = "invalid_filter"

    def __init__(self, message: str, at: int) -> None:
        """`at` is the number of the term that is wrong, from 0."""
        super().__init__(message, param="q")
        self.at = at

    @property
    def info(self) -> ErrorInfo:
        told = super().info
        return replace(told, error={**told.error, "at": self.at})


class Unauthorised(RequestError):
    """The request carries none of PROXY_API_KEYS."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class Forbidden(RequestError):
    """Who asks may not see or do that; another key would not help, or only INSPECTOR_KEY."""

    status = 403
    type = "permission_error"
    code = "forbidden"


class NotFound(RequestError):
    """There is no such path."""

    status = 404
    code = "not_found"


class RecordsUnavailable(ProxyError):
    """The store of records does not answer. The proxy itself works on."""

    status = 503
    code = "records_unavailable"


class MethodNotAllowed(RequestError):
    """The path does not allow the method."""

    status = 405
    code = "method_not_allowed"


class TooLarge(RequestError):
    """The body is larger than MAX_REQUEST_BYTES."""

    status = 413
    code = "request_too_large"


class TooSlow(RequestError):
    """The body did not come within CLIENT_TIMEOUT."""

    status = 408
    code = "request_timeout"


class UnknownCoding(RequestError):
    """The body has a Content-Encoding that is not decoded, or too many."""

    status = 415
    code = "unsupported_content_encoding"


class NotJson(RequestError):
    """The Content-Type is not application/json where it must be."""

    status = 415
    code = "unsupported_media_type"


class Misdirected(RequestError):
    """The Host is none of ours: a web page may have led a browser here."""

    status = 421
    code = "misdirected_request"


class TooMany(RequestError):
    """There are as many as there may be, of whatever the message says. Later there may be fewer."""

    status = 429
    code = "too_many"


class BrokenCoding(RequestError):
    """The body is not what its Content-Encoding says."""

    code = "invalid_content_encoding"


class BackendError(ProxyError):
    """The backend failed, or its response cannot be used."""

    status = 502
    type = "backend_error"
    code = "backend_error"


class NotAnApi(BackendError):
    """What the backend sent is neither JSON nor a stream: it is no model server, or a page of something before it."""

    code = "backend_not_api"

    def __init__(self) -> None:
        super().__init__("The backend's answer is neither JSON nor an event stream. Is BACKEND_URL a model server?")


class TooMuch(BackendError):
    """The answer is larger than any real one; `code` says in which way."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Unreachable(BackendError):
    """No connection to the backend could be made."""

    code = "backend_unreachable"


class TimedOut(BackendError):
    """A time limit passed. `phase` is `connect`, `first_byte`, `idle`, or `answer` (a whole buffered response)."""

    status = 504
    code = "backend_timeout"

    def __init__(self, message: str, phase: str) -> None:
        super().__init__(message)
        self.phase = phase
        self.code = f"backend_{phase}_timeout"


class Interrupted(BackendError):
    """The response broke off, or the rest of it is invalid."""

    code = "backend_interrupted"


class Refused(BackendError):
    """The backend sent an error that its HTTP status does not show, or too late to pass that status on.

    Either the body of a success holds an error, or the client has its status already because of a heartbeat. `refusal`
    is the backend's error.
    """

    code = "backend_refused"

    def __init__(self, refusal: ErrorInfo) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.status = refusal.status

    @property
    def info(self) -> ErrorInfo:
        return self.refusal


class Unreadable(ProxyError):
    """A call that the client was told of has arguments that cannot be read to their end."""

    status = 502
    type = "model_error"
    code = "arguments_unreadable"

    def __init__(self) -> None:
        super().__init__("The model left the arguments of a tool call incomplete. The call must not be run.")


class Stopping(ProxyError):
    """The proxy is shutting down, and the grace period is over."""

    status = 503
    code = "proxy_stopping"


class ClientLeft(ProxyError):
    """The client hung up. The status is for the log only."""

    status = 499
    code = "client_left"
