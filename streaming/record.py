"""The record of one exchange, and the signal that is sent when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from blinker import Signal

from reply import KeptAnswer, Notes
from streaming.tape import Tape

Outcome = Literal["untouched", "translated", "repaired", "abstained"]

REQUEST_CODES: Mapping[str, str] = {
    "adapted": "the request was changed so that the backend takes it; behind a colon stands the adaptation",
    "asked_again": "the model was asked again, because a call could not be run or a demanded one did not come",
    "prompted": "the tools were written into the prompt, because the backend takes none",
    "tool_skipped": "a tool that only the vendor of an API can run was left out of the request",
    "template_row": "the row that reads the answer is that of the model's own chat template, and not that of its name",
    "reasoning_dropped": "reasoning in the history was left out: the model's template does not take it",
}
"""What can be done to a request. Codes of answers stand in `converters/text/reasons.py`."""

exchange_ended = Signal("An exchange has ended; sent with the ExchangeRecord as its sender.")

PIECE_GAPS = (
    *(0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08),
    *(0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0, 6.0, 8.0),
)
"""Seconds by which the time between two pieces of a stream is told: those of SGLang's inter-token latency."""

log = logging.getLogger("dragoman.exchange")


@dataclass(slots=True)
class Tried:
    """One request to the backend. Times are in seconds since the client's request."""

    sent: float
    status: int | None = None


@dataclass(slots=True)
class ExchangeRecord:
    """What happened between a request and the end of its answer. Only its tape holds a prompt or model text."""

    request_id: str
    path: str
    model: str = ""
    stream: bool = False
    key_name: str | None = None
    """The name of the client's key; never the key."""
    status: int = 0
    started: float = field(default_factory=time.monotonic)
    first_byte: float | None = None
    """Seconds until the backend's first byte."""
    seconds: float = 0.0
    notes: Notes = field(default_factory=Notes)
    """What was decided in the attempt that was kept."""
    attempts: int = 0
    """Requests that were sent to the backend."""
    codes: set[str] = field(default_factory=set)
    """What was done to the request, and what concerns the exchange as a whole."""
    error: str | None = None
    face: str = ""
    """The name of the dialect; empty for a request that was forwarded."""
    backend: str = ""
    """The base URL of the backend."""
    received_at: float = field(default_factory=time.time)
    """When the request came, in seconds since 1970."""
    first_word: float | None = None
    """Seconds until the first text, reasoning or call of the answer."""
    tried: list[Tried] = field(default_factory=list)
    row: str | None = None
    """The row in which the model was expected to write."""
    bytes_in: int = 0
    """Bytes of the client's request."""
    pieces: int = 0
    bytes_out: int = 0
    """What the body of the answer was sent in, and its bytes."""
    gaps: Sequence[int] = ()
    """How often so much time passed between two pieces: a count for each of PIECE_GAPS, and one for what is longer."""
    gap_seconds: float = 0.0
    """From the first piece to the last."""
    tape: Tape | None = None
    """The texts; None unless they are recorded."""
    id: str = ""
    """Its name in the store and in the log."""
    answer_id: str | None = None
    """Under which its client may ask for the answer again. The tape holds the answer."""
    sources: tuple[str, ...] = ()
    """What the answer goes on from: the answer before it, or nothing, then those of which something is quoted."""
    trace_headers: Sequence[tuple[str, str]] = ()
    """What tells the backend of which trace its work is part. They replace the client's."""
    dropped: bool = False
    """Another record is made of the same request."""
    when_ended: Callable[[ExchangeRecord], None] | None = None
    _ended: bool = False

    @property
    def ended(self) -> bool:
        return self._ended

    def keep(self, notes: Notes) -> None:
        """Keep the notes of the attempt that the client gets."""
        self.notes = notes

    @property
    def outcome(self) -> Outcome:
        if self.notes.changed:
            return "translated"
        if self.notes.repaired:
            return "repaired"
        return "abstained" if self.notes.abstained else "untouched"

    @property
    def codes_text(self) -> str:
        return ",".join(sorted(self.codes | self.notes.codes))

    def summary(self) -> str:
        """The outcome in one line, as the client gets it: `outcome=… syntax=… codes=…`."""
        parts = [f"outcome={self.outcome}"]
        if self.notes.syntax:
            parts.append(f"syntax={self.notes.syntax}")
        if codes := self.codes_text:
            parts.append(f"codes={codes}")
        return " ".join(parts)

    def fields(self) -> dict[str, object]:
        """The fields of the log line by name, for JSON logs."""
        return {
            "message": "exchange ended",
            "request_id": self.request_id,
            "record": self.id or None,
            "path": self.path[:_LONGEST],
            "key": self.key_name,
            "model": self.model[:_LONGEST] or None,
            "stream": self.stream,
            "status": self.status,
            "attempts": self.attempts,
            "calls": self.notes.calls,
            "outcome": self.outcome,
            "syntax": self.notes.syntax,
            "codes": sorted(self.codes | self.notes.codes),
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "face": self.face or None,
            "first_word_seconds": None if self.first_word is None else round(self.first_word, 3),
            "pieces": self.pieces,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "tokens_in": self.notes.tokens.prompt,
            "tokens_out": self.notes.tokens.answer,
        }

    def touched(self) -> None:
        """Note the time of the backend's first byte; only the first call counts."""
        if self.first_byte is None:
            self.first_byte = time.monotonic() - self.started

    def take(self, answer: KeptAnswer) -> None:
        """Keep an answer that its client may ask for again, if texts are recorded."""
        if self.tape is not None and self.tape.take(answer):
            self.answer_id = answer.id
            self.sources = (answer.previous or "", *answer.quoted) if answer.previous or answer.quoted else ()

    def was_sent(self, body: bytes) -> None:
        """Note another request to the backend."""
        self.tried.append(Tried(time.monotonic() - self.started))
        if self.tape is not None:
            self.tape.sent(body)

    def answered(self, status: int) -> None:
        """Note the status of the attempt at hand."""
        self.status = status
        if self.tried:
            self.tried[-1].status = status
        if self.tape is not None and self.tape.attempts:
            self.tape.attempts[-1].status = status

    def received(self, data: bytes) -> None:
        """Keep what the backend sent, if texts are recorded."""
        if self.tape is not None and self.tape.attempts:
            self.tape.attempts[-1].received.add(data)

    def wrote(self, body: bytes, with_text: bool = True) -> None:
        """Note the whole body that the client gets."""
        self.bytes_out = len(body)
        if self.tape is not None and with_text:
            self.tape.client.add(body)

    def drop(self) -> None:
        """The exchange is somebody else's: it leaves no line and no record."""
        self.id, self._ended, self.dropped = "", True, True
        if self.when_ended is not None:
            self.when_ended(self)

    def spoke(self) -> None:
        """Note the time of the first word; only the first call counts."""
        if self.first_word is None:
            self.first_word = time.monotonic() - self.started

    def end(self) -> None:
        """Log one line and send `exchange_ended`; only the first call counts."""
        if self._ended:
            return
        self._ended = True
        self.seconds = time.monotonic() - self.started
        log.info(
            "%s %s%s model=%s stream=%s status=%s calls=%d %s seconds=%.3f%s%s",
            self.request_id,
            _in_one_line(self.path),
            f" key={_in_one_line(self.key_name)}" if self.key_name else "",
            _in_one_line(self.model) or "-",
            self.stream,
            self.status,
            self.notes.calls,
            self.summary(),
            self.seconds,
            f" error={self.error}" if self.error else "",
            f" record={self.id}" if self.id else "",
            extra={"fields": self.fields},  # called by the JSON log only
        )
        exchange_ended.send(self)
        if self.when_ended is not None:
            self.when_ended(self)


_LONGEST = 200
"""Longest client text in the log, in characters."""


def _in_one_line(text: str) -> str:
    """A client's text made safe for the log: it cannot forge a line."""
    if text.isprintable() and " " not in text and len(text) <= _LONGEST:
        return text
    return "".join(letter if letter.isprintable() and letter != " " else "?" for letter in text[:_LONGEST])
