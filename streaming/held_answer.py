"""One answer whose calls and end wait until the whole of it is known (`HEAL=retry`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Reasoning, Text
from reply import COUNTS_END, ChoiceEvent, Failure, Finish, Ids, ReplyEvent, Usage
from streaming.call_check import HeldCall


class HeldAnswer:
    """The calls and the end of one answer, which wait; `take` lets everything else pass."""

    def __init__(self, ids: Ids, later: bool) -> None:
        """`later`: the client has an answer already, so that text is reasoning and the head is known."""
        self._ids = ids
        self._later = later
        self._texts: list[str] = []
        self.calls: list[HeldCall] = []
        self.reason: str | None = None
        """Why the answer ended; None if it did not."""
        self.usage: Mapping[str, Any] | None = None
        self.before_end: list[ReplyEvent] = []
        self.failed = False

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def take(self, events: Sequence[ChoiceEvent]) -> Iterator[ChoiceEvent]:
        for index, event in events:
            match event:
                case CallStart(name=name, id=wished, raw=raw):
                    self.calls.append(HeldCall(name, self._ids.take(wished), raw=[raw]))
                case ArgumentsDelta(index=call, delta=delta, raw=raw):
                    self.calls[call].pieces.append(delta)
                    self.calls[call].raw.append(raw)
                case CallEnd(index=call, how=how, raw=raw):
                    self.calls[call].how = how
                    self.calls[call].raw.append(raw)
                case Finish(reason=reason):
                    self.reason = reason
                case Usage(counts=counts):
                    self.usage = counts
                case Text(text=text):
                    self._texts.append(text)
                    yield (index, Reasoning(text)) if self._later else (index, event)
                case Failure():
                    self.failed = True
                    if not self._later:
                        yield index, event
                case Reasoning():
                    yield index, event
                case _ if not self._later:
                    yield index, event


def summed(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Token counts of two answers together, whatever their names."""
    if one is None or other is None:
        return one if other is None else other
    both: dict[str, Any] = {**one}
    for name, value in other.items():
        known = both.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            both[name] = summed(known, value)
        elif _is_count(known) and _is_count(value):
            both[name] = known + value
        else:
            both[name] = value if known is None else known
    return both


def _is_count(value: object) -> TypeGuard[int | float]:
    """A number whose sum with another can be written."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < COUNTS_END
