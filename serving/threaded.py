"""The server of `python app.py`: one thread per request.

It is Werkzeug's server without debugger and reloader. A connection carries one request, and gets a thread once the
client has sent something.
"""

from __future__ import annotations

import io
import re
import socket
import threading
import time
from contextlib import ExitStack, closing
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from config import Config
from serving.body import Body
from serving.client import (
    ACCEPT_PAUSE,
    NO_DESCRIPTORS,
    ClientStream,
    HeadTooLarge,
    HeadTooSlow,
    LineTooLong,
    read_away,
    read_head,
)
from serving.lobby import Lobby
from serving.refusals import LINE_TOO_LONG, TOO_LARGE, TOO_SLOW, refusal
from serving.threads import Threads

if TYPE_CHECKING:
    from flask import Flask

_IDLE = 75.0
"""Seconds that a new connection may be silent, as `keepalive` in gunicorn.conf.py."""
CLIENT_TIMEOUT = 60.0
"""Seconds between two pieces of a body, for an application that does not say."""

_TARGET = re.compile("/|https?://", re.IGNORECASE)


class _Nothing(io.BytesIO):
    """What Werkzeug finds when it reads the rest of a body: it would wait without a limit."""


_LAST_CHUNK = b"0\r\n\r\n"
"""The end of a chunked body. Werkzeug flushes behind all other pieces of an answer."""


class Answer(io.BufferedIOBase):
    """What is written until a flush leaves at once: Werkzeug writes a chunk in four pieces."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        if data == _LAST_CHUNK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send it. Raises OSError if the client has left; what could not be sent is forgotten."""
        data, self._written = b"".join(self._written), []
        if data:
            self._sock.sendall(data)


class Handler(WSGIRequestHandler):
    """Werkzeug's handler with HTTP/1.1, limits of size and time, errors in JSON, and no log of its own."""

    disable_nagle_algorithm = True  # each event of a stream must leave at once
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.rfile.close()  # a file of the socket would count as a user of it
        self.rfile = _Nothing()
        self.wfile = Answer(self.connection)
        self._waits = False
        self._body: Body | None = None

    def handle_one_request(self) -> None:
        """Read one head, answer, and read away what the client still sends: the connection ends here."""
        try:
            data, end = read_head(self.connection, idle=_IDLE)
            if not end:
                self.close_connection = True
                return
            self._behind = bytes(data[end:])
            self._answer(bytes(data[:end]))
        except LineTooLong:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG, LINE_TOO_LONG)
        except HeadTooLarge:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LARGE)
        except HeadTooSlow:
            self.send_error(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW)
        self.close_connection = True
        self.wfile.flush()
        if self._body is None or not self._body.finished or self._more_came():
            read_away(self.connection)

    def _answer(self, head: bytes) -> None:
        first, newline, fields = head.partition(b"\n")
        self.raw_requestline = first + newline
        self.rfile = io.BytesIO(fields)
        if self.parse_request():
            self.run_wsgi()

    def _more_came(self) -> bool:
        """Whether bytes came that nobody has read, such as a stray line end: the close would discard the answer."""
        if self._behind:
            return True
        self.connection.setblocking(False)
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
        finally:
            self.connection.setblocking(True)

    def handle_expect_100(self) -> bool:
        """Note that the client waits for `100 Continue`. It is told so once, when its body is read, if it ever is."""
        self._waits = True
        return True

    def run_wsgi(self) -> None:
        if self.request_version == "HTTP/1.0":  # such a client does not understand a chunked body
            self.protocol_version = "HTTP/1.0"
        del self.headers["Expect"]  # Werkzeug would answer it
        super().run_wsgi()

    def make_environ(self) -> dict[str, Any]:
        """The environment, with a body that is read within limits. Its bytes may have come with the head."""
        stream = ClientStream(self.connection, self._behind, self.server.client_timeout)
        self.rfile = io.BufferedReader(stream, 65536)
        environ = super().make_environ()
        self._behind, self.rfile = b"", _Nothing()
        length = None if "wsgi.input_terminated" in environ else int(environ.get("CONTENT_LENGTH") or 0)
        self._body = Body(environ["wsgi.input"], length, self._go_on if self._waits else None)
        environ["wsgi.input"] = self._body
        return environ

    def _go_on(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        self.path = self.requestline.split()[1]  # http.server makes one slash of several at its start
        if self.request_version < "HTTP/1":  # Werkzeug would answer without a head
            self.send_error(HTTPStatus.BAD_REQUEST, "HTTP/0.9 is not supported.")
            return False
        lengths = set(self.headers.get_all("Content-Length", ()))
        if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", each.strip()) for each in lengths):
            self.send_error(HTTPStatus.BAD_REQUEST, "Content-Length is not one number.")
            return False
        if not _TARGET.match(self.path) and (self.command, self.path) != ("OPTIONS", "*"):
            self.send_error(HTTPStatus.BAD_REQUEST, "The request target is neither a path nor a URL.")
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

    request_queue_size = 1024

    def __init__(self, listener: socket.socket, app: Flask) -> None:
        self.busy = 0
        self._lock = threading.Lock()
        self._pool = Threads()
        self._stop, self._stopped = threading.Event(), threading.Event()
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, self._counting(app), handler=Handler, fd=listener.fileno())
        listener.close()  # Werkzeug has duplicated the descriptor
        self.server_name, self.server_port = host, port
        self.client_timeout: float | None = app.config.get("CLIENT_TIMEOUT", CLIENT_TIMEOUT)

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown`, which is noticed within `poll_interval` seconds. Then it no longer listens."""
        try:
            with closing(Lobby(self.socket, self.get_request, self.shutdown_request, _IDLE)) as lobby:
                while not self._stop.is_set():
                    for connection, address in lobby.spoken(poll_interval):
                        self.process_request(connection, address)
        finally:
            self.server_close()
            self._stopped.set()

    def shutdown(self) -> None:
        """End `serve_forever`, and wait for that."""
        self._stop.set()
        self._stopped.wait()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of the pool."""
        try:
            self._pool.run(partial(self.process_request_thread, request, client_address))
        except RuntimeError:  # there are no more threads
            self.handle_error(request, client_address)
            self.shutdown_request(request)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises OSError, behind a pause if the system has no descriptor: it would spin."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in NO_DESCRIPTORS:
                time.sleep(ACCEPT_PAUSE)
            raise

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


def listen(config: Config) -> socket.socket:
    """The listening socket. Raises OSError; Werkzeug, if it opened the socket, would end the process by itself."""
    family = socket.AF_INET6 if ":" in config.proxy_host else socket.AF_INET
    return socket.create_server((config.proxy_host, config.proxy_port), family=family, backlog=1024)
