"""One response, parsed while its bytes arrive. The parser is httptools, a binding of llhttp (Node's parser).

The parser is incremental: it never blocks for more bytes. So a head or a chunk size that has arrived in part does not
delay a heartbeat.

May not know: sockets, time, what the body means.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

_MAX_NON_BODY_BYTES = 262144
"""Bytes that may arrive without any byte of the body: interim responses, the head, chunk extensions, trailers."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status line and headers."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]  # as received: order, case and duplicates

    def get(self, name: str) -> str | None:
        """The value of the first header of that name, in any case; None if there is none."""
        return next(self._all(name), None)

    def tokens(self, name: str) -> list[str]:
        """The comma-separated values of all headers of that name, in lower case."""
        return [token.strip().lower() for value in self._all(name) for token in value.split(",") if token.strip()]

    def _all(self, name: str) -> Iterator[str]:
        name = name.lower()
        return (value for key, value in self.headers if key.lower() == name)


class HttpResponse:
    """The response to one request. Drain `take()` before checking `fault`."""

    def __init__(self, method: str) -> None:
        """`method` is the request's: the response to HEAD has no body."""
        self.head: ResponseHead | None = None
        self.done = False  # the body is complete
        self.fault = ""  # why the rest will never arrive; empty if nothing is wrong
        self.reusable = False  # the connection can carry another exchange
        self._head_request = method == "HEAD"  # no body, whatever Content-Length says
        self._chunked = False
        self._until_close = False  # the end of the connection is the end of the body
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._non_body_bytes = 0  # received since the last byte of the body
        self._parser = _parser(self)

    @property
    def empty(self) -> bool:
        """Whether the body is complete and nothing of it waits to be taken. True with the head if there is no body."""
        return self.done and not self._pieces

    def feed(self, data: bytes) -> None:
        """Parse what arrived. Everything before it must have been taken."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            interrupt = error.__context__ if isinstance(error, HttpParserCallbackError) else None
            if isinstance(interrupt, KeyboardInterrupt):  # while a head was read: no fault of the backend
                raise interrupt from None
            self._fail(str(error))
        self._non_body_bytes = 0 if self._pieces else self._non_body_bytes + len(data)
        if self._non_body_bytes > _MAX_NON_BODY_BYTES:
            self._fail(f"more than {_MAX_NON_BODY_BYTES} bytes of head or trailers")

    def end(self) -> None:
        """The backend closed the connection: the body is complete, or `fault` says that it is not."""
        if self._chunked:
            # Some servers close right after the last chunk: then only the final blank line is missing.
            with suppress(HttpParserError):
                self._parser.feed_data(b"\r\n")
            self._pieces.clear()
        self.done = self.done or self._until_close
        self._fail("the connection closed")

    def close(self) -> None:
        """Nothing more is fed. The parser refers back to this, and only the garbage collector would find the two."""
        with suppress(AttributeError):
            del self._parser

    def take(self) -> bytes:
        """The bytes of the body that arrived since the last call."""
        if not self._pieces:
            return b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def _fail(self, reason: str) -> None:
        """Stop parsing. Bytes behind a complete body are no fault, but the connection cannot be used again."""
        self.reusable = False
        if not self.done and not self.fault:
            what = "no HTTP answer from the backend" if self.head is None else "the backend's answer broke off"
            self.fault = f"{what}: {reason}"

    # Called by the parser. It goes on into a next message if bytes of one follow.

    def on_message_begin(self) -> None:
        self.reusable = False

    def on_status(self, part: bytes) -> None:
        self._reason += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is None:  # else it is a trailer
            self._headers.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 101:
            self._fail("it switches to another protocol (101)")
        elif not 100 <= status <= 599:
            self._fail(f"the status {status:03} is none")
        elif self.head is None and not 100 <= status < 200:
            self._begin(ResponseHead(status, self._reason.decode("latin-1").strip(), tuple(self._headers)))

    def on_body(self, part: bytes) -> None:
        if self.done:
            self.reusable = False
        else:
            self._pieces.append(part)

    def on_message_complete(self) -> None:
        if self.head is None:  # an interim response (100 Continue, 103 Early Hints)
            self._reason = b""
            self._headers.clear()
        elif not self.done:
            self._finish()

    def _begin(self, head: ResponseHead) -> None:
        """Take the head, and note whether the body lasts until the connection closes (RFC 9112, section 6.3)."""
        self.head = head
        codings = head.tokens("transfer-encoding")
        self._chunked = codings[-1:] == ["chunked"]
        self._until_close = not self._chunked and (codings != [] or head.get("content-length") is None)
        if self._head_request:
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.reusable = self._parser.should_keep_alive()


def _parser(response: HttpResponse) -> HttpResponseParser:
    """A strict parser but for two deviations that real backends show.

    They are dangerous only where one connection carries requests of several clients at a time. Here it carries one.
    """
    parser = HttpResponseParser(response)
    parser.set_dangerous_leniencies(
        lenient_chunked_length=True,  # Transfer-Encoding beside Content-Length: the chunks count
        lenient_spaces_after_chunk_size=True,  # chunk sizes padded with spaces
    )
    return parser
