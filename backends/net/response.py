"""One answer, understood as its bytes arrive. The parser is httptools, which is llhttp, the one of Node.

Bytes may be cut anywhere: the parser takes what there is and never asks for more, so a head or a chunk's size of which
half has arrived holds up no heartbeat.

May not know: sockets, time, what the body means.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

# So much may come and be no body: a head with all that are announced before it, a chunk's extensions, the trailers.
_LONGEST_HEAD = 262144


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


class HttpResponse:
    """The answer to one request. What came before a fault is to be taken before anyone looks at the fault."""

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.done = False  # the body ended, and as it should
        self.fault = ""  # why the rest will never come
        self.reusable = False  # the connection can carry another answer
        self._to_head = method == "HEAD"  # has no body, though its head may give a length
        self._chunked = False
        self._until_close = False
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._no_body = 0  # bytes since the last of the body
        self._parser = _parser(self)

    @property
    def empty(self) -> bool:
        """Told with the head, unless the backend itself does not know yet: the body holds nothing."""
        return self.done and not self._pieces

    def feed(self, data: bytes) -> None:
        """Understand what arrived. All that was there before must have been taken."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(str(error))
        self._no_body = 0 if self._pieces else self._no_body + len(data)
        if self._no_body > _LONGEST_HEAD:
            self._fail(f"more than {_LONGEST_HEAD} bytes of head or trailers")

    def end(self) -> None:
        """The backend closed the connection."""
        if self._chunked:
            # Some servers close right after the last chunk, without the blank line behind it. Is that all there lacks?
            with suppress(HttpParserError):
                self._parser.feed_data(b"\r\n")
            self._pieces.clear()
        self.done = self.done or self._until_close
        self._fail("the connection closed")

    def take(self) -> bytes:
        """The body that arrived since the last time, in one piece."""
        if not self._pieces:
            return b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def _fail(self, reason: str) -> None:
        """No more will be understood. After the end that is no fault, but nobody asked for what follows."""
        self.reusable = False
        if not self.done and not self.fault:
            what = "no HTTP answer from the backend" if self.head is None else "the backend's answer broke off"
            self.fault = f"{what}: {reason}"

    # What the parser calls. It reads on into the next message, if there is one.

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
            self._fail("it changes to another protocol")
        elif self.head is None and not 100 <= status < 200:
            self._begin(ResponseHead(status, self._reason.decode("latin-1").strip(), tuple(self._headers)))

    def on_body(self, part: bytes) -> None:
        if self.done:
            self.reusable = False
        else:
            self._pieces.append(part)

    def on_message_complete(self) -> None:
        if self.head is None:  # it only announced another one (100 Continue, 103 Early Hints)
            self._reason = b""
            self._headers.clear()
        elif not self.done:
            self._finish()

    def _begin(self, head: ResponseHead) -> None:
        """The parser knows how the body ends, but only we see the connection close (RFC 9112, section 6.3)."""
        self.head = head
        codings = head.tokens("transfer-encoding")
        self._chunked = codings[-1:] == ["chunked"]
        self._until_close = not self._chunked and (codings != [] or head.get("content-length") is None)
        if self._to_head:
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.reusable = self._parser.should_keep_alive()


def _parser(answer: HttpResponse) -> HttpResponseParser:
    """Strict but for two things that some backends do. The danger is in mixed requests; here a line carries one."""
    parser = HttpResponseParser(answer)
    parser.set_dangerous_leniencies(
        lenient_chunked_length=True,  # chunks, and a length that a proxy copied: the chunks count
        lenient_spaces_after_chunk_size=True,  # sizes padded to one width
    )
    return parser
