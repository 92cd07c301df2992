"""What one choice of a reply says, delta by delta: its text through a parser, and the calls that the server sent.

Where both come, the server's calls win, and markup beside them is an echo of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.chat.fields import REASONING_FIELDS
from backends.chat.native_calls import NativeCalls
from converters.stages.lease import Lease
from converters.stages.pipeline import Pipeline
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Removed, Text
from reply import Extension, Finish, Notes, ReplyEvent

_STOPS = frozenset(
    {None, "", "stop", "eos", "eos_token", "end_turn", "tool_use", "tool_calls", "function_call", "null"}
)
"""What servers say when the model stopped by itself."""
_FOLLOWED = Noted("native_follows")
_OPENS_WHOLE = ("{", "[", "`")
"""What a call without a marker begins with: it is held until the text ends."""


def canonical_reason(reason: str | None) -> str | None:
    """The older API's `function_call` is `tool_calls`."""
    return "tool_calls" if reason == "function_call" else reason


@dataclass(slots=True)
class Delta:
    """What one delta says: by its text, then by the server's own calls; and at the end of the choice, both again.

    `native_as_received`: the calls were right as they came.
    """

    text: Sequence[ReplyEvent] = ()
    native: Sequence[ReplyEvent] = ()
    native_as_received: bool = True
    last_text: Sequence[ReplyEvent] = ()
    last: Sequence[ReplyEvent] = ()
    """The end of the calls, then Finish."""

    @property
    def events(self) -> list[ReplyEvent]:
        return [*self.text, *self.native, *self.last_text, *self.last]


class ChoiceReader:
    """What one choice says. The parser is of its text; `native` of the calls that the server sent."""

    def __init__(
        self, new_parser: Callable[[], Pipeline], native: NativeCalls, notes: Notes, keeps_reasoning: bool
    ) -> None:
        """`keeps_reasoning`: what the server splits stays where it put it."""
        self._new_parser = new_parser
        self._parser = new_parser()
        self._native = native
        self._notes = notes
        self._keeps_reasoning = keeps_reasoning
        self._calls: list[tuple[str, list[str]]] = []  # name and arguments of those in the text
        self._open = False  # one of those has begun and not ended
        self._beside = False  # the server has sent calls, so that markup in the text is an echo
        self._begins_with = ""
        self._owed = 0  # characters that were read but have not left in any event yet
        self._splits = False
        self.finished = False

    @property
    def holds(self) -> bool:
        """Something was read that has not left."""
        return self._owed > 0 or (self._native.begun and self._native.waiting)

    @property
    def called(self) -> bool:
        """A call has begun, wherever it stood."""
        return bool(self._calls) or self._native.begun

    def read(self, delta: Mapping[str, Any], whole: bool = False) -> Delta:
        """A delta, or a `whole` message."""
        native = _sends_calls(delta)
        if self.finished and not whole:
            return self._late(delta, native)
        begins = native and not self._beside
        self._beside = self._beside or begins
        text = [*self._reasoning(delta)]
        content = delta.get("content")
        if isinstance(content, str) and content:
            self._begins_with = self._begins_with or content.lstrip()[:1]
            text += self._text(content, self._parser.feed)
        if not native:
            return Delta(text)
        if begins:
            text += self._make_way()
        return Delta(text, self._called(lambda: self._native.read(delta, whole)), self._native.as_received)

    def lease(self, reasoning: bool) -> Lease | None:
        """What takes more text from the field that brought the last one; None if the next delta must be read.

        `reasoning`: the server calls that field reasoning.
        """
        if self.finished or self._beside:
            return None
        lease = self._parser.lease()
        if lease is None or (self._splits and (lease.kind == "reasoning") is not reasoning):
            return None
        return None if reasoning and not self._splits else lease

    def passed(self, lease: Lease, taken: str) -> None:
        """The lease took a text, and this left."""
        if lease.kind == "arguments":
            self._calls[-1][1].append(taken)
        else:
            self._owed = len(lease.held)

    def _late(self, delta: Mapping[str, Any], native: bool) -> Delta:
        """What comes behind the finish reason is not lost: some servers give one with each of their calls."""
        content = delta.get("content")
        text = [Text(content)] if isinstance(content, str) and content else []
        if not native:
            return Delta(text)
        return Delta(text, self._called(lambda: self._native.read(delta)), self._native.as_received)

    def _reasoning(self, delta: Mapping[str, Any]) -> list[ReplyEvent]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if not isinstance(reasoning, str) or not reasoning:
            return []
        if self._keeps_reasoning:
            return [Extension({name: delta[name] for name in REASONING_FIELDS if delta.get(name)})]
        self._splits = self._notes.splits = True
        return [*self._text(reasoning, self._parser.feed_reasoning)]

    def _make_way(self) -> list[ReplyEvent]:
        """The first call of the server's: what is held of the text comes before it, and half a marker is an echo."""
        events = self._seen(self._parser.finish(self._drops_half(), followed=True))
        self._parser = self._new_parser()
        self._parser.feed_reasoning("")  # so that what is fed as text is outside, wherever answers begin
        self._native.beside((name, "".join(arguments)) for name, arguments in self._calls)
        return [*events]

    def _called(self, read: Callable[[], list[ReplyEvent]]) -> list[ReplyEvent]:
        before = self._native.delivered
        events = read()
        self._notes.calls += self._native.delivered - before
        for event in events:
            if isinstance(event, Noted):
                self._notes.repair(event.code)
        return events

    def finish(self, reason: str | None, delta: Delta | None = None) -> Delta:
        """The choice is over, behind its last `delta`: what was held, and the finish reason, which is told once."""
        delta = delta or Delta()
        cut = reason == "length"
        first, self.finished = not self.finished, True
        if first and not self._native.begun:
            self._native.beside((name, "".join(arguments)) for name, arguments in self._calls)
        delta.last_text = self.end_text(cut) if first else ()
        delta.last = self._called(lambda: self._native.finish(cut))
        delta.native_as_received = delta.native_as_received and self._native.as_received
        if not first:
            return delta
        if self._parser.left_marker:
            self._notes.note("marker_left")
        if self._native.demanded and not self._calls and not self._native.delivered and not cut:
            self._notes.note("required_unmet")
        delta.last = [*delta.last, Finish(self._reason(reason))]
        return delta

    def _reason(self, reason: str | None) -> str:
        if reason not in _STOPS:
            return str(reason)
        told = "tool_calls" if self._calls or self._native.delivered else "stop"
        translated = self._calls and reason is not None
        if not translated and told != canonical_reason(reason):
            self._notes.repair("finish_reason")
        return told

    def _text(self, text: str, feed: Callable[[str], list[Event]]) -> list[Event]:
        self._owed += len(text)
        return self._seen(feed(text))

    def end_text(self, cut: bool) -> list[Event]:
        """What was held of the text."""
        return self._seen(self._parser.finish(cut or self._drops_half()))

    def _drops_half(self) -> bool:
        """Whether half a call at the end of the text goes, as it does where max_tokens cut it."""
        return self._beside and not self._open and self._begins_with not in _OPENS_WHOLE

    def _seen(self, events: list[Event]) -> list[Event]:
        """Keep the books: what has left, and what the record must say."""
        if self._beside:
            events = [self._echo(event) for event in events if event != _FOLLOWED]
        for event in events:
            self._owed -= len(event.raw)
            if isinstance(event, Text):
                continue  # first, as it is by far the most
            if isinstance(event, CallStart):
                self._begun(event)
            elif isinstance(event, ArgumentsDelta):
                self._calls[-1][1].append(event.delta)
            elif isinstance(event, CallEnd):
                self._open = False
            elif isinstance(event, Removed):
                self._notes.note(event.reason)
            elif isinstance(event, Noted):
                self._notes.note(event.code, event.detail)
                continue
            elif self._splits:
                continue
            self._notes.repaired = self._notes.repaired or self._beside
            self._notes.changed = self._notes.changed or not self._beside
        return events

    def _begun(self, call: CallStart) -> None:
        self._calls.append((call.name, []))
        self._open = True
        self._notes.calls += 1
        self._notes.syntax = self._notes.syntax or self._parser.syntax

    def _echo(self, event: Event) -> Event:
        """Markup beside the server's own calls. A call that the client was told of before them goes on to its end."""
        if self._open:
            return event
        markup = isinstance(event, CallStart | ArgumentsDelta | CallEnd)
        if markup or (isinstance(event, Removed) and event.reason in ("cut", "marker") and not event.tag):
            return Removed(event.raw, "echo")
        return event


def _sends_calls(delta: Mapping[str, Any]) -> bool:
    return bool(delta.get("tool_calls")) or isinstance(delta.get("function_call"), Mapping)


__all__ = ["ChoiceReader", "Delta", "canonical_reason"]
