"""Takes requests to the backend and answers back: translated if a dialect understands them, else as they are."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from backends import Backend, ResponseHead, UpstreamExchange, Wait
from backends.chat.reader import ReplyReader
from config import Config
from dialects.protocol import ChatRequest, Dialect
from errors import ClientLeft, ProxyError, RequestError
from streaming.answer import UpstreamReply
from streaming.conversation import Reply, TranslatedReply
from streaming.headers import Headers, to_backend, to_client, value_of
from streaming.parser_selection import ParserSelection
from streaming.record import ExchangeRecord
from streaming.redaction import Redaction
from streaming.request_body import body_for_backend


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
    """A body in pieces. `close` ends the exchange once, also if nobody has asked for the first piece."""

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
        """Read to the end a body of which the client gets nothing."""
        for _ in self:
            pass

    def close(self) -> None:
        when_closed, self._when_closed = self._when_closed, None
        if when_closed is not None:
            when_closed()


class Relay:
    """One for the process, shared by its threads."""

    def __init__(self, config: Config, backend: Backend) -> None:
        self._config = config
        self._backend = backend
        self._models = ParserSelection(config)
        self._redaction = Redaction([config.backend_api_key, *config.proxy_api_keys])

    def converse(self, dialect: Dialect, request: ClientRequest) -> Reply:
        """A request that this dialect understands, and its answer, translated.

        Raises RequestError for what is wrong with it, BackendError for what is wrong behind us, ClientLeft.
        """
        if not self._config.convert:
            return self.forward(request)
        chat = dialect.parse_request(_json_body(request.body))
        new_parser = self._models.parsers(chat, value_of(request.headers, "x-dragoman-syntax"))
        record = self._record(request, chat)
        body = body_for_backend(request.body, chat.body)
        chat = replace(chat, body={})  # nobody needs it any more, and a stream may last
        reader = ReplyReader(new_parser, record, dialect.reasoning_fields, chat)
        answer = UpstreamReply(self._open(replace(request, body=body), record), reader, record, chat.choices)

        def learn() -> None:
            self._models.learn(chat, record.codes, reader.splits)

        keepalive, patience = self._config.keepalive_seconds, self._config.request_timeout
        return TranslatedReply(answer, chat, dialect, record, keepalive, patience, learn, self._redaction).reply()

    def forward(self, request: ClientRequest) -> Reply:
        """A request that goes on as it is, and an answer that comes back as it is, as it arrives."""
        record = self._record(request)
        exchange = self._open(request, record)
        try:
            head = exchange.wait_head(None)
            if not isinstance(head, ResponseHead):
                raise ClientLeft("The client left.")
        except ProxyError as error:
            exchange.close()
            _failed(record, error)
            raise
        record.status = head.status
        headers = to_client(head.headers, record.request_id, same_body=not exchange.decoded)
        length = head.get("content-length")
        if length is not None and not exchange.decoded:
            headers.append(("Content-Length", length))
        arriving = _body_of(exchange, record)
        if head.status >= 400:
            arriving = self._redaction.of_pieces(arriving)
        body = Pieces(arriving, lambda: _over(exchange, record))
        if request.method == "HEAD" or head.status in (204, 304):
            body.drain()
            return Reply(head.status, headers, b"")
        return Reply(head.status, headers, body)

    def probe(self) -> tuple[bool, str]:
        """Whether the backend answers, and what it says or why it does not."""
        return self._backend.probe()

    def _record(self, request: ClientRequest, chat: ChatRequest | None = None) -> ExchangeRecord:
        path = request.target.partition("?")[0]
        return ExchangeRecord(request.request_id, path, chat.model if chat else "", chat.stream if chat else False)

    def _open(self, request: ClientRequest, record: ExchangeRecord) -> UpstreamExchange:
        key = self._config.backend_api_key
        headers = to_backend(request.headers, key, bool(self._config.proxy_api_keys), record.request_id)
        try:
            return self._backend.open(request.method, request.target, headers, request.body, request.client_fd)
        except ProxyError as error:
            _failed(record, error)
            raise


def _body_of(exchange: UpstreamExchange, record: ExchangeRecord) -> Iterator[bytes]:
    """A body as it arrives. If it breaks off, so does what the client gets: the head has left, nothing can be said."""
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


_CONTAINERS = (dict, list)
_DEEPEST = 128
"""Levels of a request's JSON. Schemas nest a dozen deep; what follows the levels must never run out of stack."""


def _json_body(body: bytes) -> Any:
    try:
        found = json.loads(body, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RequestError(f"The request body is not valid JSON: {error.msg} at {place}.") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"The request body is not valid UTF-8 at byte {error.start}.") from None
    except RecursionError:
        raise _too_deep() from None
    if body.count(b"{") + body.count(b"[") > _DEEPEST and _deeper_than(_DEEPEST, found):
        raise _too_deep()
    return found


def _deeper_than(levels: int, found: Any) -> bool:
    """Level by level, for to call oneself for each level is what may run out of stack."""
    level = [found] if isinstance(found, _CONTAINERS) else []
    for _ in range(levels):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, _CONTAINERS)]
        if not level:
            return False
    return True


def _too_deep() -> RequestError:
    return RequestError(f"The request body is nested more than {_DEEPEST} levels deep.")


def _whole_number(text: str) -> int | float:
    """Python refuses to read thousands of digits. Whether such a number makes sense is the backend's to judge."""
    return int(text) if len(text) < 4000 else float("inf")
