"""The way of records into a database: a bounded queue and one real thread, so that no request waits for a disk.

What cannot be stored, because the queue is full or the database broken, is lost. That is counted, and said once.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Literal

from records.record import stored
from records.retention import Retention
from records.sql import SqlStore, Written
from records.stores import StoreError
from records.texts import Redact, packed, texts_of
from records.threads import new_lock, start_thread
from streaming.record import ExchangeRecord
from streaming.tape import Tape

log = logging.getLogger("dragoman.records")

MOST_WAITING = 10_000
"""Records in the queue."""
_MOST_BYTES = 32 << 20
"""Of texts in the queue."""
_GATHER = 0.25
"""Seconds for which records gather before they are written together."""
_AT_ONCE = 200
_BYTES_AT_ONCE = 8 << 20
"""Records, and bytes of text, in one transaction."""
_PRUNED_EVERY = 60.0
"""Seconds from one look at what is too old to the next."""
_LAST_WORDS = 2.0
"""Seconds that the end of the process waits for what is still in the queue."""

Reason = Literal["queue_full", "store"]


class Writer:
    """Takes records from any thread or greenlet. Its own thread begins with the first of them."""

    def __init__(self, store: SqlStore, retention: Retention, redact: Redact, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._retention = retention
        self._redact = redact
        self._most_waiting = most_waiting
        self.lost: Counter[Reason] = Counter()
        """Records that were not stored, by the reason why not."""
        self.when_lost: Callable[[int, str], None] | None = None
        self._guard = new_lock()  # held for moments only
        self._began: deque[ExchangeRecord] = deque(maxlen=most_waiting)
        self._ended: deque[tuple[ExchangeRecord, int]] = deque()
        self._writing: list[ExchangeRecord] = []
        self._bytes = 0
        self._running = self._asleep = self._closing = False
        self._wake = new_lock()
        self._wake.acquire()
        self._hurry = new_lock()
        self._hurry.acquire()
        self._over = new_lock()
        self._pruned: float | None = None
        self._told: set[Reason] = set()

    def began(self, record: ExchangeRecord) -> None:
        """An exchange is under way. If it ends soon, it is written once."""
        with self._guard:
            self._began.append(record)
            self._go_on()

    def ended(self, record: ExchangeRecord) -> None:
        size = record.tape.size if record.tape is not None else 0
        with self._guard:
            fits = len(self._ended) < self._most_waiting and (not size or self._bytes + size <= _MOST_BYTES)
            if fits:
                self._ended.append((record, size))
                self._bytes += size
                self._go_on()
        if not fits:
            self._lose(1, "queue_full", "they come faster than they can be stored")

    def waiting(self) -> list[Tape]:
        """The texts of exchanges that have ended and are not in the database yet."""
        with self._guard:
            records = [*self._writing, *(record for record, _ in self._ended)]
        return [record.tape for record in records if record.tape is not None]

    def _go_on(self) -> None:
        if not self._running:
            self._running = True
            self._over.acquire()
            start_thread(self._run)
            atexit.register(self.close)
        elif self._asleep:
            self._asleep = False
            self._wake.release()

    def close(self) -> None:
        """Write what waits, for a moment at most. Nothing may be given afterwards."""
        with self._guard:
            if not self._running or self._closing:
                return
            self._closing = True
            self._hurry.release()
            self._go_on()
        atexit.unregister(self.close)
        self._over.acquire(timeout=_LAST_WORDS)

    # -- in the writer's own thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._closing and not self._ended):
            if not (self._closing or len(self._ended) >= _AT_ONCE or self._bytes >= _BYTES_AT_ONCE):
                self._hurry.acquire(timeout=_GATHER)
            self._write()
            self._prune()
            with self._guard:
                if self._ended or self._began or self._closing:
                    continue
                self._asleep = True
            self._wake.acquire()
        self._over.release()

    def _write(self) -> None:
        with self._guard:
            began: list[ExchangeRecord] = list(self._began)
            ended: list[ExchangeRecord] = []
            self._began.clear()
            size = 0
            while self._ended and len(ended) < _AT_ONCE and size < _BYTES_AT_ONCE:
                record, bytes_of_it = self._ended.popleft()
                ended.append(record)
                size += bytes_of_it
            self._bytes -= size
            self._writing = ended
        under_way: list[Written] = [(stored(record), ()) for record in began if not record.ended]
        self._store_all(under_way + [self._whole(record) for record in ended], len(ended))
        self._writing = []

    def _whole(self, record: ExchangeRecord) -> Written:
        tape = record.tape
        return stored(record), () if tape is None else packed(texts_of(tape, record.started, self._redact))

    def _store_all(self, batch: Sequence[Written], ended: int) -> None:
        if not batch:
            return
        try:
            self._store.write(batch)
        except StoreError as error:
            self._lose(ended, "store", str(error))

    def _prune(self) -> None:
        now = time.monotonic()
        if self._pruned is not None and now - self._pruned < _PRUNED_EVERY:
            return
        self._pruned = now
        try:
            self._store.lose_dead()
            self._retention.prune(self._store)
        except StoreError as error:
            self._lose(0, "store", str(error))

    def _lose(self, count: int, reason: Reason, why: str) -> None:
        with self._guard:
            self.lost[reason] += count
            first = reason not in self._told
            self._told.add(reason)
        if count and self.when_lost is not None:
            self.when_lost(count, reason)
        if first:
            log.warning("Records are lost: %s. This is said once; /dragoman/api/records counts them.", why)
