"""One translated exchange, from the head of the backend's answer to its end.

Here are heartbeats, hang-ups, and errors before and after the first byte. It may not know any field of any API beyond
what a ParsedRequest tells; and it is the last line: whatever goes wrong behind it ends as a polite error.
"""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backends import ResponseHead, Wait
from converters.text.events import CallStart, Reasoning, Text
from dialects.protocol import Dialect, ParsedRequest, StreamWriter
from errors import ClientLeft, ErrorInfo, ProxyError, Refused, TimedOut
from reply import Failure, Reply, Step
from streaming.attempts import Attempts
from streaming.headers import OF_JSON, SYNTAX, replaced, to_client, value_of
from streaming.record import PIECE_GAPS, ExchangeRecord
from streaming.redaction import Redaction
from turns import PIECE, in_pieces, in_turns

log = logging.getLogger("dragoman.conversation")


@dataclass(frozen=True, slots=True)
class ClientReply:
    """What the client gets. A body in pieces must be closed, read to its end or not."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class ReplySettings:
    """Settings shared by all answers. Times are in seconds."""

    keepalive: float
    """Silence after which a stream gets a heartbeat; 0 for none."""
    timeout: float | None
    """How long a buffered answer may take; None for no limit."""
    redaction: Redaction
    """Applied to the errors of the backend."""


class TranslatedReply:
    """Call `reply` once. A streamed body ends the exchange when it is closed; a buffered reply has ended it."""

    def __init__(
        self,
        attempts: Attempts,
        request: ParsedRequest,
        dialect: Dialect,
        record: ExchangeRecord,
        settings: ReplySettings,
        when_over: Callable[[], None],
    ) -> None:
        """`when_over` is called once, before the record is closed."""
        self._attempts = attempts
        self._request = request
        self._dialect = dialect
        self._record = record
        self._settings = settings
        self._when_over = when_over
        self._first_due = self._due()
        self._limit = None if settings.timeout is None else time.monotonic() + settings.timeout
        self._begun = False  # the head has come, and it is one of success

    def reply(self) -> ClientReply:
        """The reply. Raises BackendError, or ClientLeft."""
        streams = False
        try:
            reply = self._reply()
            streams = not isinstance(reply.body, bytes)
            if isinstance(reply.body, bytes):
                self._record.wrote(reply.body)
            return reply
        except Refused as error:
            self._failed(error)
            raise Refused(error.refusal.redacted(self._settings.redaction.of)) from None
        except ProxyError as error:
            self._failed(error)
            raise
        finally:
            if not streams:
                self._close()

    def _failed(self, error: ProxyError) -> None:
        self._record.error = error.code
        self._record.status = error.status
        if not isinstance(error, ClientLeft):
            self._record.wrote(self._dialect.write_error(error.info.redacted(self._settings.redaction.of)))

    def _reply(self) -> ClientReply:
        while (reply := self._tried()) is None:
            pass
        return reply

    def _tried(self) -> ClientReply | None:
        """The reply that the attempt at hand gives; None if it was refused and another has begun."""
        head = self._attempts.current.head(self._first_due if self._request.stream else self._limit)
        if head is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        if head is Wait.IDLE and not self._request.stream:
            raise _took_too_long()
        if isinstance(head, ResponseHead) and head.status >= 300:
            return self._refused(head)
        if self._request.stream:
            return self._streamed(head if isinstance(head, ResponseHead) else None)
        assert isinstance(head, ResponseHead)
        return self._whole(head)

    # -- buffered ----------------------------------------------------------------------------------------------------

    def _refused(self, head: ResponseHead) -> ClientReply | None:
        found = self._attempts.current.read_refusal(head.status, self._body())
        if isinstance(found, Reply):
            return self._streamed(head, found) if self._request.stream else self._written(head, found)
        if self._attempts.again(found):
            return None
        self._record.error = f"backend_status_{head.status}"
        return self._error_reply(head, found)

    def _whole(self, head: ResponseHead) -> ClientReply | None:
        try:
            reply = self._attempts.current.read_whole(self._body())
        except Refused as error:
            if self._attempts.again(error.refusal):
                return None
            self._record.error, self._record.status = "backend_error", error.status
            return self._error_reply(head, error.refusal)
        return self._written(head, reply)

    def _error_reply(self, head: ResponseHead, error: ErrorInfo) -> ClientReply:
        """The backend's error in the client's format, with the backend's headers."""
        body = self._dialect.write_error(error.redacted(self._settings.redaction.of))
        return ClientReply(error.status, [*self._headers(head, drop={"content-type"}), OF_JSON], body)

    def _written(self, head: ResponseHead, reply: Reply) -> ClientReply:
        self._attempts.kept()
        body = self._dialect.write_whole(reply, self._request)
        self._record.spoke()
        headers = self._headers(head)
        if "json" not in (value_of(headers, "content-type") or ""):
            headers = replaced(headers, (OF_JSON,))
        headers.append(("x-dragoman-outcome", self._record.outcome))
        if self._record.notes.syntax:
            headers.append((SYNTAX, self._record.notes.syntax))
        if codes := self._record.codes_text:
            headers.append(("x-dragoman-codes", codes))
        self._record.status = 200 if head.status >= 300 else head.status
        return ClientReply(self._record.status, headers, body)

    def _body(self) -> bytes:
        body = self._attempts.current.body(self._limit)
        if body is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        if isinstance(body, Wait):
            raise _took_too_long()
        return body

    def _headers(self, head: ResponseHead, drop: set[str] | None = None) -> list[tuple[str, str]]:
        headers = to_client(head.headers, self._record.request_id, same_body=False, drop=drop or ())
        return [(name, self._settings.redaction.of_text(value)) for name, value in headers]

    # -- streamed ----------------------------------------------------------------------------------------------------

    def _streamed(self, head: ResponseHead | None, whole: Reply | None = None) -> ClientReply:
        """A streamed reply, of what the backend streams or of a `whole` reply.

        The status is sent with the first bytes, be it a heartbeat. From then on errors are events.
        """
        writer = self._dialect.stream_writer(self._request)
        first = self._first(writer) if head is not None and whole is None else b""
        own = (
            ("Content-Type", self._dialect.media_type),
            ("Cache-Control", "no-cache"),
            ("X-Accel-Buffering", "no"),
        )
        headers = [("X-Request-Id", self._record.request_id)]
        if whole is None:
            head = self._attempts.current.received_head  # perhaps of another attempt by now
        if head is not None:
            headers = self._headers(head, drop={name.lower() for name, _ in own})
        self._record.status = 200
        pieces = self._stream(writer, first) if whole is None else self._whole_stream(writer, whole)
        next(pieces)  # once begun, it can be closed
        return ClientReply(200, [*own, *headers], pieces)

    def _whole_stream(self, writer: StreamWriter, reply: Reply) -> Iterator[bytes]:
        try:
            yield b""
            yield from in_pieces(self._last(writer.write(Step(None, reply.events))))
            yield self._last(writer.end(self._record.summary()))
        finally:
            self._close()

    def _last(self, data: bytes) -> bytes:
        """The bytes, which are kept where texts are: bytes that are none of a stream's many pieces."""
        if self._record.tape is not None:
            self._record.tape.client.add(data)
        return data

    def _first(self, writer: StreamWriter) -> bytes:
        """The first bytes for the client; empty if a heartbeat is due before. Raises BackendError."""
        while not (data := self._next(writer, self._first_due)):
            if data is None or (self._first_due is not None and time.monotonic() >= self._first_due):
                return b""
        return data

    def _stream(self, writer: StreamWriter, first: bytes) -> Iterator[bytes]:
        """The bytes of the answer, and heartbeats while the backend is silent.

        One flat generator, as gevent copies the stack of whoever waits.
        """
        count = length = 0  # of the answer's own pieces
        began = at = 0.0  # when the first of them had left, and the last
        gaps = [0] * (len(PIECE_GAPS) + 1)
        keep = None if self._record.tape is None else self._record.tape.client.add
        clock, keepalive = time.monotonic, self._settings.keepalive
        try:
            yield b""
            due = self._first_due
            if first:
                count, length = 1, len(first)
                yield from in_pieces(first)
                began = at = clock()
                due = at + keepalive if keepalive else None
                if keep is not None:
                    keep(first, at)
            while (data := self._next(writer, due)) is not None:
                if data:
                    count += 1
                    length += len(data)
                    if len(data) > PIECE:
                        yield from in_pieces(data)
                    else:
                        yield data
                    now = clock()
                    if at:
                        gaps[bisect_left(PIECE_GAPS, now - at)] += 1
                    else:
                        began = now
                    at = now
                elif due is None or clock() < due:
                    continue
                else:
                    data = self._dialect.keep_alive
                    yield data
                    now = clock()
                if keep is not None:
                    keep(data, now)
                due = now + keepalive if keepalive else None
            yield from in_pieces(self._last(writer.end(self._record.summary())))
        except ClientLeft as left:
            self._record.error = left.code
        except ProxyError as error:
            yield from in_pieces(self._last(self._broken(writer, error)))
        except Exception:
            # The last line: the status has left, so nobody behind us can tell the client any more. It gets the same
            # polite end as for a broken backend; the log gets the whole truth. Raised on, it would cut off that end.
            log.exception("%s: the stream failed", self._record.request_id)
            failure = ProxyError("The proxy failed; its log says how.")
            yield from in_pieces(self._last(self._broken(writer, failure)))
        finally:  # at its end, and whatever breaks it: nothing will follow
            self._record.pieces, self._record.bytes_out = count, length
            self._record.gaps, self._record.gap_seconds = gaps, at - began
            self._close()

    def _next(self, writer: StreamWriter, due: float | None) -> bytes | None:
        """The bytes to send now, perhaps none; None at the end. Raises ProxyError for what becomes an error event."""
        if not self._begun:
            head = self._attempts.current.head(due)
            if isinstance(head, ResponseHead) and head.status >= 300:
                return self._refused_late(writer, head)
            self._begun = isinstance(head, ResponseHead)
        try:
            steps = self._attempts.current.steps(due, writer) if self._begun else head
        except Refused as error:
            return self._begun_again(error)
        if isinstance(steps, bytes):
            return steps
        if not isinstance(steps, Wait | ResponseHead):
            if steps and steps[-1].events:
                self._attempts.kept()
            if self._record.first_word is None and any(map(_has_words, steps)):
                self._record.spoke()
            return b"".join(map(writer.write, in_turns(self._without_secrets(steps))))
        if steps is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        return None if steps is Wait.END else b""

    def _without_secrets(self, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps. A failure, which comes last, is recorded, and keys are removed from it."""
        last = steps[-1] if steps else None
        failure = last.events[-1][1] if last is not None and last.events else None
        if last is None or not isinstance(failure, Failure):
            return steps
        self._record.error = failure.code
        redact = self._settings.redaction.of
        told = (0, Failure(failure.error.redacted(redact), failure.code))
        return [*steps[:-1], Step(None if last.raw is None else redact(last.raw), [*last.events[:-1], told])]

    def _refused_late(self, writer: StreamWriter, head: ResponseHead) -> bytes | None:
        """A refusal after heartbeats: raises Refused, or returns the bytes of the reply that it quotes."""
        if self._attempts.current.over:
            return None
        found = self._attempts.current.read_refusal(head.status, self._body())
        if isinstance(found, Reply):
            return writer.write(Step(None, found.events))
        return self._begun_again(Refused(found))

    def _begun_again(self, refused: Refused) -> bytes:
        """No bytes yet, as another attempt has begun. Raises the refusal if there is none."""
        if not self._attempts.again(refused.refusal):
            raise refused
        self._begun = False
        return b""

    def _broken(self, writer: StreamWriter, error: ProxyError) -> bytes:
        """The last bytes of a stream that failed: what was held, the error, and no finish reason."""
        self._record.error = error.code
        held = b"".join(map(writer.write, in_turns(self._attempts.current.release())))
        told = writer.error(error.info.redacted(self._settings.redaction.of))
        return held + told + writer.end(self._record.summary())

    # -- both --------------------------------------------------------------------------------------------------------

    def _due(self) -> float | None:
        """When the next heartbeat is due (`time.monotonic`); None if heartbeats are off."""
        return time.monotonic() + self._settings.keepalive if self._settings.keepalive else None

    def _close(self) -> None:
        self._attempts.close()
        self._when_over()
        self._record.end()


def _has_words(step: Step) -> bool:
    return any(isinstance(event, Text | Reasoning | CallStart) for _, event in step.events)


def _took_too_long() -> TimedOut:
    return TimedOut("The backend did not finish its answer within REQUEST_TIMEOUT.", "answer")
