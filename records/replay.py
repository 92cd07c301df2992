"""What the model wrote and what became of it: the backend's bytes of a record, read again by the code that read them.

Nothing of this is stored, so it costs nothing while a request runs, and it is always what the code of today does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backends.chat import ChatReplyReader
from backends.protocol import ReplyContext
from converters.base import ToolCallConverter
from converters.factory import converter_factory
from converters.stages.lease import Lease
from converters.stages.pipeline import Pipeline
from converters.stages.tracing import Decision, TracedPipeline
from converters.text.events import Event
from converters.text.reasons import Reason
from errors import ErrorInfo, ProxyError
from records.spans import Message, Span, marked, message_of, spans_of
from records.texts import StoredText, reading_of
from reply import ChoiceEvent, Reply, Step
from streaming.custom_converter import converter_for, parser_for
from streaming.tape import Reading


@dataclass(frozen=True, slots=True)
class Piece:
    """Model text that came together."""

    at_us: int
    """Microseconds since the client's request."""
    end: int
    """Where it ends in the raw text, in characters."""
    reasoning: bool = False
    """The server itself called it reasoning."""


@dataclass(frozen=True, slots=True)
class ChoiceReplay:
    """One choice of an answer. The `raw` of all spans joined is what the model wrote."""

    index: int
    spans: Sequence[Span]
    pieces: Sequence[Piece]
    message: Message

    @property
    def raw(self) -> str:
        return "".join(span.raw for span in self.spans)


@dataclass(frozen=True, slots=True)
class AttemptReplay:
    """One answer of the backend."""

    status: int | None
    choices: Sequence[ChoiceReplay] = ()
    codes: Sequence[str] = ()
    syntax: str | None = None
    error: str | None = None
    """What the backend said, if it refused."""
    complete: bool = True
    """Everything that the backend sent was kept."""


@dataclass
class _Watch:
    """What was fed to the parsers of one answer. `now` is when the bytes at hand came."""

    now: int = 0
    parsers: list[_Watched] = field(default_factory=list)


class _Watched(Pipeline):
    """A parser that notes what it is fed, and what was decided. It grants no lease, so that all text comes by."""

    __slots__ = ("_inner", "_watch", "pieces")

    def __init__(self, inner: Pipeline, watch: _Watch) -> None:
        self._inner = inner
        self._watch = watch
        self.pieces: list[tuple[int, str, bool]] = []
        """(microseconds, text, whether the server called it reasoning)"""
        watch.parsers.append(self)

    @property
    def fed(self) -> str:
        """All that it was fed."""
        return "".join(part for _, part, _ in self.pieces)

    def decisions(self) -> list[Decision]:
        """What became of it, with places in it."""
        return self._inner.decisions() if isinstance(self._inner, TracedPipeline) else []

    @property
    def syntax(self) -> str | None:
        return self._inner.syntax

    @property
    def closes_prefill(self) -> bool:
        return self._inner.closes_prefill

    @property
    def left_marker(self) -> bool:
        return self._inner.left_marker

    @property
    def left_as_text(self) -> set[Reason]:
        return self._inner.left_as_text

    def feed(self, text: str) -> list[Event]:
        self.pieces.append((self._watch.now, text, False))
        return self._inner.feed(text)

    def feed_reasoning(self, text: str) -> list[Event]:
        self.pieces.append((self._watch.now, text, True))
        return self._inner.feed_reasoning(text)

    def lease(self) -> Lease | None:
        return None

    def finish(self, cut: bool = False, followed: bool = False) -> list[Event]:
        return self._inner.finish(cut, followed)

    def ending(self, cut: bool = False, followed: bool = False) -> Iterator[list[Event]]:
        return self._inner.ending(cut, followed)


def replay(texts: Sequence[StoredText], model: str) -> list[AttemptReplay]:
    """Each attempt of a record; none if its texts were not kept, or its request was forwarded."""
    by_kind = {text.kind: text for text in texts}
    told = by_kind.get("reading")
    if told is None:
        return []
    values = json.loads(told.body)
    reading = reading_of(values.get("reading"))
    attempts = values.get("attempts", ())
    if reading is None:
        return []
    found = ((by_kind.get(f"received.{number}"), attempt) for number, attempt in enumerate(attempts))
    return [_attempt(text, attempt, reading, model) for text, attempt in found if text is not None]


def _converter(reading: Reading, model: str) -> ToolCallConverter:
    try:
        return converter_for(model) if reading.row is None else converter_factory.get_row(reading.row)
    except KeyError:  # a row of another version
        return converter_for(model)


def _attempt(text: StoredText, attempt: dict[str, Any], reading: Reading, model: str) -> AttemptReplay:
    converter = _converter(reading, model)
    watch = _Watch()
    expectations = reading.expectations
    new_parser: Callable[[], Pipeline] = lambda: _Watched(parser_for(converter, expectations, _no_one), watch)  # noqa: E731
    # a call that cannot be read ends as such: where the stream ended with an error, more than that can be shown
    reader = ChatReplyReader(ReplyContext(new_parser, expectations, frozenset(), reading.choices, model, True))
    status = attempt.get("status")
    events, error = _read(reader, text, attempt, reading, watch)
    notes = reader.notes
    indexes = sorted({index for index, _ in events} or {0})
    choices = [_choice(index, [event for at, event in events if at == index], watch) for index in indexes]
    return AttemptReplay(
        status if isinstance(status, int) else None,
        choices,
        sorted(notes.codes),
        notes.syntax,
        error,
        not text.truncated,
    )


def _read(
    reader: ChatReplyReader, text: StoredText, attempt: dict[str, Any], reading: Reading, watch: _Watch
) -> tuple[list[ChoiceEvent], str | None]:
    """(all events, what the backend said if it refused)"""
    events: list[ChoiceEvent] = []
    try:
        if (attempt.get("status") or 200) >= 300:
            watch.now = text.borders[-1][1] if text.borders else 0
            found = reader.read_refusal(int(attempt["status"]), text.body)
            if isinstance(found, ErrorInfo):
                return [], _said(found)
            return [*found.events], None
        if attempt.get("whole") or not reading.stream:
            watch.now = text.borders[-1][1] if text.borders else 0
            whole: Reply | Sequence[Step]
            whole = reader.stream_whole(text.body) if reading.stream else reader.read_whole(text.body)
            return ([*whole.events] if isinstance(whole, Reply) else _events(whole)), None
        for at, block in text.pieces:
            watch.now = at
            events += _events(reader.read(block))
            while reader.unread:
                events += _events(reader.read(b""))
            if reader.done:
                return events, None
        events += _events(_ended(reader, attempt.get("ended") is True and not text.truncated))
    except ProxyError as error:
        events += _events(reader.release())
        return events, _said(error.info)
    return events, None


def _ended(reader: ChatReplyReader, well: bool) -> Iterable[Step]:
    if well:
        return reader.finish()
    last = reader.broken_off()
    return reader.release() if last is None else last


def _said(error: ErrorInfo) -> str:
    return json.dumps(error.error, ensure_ascii=False)


def _events(steps: Iterable[Step]) -> list[ChoiceEvent]:
    return [event for step in steps for event in step.events]


def _choice(index: int, events: Sequence[Any], watch: _Watch) -> ChoiceReplay:
    spans = spans_of(events)
    pieces, decisions = _fed("".join(span.raw for span in spans), watch)
    return ChoiceReplay(index, marked(spans, decisions), pieces, message_of(events))


def _fed(raw: str, watch: _Watch) -> tuple[list[Piece], list[Decision]]:
    """(the borders in the raw text of a choice, the decisions about it, with places in it)

    Parsers are taken as far as what they were fed follows in the text.
    """
    pieces: list[Piece] = []
    decisions: list[Decision] = []
    pos = 0
    for parser in list(watch.parsers):
        text = parser.fed
        if text and raw.startswith(text, pos):
            watch.parsers.remove(parser)  # several choices may say the same
            decisions += [replace(each, start=each.start + pos, end=each.end + pos) for each in parser.decisions()]
            for at, part, reasoning in parser.pieces:
                if part:
                    pos += len(part)
                    pieces.append(Piece(at, pos, reasoning))
    if pos < len(raw):  # text behind a finish reason goes by the parser
        pieces.append(Piece(pieces[-1].at_us if pieces else 0, len(raw)))
    return pieces, decisions


def _no_one(_decisions: Sequence[Decision]) -> None:
    """They are asked for, not told."""
