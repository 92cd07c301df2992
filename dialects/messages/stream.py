"""Writes steps as the events of a streamed message.

    message_start, ping, then for each block content_block_start, content_block_delta ..., content_block_stop,
    and at the end message_delta, message_stop; or error in place of these two

Source of the format: Anthropic's API reference, "Streaming messages".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, LeaseKind, Reasoning, Text
from dialects.messages.ids import to_client
from dialects.messages.request import MessagesOptions
from dialects.messages.shape import Stop, dumped, error_body, signature_of, texts_in, usage_of
from errors import ErrorInfo, Unreadable
from reply import ChoiceEvent, Extension, Failure, Features, Finish, Ids, ReplyEvent, ReplyHead, Step, Usage
from turns import Turns, in_turns
from wire.json_values import SMALL

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
MOST_BEHIND = 1 << 20
"""Bytes of text that may wait for the end of a call."""
_PIECE = 64
"""Bytes that a piece of text takes beside its characters."""
_MANY = 64
"""Events of one step, of which it takes milliseconds to write more."""
_DELTAS: Mapping[LeaseKind, tuple[str, str]] = {
    "text": ("text_delta", "text"),
    "reasoning": ("thinking_delta", "thinking"),
    "arguments": ("input_json_delta", "partial_json"),
}
"""For each kind of block the type of its deltas, and the member that holds their text."""


class MessagesStreamWriter:
    """A StreamWriter."""

    def __init__(
        self,
        options: MessagesOptions,
        ids: Iterable[str] = (),
        model: str = "",
        when_counted: Callable[[Mapping[str, Any]], None] = lambda counts: None,
    ) -> None:
        """`ids` are the ids of calls in the history; `model` is the name in the request, which the answer repeats.

        `when_counted` is told the usage.
        """
        self._options = options
        self._ids = Ids(ids)
        self._model = model
        self._when_counted = when_counted
        self._begun = False
        self._kind: LeaseKind | None = None  # of the block that is open
        self._index = -1  # of the last block
        self._call = -1  # the call that the last of its blocks is of
        self._behind: list[tuple[LeaseKind, str]] = []  # text that came while a call was open; two blocks never are
        self._behind_size = 0
        self._stop = Stop(options.stops)
        self._counts: Mapping[str, Any] | None = None
        self._error: ErrorInfo | None = None

    def write(self, step: Step) -> bytes:
        return b"".join(self._written(step.events))

    def _written(self, events: Sequence[ChoiceEvent]) -> Iterator[bytes]:
        """Between the events of a long answer that came as a whole others take their turn."""
        turns = Turns() if len(events) > _MANY else None
        for index, event in events:
            if index == 0:  # this API has one choice
                yield from self._events(event)
                if turns is not None:
                    turns.take()

    def error(self, error: ErrorInfo) -> bytes:
        """Nothing yet: the error is the last event, and the outcome stands before it."""
        self._error = error
        return b""

    def end(self, outcome: str) -> bytes:
        told = f": dragoman {outcome}\n\n".encode()
        if self._error is not None:
            return told + _event("error", dumped(error_body(self._error)))
        delta = {"type": "message_delta", "delta": self._stop.fields(), "usage": usage_of(self._counts)}
        last = [*self._begin(None), *self._close_all(), _event("message_delta", dumped(delta)), told]
        return b"".join([*last, _event("message_stop", '{"type":"message_stop"}')])

    def accepts(self, features: Features) -> bool:
        return False

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        if choice != 0 or kind != self._kind or (kind == "arguments" and call != self._call):
            return None
        before, _, behind = self._delta(kind, "\0").partition(dumped("\0")[1:-1].encode())
        return before, behind

    def _events(self, event: ReplyEvent) -> Iterator[bytes]:
        match event:
            case Text(text=text) if text:
                yield from self._text("text", text)
            case Reasoning(text=text) if text:
                yield from self._text("reasoning", text)
            case CallStart():
                yield from self._open_call(event)
            case ArgumentsDelta() if self._kind != "arguments":
                self._error = Unreadable().info  # too much text came before the call had ended
            case ArgumentsDelta(delta=delta) if delta:
                for start in range(0, len(delta), SMALL):
                    yield self._delta("arguments", delta[start : start + SMALL])
            case CallEnd():
                yield from self._close()
            case ReplyHead():
                yield from self._begin(event.model)
            case Finish(reason=reason):
                self._stop.finish(reason)
                yield from self._close()
            case Extension():
                yield from self._extension(event)
            case Usage(counts=counts):
                self._counts = counts
                self._when_counted(counts)
            case Failure(error=error):
                self._error = error

    def _extension(self, extension: Extension) -> Iterator[bytes]:
        if extension.of == "choice":
            self._stop.see(extension)
        reasoning, refusal = texts_in(extension)
        if reasoning:
            yield from self._text("reasoning", reasoning)
        if refusal:
            self._stop.refuse()
            yield from self._text("text", refusal)

    def _begin(self, model: str | None) -> Iterator[bytes]:
        """The beginning of the message, once."""
        if self._begun:
            return
        self._begun = True
        message: dict[str, Any] = {
            "id": self._options.id,
            "type": "message",
            "role": "assistant",
            "model": self._model or model or "",  # Claude Code drops the thinking of a model of another name
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_of(None),
        }
        yield _event("message_start", dumped({"type": "message_start", "message": message}))
        yield PING

    def _text(self, kind: LeaseKind, text: str) -> Iterator[bytes]:
        if self._kind == "arguments":
            self._behind.append((kind, text))
            self._behind_size += len(text) + _PIECE
            if self._behind_size > MOST_BEHIND:
                yield from self._close()
            return
        if self._kind != kind:
            if kind == "text":
                yield from self._open(kind, {"type": "text", "text": ""})
            else:
                yield from self._open(kind, {"type": "thinking", "thinking": "", "signature": ""})
        yield self._delta(kind, text)

    def _open_call(self, start: CallStart) -> Iterator[bytes]:
        call_id = to_client(self._ids.take(start.id))
        yield from self._open("arguments", {"type": "tool_use", "id": call_id, "name": start.name, "input": {}})
        self._call = start.index
        yield self._delta("arguments", "")

    def _open(self, kind: LeaseKind, block: Mapping[str, Any]) -> Iterator[bytes]:
        yield from self._begin(None)
        yield from self._close_all()
        self._kind = kind
        self._index += 1
        start = {"type": "content_block_start", "index": self._index, "content_block": block}
        yield _event("content_block_start", dumped(start))

    def _close(self) -> Iterator[bytes]:
        """End the block that is open, if one is. What waited for the end of a call is in an open block then."""
        if self._kind is None:
            return
        if self._kind == "reasoning":
            signature = {"type": "signature_delta", "signature": signature_of(self._options.id, self._index)}
            delta = {"type": "content_block_delta", "index": self._index, "delta": signature}
            yield _event("content_block_delta", dumped(delta))
        self._kind = None
        yield _event("content_block_stop", f'{{"type":"content_block_stop","index":{self._index}}}')
        if self._behind:
            behind, self._behind, self._behind_size = self._behind, [], 0
            for kind, pieces in groupby(in_turns(behind), itemgetter(0)):
                yield from self._text(kind, "".join(text for _, text in pieces))

    def _close_all(self) -> Iterator[bytes]:
        while self._kind is not None:
            yield from self._close()

    def _delta(self, kind: LeaseKind, text: str) -> bytes:
        name, member = _DELTAS[kind]
        return _event(
            "content_block_delta",
            f'{{"type":"content_block_delta","index":{self._index},'
            f'"delta":{{"type":"{name}","{member}":{dumped(text)}}}}}',
        )


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: ".encode() + data.encode(errors="replace") + b"\n\n"
