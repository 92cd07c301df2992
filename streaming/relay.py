"""Takes requests to the backend and brings answers back: translated by a dialect, or forwarded unchanged."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from backends import Backend, ResponseHead, UpstreamExchange, Wait
from backends.protocol import NewReader, ReplyContext
from config import Config
from dialects.protocol import Dialect, ParsedRequest, UpstreamRequest
from errors import ClientLeft, ProxyError
from streaming.answer import UpstreamReply
from streaming.conversation import ClientReply, ReplySettings, TranslatedReply
from streaming.headers import Headers, to_backend, to_client, value_of
from streaming.parser_selection import ParserSelection
from streaming.record import ExchangeRecord
from streaming.redaction import Redaction


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What a client sent, free of any web framework. `target` is the raw path and query, from `/v1` on."""

    method: str
    target: str
    headers: Headers
    body: bytes
    request_id: str
    client_fd: int | None = None
    """The client's socket, watched for a hang-up."""


class Pieces(Iterator[bytes]):
    """A body in pieces. `close` ends the exchange once, even if no piece was read."""

    def __init__(self, pieces: Iterator[bytes], when_closed: Callable[[], None]) -> None:
        self._pieces = self._until_closed(pieces)
        self._when_closed: Callable[[], None] | None = when_closed

    def _until_closed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        finally:  # at its end, and whatever breaks it: nothing will follow
            self.close()

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def __next__(self) -> bytes:
        return next(self._pieces)

    def drain(self) -> None:
        """Read and discard the rest."""
        for _ in self:
            pass

    def close(self) -> None:
        when_closed, self._when_closed = self._when_closed, None
        if when_closed is not None:
            when_closed()


class Relay:
    """Shared by all threads of the process."""

    def __init__(self, config: Config, backend: Backend, new_reader: NewReader) -> None:
        """`new_reader` makes a reader of the backend's API for each attempt at an answer."""
        self._config = config
        self._backend = backend
        self._new_reader = new_reader
        self._parsers = ParserSelection(config)
        self._redaction = Redaction([config.backend_api_key, *config.proxy_api_keys])
        self._settings = ReplySettings(config.keepalive_seconds, config.request_timeout, self._redaction)

    def converse(self, dialect: Dialect, request: ClientRequest) -> ClientReply:
        """Answer a request of a dialect.

        Raises RequestError for what is wrong with it, BackendError for what is wrong behind us, ClientLeft.
        """
        if not self._config.convert:
            return self.forward(request)
        parsed = dialect.parse_request(request.body)
        request = replace(request, body=b"")  # `parsed` has what goes on
        new_parser, expectations = self._parsers.select(parsed, value_of(request.headers, "x-dragoman-syntax"))
        context = ReplyContext(new_parser, expectations, parsed.ids, parsed.choices, parsed.model)
        reader = self._new_reader(context)
        record = self._record(request, parsed)
        _, mark, query = request.target.partition("?")
        exchange = self._open(request, parsed.upstream.path + mark + query, parsed.upstream.body, record)
        parsed = replace(parsed, upstream=UpstreamRequest("", b""))  # nobody needs the body any more
        answer = UpstreamReply(exchange, reader, record, dialect.wire == reader.wire)

        def learn() -> None:
            self._parsers.learn(parsed, reader.notes)

        return TranslatedReply(answer, parsed, dialect, record, self._settings, learn).reply()

    def forward(self, request: ClientRequest) -> ClientReply:
        """Forward a request unchanged, and its answer as it arrives."""
        record = self._record(request)
        exchange = self._open(request, request.target, request.body, record)
        try:
            head = exchange.wait_head(None)
            if not isinstance(head, ResponseHead):
                raise ClientLeft("The client left.")
        except ProxyError as error:
            exchange.close()
            _failed(record, error)
            raise
        record.status = head.status
        kept = to_client(head.headers, record.request_id, same_body=not exchange.decoded)
        headers = [(name, self._redaction.of_text(value)) for name, value in kept]
        length = head.get("content-length")
        if length is not None and not exchange.decoded:
            headers.append(("Content-Length", length))
        arriving = _body_of(exchange, record)
        if head.status >= 400:
            arriving = self._redaction.of_pieces(arriving)
        body = Pieces(arriving, lambda: _over(exchange, record))
        if request.method == "HEAD" or head.status in (204, 304):
            body.drain()
            return ClientReply(head.status, headers, b"")
        return ClientReply(head.status, headers, body)

    def probe(self) -> tuple[bool, str]:
        """(whether the backend answers, its status or the reason why not)"""
        return self._backend.probe()

    def _record(self, request: ClientRequest, parsed: ParsedRequest | None = None) -> ExchangeRecord:
        path = request.target.partition("?")[0]
        return ExchangeRecord(
            request.request_id, path, parsed.model if parsed else "", parsed.stream if parsed else False
        )

    def _open(self, request: ClientRequest, target: str, body: bytes, record: ExchangeRecord) -> UpstreamExchange:
        key = self._config.backend_api_key
        headers = to_backend(request.headers, key, bool(self._config.proxy_api_keys), record.request_id)
        try:
            return self._backend.open(request.method, target, headers, body, request.client_fd)
        except ProxyError as error:
            _failed(record, error)
            raise


def _body_of(exchange: UpstreamExchange, record: ExchangeRecord) -> Iterator[bytes]:
    """A body as it arrives. If it breaks off, so does the client's: the status was sent, so no error can follow."""
    try:
        while not isinstance(data := exchange.next_bytes(None), Wait):
            record.touched()
            yield data
    except ProxyError as error:
        record.error = error.code
        # A broken connection is what the client must see of it, and the one error after which no server adds a word.
        raise ConnectionResetError(errno.ECONNRESET, error.message) from error


def _over(exchange: UpstreamExchange, record: ExchangeRecord) -> None:
    exchange.close()
    record.end()


def _failed(record: ExchangeRecord, error: ProxyError) -> None:
    record.error = error.code
    record.status = error.status
    record.end()
