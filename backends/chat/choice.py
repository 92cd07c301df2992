"""What one choice of a reply says, delta by delta: its text through a parser, and the calls that the server sent.

Where both come, the server's calls win, and markup beside them is an echo of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.chat.fields import REASONING_FIELDS
from backends.chat.halves import has_half, joined
from backends.chat.large import AT_ONCE, PARSED, pieces_of
from backends.chat.native_calls import NativeCalls
from converters.stages.lease import Lease
from converters.stages.pipeline import Pipeline
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Noted, Reasoning, Removed, Text
from errors import TooMuch
from reply import Extension, Finish, Notes, ReplyEvent
from turns import Turns, in_turns

_STOPS = frozenset(
    {None, "", "stop", "eos", "eos_token", "end_turn", "tool_use", "tool_calls", "function_call", "null"}
)
"""Finish reasons that mean the model stopped by itself."""
MOST_HELD = 64 * 1024 * 1024
"""Characters of one choice that wait for what follows them."""
MOST_CALLS = 10_000
"""Calls in the text of one choice."""
_FOLLOWED = Noted("native_follows")
_NEVER_CLOSED = Noted("reasoning_never_closed")
_OPENS_WHOLE = ("{", "[", "`")
"""First characters of a call without a marker, which is held until the text ends."""


def _stopped(reason: object) -> bool:
    """Whether the model stopped by itself. A backend may send anything for a reason, also what cannot be hashed."""
    return reason is None or (isinstance(reason, str) and reason in _STOPS)


def canonical_reason(reason: str | None) -> str | None:
    """The older API's `function_call` is `tool_calls`."""
    return "tool_calls" if reason == "function_call" else reason


def held_too_long() -> TooMuch:
    """The error of an answer of which more is held than may be."""
    return TooMuch("What may still become a tool call is longer than can be held.", "held_too_long")


@dataclass(slots=True)
class Delta:
    """The events of one delta: of its text, then of the server's own calls; at the end of the choice, of both again.

    `native_as_received`: the calls needed no repair, so that their bytes may pass.
    """

    text: Sequence[ReplyEvent] = ()
    native: Sequence[ReplyEvent] = ()
    native_as_received: bool = True
    text_as_received: bool = True
    """The text needed no repair either: it held no half of a surrogate pair."""
    last_text: Sequence[ReplyEvent] = ()
    last: Sequence[ReplyEvent] = ()
    """The end of the calls, then Finish."""

    @property
    def events(self) -> list[ReplyEvent]:
        return [*self.text, *self.native, *self.last_text, *self.last]


class ChoiceReader:
    """Reads one choice: its text through a parser, the calls that the server sent through `native`."""

    def __init__(
        self, new_parser: Callable[[], Pipeline], native: NativeCalls, notes: Notes, keeps_reasoning: bool
    ) -> None:
        """`keeps_reasoning`: reasoning that the server split off stays in its own field."""
        self._new_parser = new_parser
        self._parser = new_parser()
        self._native = native
        self._notes = notes
        self._keeps_reasoning = keeps_reasoning
        self._calls: list[tuple[str, list[str]]] = []  # name and pieces of the arguments of each call in the text
        self._call_open = False  # the last of those has not ended
        self._has_native = False  # the server has sent calls, so markup in the text repeats them
        self._first_char = ""
        self.pending = 0
        """Characters read but not yet part of any event."""
        self._blanks = 0  # white space at the end of what was read
        self._splits = False
        self._halves: dict[str, str] = {}  # for each text of a delta the half of a surrogate pair in which it ended
        self.finished = False

    @property
    def holds(self) -> bool:
        """Something was read and is not yet part of any event."""
        return self.pending > 0 or bool(self._halves) or (self._native.begun and self._native.waiting)

    def lets_go(self, delta: Delta) -> bool:
        """Whether text leaves with a delta, and of what was read only white space waits."""
        texts = [event.text for event in (*delta.text, *delta.last_text) if isinstance(event, Text | Reasoning)]
        return bool(texts) and self.pending <= self._blanks

    @property
    def called(self) -> bool:
        """A call has begun, in the text or sent by the server."""
        return bool(self._calls) or self._native.begun

    def read(self, delta: Mapping[str, Any], whole: bool = False) -> Delta:
        """A delta, or a `whole` message."""
        joined = self._joined(delta)
        found = self._read(joined, whole)
        found.text_as_received = joined is delta
        return found

    def _read(self, delta: Mapping[str, Any], whole: bool) -> Delta:
        native = _sends_calls(delta)
        if self.finished and not whole:
            return self._after_finish(delta, native)
        begins = native and not self._has_native
        self._has_native = self._has_native or begins
        text = [*self._reasoning(delta)]
        content = delta.get("content")
        if isinstance(content, str) and content:
            self._first_char = self._first_char or content.lstrip()[:1]
            text += self._text(content, self._parser.feed)
        if not native:
            return Delta(text)
        if begins:
            text += self._end_text_before_native()
        return Delta(text, self._native_events(lambda: self._native.read(delta, whole)), self._native.as_received)

    def lease(self, reasoning: bool) -> Lease | None:
        """What takes more text from the field that brought the last one; None if the next delta must be read.

        `reasoning`: the server calls that field reasoning.
        """
        if self.finished or self._has_native or self._halves:
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
            self.pending = len(lease.held)

    def _joined(self, delta: Mapping[str, Any]) -> Mapping[str, Any]:
        """The delta with the halves of surrogate pairs in its texts joined, also over its borders."""
        mended: dict[str, str] = {}
        for name in ("content", *REASONING_FIELDS):
            text = delta.get(name)
            if isinstance(text, str) and (name in self._halves or has_half(text)):
                mended[name], self._halves[name] = joined(self._halves.pop(name, "") + text)
                if not self._halves[name]:
                    del self._halves[name]
        if not mended:
            return delta
        self._notes.repair("surrogate_half")
        return {**delta, **mended}

    def _last_halves(self) -> list[ReplyEvent]:
        """At the end of the choice, a half that nothing followed is a character that is not known."""
        halves, self._halves = self._halves, {}
        return [event for name in halves for event in self._read({name: "\ufffd"}, False).text]

    def _after_finish(self, delta: Mapping[str, Any], native: bool) -> Delta:
        """A delta behind the finish reason is still delivered: some servers send one with each call."""
        content = delta.get("content")
        text = [Text(content)] if isinstance(content, str) and content else []
        if not native:
            return Delta(text)
        return Delta(text, self._native_events(lambda: self._native.read(delta)), self._native.as_received)

    def _reasoning(self, delta: Mapping[str, Any]) -> list[ReplyEvent]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if not isinstance(reasoning, str) or not reasoning:
            return []
        if self._keeps_reasoning:
            return [Extension({name: delta[name] for name in REASONING_FIELDS if delta.get(name)})]
        self._splits = self._notes.splits = True
        return [*self._text(reasoning, self._parser.feed_reasoning)]

    def _end_text_before_native(self) -> list[ReplyEvent]:
        """The server's first call: end the text before it. Half a marker at its end repeats the call and is removed."""
        events = self._ended(self._removes_half(), followed=True)
        self._parser = self._new_parser()
        self._parser.feed_reasoning("")  # text fed from here on is not reasoning
        self._native.already_sent((name, "".join(arguments)) for name, arguments in self._calls)
        return [*events]

    def _native_events(self, read: Callable[[], list[ReplyEvent]]) -> list[ReplyEvent]:
        before = self._native.delivered
        events = read()
        self._notes.calls += self._native.delivered - before
        for event in in_turns(events):
            if isinstance(event, Noted):
                self._notes.repair(event.code)
        return events

    def finish(self, reason: str | None, delta: Delta | None = None) -> Delta:
        """End the choice: add to its last `delta` what was held, and Finish, which comes once."""
        delta = delta or Delta()
        cut = reason == "length"
        self._notes.cut = self._notes.cut or not _stopped(reason)
        halves = self._last_halves() if self._halves else []
        delta.text_as_received = delta.text_as_received and not halves
        first, self.finished = not self.finished, True
        if first and not self._native.begun:
            self._native.already_sent((name, "".join(arguments)) for name, arguments in self._calls)
        delta.last_text = [*halves, *self.end_text(cut)] if first else ()
        delta.last = self._native_events(lambda: self._native.finish(cut))
        delta.native_as_received = delta.native_as_received and self._native.as_received
        if not first:
            return delta
        if self._parser.left_marker:
            self._notes.note("marker_left")
        if self._native.demanded and not self._calls and not self._native.delivered and not cut:
            self._notes.note("required_unmet")
        told = self._reason(reason)
        self._notes.finished(told)
        delta.last = [*delta.last, Finish(told)]
        return delta

    def _reason(self, reason: str | None) -> str:
        if not _stopped(reason):
            return str(reason)
        canonical = "tool_calls" if self._calls or self._native.delivered else "stop"
        translated = self._calls and reason is not None
        if not translated and canonical != canonical_reason(reason):
            self._notes.repair("finish_reason")
        return canonical

    def _text(self, text: str, feed: Callable[[str], list[Event]]) -> list[Event]:
        self.pending += len(text)
        self._blanks = len(text) - len(text.rstrip())
        if len(text) <= AT_ONCE:
            events = self._noted(feed(text))
        else:  # others take their turn between the pieces of a long text
            events = [event for piece in pieces_of(text, PARSED) for event in self._noted(feed(piece))]
        if self.pending > MOST_HELD:
            self.forget()
            raise held_too_long()
        return events

    def forget(self) -> None:
        """Forget what is held, which nobody gets any more: it is too much to be written anew."""
        self._parser = self._new_parser()
        self.pending = 0

    def end_text(self, cut: bool) -> list[Event]:
        """End the text: the events of what was held."""
        self._notes.cut = self._notes.cut or cut
        return self._ended(cut or self._removes_half())

    def _ended(self, cut: bool, followed: bool = False) -> list[Event]:
        if self.pending <= AT_ONCE:
            events = self._noted(self._parser.finish(cut, followed))
        else:  # others take their turn between the events of what was held
            batches, turns, events = self._parser.ending(cut, followed), Turns(), []
            for batch in batches:
                events += self._noted(batch)
                turns.take()
        for code in self._parser.left_as_text:
            self._notes.note(code)
        self._notes.closes_prefill = self._notes.closes_prefill or self._parser.closes_prefill
        return events

    def _removes_half(self) -> bool:
        """Whether half a call at the end of the text is removed, as where max_tokens cut it."""
        return self._has_native and not self._call_open and self._first_char not in _OPENS_WHOLE

    def _noted(self, events: list[Event]) -> list[Event]:
        """Count what is no longer pending, and note what was decided."""
        if self._has_native:
            events = [self._echo(event) for event in events if event not in (_FOLLOWED, _NEVER_CLOSED)]
        for event in events:
            self.pending -= len(event.raw)
            if isinstance(event, Text):
                continue  # by far the most frequent
            if isinstance(event, CallStart):
                self._note_call(event)
            elif isinstance(event, ArgumentsDelta):
                self._calls[-1][1].append(event.delta)
            elif isinstance(event, CallEnd):
                self._call_open = False
            elif isinstance(event, Removed):
                self._notes.note(event.reason)
            elif isinstance(event, Noted):
                self._notes.note(event.code, event.detail)
                continue
            elif self._splits:
                continue
            self._notes.repaired = self._notes.repaired or self._has_native
            self._notes.changed = self._notes.changed or not self._has_native
        return events

    def _note_call(self, call: CallStart) -> None:
        if len(self._calls) >= MOST_CALLS:
            raise TooMuch(f"The answer holds more than {MOST_CALLS} tool calls.", "too_many_calls")
        self._calls.append((call.name, []))
        self._call_open = True
        self._notes.calls += 1
        self._notes.syntax = self._notes.syntax or self._parser.syntax

    def _echo(self, event: Event) -> Event:
        """Markup beside native calls becomes Removed. A call that was already sent goes on to its end."""
        if self._call_open:
            return event
        markup = isinstance(event, CallStart | ArgumentsDelta | CallEnd)
        if markup or (isinstance(event, Removed) and event.reason in ("cut", "marker") and not event.tag):
            return Removed(event.raw, "echo")
        return event


def _sends_calls(delta: Mapping[str, Any]) -> bool:
    return bool(delta.get("tool_calls")) or isinstance(delta.get("function_call"), Mapping)
