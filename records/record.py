"""What is stored of an exchange: numbers and codes. From the engine's record of it to one object of JSON.

Times are whole microseconds: `received_us` since 1970, the others since then. The engine's own record is
`streaming/record.py`; how texts are packed is in `records/texts.py`.
"""

from __future__ import annotations

import os
import platform
import random
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from streaming.record import ExchangeRecord

State = Literal["open", "ended", "lost"]
"""`lost`: the worker ended before the exchange did, or could not tell."""

_LONGEST = 200
"""Characters of a client's or a backend's text that is a name: of a model, a path."""
_STARTED = int(time.time())


def worker_name() -> str:
    """This process: `host:process id:when it began`, so that another can tell whether it still lives."""
    return f"{platform.node()}:{os.getpid()}:{_STARTED}"


def new_id(now: float | None = None) -> str:
    """A UUID of version 7 (RFC 9562, 5.7): names sort as the exchanges began, to a quarter of a microsecond (6.2,
    method 3). It is no secret.
    """
    since = time.time() * 1000 if now is None else now * 1000
    whole = int(since)
    number = (whole & (1 << 48) - 1) << 16 | 7 << 12 | int((since - whole) * 4096)
    text = f"{number:016x}{2 << 62 | random.getrandbits(62):016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True)
class Code:
    """Why something was done, and what it is about: never a model's words."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AttemptMade:
    """One request to the backend."""

    sent_us: int
    status: int | None


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One exchange without its texts."""

    id: str
    request_id: str
    received_us: int
    state: State
    status: int
    error: str | None
    key_name: str | None
    face: str
    path: str
    backend: str
    model: str
    row_name: str | None
    """The row that the model wrote in; where it wrote no call, the row that it was expected to write in."""
    outcome: str
    finish_reason: str | None
    stream: bool
    attempts: int
    calls: int
    pieces: int
    bytes_in: int
    bytes_out: int
    tok_in: int | None
    tok_out: int | None
    tok_reasoning: int | None
    sent_us: int | None
    first_byte_us: int | None
    first_word_us: int | None
    total_us: int | None
    worker: str
    has_text: bool
    answer_id: str | None = None
    """The id under which its client finds the answer again, as long as its text is there."""
    codes: tuple[Code, ...] = ()
    tried: tuple[AttemptMade, ...] = field(default=())
    sources: tuple[str, ...] = ()
    """Ids of answers: the one that it goes on from, or nothing, then those of which something stands in the request."""

    @property
    def failed(self) -> bool:
        return self.error is not None or self.status >= 400

    def as_json(self) -> dict[str, Any]:
        """One object of JSON."""
        return asdict(self)


_LISTS = ("codes", "tried", "sources")
COLUMNS: tuple[str, ...] = tuple(each.name for each in fields(StoredRecord) if each.name not in _LISTS)
"""The fields that are columns of the table of records."""


def stored(record: ExchangeRecord) -> StoredRecord:
    """What is stored of a record as it is now."""
    notes, tokens = record.notes, record.notes.tokens
    total = record.seconds if record.ended else None
    return StoredRecord(
        id=record.id,
        request_id=_name(record.request_id),
        received_us=int(record.received_at * 1e6),
        state="ended" if record.ended else "open",
        status=record.status,
        error=record.error,
        key_name=record.key_name,
        face=record.face,
        path=_name(record.path),
        backend=record.backend,
        model=_name(record.model),
        row_name=notes.syntax or record.row,
        outcome=record.outcome,
        finish_reason=notes.finish,
        stream=record.stream,
        attempts=len(record.tried),
        calls=notes.calls,
        pieces=record.pieces,
        bytes_in=record.bytes_in,
        bytes_out=record.bytes_out,
        tok_in=tokens.prompt,
        tok_out=tokens.answer,
        tok_reasoning=tokens.reasoning,
        sent_us=_us(record.tried[0].sent) if record.tried else None,
        first_byte_us=_us(record.first_byte),
        first_word_us=_us(record.first_word),
        total_us=_us(total),
        worker=worker_name(),
        has_text=record.tape is not None,
        answer_id=record.answer_id,
        codes=_codes(record),
        tried=tuple(AttemptMade(_us(each.sent) or 0, each.status) for each in list(record.tried)),
        sources=record.sources,
    )


def _codes(record: ExchangeRecord) -> tuple[Code, ...]:
    details: dict[str, list[str]] = {}
    for told in sorted(record.notes.details.copy()):
        code, _, detail = told.partition(" ")
        details.setdefault(code, []).append(detail)
    return tuple(
        Code(code, _name(detail))
        for code in sorted(record.codes | record.notes.codes)
        for detail in details.get(code, [""])
    )


def _name(text: str) -> str:
    """A client's text as a name: what cannot be printed, and cannot be stored everywhere, is left out."""
    text = text[:_LONGEST]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)
