"""What a store of records can do, and the one in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from records.overview import Overview, overview_of
from records.query import Query
from records.record import State, StoredRecord, stored
from records.texts import Redact, StoredText, texts_of
from records.threads import new_lock
from streaming.record import ExchangeRecord

IN_MEMORY = 500
"""Records that are kept where there is no file and no server for them."""


class StoreError(Exception):
    """A store cannot be used now, because it is full, locked, gone or broken. `str()` is one line for the log."""


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What one client used."""

    key_name: str | None
    requests: int
    failed: int
    calls: int
    tok_in: int
    tok_out: int


class Head(NamedTuple):
    """What tells whether a record has changed."""

    state: State
    has_text: bool


class Store(Protocol):
    """Keeps records. Any method may raise StoreError."""

    def find(self, query: Query) -> Sequence[StoredRecord]:
        """The newest first."""
        ...

    def get(self, name: str, own: str | None) -> StoredRecord | None:
        """A record by its id, or the newest by the id of its request; None if there is none, or it is another's."""
        ...

    def texts(self, record_id: str) -> Sequence[StoredText]:
        """The texts of a record; none if they were not kept, or are gone."""
        ...

    def usage(self, query: Query) -> Sequence[KeyUsage]:
        """What each key used, of the records that a query finds."""
        ...

    def overview(self, query: Query) -> Overview:
        """What the records say together that a query finds."""
        ...

    def heads(self, most: int) -> Mapping[str, Head]:
        """The newest records, and so many of those under way, by their ids."""
        ...

    def those(self, ids: Sequence[str]) -> Sequence[StoredRecord]:
        """The records with these ids, the newest first."""
        ...


def each_of(store: Store, query: Query) -> Iterator[StoredRecord]:
    """All that a query finds, page by page."""
    while found := store.find(query):
        yield from found
        query = replace(query, before=found[-1].id)


class MemoryStore:
    """The last records of this process, those under way too. Nothing is copied before somebody looks."""

    def __init__(self, redact: Redact, most_bytes: int) -> None:
        """`most_bytes` is how much text is kept in all."""
        self._redact = redact
        self._most_bytes = most_bytes
        self._records: deque[ExchangeRecord] = deque(maxlen=IN_MEMORY)
        self._taped: deque[tuple[ExchangeRecord, int]] = deque()
        self._bytes = 0
        self._lock = new_lock()

    def began(self, record: ExchangeRecord) -> None:
        self._records.append(record)

    def ended(self, record: ExchangeRecord) -> None:
        if record.tape is not None:
            self._keep_text(record)

    def _keep_text(self, record: ExchangeRecord) -> None:
        """The oldest texts go first."""
        assert record.tape is not None
        size = record.tape.size
        with self._lock:
            self._taped.append((record, size))
            self._bytes += size
            while self._bytes > self._most_bytes or len(self._taped) > IN_MEMORY:
                oldest, size = self._taped.popleft()
                oldest.tape = None
                self._bytes -= size

    def _all(self) -> list[ExchangeRecord]:
        return sorted((each for each in list(self._records) if each.id), key=_id_of, reverse=True)

    def find(self, query: Query) -> Sequence[StoredRecord]:
        found = _fitting(map(stored, self._all()), query.fits)
        return [record for record, _ in zip(found, range(query.limit), strict=False)]

    def get(self, name: str, own: str | None) -> StoredRecord | None:
        for record in self._all():
            if name in (record.id, record.request_id) and (own is None or record.key_name == own):
                return stored(record)
        return None

    def overview(self, query: Query) -> Overview:
        return overview_of(_fitting(map(stored, self._all()), query.fits))

    def heads(self, most: int) -> Mapping[str, Head]:
        return {
            record.id: Head("ended" if record.ended else "open", record.tape is not None)
            for record in self._all()[:most]
        }

    def those(self, ids: Sequence[str]) -> Sequence[StoredRecord]:
        wanted = frozenset(ids)
        return [stored(record) for record in self._all() if record.id in wanted]

    def texts(self, record_id: str) -> Sequence[StoredText]:
        for record in self._all():
            if record.id == record_id and (tape := record.tape) is not None:
                return texts_of(tape, record.started, self._redact)
        return ()

    def usage(self, query: Query) -> Sequence[KeyUsage]:
        counts: dict[str | None, list[int]] = {}
        for record in _fitting(map(stored, self._all()), query.fits):
            one = (1, int(record.failed), record.calls, record.tok_in or 0, record.tok_out or 0)
            known = counts.setdefault(record.key_name, [0] * len(one))
            counts[record.key_name] = [before + more for before, more in zip(known, one, strict=True)]
        return [KeyUsage(name, *numbers) for name, numbers in sorted(counts.items(), key=_name_of)]


def _fitting(records: Iterable[StoredRecord], fits: Callable[[StoredRecord], bool]) -> Iterator[StoredRecord]:
    return (record for record in records if fits(record))


def _id_of(record: ExchangeRecord) -> str:
    return record.id


def _name_of(entry: tuple[str | None, Any]) -> str:
    return entry[0] or ""
