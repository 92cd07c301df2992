"""One translated exchange, from the head of the backend's answer to its end.

Here live heartbeats, hang-ups, and errors before and after the first byte. It may not know any field of any API
beyond what a ChatRequest says; and it is the last line: whatever goes wrong behind it ends as a polite error.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backends import ResponseHead, Wait
from backends.chat.errors import Refused, chat_completion, is_error, openai_error
from dialects.protocol import ChatRequest, Dialect, StreamWriter
from errors import BackendError, ClientLeft, ProxyError, TimedOut
from streaming.answer import UpstreamReply
from streaming.headers import to_client
from streaming.record import ExchangeRecord
from streaming.redaction import Redaction
from wire.sse import KEEP_ALIVE

log = logging.getLogger("dragoman.conversation")

_STREAM_HEADERS = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-cache"),
    ("X-Accel-Buffering", "no"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. A body in pieces must be closed, whether it was read to its end or not."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Iterator[bytes]


class TranslatedReply:
    """`reply` once; then the body, if it is streamed, ends the exchange, and otherwise `reply` has ended it."""

    def __init__(
        self,
        answer: UpstreamReply,
        request: ChatRequest,
        dialect: Dialect,
        record: ExchangeRecord,
        keepalive: float,
        patience: float | None,
        when_over: Callable[[], None],
        redaction: Redaction,
    ) -> None:
        """`keepalive` and `patience` are in seconds: between heartbeats (0 for none), and for a buffered answer.

        `when_over` is called once, before the record ends; `redaction` is for what the backend says of its failures.
        """
        self._answer = answer
        self._request = request
        self._dialect = dialect
        self._record = record
        self._keepalive = keepalive
        self._first_due = self._due()
        self._limit = None if patience is None else time.monotonic() + patience
        self._begun = False  # the head has come, and it is one of success
        self._when_over = when_over
        self._redaction = redaction

    def reply(self) -> Reply:
        """Raises BackendError or ClientLeft if there is nothing to reply with."""
        streams = False
        try:
            reply = self._reply()
            streams = not isinstance(reply.body, bytes)
            return reply
        except ProxyError as error:
            self._record.error = error.code
            self._record.status = error.status
            if isinstance(error, Refused):
                error.redact(self._redaction.of)
            raise
        finally:
            if not streams:
                self._close()

    def _reply(self) -> Reply:
        head = self._answer.head(self._first_due if self._request.stream else self._limit)
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

    def _refused(self, head: ResponseHead) -> Reply:
        body = self._body()
        reply = self._answer.recovered(body)
        if reply is not None:
            return self._streamed(head, reply) if self._request.stream else self._written(head, reply)
        body = self._redaction.of(body)
        self._record.error = f"backend_status_{head.status}"
        headers = self._headers(head, drop={"content-type"})
        return Reply(head.status, [*headers, ("Content-Type", "application/json")], openai_error(head.status, body))

    def _failed(self, head: ResponseHead, body: bytes) -> Reply:
        """An error under the status of a success."""
        self._record.error = "backend_error"
        self._record.status = BackendError.status
        body = self._redaction.of(body)
        headers = [*self._headers(head, drop={"content-type"}), ("Content-Type", "application/json")]
        return Reply(BackendError.status, headers, openai_error(head.status, body))

    def _whole(self, head: ResponseHead) -> Reply:
        body = self._body()
        reply = chat_completion(body)
        if reply is None and is_error(body):
            reply = self._answer.recovered(body)
            if reply is None:
                return self._failed(head, body)
        return self._written(head, reply, body)

    def _written(self, head: ResponseHead, reply: dict[str, Any] | None, body: bytes = b"") -> Reply:
        """A reply as the client gets it: the `body` it came in, unless something in it must change."""
        if reply is not None:
            steps, changed = self._answer.read_whole(reply)
            if changed:
                written = self._dialect.write_whole(reply, steps, self._request)
                body = json.dumps(written, ensure_ascii=False).encode(errors="replace")
        headers = self._headers(head)
        headers.append(("x-dragoman-outcome", self._record.outcome))
        if self._record.syntax:
            headers.append(("x-dragoman-syntax", self._record.syntax))
        if self._record.codes:
            headers.append(("x-dragoman-codes", self._record.told_codes))
        self._record.status = 200 if head.status >= 300 else head.status
        return Reply(self._record.status, headers, body)

    def _body(self) -> bytes:
        body = self._answer.body(self._limit)
        if body is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        if isinstance(body, Wait):
            raise _took_too_long()
        return body

    def _headers(self, head: ResponseHead, drop: set[str] | None = None) -> list[tuple[str, str]]:
        return to_client(head.headers, self._record.request_id, same_body=False, drop=drop or ())

    # -- streamed ----------------------------------------------------------------------------------------------------

    def _streamed(self, head: ResponseHead | None, whole: dict[str, Any] | None = None) -> Reply:
        """A stream, of what the backend sends or of a reply that is there as a `whole`.

        The status is said when there is something to send, be it a heartbeat: from then on errors are events.
        """
        writer = self._dialect.stream_writer(self._request)
        first = self._first(writer) if head is not None and whole is None else b""
        headers = [("X-Request-Id", self._record.request_id)]
        if head is not None:
            headers = self._headers(head, drop={name.lower() for name, _ in _STREAM_HEADERS})
        self._record.status = 200
        pieces = self._stream(writer, first) if whole is None else self._told(writer, whole)
        next(pieces)  # once begun, it can be closed
        return Reply(200, [*_STREAM_HEADERS, *headers], pieces)

    def _told(self, writer: StreamWriter, reply: dict[str, Any]) -> Iterator[bytes]:
        try:
            yield b""
            yield b"".join(map(writer.write, self._answer.stream_whole(reply)))
            yield writer.end(self._record.summary())
        finally:
            self._close()

    def _first(self, writer: StreamWriter) -> bytes:
        """The first bytes for the client, or none if a heartbeat is due before. Raises what is still an error reply."""
        while not (data := self._next(writer, self._first_due)):
            if data is None or (self._first_due is not None and time.monotonic() >= self._first_due):
                return b""
        return data

    def _stream(self, writer: StreamWriter, first: bytes) -> Iterator[bytes]:
        """The answer's bytes, and a heartbeat wherever the client has had none for too long.

        One flat generator, as gevent copies the stack of whoever waits.
        """
        try:
            yield b""
            due = self._first_due
            if first:
                yield first
                due = self._due()
            while (data := self._next(writer, due)) is not None:
                if not data:
                    if due is None or time.monotonic() < due:
                        continue
                    data = KEEP_ALIVE
                yield data
                due = self._due()
            yield writer.end(self._record.summary())
        except ClientLeft as left:
            self._record.error = left.code
        except ProxyError as error:
            yield self._broken(writer, error)
        except Exception:
            # The last line: the status has left, so nobody behind us can tell the client any more. It gets the same
            # polite end as for a broken backend; the log gets the whole truth. Raised on, it would cut off that end.
            log.exception("%s: the stream failed", self._record.request_id)
            yield self._broken(writer, ProxyError("The proxy failed; its log says how."))
        finally:  # at its end, and whatever breaks it: nothing will follow
            self._close()

    def _next(self, writer: StreamWriter, due: float | None) -> bytes | None:
        """What can be sent now, perhaps nothing; None at the end. Raises what an error event must tell."""
        if not self._begun:
            head = self._answer.head(due)
            if isinstance(head, ResponseHead) and head.status >= 300:
                return self._refused_late(writer, head)
            self._begun = isinstance(head, ResponseHead)
        steps = self._answer.steps(due) if self._begun else head
        if isinstance(steps, bytes):
            return steps
        if isinstance(steps, list):
            data = b"".join(map(writer.write, steps))
            return data if self._record.error is None else self._redaction.of(data)
        if steps is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        return None if steps is Wait.END else b""

    def _refused_late(self, writer: StreamWriter, head: ResponseHead) -> bytes | None:
        """A refusal after heartbeats: once its words are in, an error event, or the answer that it quotes."""
        if self._answer.over:
            return None
        body = self._body()
        reply = self._answer.recovered(body)
        if reply is None:
            raise Refused(head.status, body)
        return b"".join(map(writer.write, self._answer.stream_whole(reply)))

    def _broken(self, writer: StreamWriter, error: ProxyError) -> bytes:
        """The end of a stream that cannot go on: what was held, the error, and no finish reason."""
        self._record.error = error.code
        held = b"".join(map(writer.write, self._answer.release()))
        return held + self._redaction.of(writer.error(error.body())) + writer.end(self._record.summary())

    # -- both --------------------------------------------------------------------------------------------------------

    def _due(self) -> float | None:
        """When the next heartbeat is due."""
        return time.monotonic() + self._keepalive if self._keepalive else None

    def _close(self) -> None:
        self._answer.close()
        self._when_over()
        self._record.end()


def _took_too_long() -> TimedOut:
    return TimedOut("The backend did not finish its answer within REQUEST_TIMEOUT.", "answer")
