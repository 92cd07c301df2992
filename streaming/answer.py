"""One backend's answer to one request, as steps in time."""

from __future__ import annotations

import time
from typing import Any, Literal

from backends import ResponseHead, UpstreamExchange, Wait
from backends.chat.errors import Refused, chat_completion
from backends.chat.passthrough import Calm
from backends.chat.reader import ReplyReader
from converters.text.events import CallStart, Reasoning, Text
from dialects.protocol import Step
from errors import BackendError, Interrupted, ProxyError
from streaming.record import ExchangeRecord
from wire.sse import Frames, data_of, frames_of, is_torn

_DRAIN = 0.02
"""Seconds granted to a backend to end its body after `[DONE]`, so that its connection can be used again."""

_LONGEST_BODY = 512 * 1024 * 1024
"""Bytes of a buffered answer: far beyond any real one, but not endless."""


class UpstreamReply:
    """Wait for the head, then for steps; both stop at a deadline (of `time.monotonic`) or when the client has left."""

    def __init__(
        self, exchange: UpstreamExchange, reader: ReplyReader, record: ExchangeRecord, choices: int = 1
    ) -> None:
        """`choices` is how many the request asks for."""
        self._exchange = exchange
        self._reader = reader
        self._record = record
        self._choices = choices
        self._frames = Frames()
        self._calm: Calm | None = None
        self._unread = b""  # frames that can wait until the first words have left
        self._spoken = False  # those have been read
        self._whole = False
        self._body: list[bytes] = []
        self._length = 0
        self._head: ResponseHead | None = None

    def head(self, deadline: float | None) -> ResponseHead | Literal[Wait.IDLE, Wait.CLIENT_LEFT]:
        if self._head is None:
            head = self._exchange.wait_head(deadline)
            if not isinstance(head, ResponseHead):
                return head
            self._head = head
            self._record.status = head.status
            self._whole = "json" in (head.get("content-type") or "")
        return self._head

    @property
    def over(self) -> bool:
        """All of it has been read."""
        return self._reader.done

    def body(self, deadline: float | None = None) -> bytes | Wait:
        """The whole body, for an answer that is not streamed; IDLE at the deadline (call again), or CLIENT_LEFT."""
        while not isinstance(data := self._exchange.next_bytes(deadline), Wait):
            self._record.touched()
            self._body.append(data)
            self._length += len(data)
            if self._length > _LONGEST_BODY:
                raise BackendError("The backend's answer is too long to be read whole.")
        return b"".join(self._body) if data is Wait.END else data

    def steps(self, deadline: float | None) -> bytes | list[Step] | Wait:
        """The next steps, which may be none, or why there are none. After `[DONE]` there is END.

        Bytes are steps of which there is nothing to say: they may leave as they are.
        """
        if self._calm is None and (other := self._other_steps(deadline)) is not None:
            return other
        try:
            data = self._exchange.next_bytes(deadline)
        except BackendError:
            if not self._reader.all_finished(self._choices):
                raise
            self._reader.done = True  # it has said all that it was asked for
            return self._reader.finish()
        if data is Wait.END:
            return [*self._read_held(), *self._last_steps()]
        if isinstance(data, Wait):
            return data
        if self._calm is not None:
            taken = self._calm.take(data)
            if taken is not None:
                return taken
            data = self._calm.held + data
        self._record.touched()
        return self._steps_of(self._frames.take(data))

    def _steps_of(self, block: bytes) -> bytes | list[Step]:
        flowing = self._reader.flow(block)
        self._calm = None if flowing is None or not self._frames.empty else self._reader.calm
        return self._read(frames_of(block)) if flowing is None else flowing

    def _other_steps(self, deadline: float | None) -> bytes | list[Step] | Wait | None:
        """Steps that need no more of a stream, or none that could come; None if they are in what comes next."""
        if self._reader.done:
            return Wait.END
        if self._whole:
            body = self.body(deadline)
            return body if isinstance(body, Wait) else self._whole_as_stream(body)
        if self._unread:
            block, self._unread = self._unread, b""
            return self._steps_of(block)
        return None

    def _read_held(self) -> list[Step]:
        """What waits in the fast lane is read."""
        calm, self._calm = self._calm, None
        return self._read(frames_of(calm.held)) if calm is not None else []

    def _last_steps(self) -> list[Step]:
        last = self._frames.finish()
        if is_torn(last) and not last.lstrip().startswith(b"{"):
            if not self._reader.all_finished(self._choices):
                raise Interrupted("The backend's answer broke off in the middle of an event.")
            last = b""
        if last.strip():
            last = last.rstrip(b"\r\n") + b"\n\n"  # the blank line that the backend left out
        if not self._reader.begun and last.lstrip().startswith(b"{"):
            return self._whole_as_stream(last)
        steps = self._read([last] if last.strip() else [])
        if not self._reader.begun:
            raise Interrupted("The backend ended its answer without saying anything.")
        if not self._reader.done:
            steps += self._reader.finish()
            self._reader.done = True
        return steps

    def _read(self, frames: list[bytes]) -> list[Step]:
        """What frames say. The first words of all are returned at once: what came behind them is read thereafter."""
        steps: list[Step] = []
        place = 0
        while place < len(frames) and not self._reader.done:
            before, alike = len(steps), self._reader.alike(frames, place)
            some = frames[place : place + max(alike, 1)]
            # all of them, and one alone, have been tried
            flowing = self._reader.flow(b"".join(some)) if 1 < alike < len(frames) else None
            if flowing is not None:
                steps.append(Step(flowing))
            for frame in some if flowing is None else ():
                steps += self._reader.read_frame(frame)
            place += len(some)
            if not (self._spoken or self._reader.done) and place < len(frames) and any(map(_has_words, steps[before:])):
                self._spoken, self._unread = True, b"".join(frames[place:])
                return steps
        if self._reader.done and self._record.error is None and frames:
            steps += self._reader.finish()
        return steps

    def _whole_as_stream(self, body: bytes) -> list[Step]:
        """The backend answered a request for a stream with one JSON reply."""
        reply = chat_completion(body) or self._reader.recovered(body)
        if reply is None and data_of(body) is not None:  # a stream after all, whatever it is called
            self._spoken = True  # all of it is here
            steps = self._read(self._frames.feed(body))
            return steps if self._reader.done else steps + self._last_steps()
        if reply is None:
            raise Refused(self._record.status, body)
        return self.stream_whole(reply)

    def read_whole(self, reply: dict[str, Any]) -> tuple[list[Step], bool]:
        """The steps of a whole reply, and whether they say anything else than it does."""
        self._reader.done = True
        return self._reader.read_whole(reply)

    def recovered(self, body: bytes) -> dict[str, Any] | None:
        """The reply that this refusal should have been, if the backend quotes a call in it that it could not read."""
        return self._reader.recovered(body)

    def stream_whole(self, reply: dict[str, Any]) -> list[Step]:
        """The steps of a whole reply that is sent on as a stream."""
        self._reader.done = True
        return self._reader.stream_whole(reply)

    def release(self) -> list[Step]:
        """What was held when the answer broke off."""
        return [*self._read_held(), *self._reader.release()]

    def close(self) -> None:
        """Give the connection back if the answer has ended, else break it off, so that the backend stops."""
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


def _has_words(step: Step) -> bool:
    """Whether a step says something that a person or a program waits for: of a call, its name does."""
    return any(isinstance(event, Text | Reasoning | CallStart) for _, event in step.events)
