"""The roof: routes, error pages and the wiring. `python app.py` serves one user; gunicorn serves `app:app`.

Flask ends here. Whatever a route does, a test can do through `create_app(config)`.
"""

# No `from __future__ import annotations` here, which Python 3.6 cannot read: it shall get as far as the next import.
from version import VERSION  # first, because a Python that is too old ends there

# isort: split
import hmac
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, jsonify, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as MethodRefused

from backends import Backend, ShutdownSignal, Timeouts
from backends.chat import ChatReplyReader
from config import Config
from dialects import Dialect, all_dialects
from dialects.chat import Chat
from errors import (
    BackendError,
    MethodNotAllowed,
    NotFound,
    ProxyError,
    Refused,
    RequestError,
    Stopping,
    TooLarge,
    Unauthorised,
)
from serving import load_config, serve, start_logging
from serving.request_body import codings_of, read_body
from streaming import ClientReply, ClientRequest, Relay, request_id_of
from usage import refuse_arguments

log = logging.getLogger("dragoman")

_DESCRIPTION = files("dialects") / "openapi.json"
"""Kept by hand; tests/test_openapi.py holds it to the routes. In a package, because only those carry data files."""
_ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNSAFE_PATH = re.compile(r"(?:^|/)\.{1,2}(?:[/;]|%3b|$)|%2f|%5c|%00|\\|\0|//", re.IGNORECASE)
_DOT = re.compile("%2e", re.IGNORECASE)
_ABSOLUTE = re.compile(r"^https?://[^/?#]*", re.IGNORECASE)
_RETRY_AFTER = "2"
"""Seconds, told with errors of ours that may be over soon."""
_BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)


def create_app(config: Config, dialects: Sequence[Dialect] | None = None) -> Flask:
    """The application for a configuration; `dialects` are all that there are, unless some are given.

    Nothing is opened before the first request.
    """
    app = Flask("dragoman", static_folder=None, template_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # nothing redirects
    app.config["MAX_CONTENT_LENGTH"] = config.max_request_bytes
    app.config["CLIENT_TIMEOUT"] = config.client_timeout  # for the server, which reads the socket
    timeouts = Timeouts(config.connect_timeout, config.first_byte_timeout, config.request_timeout, config.connect_retry)
    shutdown = ShutdownSignal()
    app.extensions["shutdown"] = shutdown  # the server sets it when a shutdown has lasted too long
    relay = Relay(config, Backend(config.backend_url, timeouts, shutdown=shutdown), ChatReplyReader)
    spoken = all_dialects(config.reasoning_field) if dialects is None else dialects
    by_path = {route: dialect for dialect in spoken for route in dialect.routes}

    app.before_request(_key_check(config))
    app.before_request(_check_path)
    app.after_request(_headers_of_all(config))
    _add_error_pages(app, by_path)
    _add_dialects(app, relay, spoken, config.convert)
    _add_routes(app, config, relay)
    return app


def _add_dialects(app: Flask, relay: Relay, dialects: Sequence[Dialect], convert: bool) -> None:
    """The routes of the client APIs, from their own table. A body is decoded if it is read."""
    for dialect in dialects:

        def converse(dialect: Dialect = dialect) -> Response:
            return _response(relay.converse(dialect, _client_request(_asked(), dialect.routes[0], convert)))

        for route in dialect.routes:
            app.add_url_rule(route, f"converse {route}", converse, methods=["POST"])


def _add_routes(app: Flask, config: Config, relay: Relay) -> None:
    @app.route("/v1/<path:_path>", methods=_ANY_METHOD)
    def anything_else(_path: str) -> Response:
        return _response(relay.forward(_client_request(_asked())))

    @app.get("/openapi.json")
    def description() -> Response:
        return Response(_DESCRIPTION.read_bytes(), content_type="application/json")

    @app.get("/health")
    def health() -> Response:
        reachable, detail = relay.probe()
        backend: dict[str, object] = {"reachable": reachable}
        if _has_key(config, _asked()):  # whoever has none is not told what the network behind us looks like
            backend |= {"url": config.backend_url, "detail": detail}
        return jsonify({"status": "ok", "version": VERSION, "backend": backend})


# -- between Flask and the relay -------------------------------------------------------------------------------------


def _asked() -> Request:
    """The request itself. Flask's `request` looks for it anew each time it is asked anything."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    return asked


def _raw_target(request: Request) -> tuple[str, str, str]:
    """(the path as the client sent it, `?` or nothing, the query)"""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    return _ABSOLUTE.sub("", raw).partition("?")


def _check_path() -> None:
    """Refuse what a server behind us could read as another path."""
    if _UNSAFE_PATH.search(_DOT.sub(".", _raw_target(_asked())[0])):
        raise RequestError("The path holds dot segments, encoded slashes or empty parts, which are not forwarded.")


def _client_request(request: Request, path: str | None = None, decode: bool = False) -> ClientRequest:
    """The request as the relay takes it; `path` replaces an alias of it. Not decoded, its body passes as it came."""
    raw_path, mark, query = _raw_target(request)
    if path is None and not raw_path.startswith("/v1/"):
        raise NotFound(f"There is no {request.path} here.")
    headers = list(request.headers.items())
    target = (path or raw_path) + mark + query
    coding = request.headers.get("Content-Encoding", "") if decode else ""
    if coding:
        headers = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    body = _body(request, codings_of(coding) if coding else ())
    return ClientRequest(request.method, target, headers, body, g.request_id, _client_fd(request))


def _body(request: Request, codings: Sequence[str]) -> bytes:
    """The whole body, decoded. Not by Flask: it would cut a longer one, not refuse it, and read in one piece."""
    environ = request.environ
    length = request.content_length
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    return read_body(environ["wsgi.input"], length, request.max_content_length or 0, codings)


def _client_fd(request: Request) -> int | None:
    for server in ("gunicorn.socket", "werkzeug.socket"):
        sock = request.environ.get(server)
        if sock is not None:
            return int(sock.fileno())
    return None


def _response(reply: ClientReply) -> Response:
    response = Response(reply.body, status=reply.status, direct_passthrough=not isinstance(reply.body, bytes))
    headers = Headers(list(reply.headers))  # Flask guesses a Content-Type; only what the relay says is true
    if "Content-Length" in response.headers and "Content-Length" not in headers:
        headers["Content-Length"] = response.headers["Content-Length"]
    response.headers = headers
    return response


# -- before and after every request ----------------------------------------------------------------------------------


def _key_check(config: Config) -> Callable[[], None]:
    """Names the request, then asks for its key: a refusal has a name, too."""

    def check() -> None:
        asked = _asked()
        g.request_id = request_id_of(asked.headers.get("X-Request-Id"))
        is_open = asked.method == "OPTIONS" or asked.path.rstrip("/") == "/health"
        if not is_open and not _has_key(config, asked):
            raise Unauthorised("This proxy needs one of its PROXY_API_KEYS as 'Authorization: Bearer …'.")

    return check


def _has_key(config: Config, request: Request) -> bool:
    """Whether the request carries one of our keys, or needs none."""
    if not config.proxy_api_keys:
        return True
    given = _BEARER.sub("", request.headers.get("Authorization", "")).strip().encode()
    # every key is compared, whichever fits, so that time tells nothing
    fits = [hmac.compare_digest(given, key.encode()) for key in config.proxy_api_keys]
    return any(fits)


def _headers_of_all(config: Config) -> Callable[[Response], Response]:
    """Every response tells the name of its request, and which origins may read it."""

    def add(response: Response) -> Response:
        response.headers.setdefault("X-Request-Id", g.request_id)
        request = _asked()
        origin = request.headers.get("Origin")
        if origin and _allowed(origin, config.cors_origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.add("Vary", "Origin")
            response.headers["Access-Control-Expose-Headers"] = "*, x-request-id"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = ", ".join([*_ANY_METHOD, "OPTIONS"])
                asked = request.headers.get("Access-Control-Request-Headers", "authorization, content-type")
                response.headers["Access-Control-Allow-Headers"] = asked
                response.headers["Access-Control-Max-Age"] = "600"
                if "Access-Control-Request-Private-Network" in request.headers:
                    response.headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    return add


def _allowed(origin: str, origins: tuple[str, ...]) -> bool:
    return "*" in origins or origin.lower() in origins or _host_of(origin) in _LOOPBACK


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


# -- errors ----------------------------------------------------------------------------------------------------------


def _add_error_pages(app: Flask, by_path: Mapping[str, Dialect]) -> None:
    """Errors in the shape of the API that was asked, and elsewhere in OpenAI's."""
    openai = Chat()

    def page(error: ProxyError, status: int | None = None) -> Response:
        dialect: Dialect = by_path.get(_asked().path.rstrip("/"), openai)
        body = dialect.write_error(error.info)
        response = Response(body, status or error.status, content_type="application/json")
        if isinstance(error, BackendError | Stopping) and not isinstance(error, Refused):
            response.headers["Retry-After"] = _RETRY_AFTER
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


# -- serving ---------------------------------------------------------------------------------------------------------


def __getattr__(name: str) -> Any:
    """`app:app` for gunicorn, made when it is asked for, so that importing this file reads no configuration."""
    if name == "app":
        config = load_config()
        start_logging(config)
        return create_app(config)
    raise AttributeError(name)


def run() -> int:
    """Serve with the settings of the environment and `.env`. Returns the exit status."""
    config = load_config()
    return serve(create_app(config), config)


if __name__ == "__main__":
    refuse_arguments("python app.py")
    sys.exit(run())
