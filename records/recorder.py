"""What the engine tells of each exchange, and where it is kept: the wiring of the records by the settings."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from config import Config
from records.record import new_id
from records.retention import Retention
from records.sql import SqlStore, database_of
from records.stores import MemoryStore, Store
from records.texts import Redact
from records.threads import new_lock
from records.writer import Writer
from streaming.record import ExchangeRecord
from streaming.redaction import Redaction
from streaming.tape import Tape

REFUSED_A_MINUTE = 20
_FEW = 32
"""Exchanges with text that may be under way before anybody looks at how much text that is."""
_LOOKED_EVERY = 0.5
"""Seconds."""


class Sink(Protocol):
    """Is told of exchanges, in no time."""

    def began(self, record: ExchangeRecord) -> None: ...

    def ended(self, record: ExchangeRecord) -> None: ...


@dataclass
class OpenTapes:
    """The texts of what is under way: together at most `most_bytes`, when another begins."""

    most_bytes: int
    _open: dict[int, Tape] = field(default_factory=dict)
    _bytes: int = 0
    _looked: float = 0.0

    def new(self) -> Tape | None:
        """None if there is too much text already."""
        if len(self._open) > _FEW and (now := time.monotonic()) - self._looked > _LOOKED_EVERY:
            self._looked = now
            self._bytes = sum(tape.size for tape in list(self._open.values()))
        if len(self._open) > _FEW and self._bytes > self.most_bytes:
            return None
        tape = Tape()
        self._open[id(tape)] = tape
        return tape

    def ended(self, tape: Tape) -> None:
        self._open.pop(id(tape), None)


class Recorder:
    """Shared by all threads of the process."""

    def __init__(self, store: Store, sink: Sink, full: bool, most_bytes: int, redact: Redact) -> None:
        """`full`: texts are kept, too. `redact` removes keys from what is shown."""
        self.store = store
        self.full = full
        self.redact = redact
        self._sink = sink
        self._tapes = OpenTapes(most_bytes)
        self._without_text = 0
        self._guard = new_lock()
        self._refused: deque[float] = deque()

    def began(self, record: ExchangeRecord) -> None:
        """The engine calls this when a request has come, and then `record.when_ended`."""
        record.id = new_id(record.received_at)
        if self.full:
            record.tape = self._tapes.new()
            if record.tape is None:
                with self._guard:
                    self._without_text += 1
        record.when_ended = self._ended
        self._sink.began(record)

    def refused(self, record: ExchangeRecord) -> None:
        """A request that got no further than the keys: it has no text, and ends at once.

        Of these a few a minute are kept, so that a stranger cannot push out what others asked.
        """
        now = time.monotonic()
        with self._guard:
            while self._refused and now - self._refused[0] > 60:
                self._refused.popleft()
            if len(self._refused) >= REFUSED_A_MINUTE:
                return
            self._refused.append(now)
        record.id = new_id(record.received_at)
        record.when_ended = self._ended
        self._sink.began(record)
        record.end()

    def _ended(self, record: ExchangeRecord) -> None:
        record.when_ended = None
        if record.tape is not None:
            self._tapes.ended(record.tape)
        if record.id:
            self._sink.ended(record)

    @property
    def lost(self) -> Mapping[str, int]:
        """Records that were not kept, by the reason why not; `text`: records of which the text was not."""
        found: dict[str, int] = {"text": self._without_text} if self._without_text else {}
        if isinstance(self._sink, Writer):
            found.update({str(reason): count for reason, count in self._sink.lost.items()})
        return found

    def close(self) -> None:
        """Write what waits, and let go of the database."""
        if isinstance(self._sink, Writer):
            self._sink.close()
        if isinstance(self.store, SqlStore):
            self.store.database.close()


def new_recorder(config: Config) -> Recorder | None:
    """The recorder of the settings; None with RECORD=off. Raises ConfigError for a RECORD_DB that cannot be used."""
    if config.record == "off":
        return None
    redact = Redaction(config.secrets).of
    full = config.record == "full"
    if config.record_db is None:
        memory = MemoryStore(redact, config.record_bytes)
        return Recorder(memory, memory, full, config.record_bytes, redact)
    store = SqlStore(database_of(config.record_db))
    writer = Writer(store, Retention(config.record_days, config.record_max, config.record_bytes), redact)
    return Recorder(store, writer, full, config.record_bytes, redact)
