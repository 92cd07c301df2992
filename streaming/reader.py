"""A backend's chat reply to steps: what each choice means, and the bytes it came in while they need no change.

A buffered reply is read as a stream of one delta. A reader does not know which dialect will write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from converters.events import CallStart, Event, Noted, Reasoning, Removed, Text
from converters.pipeline import Pipeline
from dialects.base import ChoiceEvent, Finish, Native, ReplyEvent, Step, Trailer
from streaming.exchange import Exchange
from streaming.refusals import error_frame
from streaming.sse import comments_of, data_of

_REASONING = ("reasoning_content", "reasoning")
_READ = frozenset({"role", "content", "tool_calls", *_REASONING})
_STOPS = frozenset({None, "", "stop", "eos", "tool_calls", "function_call", "null"})


class ChoiceReader:
    """What one choice says, delta by delta. Native tool calls pass as they are."""

    def __init__(self, parser: Pipeline, exchange: Exchange, keeps_reasoning: bool) -> None:
        """`keeps_reasoning`: what the server splits stays where it put it."""
        self._parser = parser
        self._exchange = exchange
        self._keeps_reasoning = keeps_reasoning
        self._calls = 0
        self._native = False
        self.owed = 0
        """Characters that were read but have not left in any event yet."""
        self.finished = False
        self.splits = False
        """The server tells reasoning from text itself."""

    def read(self, delta: Mapping[str, Any]) -> list[ReplyEvent]:
        events: list[ReplyEvent] = []
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(reasoning, str) and reasoning and self._keeps_reasoning:
            events.append(Native({name: delta[name] for name in _REASONING if delta.get(name)}))
        elif isinstance(reasoning, str) and reasoning:
            self.splits = True
            events += self._text(reasoning, self._parser.feed_reasoning)
        if delta.get("tool_calls"):
            if not self._native:
                events += self.end_text(cut=False)
            self._native = True
            events.append(Native({"tool_calls": _indexed(delta["tool_calls"])}))
        content = delta.get("content")
        if isinstance(content, str) and content:
            events += [Text(content)] if self._native else self._text(content, self._parser.feed)
        return events

    def finish(self, reason: str | None) -> list[ReplyEvent]:
        """The choice is over: what was held, and the finish reason that the client is told."""
        self.finished = True
        events: list[ReplyEvent] = [] if self._native else [*self.end_text(cut=reason == "length")]
        return [*events, Finish(self._reason(reason))]

    def _reason(self, reason: str | None) -> str:
        if reason not in _STOPS:
            return str(reason)
        told = "tool_calls" if self._calls or self._native else "stop"
        self._exchange.repaired = self._exchange.repaired or told != reason
        return told

    def _text(self, text: str, feed: Callable[[str], list[Event]]) -> list[Event]:
        self.owed += len(text)
        return self._seen(feed(text))

    def end_text(self, cut: bool) -> list[Event]:
        return self._seen(self._parser.finish(cut))

    def _seen(self, events: list[Event]) -> list[Event]:
        """Keep the books: what has left, and what the record must say."""
        exchange = self._exchange
        for event in events:
            self.owed -= len(event.raw)
            if not isinstance(event, Text | Reasoning) or (isinstance(event, Reasoning) and not self.splits):
                exchange.changed = True
            if isinstance(event, CallStart):
                self._calls += 1
                exchange.calls += 1
                exchange.syntax = exchange.syntax or self._parser.syntax
            elif isinstance(event, Removed):
                exchange.codes.add(event.reason)
            elif isinstance(event, Noted):
                exchange.codes.add(event.code)
        return events


class ReplyReader:
    """The reply of one backend: frames of a stream, or one whole body, to steps."""

    def __init__(self, new_parser: Callable[[], Pipeline], exchange: Exchange, wanted: tuple[str, ...]) -> None:
        """`wanted` names the fields in which the client wants reasoning."""
        self._new_parser = new_parser
        self._exchange = exchange
        self._wanted = wanted
        self._choices: dict[int, ChoiceReader] = {}
        self._roles: set[int] = set()  # choices whose role the client has been told
        self._held: list[bytes] = []  # frames whose text is still held, whole
        self._held_fields: list[ChoiceEvent] = []  # what else stood in their deltas
        self._mixed = False  # part of a held frame's text has left already
        self._top: Mapping[str, Any] = {}
        self.begun = False
        """Something that means something was read."""
        self.done = False
        """[DONE] was read, or an error in its place."""

    @property
    def splits(self) -> bool:
        """The server was seen to tell reasoning from text itself."""
        return any(choice.splits for choice in self._choices.values())

    def all_finished(self, choices: int) -> bool:
        """Whether so many choices have begun, and all of them have their finish reason."""
        return len(self._choices) >= choices and all(choice.finished for choice in self._choices.values())

    # -- streamed ----------------------------------------------------------------------------------------------------

    def read_frame(self, frame: bytes) -> list[Step]:
        data = data_of(frame)
        if data is None:
            comments = comments_of(frame)  # a frame without data breaks clients; a comment does not
            return [Step(comments)] if comments else []
        if data.strip() == "[DONE]":
            self.done = True
            return []
        chunk = _parsed(data)
        if chunk is None:
            return [Step(frame)]
        if chunk.get("error") and not chunk.get("choices"):
            self.begun = self.done = True
            self._exchange.error = "backend_error"
            return [*self.release(), Step(error_frame(frame, chunk))]
        return self._read_chunk(frame, chunk)

    def _read_chunk(self, frame: bytes, chunk: dict[str, Any]) -> list[Step]:
        self.begun = True
        choices = _choices(chunk)
        if not choices:
            ended = self.finish() if chunk.get("usage") else []  # usage comes last, so nothing will be said any more
            return [*ended, Step(frame, top=chunk)]
        if not self._top:
            self._top = chunk
        events: list[ChoiceEvent] = []
        as_received = True
        for choice in choices:
            index = _index(choice)
            over = self._choice(index).finished
            read = self._read_choice(index, choice)
            as_received = as_received and not over
            events += [(index, event) for event in read]
            as_received = as_received and self._is_as_received(choice, read)
        return self._steps(frame, chunk, choices, events, as_received)

    def _read_choice(self, index: int, choice: Mapping[str, Any]) -> list[ReplyEvent]:
        reader = self._choice(index)
        delta = _delta(choice)
        events = reader.read(delta)
        reason = choice.get("finish_reason")
        if reason and not reader.finished:
            events += reader.finish(reason)
        return events

    def _is_as_received(self, choice: Mapping[str, Any], events: list[ReplyEvent]) -> bool:
        """Whether the events say just what the choice says, but for text that is still held."""
        delta = _delta(choice)
        if not isinstance(choice.get("delta"), dict):
            return False
        for event in events:
            match event:
                case Finish(reason=reason):
                    same = reason == choice.get("finish_reason")
                case Text(again=again):
                    same = not again
                case Reasoning(again=again):
                    same = not again and tuple(name for name in _REASONING if delta.get(name)) == self._wanted
                case Native():
                    same = True
                case _:
                    same = False
            if not same:
                return False
        return True

    def _steps(
        self,
        frame: bytes,
        chunk: dict[str, Any],
        choices: list[dict[str, Any]],
        events: list[ChoiceEvent],
        as_received: bool,
    ) -> list[Step]:
        owed = any(reader.owed for reader in self._choices.values())
        self._held_fields += [(_index(each), Native(other)) for each in choices if (other := _other_fields(each))]
        if as_received and not self._mixed:
            self._held.append(frame)
            if owed and not events:
                return []
            if not owed:
                raw = b"".join(self._held)
                self._let_go()
                return [*self._told_role(choices), Step(raw, events, chunk)]
        events = [*self._held_fields, *events]
        self._let_go()
        self._mixed = owed
        trailer: list[ChoiceEvent] = [(0, Trailer())] if chunk.get("usage") else []
        if not events:
            return [Step(None, trailer, chunk)] if trailer else []
        return [*self._told_role([]), Step(None, [*events, *trailer], chunk)]

    def _let_go(self) -> None:
        """Nothing that was read is held any more, or what is left of it leaves in other frames."""
        self._held.clear()
        self._held_fields.clear()

    def _told_role(self, choices: list[dict[str, Any]]) -> list[Step]:
        """A step that tells the role of choices that have not been told it, and are not in what is sent now."""
        for choice in choices:
            if _delta(choice).get("role"):
                self._roles.add(_index(choice))
        untold = sorted(set(self._choices) - self._roles)
        self._exchange.repaired = self._exchange.repaired or bool(untold)
        self._roles.update(untold)
        role = Native({"role": "assistant", "content": ""})
        return [Step(None, [(index, role) for index in untold], self._top)] if untold else []

    def finish(self) -> list[Step]:
        """The stream is over: choices that the backend did not finish are finished here."""
        return self._ended(lambda reader: reader.finish(None))

    def release(self) -> list[Step]:
        """The stream broke off: what was held is let go, and no choice is finished."""
        return self._ended(lambda reader: [*reader.end_text(cut=True)])

    def _ended(self, end: Callable[[ChoiceReader], list[ReplyEvent]]) -> list[Step]:
        open_choices = [(index, reader) for index, reader in sorted(self._choices.items()) if not reader.finished]
        events = [(index, event) for index, reader in open_choices for event in end(reader)]
        events = [*self._held_fields, *events]
        self._let_go()
        if not events:
            return []
        return [*self._told_role([]), Step(None, events, self._top)]

    # -- buffered ----------------------------------------------------------------------------------------------------

    def read_whole(self, reply: Mapping[str, Any]) -> tuple[list[Step], bool]:
        """The steps of a whole reply, and whether they say anything else than it does."""
        events: list[ChoiceEvent] = []
        changed = False
        for choice in reply.get("choices") or []:
            if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
                continue
            index = _index(choice)
            as_delta = {"delta": choice["message"], "finish_reason": choice.get("finish_reason") or "stop"}
            read = self._read_choice(index, as_delta)
            events += [(index, event) for event in read]
            changed = changed or self._changes(choice, read)
        return [Step(None, events, reply)], changed

    def stream_whole(self, reply: Mapping[str, Any]) -> list[Step]:
        """The steps of a whole reply that is sent on as a stream."""
        steps, _ = self.read_whole(reply)
        trailer = [Step(None, [(0, Trailer())], reply)] if reply.get("usage") else []
        self._top = reply
        return [*self._told_role([]), *steps, *trailer]

    def _changes(self, choice: Mapping[str, Any], events: list[ReplyEvent]) -> bool:
        message = choice["message"]
        said = "".join(event.text for event in events if isinstance(event, Text))
        as_received = self._is_as_received({**choice, "delta": message}, events)
        return not as_received or said != (message.get("content") or "") or not message.get("role")

    def _choice(self, index: int) -> ChoiceReader:
        if index not in self._choices:
            self._choices[index] = ChoiceReader(self._new_parser(), self._exchange, self._wanted == ("content",))
        return self._choices[index]


def _parsed(data: str) -> dict[str, Any] | None:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return chunk if isinstance(chunk, dict) else None


def _choices(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    choices = chunk.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _index(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _delta(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}


def _indexed(calls: Any) -> Any:
    """Native calls with the index that a stream demands, where a whole message has none."""
    if not isinstance(calls, list):
        return calls
    return [{"index": place, **call} if isinstance(call, dict) else call for place, call in enumerate(calls)]


def _other_fields(choice: Mapping[str, Any]) -> dict[str, Any]:
    """What a delta holds besides what we read: it must not be lost when its frame is."""
    delta = _delta(choice)
    return {name: value for name, value in delta.items() if name not in _READ and value is not None}
