"""`python app.py`: one process, one thread for each request, on any system. Also what both ways of serving share.

Werkzeug's threaded server without its debugger or reloader. A stop lets open streams end first. Nothing imported here
may open connections: gunicorn.conf.py imports this file before gevent takes its place under them.
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
"""Seconds that open streams get at a stop."""

_LAST_WORDS = 5.0
"""Seconds of these in which those that are still open are told that it is over; a tenth of them, if that is less."""


_DESCRIPTORS = 16384


class _Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # each event of a stream must leave at once
    protocol_version = "HTTP/1.1"

    def run_wsgi(self) -> None:
        if self.request_version == "HTTP/1.0":  # such a client does not understand chunks
            self.protocol_version = "HTTP/1.0"
        super().run_wsgi()

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.request_version < "HTTP/1":  # it would be answered without a head
            self.send_error(HTTPStatus.BAD_REQUEST, "HTTP/0.9 is not spoken here.")
            return False
        try:
            urlsplit(self.path)  # as Werkzeug will, unguarded
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "The request's target is no URL.")
            return False
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the exchange is logged by the engine, without the query."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the HTTP parser refuses before the application sees it. Not logged: it would quote keys and queries."""
        self.close_connection = True
        self.wfile.write(refusal(code, message or ""))


class Server(ThreadedWSGIServer):
    """Serves an application on a listening socket, which is its own from then on; `busy` counts open requests."""

    daemon_threads = True  # idle keep-alive connections must not hold up a stop
    request_queue_size = 1024

    def __init__(self, listener: socket.socket, app: Flask) -> None:
        self.busy = 0
        self._lock = threading.Lock()
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, self._counted(app), handler=_Handler, fd=listener.fileno())
        listener.close()  # Werkzeug has made a duplicate of it
        self.server_name, self.server_port = host, port

    def idle_within(self, seconds: float) -> bool:
        """Whether all open requests end in that time."""
        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.busy

    def _counted(self, app: Flask) -> Any:
        """Count the requests whose bodies have not ended, so that a stop can wait for them."""

        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            with self._lock:
                self.busy += 1
            with ExitStack() as stack:
                stack.callback(self._one_less)
                body = app.wsgi_app(environ, start_response)
                return _TrackedBody(body, stack.pop_all())

        return counted

    def _one_less(self) -> None:
        with self._lock:
            self.busy -= 1


class _TrackedBody:
    """A WSGI body that tells when it is closed."""

    def __init__(self, body: Any, closed: ExitStack) -> None:
        self._body = body
        self._closed = closed

    def __iter__(self) -> Any:
        return iter(self._body)

    def close(self) -> None:
        with self._closed:
            if hasattr(self._body, "close"):
                self._body.close()


def load_config() -> Config:
    """The configuration of the environment; a wrong value ends the process with its one line."""
    try:
        return Config.from_environment(syntax_names={syntax.name for syntax in SYNTAXES})
    except ConfigError as error:
        sys.exit(str(error))


def refusal(status: int, message: str) -> bytes:
    """A whole answer to a request that never got as far as the application, in the shape of all our errors."""
    phrase = HTTPStatus(status).phrase
    kind, code = "invalid_request_error" if status < 500 else "proxy_error", re.sub(r"\W+", "_", phrase.lower())
    error = {"message": message or phrase, "type": kind, "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    lines = [f"HTTP/1.1 {status} {phrase}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def serve(app: Flask, config: Config) -> int:
    """Serve until SIGINT or SIGTERM, then let open streams end; a second signal ends at once."""
    start_logging(config)
    allow_many_connections()
    stop = _Stop()
    try:
        listener = listen(config)
    except OSError as error:
        place = f"PROXY_PORT={config.proxy_port}: cannot listen on {config.proxy_host}"
        print(f"{place}: {error.strerror}", file=sys.stderr)
        return 1
    server = Server(listener, app)
    stop.when_asked(server)
    announce(config, base_url(config.proxy_host, server.server_port))
    server.serve_forever()
    server.server_close()
    last_words = last_words_of(GRACE)
    if not server.idle_within(GRACE - last_words):
        app.extensions["closing"].ring()
        server.idle_within(last_words)
    return 0


def last_words_of(grace: float) -> float:
    return min(_LAST_WORDS, grace / 10)


def announce_worker(worker: Any, config: Config) -> None:
    """The line of the start, for gunicorn: said by its first worker, where gevent has patched all there is to patch."""
    if worker.age != 1:  # another worker of several, or one that replaces it
        return
    address = worker.sockets[0].getsockname()
    if isinstance(address, tuple):
        announce(config, base_url(address[0], address[1], "https" if worker.cfg.is_ssl else "http"))
    else:
        announce(config, f"unix:{address}")


def ring_in_time(closing: ShutdownSignal, grace: float) -> None:
    """For a worker of gunicorn, which ends `grace` seconds after SIGTERM: ring a little before. By signals alone.

    A timer would be a thread, and under gevent a signal handler cannot start one.
    """
    workers_own: Any = signal.getsignal(signal.SIGTERM)
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:  # at a reload it is asked each second
            asked = True
            signal.setitimer(signal.ITIMER_REAL, max(grace - last_words_of(grace), 0.001))
        workers_own(number, frame)

    signal.signal(signal.SIGALRM, lambda number, frame: closing.ring())
    signal.signal(signal.SIGTERM, ask)
    signal.siginterrupt(signal.SIGTERM, False)
    signal.siginterrupt(signal.SIGALRM, False)


def allow_many_connections() -> None:
    """As many descriptors as the system grants. A stream takes two, and what many systems grant at first is 1,024."""
    with suppress(ImportError):  # on Windows there is no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < enough:
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def listen(config: Config) -> socket.socket:
    """The listening socket, made here because Werkzeug ends the process in its own words if it cannot be had."""
    family = socket.AF_INET6 if ":" in config.proxy_host else socket.AF_INET
    return socket.create_server((config.proxy_host, config.proxy_port), family=family, backlog=1024)


class _Stop:
    """The first SIGINT or SIGTERM asks the server to stop, also if it comes before the server is there."""

    _signals = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._asked = False
        self._server: Server | None = None
        for each in self._signals:
            signal.signal(each, self._ask)

    def when_asked(self, server: Server) -> None:
        self._server = server
        if self._asked:
            self._shut_down(server)

    def _ask(self, _signum: int, _frame: FrameType | None) -> None:
        self._asked = True
        for each in self._signals:
            signal.signal(each, signal.SIG_DFL)
        if self._server is not None:
            self._shut_down(self._server)

    def _shut_down(self, server: Server) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()  # it waits for the loop, which runs in this one


class _JsonLines(logging.Formatter):
    """One JSON object a line, for machines. What a caller passes as `extra={"fields": {...}}` stands in it by name."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start_logging(config: Config) -> None:
    """Readable lines in development, JSON lines in production, errors only in testing; then the warnings."""
    handler = logging.StreamHandler()
    readable = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(_JsonLines() if config.environment == "production" else readable)
    root = logging.getLogger("dragoman")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(logging.ERROR if config.environment == "testing" else config.log_level)
    for warning in config.warnings():
        root.warning("%s", warning)
