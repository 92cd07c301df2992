"""What is ours in gunicorn: heads and bodies within limits, errors in JSON, and a quick stop that tells open streams.

It replaces parts of gunicorn's parser, which all of its workers share. Imported by gunicorn.conf.py only.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import gunicorn.glogging  # type: ignore[import-untyped]
import gunicorn.http.message  # type: ignore[import-untyped]
import gunicorn.http.parser  # type: ignore[import-untyped]
import gunicorn.http.unreader  # type: ignore[import-untyped]
import gunicorn.util  # type: ignore[import-untyped]
from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders, LimitRequestLine  # type: ignore[import-untyped]

from config import Config
from serving.body import Body
from serving.client import (
    HEAD_BYTES,
    HeadTooLarge,
    HeadTooSlow,
    LineTooLong,
    read_away,
    read_head,
    receive,
)
from serving.logs import JsonLines
from serving.refusals import TOO_LARGE, TOO_SLOW, refusal
from serving.silence import first_bytes
from turns import Turns, let_others_run

log = logging.getLogger("dragoman.serving")

SHORT_BODY = 65536
"""Bytes of an unread body up to which the connection is kept, and the body read away."""
QUICK_STOP = 2.0
"""Seconds that a quick stop waits for open streams to be told."""

_HEADS_IN_A_TURN = 4
"""Requests of one connection after which others get their turn: the next may be there already. If it is known to be,
they get it at once.
"""
_PIECE = 4096
"""Bytes that are asked for where the size of a chunk is not known yet: they may hold a thousand chunks."""

_MOST = 1 << 17
"""Bytes of a body that are read in one go: of many clients that send big ones, each has as much in its turn."""

_client_timeout: float | None = 60.0
_open: set[int] = set()


class JsonLogger(gunicorn.glogging.Logger):  # type: ignore[misc]
    """Writes gunicorn's own lines as JSON."""

    error_log: logging.Logger

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())


def logger_of(config: Config) -> type:
    """What writes gunicorn's own lines: in the form of ours."""
    return JsonLogger if config.environment == "production" else gunicorn.glogging.Logger


def install(client_timeout: float | None) -> None:
    """Put our parts into gunicorn. `client_timeout` are the seconds between two pieces of a body; None is no limit."""
    global _client_timeout
    _client_timeout = client_timeout
    gunicorn.http.parser.SocketUnreader = Unreader
    gunicorn.http.parser.RequestParser.mesg_class = Request
    gunicorn.util.write_error = _refuse
    gunicorn.util.write = _write


class Unreader(gunicorn.http.unreader.SocketUnreader):  # type: ignore[misc]
    """Reads a client's socket: a head as a whole, a body in turns."""

    buf: Any

    def __init__(self, sock: Any, max_chunk: int = _PIECE) -> None:
        super().__init__(sock, max_chunk)
        self._heads = 0
        self._turns: Turns | None = None

    def wait_for_head(self) -> None:
        """Read until a whole head has come. Raises gunicorn's errors; StopIteration if there is nothing to answer."""
        self._heads += 1
        self._turns = None
        begun = self.buf.getvalue()
        if begun:
            self.buf = type(self.buf)()
        if begun or not self._heads % _HEADS_IN_A_TURN:
            let_others_run()
        begun = begun or first_bytes(self.sock, kept=self._heads > 1)
        if not begun:
            raise StopIteration
        try:
            data, end = read_head(self.sock, begun)
        except LineTooLong:
            raise LimitRequestLine(HEAD_BYTES, HEAD_BYTES) from None
        except HeadTooLarge:
            raise LimitRequestHeaders(TOO_LARGE) from None
        except HeadTooSlow:
            _refuse(self.sock, 408, "", TOO_SLOW)
            raise StopIteration from None
        if not end:
            raise StopIteration
        if data.count(b"\n", 0, end) != data.count(b"\r\n", 0, end):
            raise InvalidHeader("bare LF as line terminator")
        self.buf.write(data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of a body. Raises TimeoutError if none come in time."""
        if self._turns is None:
            self._turns = Turns()
        self._turns.take()
        return receive(self.sock, max(self.mxchunk, min(size_hint or 0, _MOST)), _client_timeout)


class Request(gunicorn.http.message.Request):  # type: ignore[misc]
    """A request whose head is read once, and whose body is asked for when it is read."""

    body: Any
    headers: Any

    def parse(self, unreader: Unreader) -> Any:
        """Parse the head. Raises gunicorn's errors."""
        self.max_buffer_headers = HEAD_BYTES  # of trailers
        if self.req_number > 1 or self.cfg.proxy_protocol in (False, "off"):
            unreader.wait_for_head()
        return super().parse(unreader)

    def set_body_reader(self) -> None:
        """Decide how the body ends, and keep gunicorn from asking for it."""
        super().set_body_reader()
        waits = self._take_expectation()
        reader = self.body.reader
        length = reader.length if isinstance(reader, LengthReader) else None
        self.body = Body(self.body, length, self._go_on if waits else None)

    def should_close(self) -> bool:
        """Whether the connection ends behind the answer. It does where much of the body, or an unknown part, is left.

        gunicorn asks before it writes the head of the answer, and before it reads the next request.
        """
        return bool(super().should_close()) or not self._can_go_on()

    def _can_go_on(self) -> bool:
        body = self.body
        if body.finished:
            return True
        return not body.failed and not body.waits and body.length is not None and body.length <= SHORT_BODY

    def _take_expectation(self) -> bool:
        """Whether the client waits for `100 Continue`. gunicorn would send it before the application is asked."""
        expects = [value for name, value in self.headers if name == "EXPECT"]
        if not expects:
            return False
        self.headers = [(name, value) for name, value in self.headers if name != "EXPECT"]
        self._expected_100_continue = False
        return self.version >= (1, 1) and any(value.lower() == "100-continue" for value in expects)

    def _go_on(self) -> None:
        self.unreader.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _write(sock: Any, data: bytes, chunked: bool = False) -> None:
    """Send all of the data. gevent's `sendall` asks the system for the size of its buffer first, each time."""
    if chunked:
        data = b"%x\r\n%b\r\n" % (len(data), data)
    sent = sock.send(data)
    if sent < len(data):
        sock.sendall(memoryview(data)[sent:])


def _refuse(client: Any, status: int, _reason: str, message: str) -> None:
    """Answer a request that gunicorn rejects before the application sees it."""
    gunicorn.util.write_nonblock(client, refusal(status, message))
    read_away(client)


def tell_in_one_line() -> None:
    """Under gevent, a connection that fails before its request is a line of the log. gevent would print a traceback.

    Such are handshakes of TLS that fail, and connections for which the system has no descriptor.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("socket"):
        return
    from gevent import get_hub  # type: ignore[import-untyped]

    hub = get_hub()
    usual = hub.handle_error

    def handle_error(context: Any, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, OSError) and context is not None:
            log.warning("a connection failed: %s", str(error) or type(error).__name__)
        else:
            usual(context, kind, error, trace)

    hub.handle_error = handle_error


def pre_request(_worker: Any, request: Any) -> None:
    """Count the request as open."""
    _open.add(id(request))


def post_request(_worker: Any, request: Any, _environ: Any, _response: Any) -> None:
    """Behind the answer: read away what the client still sends, where the connection ends."""
    _open.discard(id(request))
    body = request.body
    if isinstance(body, Body) and not body.finished and request.should_close():
        read_away(request.unreader.sock)


def tell_before_quick_stop(shutdown: Any) -> None:
    """End what is open with errors, and wait until the clients were told, for a short while."""
    shutdown.set()
    until = time.monotonic() + QUICK_STOP
    while _open and time.monotonic() < until:
        time.sleep(0.01)
