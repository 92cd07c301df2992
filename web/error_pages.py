"""Errors in the shape of the API that was asked, and elsewhere in OpenAI's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as MethodRefused

from dialects import Dialect
from dialects.chat import CHAT
from errors import (
    BackendError,
    MethodNotAllowed,
    NotFound,
    ProxyError,
    Refused,
    RequestError,
    Stopping,
    TooLarge,
    TooMany,
    Unauthorised,
)
from web.client_request import current_request

log = logging.getLogger("dragoman")

_RETRY_AFTER = "2"
"""Seconds, told with errors of ours that may be over soon."""
_CHALLENGE = 'Bearer realm="dragoman"'
"""What a 401 must say (RFC 9110, 11.6.1; RFC 6750, 3). No browser asks its user for anything because of it."""


def add_error_pages(app: Flask, dialects: Sequence[Dialect]) -> None:
    """Whatever goes wrong, the client gets the error object of the API that it speaks."""
    asked = dialect_of_path(dialects)

    def page(error: ProxyError, status: int | None = None) -> Response:
        dialect = g.get("dialect") or asked(current_request().path)
        body = dialect.write_error(error.info)
        response = Response(body, status or error.status, content_type="application/json")
        if isinstance(error, BackendError | Stopping | TooMany) and not isinstance(error, Refused):
            response.headers["Retry-After"] = _RETRY_AFTER
        if isinstance(error, Unauthorised):
            response.headers["WWW-Authenticate"] = _CHALLENGE
        return response

    def http_error_page(error: HTTPException) -> Response:
        path = request.path
        known: dict[int | None, ProxyError] = {
            404: NotFound(f"There is no {path} here: /v1/* goes to the backend, /health tells how we are."),
            405: MethodNotAllowed(f"{request.method} is not for {path}."),
            413: TooLarge("The request body is larger than MAX_REQUEST_BYTES."),
        }
        response = page(known.get(error.code) or RequestError(error.description or error.name), error.code or 500)
        if isinstance(error, MethodRefused) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    def failure_page(error: Exception) -> Response:
        log.exception("the request failed: %s", type(error).__name__)
        return page(ProxyError("The proxy failed; its log says how."))

    app.register_error_handler(ProxyError, page)
    app.register_error_handler(HTTPException, http_error_page)
    app.register_error_handler(Exception, failure_page)


def dialect_of_path(dialects: Sequence[Dialect]) -> Callable[[str], Dialect]:
    """A function that tells whose errors a path gets: the dialect with that route, or with that prefix, or chat."""
    by_path = {route: dialect for dialect in dialects for route in dialect.routes}
    by_prefix = [(prefix, dialect) for dialect in dialects for prefix in dialect.prefixes]

    def find(path: str) -> Dialect:
        path = path.rstrip("/")
        if path in by_path:
            return by_path[path]
        return next((dialect for prefix, dialect in by_prefix if f"{path}/".startswith(f"{prefix}/")), CHAT)

    return find
