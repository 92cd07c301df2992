"""One attempt at an answer: what one backend sends for one request, as steps in time.

It may not know what the bytes mean: a reader turns them into steps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from backends import ResponseHead, UpstreamExchange, Wait
from backends.protocol import PassingWriter, Passthrough, ReplyReader
from errors import BackendError, ErrorInfo, ProxyError
from reply import Notes, Reply, Step
from streaming.record import ExchangeRecord

_DRAIN = 0.02
"""Seconds granted to a backend to end its body after its reply is complete, so that its connection can be reused."""

LONGEST_BODY = 64 * 1024 * 1024
"""Bytes of a buffered answer, decoded: far beyond any real one."""


class UpstreamReply:
    """Wait for the head, then for steps; both stop at a deadline (of `time.monotonic`) or when the client has left."""

    def __init__(
        self, exchange: UpstreamExchange, reader: ReplyReader, record: ExchangeRecord, same_wire: bool
    ) -> None:
        """`same_wire`: the client speaks the backend's format, so that received bytes may be sent as they are."""
        self._exchange = exchange
        self._reader = reader
        self._record = record
        self._same_wire = same_wire
        tape = record.tape
        self._taped = tape.attempts[-1] if tape is not None and tape.attempts else None
        self._passthrough: Passthrough | None = None
        self._may_pass = False  # the next bytes may bypass the reader, if it grants that
        self._whole = self._closed = False
        self._body: list[bytes] = []
        self._length = 0
        self._head: ResponseHead | None = None

    @property
    def notes(self) -> Notes:
        """What this attempt has decided so far."""
        return self._reader.notes

    @property
    def received_head(self) -> ResponseHead | None:
        """The head of the answer, if it has come."""
        return self._head

    @property
    def over(self) -> bool:
        """The whole answer was read."""
        return self._reader.done

    def head(self, deadline: float | None) -> ResponseHead | Literal[Wait.IDLE, Wait.CLIENT_LEFT]:
        """The head of the answer; IDLE at the deadline (call again), or CLIENT_LEFT."""
        if self._head is None:
            head = self._exchange.wait_head(deadline)
            if not isinstance(head, ResponseHead):
                return head
            self._head = head
            self._record.answered(head.status)
            if set(head.tokens("content-encoding")) - {"identity"} and not self._exchange.decoded:
                raise BackendError("The backend's answer has a content coding that cannot be decoded.")
            self._whole = "json" in (head.get("content-type") or "")
            if self._taped is not None:
                self._taped.whole = self._whole
        return self._head

    def body(self, deadline: float | None = None) -> bytes | Wait:
        """The whole body, for an answer that is not streamed; IDLE at the deadline (call again), or CLIENT_LEFT."""
        while not isinstance(data := self._exchange.next_bytes(deadline), Wait):
            self._record.touched()
            if self._taped is not None:
                self._taped.received.add(data)
            self._body.append(data)
            self._length += len(data)
            if self._length > LONGEST_BODY:
                raise BackendError("The backend's answer is too long to be read whole.")
        if data is not Wait.END:
            return data
        self._ended()
        return b"".join(self._body)

    def _ended(self) -> None:
        """The end of the body was read."""
        if self._taped is not None:
            self._taped.ended = True

    # -- streamed ----------------------------------------------------------------------------------------------------

    def steps(self, deadline: float | None, writer: PassingWriter) -> bytes | Sequence[Step] | Wait:
        """The next steps, which may be none; IDLE, CLIENT_LEFT, or END after the last.

        Bytes are steps that may leave as they are.
        """
        if self._passthrough is None and (other := self._other_steps(deadline)) is not None:
            return other
        if self._may_pass:  # only now: by now the writer has written all that was read, and knows where it stands
            self._may_pass = False
            self._passthrough = self._reader.passthrough(writer, self._same_wire)
        try:
            data = self._exchange.next_bytes(deadline)
        except BackendError:
            self._passthrough = None
            last = self._reader.broken_off()
            if last is None:
                raise
            return self._sendable(last)
        if data is Wait.END:
            self._passthrough = None
            self._ended()
            return self._sendable(self._reader.finish())
        if isinstance(data, Wait):
            return data
        if self._taped is not None:
            self._taped.received.add(data)
        if self._passthrough is not None:
            taken = self._passthrough.take(data)
            if taken is not None:
                return taken
        self._record.touched()
        return self._read(data)

    def _read(self, data: bytes) -> Sequence[Step]:
        steps = self._reader.read(data)
        self._passthrough = None
        self._may_pass = not self._reader.unread
        return self._sendable(steps)

    def _other_steps(self, deadline: float | None) -> Sequence[Step] | Wait | None:
        """Steps that need no more bytes of a stream, or END; None if more bytes must be read."""
        if self._reader.done:
            return Wait.END
        if self._whole:
            body = self.body(deadline)
            return body if isinstance(body, Wait) else self._sendable(self._reader.stream_whole(body))
        if self._reader.unread:
            return self._read(b"")
        return None

    def _sendable(self, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps, without the received bytes if the client speaks another format."""
        return steps if self._same_wire else [Step(None, step.events) for step in steps]

    def release(self) -> Sequence[Step]:
        """The steps of what was held when the answer broke off."""
        return self._sendable(self._reader.release())

    # -- whole -------------------------------------------------------------------------------------------------------

    def read_whole(self, body: bytes) -> Reply:
        """Read a buffered reply. Raises Refused for an error under a success status."""
        return self._whole_reply(self._reader.read_whole(body))

    def read_refusal(self, status: int, body: bytes) -> Reply | ErrorInfo:
        """Read the body of an error status: an error, or the reply that it quotes."""
        found = self._reader.read_refusal(status, body)
        return self._whole_reply(found) if isinstance(found, Reply) else found

    def _whole_reply(self, reply: Reply) -> Reply:
        if self._same_wire:
            return reply
        if reply.source is None:
            raise BackendError("The backend's answer is no reply of its API.")
        return Reply(None, reply.events)

    def close(self) -> None:
        """Return the connection to the pool if the answer has ended; else close it, so that the backend stops.

        Only the first call counts.
        """
        if self._closed:
            return
        self._closed = True
        if self._reader.done:
            deadline = time.monotonic() + _DRAIN
            while isinstance(self._drained(deadline), bytes):
                pass
        self._exchange.close()

    def _drained(self, deadline: float) -> bytes | Wait:
        try:
            return self._exchange.next_bytes(deadline)
        except ProxyError:
            return Wait.END
