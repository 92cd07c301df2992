"""The server of `python app.py`: one process, one thread per request. Also what it shares with gunicorn.conf.py.

It is Werkzeug's threaded server without debugger and reloader. A shutdown lets open streams end first. Nothing imported
here may open connections, because gunicorn.conf.py imports this file before gevent patches the sockets.
"""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from config import Config
from converters.syntaxes import SYNTAXES
from errors import ConfigError
from startup import announce, base_url

if TYPE_CHECKING:
    from flask import Flask

    from backends import ShutdownSignal

log = logging.getLogger("dragoman")

GRACE = 600.0
"""Seconds that open streams get to end by themselves at a shutdown."""

_NOTICE = 5.0
"""The last seconds of the grace period, in which streams still open receive an error. At most a tenth of it."""

_DESCRIPTORS = 16384
"""File descriptors to ask the system for."""


class _Handler(WSGIRequestHandler):
    """Werkzeug's handler with HTTP/1.1, errors in JSON, and no log of its own."""

    disable_nagle_algorithm = True  # each event of a stream must leave at once
    protocol_version = "HTTP/1.1"

    def run_wsgi(self) -> None:
        if self.request_version == "HTTP/1.0":  # such a client does not understand a chunked body
            self.protocol_version = "HTTP/1.0"
        super().run_wsgi()

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.request_version < "HTTP/1":  # Werkzeug would answer without a head
            self.send_error(HTTPStatus.BAD_REQUEST, "HTTP/0.9 is not supported.")
            return False
        try:
            urlsplit(self.path)  # Werkzeug calls it too, and does not catch the error
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "The request target is not a valid URL.")
            return False
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the exchange record is the log of a request, and leaves out the query."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that the HTTP parser rejects. Not logged: the message may quote keys and queries."""
        self.close_connection = True
        self.wfile.write(refusal(code, message or ""))


class Server(ThreadedWSGIServer):
    """Serves an application on a listening socket, which it then owns. `busy` is the number of open requests."""

    daemon_threads = True  # idle keep-alive connections must not delay the end of the process
    request_queue_size = 1024

    def __init__(self, listener: socket.socket, app: Flask) -> None:
        self.busy = 0
        self._lock = threading.Lock()
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, self._counting(app), handler=_Handler, fd=listener.fileno())
        listener.close()  # Werkzeug has duplicated the descriptor
        self.server_name, self.server_port = host, port

    def idle_within(self, seconds: float) -> bool:
        """Wait until no request is open, for at most `seconds`. Whether that came about."""
        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.busy

    def _counting(self, app: Flask) -> Any:
        """`app` as a WSGI application that counts the requests whose response body is not closed yet."""

        def application(environ: dict[str, Any], start_response: Any) -> Any:
            with self._lock:
                self.busy += 1
            with ExitStack() as stack:
                stack.callback(self._request_ended)
                body = app.wsgi_app(environ, start_response)
                return _ClosableBody(body, stack.pop_all())

        return application

    def _request_ended(self) -> None:
        with self._lock:
            self.busy -= 1


class _ClosableBody:
    """A WSGI response body that runs callbacks when it is closed."""

    def __init__(self, body: Any, callbacks: ExitStack) -> None:
        self._body = body
        self._callbacks = callbacks

    def __iter__(self) -> Any:
        return iter(self._body)

    def close(self) -> None:
        with self._callbacks:
            if hasattr(self._body, "close"):
                self._body.close()


def load_config() -> Config:
    """The configuration from the environment and `.env`. A wrong value ends the process with status 1 and one line."""
    try:
        return Config.from_environment(syntax_names={syntax.name for syntax in SYNTAXES})
    except ConfigError as error:
        sys.exit(str(error))


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


def serve(app: Flask, config: Config) -> int:
    """Serve until SIGINT or SIGTERM, then let open streams end; a second signal ends at once. The exit status."""
    start_logging(config)
    allow_many_connections()
    stop = _StopOnSignal()
    try:
        listener = listen(config)
    except OSError as error:
        problem = f"PROXY_PORT={config.proxy_port}: cannot listen on {config.proxy_host}"
        print(f"{problem}: {error.strerror}", file=sys.stderr)
        return 1
    server = Server(listener, app)
    stop.control(server)
    announce(config, base_url(config.proxy_host, server.server_port))
    server.serve_forever()
    server.server_close()
    notice = notice_of(GRACE)
    if not server.idle_within(GRACE - notice):
        app.extensions["shutdown"].set()
        server.idle_within(notice)
    return 0


def notice_of(grace: float) -> float:
    """How many of the `grace` seconds remain for the errors to streams that are still open."""
    return min(_NOTICE, grace / 10)


def announce_worker(worker: Any, config: Config) -> None:
    """Log the start line under gunicorn: once, in its first worker, because there gevent has patched the sockets."""
    if worker.age != 1:  # a further worker, or one that replaces the first
        return
    address = worker.sockets[0].getsockname()
    if isinstance(address, tuple):
        announce(config, base_url(address[0], address[1], "https" if worker.cfg.is_ssl else "http"))
    else:
        announce(config, f"unix:{address}")


def set_before_exit(shutdown: ShutdownSignal, grace: float) -> None:
    """Set `shutdown` shortly before a gunicorn worker exits, which is `grace` seconds after SIGTERM.

    It uses SIGALRM, because a timer thread cannot be started from a signal handler under gevent.
    """
    gunicorns_handler: Any = signal.getsignal(signal.SIGTERM)
    stopping = False

    def on_sigterm(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:  # gunicorn repeats SIGTERM each second during a reload
            stopping = True
            signal.setitimer(signal.ITIMER_REAL, max(grace - notice_of(grace), 0.001))
        gunicorns_handler(number, frame)

    signal.signal(signal.SIGALRM, lambda number, frame: shutdown.set())
    signal.signal(signal.SIGTERM, on_sigterm)
    signal.siginterrupt(signal.SIGTERM, False)
    signal.siginterrupt(signal.SIGALRM, False)


def allow_many_connections() -> None:
    """Raise the limit of open file descriptors. A stream takes two, and many systems start with 1,024."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(config: Config) -> socket.socket:
    """The listening socket. Raises OSError; Werkzeug, if it opened the socket, would end the process by itself."""
    family = socket.AF_INET6 if ":" in config.proxy_host else socket.AF_INET
    return socket.create_server((config.proxy_host, config.proxy_port), family=family, backlog=1024)


class _StopOnSignal:
    """Shuts the server down at the first SIGINT or SIGTERM, even one that arrives before the server exists."""

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._stopping = False
        self._server: Server | None = None
        for each in self._signals:
            signal.signal(each, self._on_signal)

    def control(self, server: Server) -> None:
        """Shut `server` down at the signal, at once if it has arrived already."""
        self._server = server
        if self._stopping:
            self._shut_down(server)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for each in self._signals:
            signal.signal(each, signal.SIG_DFL)
        if self._server is not None:
            self._shut_down(self._server)

    def _shut_down(self, server: Server) -> None:
        # In a thread of its own: shutdown() waits for serve_forever(), which this thread runs.
        threading.Thread(target=server.shutdown, daemon=True).start()


class _JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, with the entries that `extra={"fields": function}` returns."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", dict)(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start_logging(config: Config) -> None:
    """Set up the log of `config.environment`, then log the warnings of the configuration.

    development: readable lines. production: JSON lines. testing: readable lines, errors only.
    """
    handler = logging.StreamHandler()
    readable = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(_JsonLines() if config.environment == "production" else readable)
    root = logging.getLogger("dragoman")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(logging.ERROR if config.environment == "testing" else config.log_level)
    for warning in config.warnings():
        root.warning("%s", warning)
