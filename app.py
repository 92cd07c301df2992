"""The roof: the wiring of one application. `python app.py` serves one user; gunicorn serves `app:app`.

Whatever a route does, a test can do through `create_app(config)`.
"""

# No `from __future__ import annotations` here, which Python 3.6 cannot read: it shall get as far as the next import.
from version import VERSION  # first, because a Python that is too old ends there

# isort: split
import sys
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from flask import Flask, Response, jsonify
from flask.ctx import RequestContext
from werkzeug.routing import Rule

from backends import Backend, ShutdownSignal, Timeouts
from backends.adapt import AdaptSettings, Planner
from backends.chat import ChatReplyReader
from backends.learned import Learned, StateFile, TemplateFile
from config import Config
from dialects import Dialect, all_dialects
from errors import ConfigError
from inspector.access import access_check, private_headers
from inspector.routes import add_inspector, new_sessions
from records.answer_store import answer_store
from records.recorder import new_recorder
from serving import load_config, serve, start_logging
from streaming import ModelTemplates, Relay
from telemetry.metrics import Metrics
from telemetry.tracer import new_tracing
from telemetry.watch import Watch
from usage import refuse_arguments
from web.aliases import add_aliases
from web.client_request import check_path, client_request, current_request, flask_response
from web.dialect_routes import add_dialects
from web.error_pages import add_error_pages
from web.front_page import add_front_page
from web.hooks import add_hooks
from web.keys import has_key, key_check
from web.known_rules import KnownRules
from web.origins import ANY_METHOD, headers_of_all

_DESCRIPTION = files("dialects") / "openapi.json"
"""Kept by hand; tests/test_openapi.py holds it to the routes. In a package, because only those carry data files."""


class _Application(Flask):
    """Flask without two searches: for the rule of a path that it knows, and for what makes a function asynchronous."""

    def __init__(self) -> None:
        super().__init__("dragoman", static_folder=None, template_folder=None)
        self._known: dict[tuple[str, str], Rule] = {}

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        return KnownRules(self, environ, self._known)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: Config, dialects: Sequence[Dialect] | None = None, learned: Learned | None = None) -> Flask:
    """The application for a configuration.

    `dialects` are all that there are, unless some are given; `learned` is what requests have taught about backends.
    Nothing but STATE_FILE and the files of CHAT_TEMPLATES is opened before the first request; learning from those goes
    on in a thread and a process of its own. Raises ConfigError for a file that cannot be used.
    """
    app = _Application()
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # nothing redirects
    app.config["MAX_CONTENT_LENGTH"] = config.max_request_bytes
    app.config["CLIENT_TIMEOUT"] = config.client_timeout  # for the server, which reads the socket
    timeouts = Timeouts(config.connect_timeout, config.first_byte_timeout, config.request_timeout, config.connect_retry)
    shutdown = ShutdownSignal()
    app.extensions["shutdown"] = shutdown  # the server sets it when a shutdown has lasted too long
    backend = Backend(config.backend_url, timeouts, shutdown=shutdown)
    state = _state_file(config)
    learned = learned or Learned(config.backend_url, config.learn_hours, state)
    recorder = new_recorder(config)
    app.extensions["records"] = recorder
    metrics = Metrics()
    app.extensions["metrics"] = metrics
    sessions = new_sessions(config, recorder)
    relay = Relay(
        config,
        backend,
        ChatReplyReader,
        Planner(_adapt_settings(config), learned).plan,
        Watch(recorder, metrics, new_tracing(config)).began,
        ModelTemplates(config, TemplateFile(state) if state is not None else None),
    )
    kept = answer_store(recorder, config.max_request_bytes)
    spoken = all_dialects(config.reasoning_field, time.time_ns, kept) if dialects is None else dialects

    checks = (key_check(config, recorder), access_check(config, sessions), check_path)
    add_hooks(app, checks, (headers_of_all(config), private_headers))
    add_error_pages(app, spoken)
    add_front_page(app, config, spoken)
    add_dialects(app, relay, spoken)
    add_aliases(app, relay)
    if config.inspector:
        add_inspector(app, config, learned, sessions, recorder)
    _add_routes(app, config, relay, metrics)
    return app


def _adapt_settings(config: Config) -> AdaptSettings:
    return AdaptSettings(config.adapt, config.tool_prompting, config.raw, config.backend, config.constrain)


def _state_file(config: Config) -> StateFile | None:
    """Where what is learned is kept; None: in memory. Raises ConfigError for a file that cannot be used."""
    try:
        return StateFile(config.state_file) if config.state_file else None
    except ValueError as error:
        raise ConfigError(f"STATE_FILE={config.state_file!r}: takes an SQLite file; {error}") from None


def _add_routes(app: Flask, config: Config, relay: Relay, metrics: Metrics) -> None:
    @app.route("/v1/<path:_path>", methods=ANY_METHOD)
    def anything_else(_path: str) -> Response:
        return flask_response(relay.forward(client_request(current_request())))

    @app.get("/metrics")
    def counted() -> Response:  # who may look, inspector/access.py has decided
        text, media_type = metrics.told(current_request().headers.get("Accept", ""))
        return Response(text, content_type=media_type)

    described = _DESCRIPTION.read_bytes()  # once: a service without free descriptors opens no file

    @app.get("/openapi.json")
    def description() -> Response:
        return Response(described, content_type="application/json")

    @app.get("/health")
    def health() -> Response:
        reachable, detail = relay.probe()
        backend: dict[str, object] = {"reachable": reachable}
        if has_key(config, current_request()):  # whoever has none is not told what the network behind us looks like
            backend |= {"url": config.backend_url, "detail": detail}
        return jsonify({"status": "ok", "version": VERSION, "backend": backend})


def __getattr__(name: str) -> Any:
    """`app:app` for gunicorn, made when it is asked for, so that importing this file reads no configuration."""
    if name == "app":
        config = load_config()
        start_logging(config)
        return _application(config)
    raise AttributeError(name)


def _application(config: Config) -> Flask:
    """The application. A file that cannot be used ends the process with status 1 and one line."""
    try:
        return create_app(config)
    except ConfigError as error:
        sys.exit(str(error))


def run() -> int:
    """Serve with the settings of the environment and `.env`. Returns the exit status."""
    config = load_config()
    return serve(_application(config), config)


if __name__ == "__main__":
    refuse_arguments("python app.py")
    sys.exit(run())
