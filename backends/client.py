"""One request to one backend, and its answer as it arrives.

urllib3, the engine of requests, pools the connections, makes them, speaks TLS and decodes gzip. The HTTP/1.1 on them is
written and read here, because a proxy must notice a heartbeat due or a client gone at any moment: `getresponse()`
blocks in a head that is half there, `read1()` in the size line of a chunk, and a burst costs one call for each chunk.

May not know: what the bytes mean, tools, dialects, Flask.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, cast

import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import HTTPResponse, MultiDecoder

from backends.wait import ChunkedBody, Client, LimitPassed, Line, Pause, PlainBody, Wait
from errors import Interrupted, ProxyError, RequestError, TimedOut, Unreachable

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")  # a header that goes on in the next line, as it was once allowed to
_STATUS_LINE = re.compile(rb"HTTP/(\d\.\d) (\d{3})(?: (.*))?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_TARGET = re.compile(r"[^!-~]")
_NOT_IN_VALUE = re.compile(r"[\0\r\n]")
_LONGEST_HEAD = 262144

# Said by us, of the URL and the body. Said twice, they could make one message two.
_OURS = {"host", "content-length", "transfer-encoding"}

_UNDECODABLE: tuple[type[Exception], ...] = (*HTTPResponse.DECODER_ERROR_CLASSES, HTTPError)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; None is no limit."""

    connect: float
    first_byte: float | None  # from the end of the request to the first byte of the body
    idle: float | None  # between two bytes after that


@dataclass(frozen=True, slots=True)
class ResponseHead:
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]  # as received: order, case and duplicates

    def get(self, name: str) -> str | None:
        """The first header of that name, in whatever case."""
        return next(self._all(name), None)

    def tokens(self, name: str) -> list[str]:
        """The comma-separated values of all headers of that name, in lower case."""
        return [token.strip().lower() for value in self._all(name) for token in value.split(",") if token.strip()]

    def _all(self, name: str) -> Iterator[str]:
        name = name.lower()
        return (value for key, value in self.headers if key.lower() == name)


class Backend:
    """One backend: its base URL, its pooled connections, its timeouts. Shared by all threads."""

    def __init__(self, url: str, timeouts: Timeouts, pool_size: int = 1024, verify: str | None = None) -> None:
        """`verify` is a file of CA certificates to trust instead of the usual bundle."""
        self.url = url.rstrip("/")
        self.timeouts = timeouts
        place = urllib3.util.parse_url(self.url)
        self._prefix = place.path or ""
        usual = {"http": 80, "https": 443}.get(place.scheme or "")
        self._host = f"{place.host}" if place.port in (None, usual) else f"{place.host}:{place.port}"
        # No requests.Session: it looks for proxies and passwords in the environment, at each call.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0, pool_block=False)
        options = {"ssl_context": _tls(verify)} if place.scheme == "https" else {}
        self._pool = adapter.poolmanager.connection_from_url(self.url, options)

    def open(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes, client_fd: int | None = None
    ) -> BackendExchange:
        """Connect and send, without waiting for the answer. `target` is the path below the base URL, and the query.

        Raises Unreachable or TimedOut; RequestError for what cannot stand in a head. The caller closes the exchange.
        """
        request = _render(method, self._prefix + target, self._host, headers, body)
        return BackendExchange(self, method, request, Client(client_fd), self.timeouts)

    def probe(self, path: str = "/v1/models", timeout: float = 2.0) -> tuple[bool, str]:
        """Is it there? And in a few words: what it answers, or why not. Never raises."""
        deadline = time.monotonic() + timeout
        try:
            request = _render("GET", self._prefix + path, self._host, (), b"")
            limits = Timeouts(timeout, None, timeout)
            with closing(BackendExchange(self, "GET", request, Client(None), limits)) as exchange:
                head = exchange.wait_head(deadline)
                if isinstance(head, Wait):
                    return False, f"no answer within {timeout:g} s"
                # To hang up in mid-answer would be an error in the backend's log.
                while isinstance(exchange.next_bytes(deadline), bytes):
                    pass
        except ProxyError as error:
            return False, error.message
        return head.status < 500, f"HTTP {head.status}"

    def close(self) -> None:
        """Close the connections nobody uses; those in use are closed when they are given back."""
        self._pool.close()  # the adapter's close() leaves it to the garbage collector

    # _get_conn and _put_conn are private by name only: they are as old as urllib3, and urlopen(), the way in front of
    # them, blocks until the head is there.

    def _take(self) -> HTTPConnection:
        """A connection from the pool, or a new one that is not connected yet."""
        try:
            return cast(HTTPConnection, self._pool._get_conn())
        except HTTPError as error:  # the pool is closed
            raise Unreachable(f"the backend at {self._host} is no longer in use") from error

    def _give_back(self, connection: HTTPConnection) -> None:
        self._pool._put_conn(connection)

    def _connect(self, connection: HTTPConnection, timeout: float) -> None:
        connection.timeout = timeout or None  # to a socket, 0 is not to wait at all
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            connection.close()  # a handshake that failed leaves the socket open
            where = f"no connection to the backend at {self._host}"
            if _is_timeout(error):
                raise TimedOut(f"{where} within {timeout:g} s", "connect") from error
            raise Unreachable(f"{where}: {_cause(error)}") from error


class BackendExchange:
    """One request and its answer, in the hands of one thread from `Backend.open()` to `close()`."""

    def __init__(self, backend: Backend, method: str, request: bytes, client: Client, timeouts: Timeouts) -> None:
        self._backend = backend
        self._method = method
        self._request = request
        self._client = client
        self._timeouts = timeouts
        self._head: ResponseHead | None = None
        self._received = b""  # and not understood yet
        self._body: PlainBody | ChunkedBody = PlainBody(0)
        self._decoder: MultiDecoder | None = None
        self.decoded = False  # the body does not come in the Content-Encoding of its head, but plain
        self._heard_at: float | None = None  # when the last bytes came
        self._flowing = False  # the body's first byte came
        self._connection: HTTPConnection | None = backend._take()
        self._reused = not self._connection.is_closed
        self._start(self._connection)

    def wait_head(self, deadline: float | None) -> ResponseHead | Pause:
        """The head of the answer; IDLE at the deadline, to be called again; CLIENT_LEFT."""
        while self._head is None:
            if self._client_left:
                return Wait.CLIENT_LEFT
            try:
                pause = self._more_of_head(deadline)
            except Interrupted:
                if not self._stale:
                    raise
                self._start_afresh()
                continue
            if pause is not None:
                return pause
        return self._head

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        """All of the body that has arrived, never `b""`; or IDLE at the deadline, CLIENT_LEFT, END."""
        while True:
            if self._body.fault:
                raise Interrupted(f"the backend's answer broke off: {self._body.fault}")
            if self._body.done:
                return self._last_bytes() or Wait.END
            data = self._received or self._receive(deadline)
            if isinstance(data, Wait):
                return data
            self._received = b""
            if not data:
                self._body.close()
            elif piece := self._decode(self._body.feed(data)):
                self._flowing = True
                return piece

    def read_all(self, limit: int | None = None) -> bytes | Literal[Wait.CLIENT_LEFT]:
        """The whole body. Interrupted if it is longer than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while isinstance(piece := self.next_bytes(None), bytes):
            pieces.append(piece)
            size += len(piece)
            if limit is not None and size > limit:
                raise Interrupted(f"the backend's answer is longer than {limit} bytes")
        return Wait.CLIENT_LEFT if piece is Wait.CLIENT_LEFT else b"".join(pieces)

    def close(self) -> None:
        """Give the connection back if all of the body was read; else hang up, so that the backend stops generating."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._head is not None and self._body.done and self._lasting and not self._body.spent and not self._received:
            self._backend._give_back(connection)
        else:
            # And not put back, as urllib3 does: on top of the pool, a closed one hides those that are open.
            connection.close()

    def _start(self, connection: HTTPConnection) -> None:
        """Connect, unless that is done, and send."""
        if connection.is_closed:
            self._backend._connect(connection, self._timeouts.connect)
        self._line = Line(connection.sock, self._client)
        self._client_left = False
        self._lasting = True
        try:
            self._client_left = not self._line.send(self._request, self._timeouts.idle)
        except LimitPassed:
            self.close()
            raise TimedOut(f"the backend read nothing for {self._timeouts.idle:g} s", "idle") from None
        except OSError:
            # It may have answered before it hung up (413). The wait for the head will find out.
            self._lasting = False
        self._sent_at = time.monotonic()

    @property
    def _stale(self) -> bool:
        """Not a byte came over a pooled connection: the backend closed it while it lay there."""
        return self._reused and self._heard_at is None

    def _start_afresh(self) -> None:
        assert self._connection is not None
        self._reused = False
        self._connection.close()
        self._start(self._connection)

    def _more_of_head(self, deadline: float | None) -> Pause | None:
        data = self._receive(deadline)
        if isinstance(data, Wait):
            return data
        if not data:
            raise Interrupted("the backend closed the connection without an answer")
        self._request = b""  # it will not be sent again, and a stream may last
        self._received += data
        while self._head is None and self._received:
            # Told by the first bytes: what is not HTTP may never come to a blank line.
            if not self._received.startswith(b"HTTP/"[: len(self._received)]) or len(self._received) > _LONGEST_HEAD:
                raise Interrupted("the backend's answer does not begin as HTTP/1.1 does")
            if not (end := _HEAD_END.search(self._received)):
                break
            self._understand(self._received[: end.start()])
            self._received = self._received[end.end() :]
        return None

    def _understand(self, raw: bytes) -> None:
        """Take in a head, unless it only announces another one (100 Continue, 103 Early Hints)."""
        head, version = _parse_head(raw)
        if 100 <= head.status < 200:
            return
        self._head = head
        self._body = _body(head, self._method)
        self._decoder = None if self._body.done else _decoder(head)
        self.decoded = self._decoder is not None
        wish = head.tokens("connection")
        self._lasting &= "close" not in wish and (version != b"1.0" or "keep-alive" in wish)

    def _receive(self, deadline: float | None) -> bytes | Pause:
        """`b""` if the backend closed, Interrupted if the connection broke."""
        phase, allowed, since = "first_byte", self._timeouts.first_byte, self._sent_at
        if self._flowing and self._heard_at is not None:
            phase, allowed, since = "idle", self._timeouts.idle, self._heard_at
        try:
            data = self._line.receive(deadline, None if allowed is None else since + allowed)
        except LimitPassed:
            raise TimedOut(f"the backend sent nothing for {allowed:g} s", phase) from None
        except OSError as error:
            raise Interrupted(f"the connection to the backend broke: {_cause(error)}") from error
        if data and isinstance(data, bytes):
            self._heard_at = time.monotonic()
        return data

    def _decode(self, data: bytes) -> bytes:
        if self._decoder is None or not data:
            return data
        try:
            return self._decoder.decompress(data)
        except _UNDECODABLE as error:
            raise Interrupted("the backend's answer is not in the coding that it names") from error

    def _last_bytes(self) -> bytes:
        """What the decoder held back, once."""
        decoder, self._decoder = self._decoder, None
        try:
            return decoder.flush() if decoder is not None else b""
        except _UNDECODABLE as error:
            raise Interrupted("the backend's answer broke off inside its coding") from error


def _render(method: str, target: str, host: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """The request on the wire, in one piece: mostly it is one packet."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _OURS]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    bad = [name for name, value in headers if not _TOKEN.fullmatch(name) or _NOT_IN_VALUE.search(value)]
    if bad or not _TOKEN.fullmatch(method) or _NOT_IN_TARGET.search(target):
        raise RequestError("the request's head holds a character that must not be in one")
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    except UnicodeEncodeError as error:
        raise RequestError("a header holds a character that cannot be sent") from error


def _parse_head(raw: bytes) -> tuple[ResponseHead, bytes]:
    """The head and its version of HTTP."""
    first, *lines = _FOLD.sub(b" ", raw).splitlines()
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise Interrupted("the backend's answer has no status line")
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not _TOKEN.fullmatch(name.rstrip()):
            raise Interrupted("the backend's answer has a header line without a name")
        headers.append((name.rstrip(), value.strip(" \t")))
    reason = (status[3] or b"").decode("latin-1").strip()
    return ResponseHead(int(status[2]), reason, tuple(headers)), status[1]


def _body(head: ResponseHead, method: str) -> PlainBody | ChunkedBody:
    """How the body will end (RFC 9112, section 6.3)."""
    if method == "HEAD" or head.status in (204, 304):
        return PlainBody(0)
    if codings := head.tokens("transfer-encoding"):
        return ChunkedBody() if codings[-1] == "chunked" else PlainBody(None)
    lengths = set(head.tokens("content-length"))
    if not lengths:
        return PlainBody(None)
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise Interrupted("the backend's answer has no readable Content-Length")
    return PlainBody(int(length))


def _decoder(head: ResponseHead) -> MultiDecoder | None:
    """For the codings urllib3 knows. A body in another one passes as it is, with its Content-Encoding."""
    codings = head.tokens("content-encoding")
    known = bool(codings) and set(codings) <= set(HTTPResponse.CONTENT_DECODERS)
    return MultiDecoder(",".join(codings)) if known else None


def _tls(verify: str | None) -> ssl.SSLContext:
    """Made once. urllib3 by itself reads the whole bundle again for each connection."""
    context = urllib3.util.create_urllib3_context()
    context.load_verify_locations(verify or DEFAULT_CA_BUNDLE_PATH)
    return context


def _is_timeout(error: Exception) -> bool:
    # To urllib3, a refused connection and an unknown name are ConnectTimeoutErrors too. TimeoutError is TLS's.
    return isinstance(error, (ConnectTimeoutError, TimeoutError)) and not isinstance(error, NewConnectionError)


def _cause(error: BaseException) -> str:
    """What went wrong in the system's words, out of urllib3's wrapping."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
