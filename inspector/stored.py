"""How routes ask the store of records: away from the streams, and with errors that clients understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from errors import NotFound, RecordsUnavailable
from records.record import StoredRecord
from records.stores import Store, StoreError
from records.threads import away_from_streams

Found = TypeVar("Found")


def asked_of(ask: Callable[[], Found]) -> Found:
    """What the store says. Raises RecordsUnavailable."""
    try:
        return away_from_streams(ask)
    except StoreError as error:
        raise RecordsUnavailable(f"The store of records cannot be used now: {error}") from None


def found_record(store: Store, name: str, own: str | None) -> StoredRecord:
    """A record by its id or that of its request. Raises NotFound, also for another's, and RecordsUnavailable."""
    found = asked_of(lambda: store.get(name, own))
    if found is None:
        raise NotFound("There is no such record, or it is gone.")
    return found
