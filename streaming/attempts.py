"""The attempts at one answer: if the backend refuses a request that can be changed, it is sent again, changed.

The client never sees a refusal that another attempt follows. What an attempt noted is thrown away with it.
"""

from __future__ import annotations

from collections.abc import Callable

from backends import UpstreamExchange
from backends.protocol import RequestPlan, WrongAnswer
from errors import ErrorInfo
from streaming.answer import UpstreamReply
from streaming.asking_again import CheckedReply, Sender
from streaming.record import ExchangeRecord

Answer = UpstreamReply | CheckedReply
Check = Callable[[UpstreamReply, Sender], CheckedReply]

MOST_ATTEMPTS = 4
"""Requests to the backend for one request of a client."""


class Attempts:
    """`current` is the attempt at hand. Making one opens the first. Call `close` once."""

    def __init__(
        self,
        plan: RequestPlan,
        send: Callable[[bytes], UpstreamExchange],
        read: Callable[[UpstreamExchange], UpstreamReply],
        record: ExchangeRecord,
        check: Check | None = None,
    ) -> None:
        """`send` sends a body; it raises ProxyError. `read` makes a reader of what comes back.

        `check` wraps an answer whose calls are checked, so that the model may be asked again.
        """
        self._plan = plan
        self._send = send
        self._read = read
        self._record = record
        self._check = check
        self._count = 0
        self._kept = False
        self._codes: frozenset[str] = frozenset()  # of the record, from the plan
        self.current = self._begin()

    def again(self, refusal: ErrorInfo) -> bool:
        """Whether another attempt was begun, because the backend may take a changed request. Raises ProxyError."""
        if self._kept or self._count >= MOST_ATTEMPTS or not self._plan.refused(refusal):
            return False
        self.current.close()
        self.current = self._begin()
        return True

    def ask_again(self, wrong: WrongAnswer) -> UpstreamReply | None:
        """The answer to the request with a wrong answer behind it; None if nothing more may be sent."""
        if self._count >= MOST_ATTEMPTS:
            return None
        self._plan.ask_again(wrong)
        return self._open()

    def adapt(self, refusal: ErrorInfo) -> UpstreamReply | None:
        """The answer to the last request, changed as its refusal asks; None if nothing more may be sent."""
        if self._count >= MOST_ATTEMPTS or not self._plan.refused(refusal):
            return None
        return self._open()

    def kept(self) -> None:
        """The attempt at hand is the one that the client gets, so its request is not needed any more."""
        if not self._kept:
            self._kept = True
            if self._check is None:
                self._plan.release()

    def close(self) -> None:
        """The answer is over. If it was good, what made the request acceptable is remembered."""
        self.current.close()
        if self._record.error is None and self._record.status < 400:
            self._plan.succeeded()

    def _begin(self) -> Answer:
        answer = self._open()
        return answer if self._check is None else self._check(answer, self)

    def _open(self) -> UpstreamReply:
        self._count += 1
        answer = self._read(self._send(self._plan.body))
        self._record.codes -= self._codes
        self._codes = self._plan.codes
        self._record.codes |= self._codes
        self._record.attempts = self._count
        self._record.keep(answer.notes)
        return answer
