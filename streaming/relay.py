"""Takes requests to the backend and brings answers back: translated by a dialect, or forwarded unchanged."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from backends import Backend, ClientSocket, ResponseHead, UpstreamExchange, Wait
from backends.protocol import NewPlan, NewReader, ReplyContext
from config import Config
from dialects.protocol import Ask, BackendAnswer, Dialect, ParsedRequest, SideReply, SideRequest
from errors import BackendError, ClientLeft, ProxyError
from log_context import in_exchange
from streaming.answer import LONGEST_BODY, UpstreamReply
from streaming.asking_again import CheckedReply, Sender
from streaming.attempts import Attempts
from streaming.conversation import ClientReply, ReplySettings, TranslatedReply
from streaming.decision_log import teller
from streaming.headers import OF_JSON, SYNTAX, Headers, replaced, to_backend, to_client, value_of
from streaming.model_templates import ModelTemplates
from streaming.parser_selection import ParserSelection
from streaming.record import ExchangeRecord
from streaming.redaction import Redaction
from streaming.tape import Reading
from streaming.taped import taped

_LONG = 1 << 20
"""Bytes of a request which take long to read: nobody begins with that for a client who has left."""


@dataclass(slots=True)
class ClientRequest:
    """What a client sent, free of any web framework. `target` is the raw path and query, from `/v1` on.

    The relay lets go of `body` when something else holds what is sent.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    request_id: str
    client_fd: int | None = None
    """The client's socket, watched for a hang-up."""
    key_name: str | None = None
    """The name of the client's key among PROXY_API_KEYS."""


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


class Recorded(Protocol):
    """Is told of an exchange that begins, in no time."""

    def __call__(self, record: ExchangeRecord, request: ClientRequest, asked: Mapping[str, Any] | None) -> None:
        """`asked` is the chat request, where it was read. Neither of both may be kept: they hold texts and keys."""
        ...


class Relay:
    """Shared by all threads of the process."""

    def __init__(
        self,
        config: Config,
        backend: Backend,
        new_reader: NewReader,
        new_plan: NewPlan,
        recorded: Recorded | None = None,
        templates: ModelTemplates | None = None,
    ) -> None:
        """`new_reader` makes a reader of the backend's API for each attempt at an answer, `new_plan` what is sent.

        `recorded` is told of each exchange when it begins. It may give the record a tape, `when_ended`, and headers.
        `templates` is what is known of models by their chat templates.
        """
        self._config = config
        self._backend = backend
        self._new_reader = new_reader
        self._new_plan = new_plan
        self._recorded = recorded
        self._parsers = ParserSelection(config, templates)
        self._redaction = Redaction(config.secrets)
        self._settings = ReplySettings(config.keepalive_seconds, config.request_timeout, self._redaction)

    def translates(self, dialect: Dialect) -> bool:
        """Whether requests of this dialect are translated, or else forwarded: the settings decide."""
        return self._config.convert and dialect.name not in self._config.forwarded

    def converse(self, dialect: Dialect, request: ClientRequest) -> ClientReply:
        """Answer a request of a dialect.

        Raises RequestError for what is wrong with it, BackendError for what is wrong behind us, ClientLeft.
        """
        if not self.translates(dialect):
            return self.forward(request)
        record: ExchangeRecord | None = None
        try:
            if len(request.body) > _LONG and ClientSocket(request.client_fd).left():
                raise ClientLeft("The client left.")
            parsed = dialect.parse_request(request.body, request.key_name)
            record = self._record(request, parsed, dialect.name)
            if parsed.answered is not None:
                return self._told(parsed.answered, record)
            self._parsers.templates.wanted(parsed.model, partial(self._headers, request, request.request_id))
            syntax = value_of(request.headers, SYNTAX)
            new_parser, expectations, row = self._parsers.select(parsed, syntax, teller(request.request_id))
        except ProxyError as error:
            record = record or self._record(request, face=dialect.name)
            if not isinstance(error, ClientLeft):
                record.wrote(dialect.write_error(error.info))
            _failed(record, error)
            raise
        checked = self._config.heal == "retry" and bool(expectations.tools) and parsed.choices == 1
        context = ReplyContext(new_parser, expectations, parsed.ids, parsed.choices, parsed.model, checked)
        record.codes |= parsed.codes
        record.row = row.name if row is not None else None
        learned = self._parsers.templates.find(parsed.model)
        if self._parsers.is_by_template(parsed.model, row):
            record.codes.add("template_row")
        if record.tape is not None:
            record.tape.reading = Reading(record.row, expectations, parsed.choices, parsed.stream, syntax)
        target = parsed.upstream.path
        if target == dialect.routes[0]:
            target += "".join(request.target.partition("?")[1:])
        else:  # another API, whose query and form mean nothing to the backend
            request.headers = replaced(request.headers, (OF_JSON,))
        # from here on only the plan holds the body, and only as long as it may be sent again
        request.body = b""
        history = learned.history if learned is not None else {}
        plan = self._new_plan(*parsed.upstream.take(), parsed.model, row, history)

        def read(exchange: UpstreamExchange) -> UpstreamReply:
            reader = self._new_reader(context)
            return UpstreamReply(exchange, reader, record, dialect.wire == reader.wire)

        def check(answer: UpstreamReply, sender: Sender) -> CheckedReply:
            return CheckedReply(answer, parsed, expectations, self._config.heal_attempts, sender, record)

        send = partial(self._open, request, target, record)
        attempts = Attempts(plan, send, read, record, check if checked else None)
        return TranslatedReply(
            attempts, parsed, dialect, record, self._settings, lambda: self._parsers.learn(parsed, record.notes)
        ).reply()

    def forward(self, request: ClientRequest) -> ClientReply:
        """Forward a request unchanged, and its answer as it arrives."""
        record = self._record(request)
        exchange = self._open(request, request.target, record, request.body)
        try:
            head = exchange.wait_head(None)
            if not isinstance(head, ResponseHead):
                raise ClientLeft("The client left.")
        except ProxyError as error:
            exchange.close()
            _failed(record, error)
            raise
        record.answered(head.status)
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
        return taped(ClientReply(head.status, headers, body), record)

    def answer(
        self, answer: Callable[[SideRequest, Ask], SideReply | None], side: SideRequest, request: ClientRequest
    ) -> ClientReply | None:
        """The answer of a side route; None if it leaves the request to others.

        Raises RequestError, BackendError and ClientLeft.
        """
        record = self._record(request)

        def ask(method: str, target: str, body: bytes = b"") -> BackendAnswer:
            return self._asked(
                replace(request, method=method, headers=replaced(request.headers, (OF_JSON,))), target, body, record
            )

        try:
            reply = answer(side, ask)
        except ProxyError as error:
            _failed(record, error)
            raise
        if reply is None:
            record.drop()  # another record is made by who answers it
            return None
        return self._told(reply, record)

    def _told(self, reply: SideReply, record: ExchangeRecord) -> ClientReply:
        """What a dialect said itself, as the end of its exchange."""
        record.status = reply.status
        body = reply.body if reply.status < 400 else self._redaction.of(reply.body)
        record.wrote(body, reply.recorded)
        record.end()
        return ClientReply(
            reply.status, [("Content-Type", reply.media_type), ("X-Request-Id", record.request_id)], body
        )

    def _asked(self, request: ClientRequest, target: str, body: bytes, record: ExchangeRecord) -> BackendAnswer:
        exchange = self._open(request, target, record, body)
        with closing(exchange):
            head = exchange.wait_head(None)
            pieces: list[bytes] = []
            data: bytes | Wait = b""
            while isinstance(head, ResponseHead) and not isinstance(data := exchange.next_bytes(None), Wait):
                record.touched()
                record.received(data)
                pieces.append(data)
                if sum(map(len, pieces)) > LONGEST_BODY:
                    raise BackendError("The backend's answer is too long to be read whole.")
            if not isinstance(head, ResponseHead) or data is Wait.CLIENT_LEFT:
                raise ClientLeft("The client left.")
        record.answered(head.status)
        return BackendAnswer(head.status, b"".join(pieces))

    def probe(self) -> tuple[bool, str]:
        """(whether the backend answers, its status or the reason why not)"""
        return self._backend.probe()

    def _record(self, request: ClientRequest, parsed: ParsedRequest | None = None, face: str = "") -> ExchangeRecord:
        path = request.target.partition("?")[0]
        model, stream = (parsed.model, parsed.stream) if parsed else ("", False)
        record = ExchangeRecord(request.request_id, path, model, stream, request.key_name)
        record.face, record.backend, record.bytes_in = face, self._config.backend_url, len(request.body)
        if self._recorded is not None:
            self._recorded(record, request, None if parsed is None else parsed.upstream.fields)
            if record.tape is not None:
                record.tape.asked(request.body)
                if parsed is not None and parsed.kept is not None:
                    record.take(parsed.kept)
        in_exchange(record.request_id, record.id)
        return record

    def _open(self, request: ClientRequest, target: str, record: ExchangeRecord, body: bytes) -> UpstreamExchange:
        headers = self._headers(request, record.request_id)
        if record.trace_headers:
            headers = replaced(headers, record.trace_headers)
        record.was_sent(body)
        try:
            return self._backend.open(request.method, target, headers, body, request.client_fd)
        except ProxyError as error:
            _failed(record, error)
            raise

    def _headers(self, request: ClientRequest, request_id: str) -> Headers:
        """The headers of a request to the backend."""
        config = self._config
        drop_key = bool(config.proxy_api_keys)
        return to_backend(request.headers, config.backend_api_key, drop_key, request_id, config.inspector_key)


def _body_of(exchange: UpstreamExchange, record: ExchangeRecord) -> Iterator[bytes]:
    """A body as it arrives. If it breaks off, so does the client's: the status was sent, so no error can follow."""
    try:
        while not isinstance(data := exchange.next_bytes(None), Wait):
            record.touched()
            record.received(data)
            record.pieces += 1
            record.bytes_out += len(data)
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
