"""Records that are new or have changed, for feeds that tell them live. One look at the store serves all of a process.

Whoever of the feeds is due looks, and the others take what was found. While nobody is fed, nobody looks. A look reads
the ids and states of the newest records and of those under way, and no texts. What other workers store is seen, too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from records.query import MOST, Query
from records.record import StoredRecord
from records.stores import Head, Store
from records.threads import new_lock

EVERY = 0.35
"""Seconds from one look to the next."""
_ASLEEP = 5.0
"""Seconds without a look after which nobody knows any more what was there."""
_BATCHES = 64
"""Looks that are remembered for feeds whose clients read slowly."""
_LATE = 5.0
"""Seconds that a record may need from its end to the store."""

_LONGEST = 3600.0
"""Seconds that an exchange lasts at most, of those whose end a client can have missed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look found. `number` counts those that found something."""

    number: int
    at_us: int
    """When, in microseconds since 1970."""
    records: Sequence[StoredRecord]
    new: frozenset[str]
    """The ids of those that were not there before."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a feed tells its client at once."""

    at_us: int
    """From where to go on, if the connection breaks."""
    records: Sequence[StoredRecord]
    gone: Sequence[str] = ()
    """Records that have changed and do not fit any more."""


class Changes:
    """Shared by all feeds of a process. `away` runs something that may wait for a disk away from the streams."""

    def __init__(self, store: Store, away: Callable[[Callable[[], Any]], Any]) -> None:
        self._store = store
        self._away = away
        self._guard = new_lock()  # held for moments only
        self._looking = False
        self._looked: float | None = None
        self._known: Mapping[str, Head] = {}
        self._batches: deque[Batch] = deque(maxlen=_BATCHES)
        self._number = 0

    @property
    def number(self) -> int:
        """Of the last batch."""
        return self._number

    def look(self) -> None:
        """Look at the store, if it is time and nobody does. Raises StoreError."""
        now = time.monotonic()
        with self._guard:
            if self._looking or (self._looked is not None and now - self._looked < EVERY):
                return
            asleep = self._looked is None or now - self._looked > _ASLEEP
            self._looking = True
        try:
            self._away(lambda: self._take(asleep))
        finally:
            with self._guard:
                self._looking, self._looked = False, time.monotonic()

    def _take(self, asleep: bool) -> None:
        at_us = int(time.time() * 1e6)
        heads = self._store.heads(MOST)
        if asleep:  # what was missed is asked for by each feed itself
            with self._guard:
                self._number += 2
                self._batches.clear()
            self._known = heads
            return
        names = [name for name, head in heads.items() if self._known.get(name) != head]
        # a long one that has ended stands behind the newest
        names += [name for name, head in self._known.items() if head.state == "open" and name not in heads]
        if names:
            new = frozenset(name for name in names if name not in self._known)
            found = self._store.those(names[: 2 * MOST])
            with self._guard:
                self._number += 1
                self._batches.append(Batch(self._number, at_us, found, new))
        self._known = heads

    def since(self, number: int) -> Sequence[Batch] | None:
        """The batches behind a number; None if some of them are forgotten."""
        with self._guard:
            batches, last = list(self._batches), self._number
        if number == last:
            return ()
        found = [batch for batch in batches if batch.number > number]
        return found if found and found[0].number == number + 1 else None

    def caught_up(self, query: Query, since_us: int) -> Sequence[StoredRecord]:
        """What a query finds of all that has changed since then. Raises StoreError."""
        late = max(since_us - int(_LATE * 1e6), 0)
        earliest = max(query.since_us or 0, late - int(_LONGEST * 1e6), 0)
        missed = replace(query, changed_us=late, since_us=earliest, limit=MOST)
        found: Sequence[StoredRecord] = self._away(lambda: self._store.find(missed))
        return found


@dataclass
class Feed:
    """One client that is told what changes."""

    changes: Changes
    query: Query
    """What it wants to see. Others' records are never told, nor their ids."""
    since_us: int
    """From where to go on, in microseconds since 1970."""
    _number: int | None = field(default=None)

    def next(self) -> Told | None:
        """What there is to tell now; None if there is nothing. Raises StoreError."""
        self.changes.look()
        batches = None if self._number is None else self.changes.since(self._number)
        if batches is None:
            return self._caught_up()
        if not batches:
            return None
        self._number, self.since_us = batches[-1].number, batches[-1].at_us
        last: dict[str, StoredRecord] = {}
        new: set[str] = set()
        for batch in batches:
            new |= batch.new
            last |= {record.id: record for record in batch.records}
        mine = [each for each in last.values() if self.query.own is None or each.key_name == self.query.own]
        fitting = [record for record in mine if self.query.fits(record)]
        gone = [record.id for record in mine if record.id not in new and not self.query.fits(record)]
        return Told(self.since_us, fitting, gone) if fitting or gone else None

    def _caught_up(self) -> Told | None:
        self._number, now_us = self.changes.number, int(time.time() * 1e6)
        found = self.changes.caught_up(self.query, self.since_us)
        self.since_us = now_us
        return Told(now_us, found) if found else None
