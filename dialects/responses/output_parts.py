"""Texts of a response while they come: of a message, a refusal, reasoning and its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialects.responses.events import Deltas, Events, as_json


@dataclass(frozen=True, slots=True)
class PartKind:
    """How the events of a kind of text are called, and where its text stands."""

    type: bytes
    delta: bytes
    """The first words of the events that bring it: `.delta` and `.done`."""
    part: bytes
    """The first words of the events around it: `.added` and `.done`."""
    index: bytes
    field: bytes
    annotated: bool = False
    """It has annotations and log probabilities."""


TEXT = PartKind(b"output_text", b"response.output_text", b"response.content_part", b"content_index", b"text", True)
REFUSAL = PartKind(b"refusal", b"response.refusal", b"response.content_part", b"content_index", b"refusal")
REASONING = PartKind(b"reasoning_text", b"response.reasoning_text", b"response.content_part", b"content_index", b"text")
SUMMARY = PartKind(
    *(b"summary_text", b"response.reasoning_summary_text", b"response.reasoning_summary_part"),
    *(b"summary_index", b"text"),
)


class TextPart:
    """One text of an item. `opened` once, then `more`, then `closed` once."""

    def __init__(self, kind: PartKind, events: Events, place: bytes, index: int = 0) -> None:
        """`place` is the members that name the item."""
        self.kind = kind
        self._events = events
        self._place = b'%b,"%b":%d' % (place, kind.index, index)
        self._behind = b',"logprobs":[]' if kind.annotated else b""
        self._deltas = Deltas(events, kind.delta + b".delta", self._place, self._behind)
        self._texts: list[str] = []
        self._logprobs: list[Mapping[str, Any]] = []
        self._closed: bytes | None = None

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._texts)

    def opened(self) -> bytes:
        return self._events.event(self.kind.part + b".added", self._place, b'"part":' + self._part(b'""', b"[]"))

    def more(self, text: str, logprobs: Sequence[Mapping[str, Any]] = ()) -> bytes:
        """More of the text, and the log probabilities of its tokens."""
        self._texts.append(text)
        if not logprobs:
            return self._deltas.events(text)
        self._logprobs += logprobs
        behind = b',"logprobs":' + as_json(list(logprobs))
        return Deltas(self._events, self.kind.delta + b".delta", self._place, behind).event(text)

    def closed(self) -> bytes:
        text, logprobs = as_json(self.text), as_json(self._logprobs)
        told = [self._place, b'"%b":%b' % (self.kind.field, text)]
        if self.kind.annotated:
            told.append(b'"logprobs":' + logprobs)
        self._closed = self._part(text, logprobs)
        done = self._events.event(self.kind.delta + b".done", *told)
        return done + self._events.event(self.kind.part + b".done", self._place, b'"part":' + self._closed)

    def json(self) -> bytes:
        """The part as it stands in its item."""
        return self._closed or self._part(as_json(self.text), as_json(self._logprobs))

    def _part(self, text: bytes, logprobs: bytes) -> bytes:
        beside = b'"annotations":[],"logprobs":%b,' % logprobs if self.kind.annotated else b""
        return b'{"type":"%b",%b"%b":%b}' % (self.kind.type, beside, self.kind.field, text)
