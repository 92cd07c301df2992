"""HEAL=retry: calls are held until the answer ends; if one cannot be run, the model is asked for all of them again.

Text and reasoning of the first answer flow at once and are final. Text of a later answer is reasoning, as the client
has an answer already. Calls are delivered from one answer only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from backends import ResponseHead, Wait
from backends.protocol import PassingWriter, WrongAnswer
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, LeaseKind, Text
from converters.text.expectations import Expectations
from dialects.protocol import ParsedRequest
from errors import ClientLeft, ErrorInfo, ProxyError
from reply import CALLED, ChoiceEvent, Features, Finish, Ids, Notes, Reply, ReplyEvent, Step, Usage
from streaming.answer import UpstreamReply
from streaming.call_check import HeldCall, wrong_answer
from streaming.held_answer import HeldAnswer, summed
from streaming.record import ExchangeRecord

_LONGEST_TEXT = 1 << 20
"""Characters of a text that the model is shown again; one whose answer is longer is not asked again."""


class Sender(Protocol):
    """Sends the request again. Both return None if nothing more may be sent, and raise ProxyError."""

    def ask_again(self, wrong: WrongAnswer) -> UpstreamReply | None:
        """With the wrong answer and what is wrong with it."""
        ...

    def adapt(self, refusal: ErrorInfo) -> UpstreamReply | None:
        """Changed, so that the backend takes it."""
        ...


class CheckedReply:
    """Stands for the first UpstreamReply of an exchange, and has its methods; later ones are its own business."""

    def __init__(
        self,
        answer: UpstreamReply,
        request: ParsedRequest,
        expectations: Expectations,
        limit: int,
        sender: Sender,
        record: ExchangeRecord,
    ) -> None:
        """`limit` is how often the model may be asked again."""
        self._answer = answer
        self._expectations = expectations
        self._cut_calls_leave = not request.expectations.holds_calls  # what `max_tokens` left of a call
        self._left = limit
        self._sender = sender
        self._record = record
        self._ids = Ids(request.ids)
        self._first = HeldAnswer(self._ids, later=False)
        self._held = self._first
        self._best: HeldAnswer | None = None  # an earlier answer with calls that can be read
        self._usage: Mapping[str, Any] | None = None  # of the answers before
        self._over = False
        self._deadline: float | None = None

    @property
    def notes(self) -> Notes:
        return self._answer.notes

    @property
    def over(self) -> bool:
        return self._over

    @property
    def received_head(self) -> ResponseHead | None:
        return self._answer.received_head

    def head(self, deadline: float | None) -> ResponseHead | Literal[Wait.IDLE, Wait.CLIENT_LEFT]:
        return self._answer.head(deadline)

    def body(self, deadline: float | None = None) -> bytes | Wait:
        self._deadline = deadline
        return self._answer.body(deadline)

    def read_refusal(self, status: int, body: bytes) -> Reply | ErrorInfo:
        return self._answer.read_refusal(status, body)

    def release(self) -> Sequence[Step]:
        self._over = True
        steps = self._answer.release() if self._held is self._first else ()
        return [_step(self._taken(steps)), _step(self._given_up())]

    def close(self) -> None:
        self._answer.close()

    # -- streamed ----------------------------------------------------------------------------------------------------

    def steps(self, deadline: float | None, writer: PassingWriter) -> Sequence[Step] | Wait:
        """As those of an UpstreamReply. No bytes pass as they came."""
        if self._over:
            return Wait.END
        if self._held is self._first:
            found = self._answer.steps(deadline, _Rewriting())
            if found is Wait.END:
                return self._ended()
            assert not isinstance(found, bytes)
            return found if isinstance(found, Wait) else [_step(self._taken(found))]
        try:
            return self._later_steps(deadline)
        except ClientLeft:
            raise
        except ProxyError:  # what came before is still an answer
            return self._last()

    def _later_steps(self, deadline: float | None) -> Sequence[Step] | Wait:
        head = self._answer.head(deadline)
        if isinstance(head, Wait):
            return head
        if head.status >= 300:
            body = self._answer.body(deadline)
            if isinstance(body, bytes):
                self._adapted(head, body)
                return []
            return body
        found = self._answer.steps(deadline, _Rewriting())
        if found is Wait.END:
            return self._ended()
        assert not isinstance(found, bytes)
        return found if isinstance(found, Wait) else [_step(self._taken(found))]

    def _ended(self) -> Sequence[Step]:
        """The answer at hand is over: the model is asked again, or the last steps of all."""
        if (wrong := self._wrong()) is not None and self._asked(wrong):
            return []
        return self._last()

    def _last(self) -> Sequence[Step]:
        self._over = True
        return [_step(self._given_up())]

    # -- whole -------------------------------------------------------------------------------------------------------

    def read_whole(self, body: bytes) -> Reply:
        first = self._answer.read_whole(body)
        events = list(self._held.take(first.events))
        while (wrong := self._wrong()) is not None and self._asked(wrong):
            try:
                events += self._held.take(self._read_later())
            except ClientLeft:
                raise
            except ProxyError:
                break
        if self._held is self._first and not self._spoiled():
            return first
        events += self._given_up()
        return Reply(None, events, first.source, first.features, first.large)

    def _read_later(self) -> Sequence[ChoiceEvent]:
        """The events of a later buffered answer. Raises ProxyError if there is none."""
        head = self._answer.head(self._deadline)
        body = self._answer.body(self._deadline) if isinstance(head, ResponseHead) else head
        if body is Wait.CLIENT_LEFT:
            raise ClientLeft("The client left.")
        if not isinstance(head, ResponseHead) or not isinstance(body, bytes):
            raise Unanswered
        if head.status >= 300:
            self._adapted(head, body)
            return self._read_later()
        return self._answer.read_whole(body).events

    # -- both --------------------------------------------------------------------------------------------------------

    def _taken(self, steps: Sequence[Step]) -> list[ChoiceEvent]:
        return [event for step in steps for event in self._held.take(step.events)]

    def _spoiled(self) -> bool:
        """Whether the only answer cannot be delivered as it came."""
        return any(call.how != "complete" and not self._leaves(call) for call in self._held.calls)

    def _wrong(self) -> WrongAnswer | None:
        held = self._held
        if held.failed or held.reason is None or self._answer.notes.cut or len(held.text) > _LONGEST_TEXT:
            return None
        return wrong_answer(held.text, held.calls, self._expectations)

    def _asked(self, wrong: WrongAnswer) -> bool:
        """Whether the model was asked again; then the answer at hand is the next."""
        if not self._left:
            return False
        self._left -= 1
        self._answer.close()  # first: its connection carries the next request
        try:
            answer = self._sender.ask_again(wrong)
        except ProxyError:
            return False
        if answer is None:
            return False
        if any(call.how == "complete" for call in self._held.calls):
            self._best = self._held
        self._usage = summed(self._usage, self._held.usage)
        self._answer = answer
        self._held = HeldAnswer(self._ids, later=True)
        self._record.codes.add("asked_again")
        return True

    def _adapted(self, head: ResponseHead, body: bytes) -> None:
        """Send the request of a later answer again, changed, as it was refused. Raises ProxyError if that is no use."""
        found = self._answer.read_refusal(head.status, body)
        self._answer.close()
        answer = self._sender.adapt(found) if isinstance(found, ErrorInfo) else None
        if answer is None:
            raise Unanswered
        self._answer = answer

    def _given_up(self) -> list[ChoiceEvent]:
        """The calls that are delivered, and the end of the reply."""
        held = self._held
        usage = summed(self._usage, held.usage)
        if held is not self._first and not self._answered_again():
            held = self._best or self._first
        calls = [call for call in held.calls if self._leaves(call)]
        events: list[ReplyEvent] = []
        if held is self._first and not calls:  # text of the first answer is content; of what cannot be a call too
            events += [Text(text) for call in held.calls if (text := "".join(call.raw))]
        for index, call in enumerate(calls):
            events.append(CallStart(index, call.name, call.id))
            events.append(ArgumentsDelta(index, call.arguments))
            events.append(CallEnd(index, how=call.how))
        reason = held.reason or self._first.reason
        if held.calls and not calls and reason == CALLED:
            reason = "stop"
        if self._held is not self._first:
            self._answer.notes.changed = True
            self._answer.notes.calls = len(calls)
            self._record.keep(self._answer.notes)
        if held.failed:
            return [(0, event) for event in events]
        if reason is not None:
            events += [*held.before_end, Finish(reason)]
        if usage is not None:
            events.append(Usage(usage))
        return [(0, event) for event in events]

    def _answered_again(self) -> bool:
        """Whether the later answer at hand came to its own end and brought a call."""
        held = self._held
        ended = held.reason is not None and not held.failed and not self._answer.notes.cut
        return ended and any(call.how == "complete" for call in held.calls)

    def _leaves(self, call: HeldCall) -> bool:
        return call.how == "complete" or (call.how == "cut" and self._cut_calls_leave)


class Unanswered(ProxyError):
    """The model was asked again, and there is no answer."""

    def __init__(self) -> None:
        super().__init__("The backend gave no second answer.")


class _Rewriting:
    """Stands for the writer where no bytes may pass as they came."""

    def accepts(self, features: Features) -> bool:
        return False

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        return None


def _step(events: Sequence[ChoiceEvent]) -> Step:
    return Step(None, events)
