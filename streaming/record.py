"""The record of one exchange, and the signal that is sent when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from blinker import Signal

from reply import Notes

Outcome = Literal["untouched", "translated", "repaired", "abstained"]

REQUEST_CODES: Mapping[str, str] = {
    "tool_skipped": "a tool that only the vendor of an API can run was left out of the request",
    "reasoning_dropped": "reasoning in the history was left out: the model's template does not take it",
}
"""What can be done to a request. Codes of answers stand in `converters/text/reasons.py`."""

exchange_ended = Signal("An exchange has ended; sent with the ExchangeRecord as its sender.")

log = logging.getLogger("dragoman.exchange")


@dataclass(slots=True)
class ExchangeRecord:
    """What happened between a request and the end of its answer. It holds no prompt and no model text."""

    request_id: str
    path: str
    model: str = ""
    stream: bool = False
    status: int = 0
    started: float = field(default_factory=time.monotonic)
    first_byte: float | None = None
    """Seconds until the backend's first byte."""
    seconds: float = 0.0
    notes: Notes = field(default_factory=Notes)
    """What was decided in the attempt that was kept."""
    codes: set[str] = field(default_factory=set)
    """What was done to the request, and what concerns the exchange as a whole."""
    error: str | None = None
    _ended: bool = False

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
            "request_id": self.request_id,
            "path": self.path[:_LONGEST],
            "model": self.model[:_LONGEST] or None,
            "stream": self.stream,
            "status": self.status,
            "calls": self.notes.calls,
            "outcome": self.outcome,
            "syntax": self.notes.syntax,
            "codes": sorted(self.codes | self.notes.codes),
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }

    def touched(self) -> None:
        """Note the time of the backend's first byte; only the first call counts."""
        if self.first_byte is None:
            self.first_byte = time.monotonic() - self.started

    def end(self) -> None:
        """Log one line and send `exchange_ended`; only the first call counts."""
        if self._ended:
            return
        self._ended = True
        self.seconds = time.monotonic() - self.started
        log.info(
            "%s %s model=%s stream=%s status=%s calls=%d %s seconds=%.3f%s",
            self.request_id,
            _in_one_line(self.path),
            _in_one_line(self.model) or "-",
            self.stream,
            self.status,
            self.notes.calls,
            self.summary(),
            self.seconds,
            f" error={self.error}" if self.error else "",
            extra={"fields": self.fields},  # called by the JSON log only
        )
        exchange_ended.send(self)


_LONGEST = 200
"""Longest client text in the log, in characters."""


def _in_one_line(text: str) -> str:
    """A client's text made safe for the log: it cannot forge a line."""
    if text.isprintable() and " " not in text and len(text) <= _LONGEST:
        return text
    return "".join(letter if letter.isprintable() and letter != " " else "?" for letter in text[:_LONGEST])
