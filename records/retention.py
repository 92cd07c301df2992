"""How long records are kept: texts go first, then the records, always the oldest, in small deletes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from records.record import new_id
from records.sql import SqlStore

_AT_ONCE = 200
"""Records that one delete takes, so that other workers need not wait long."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept. `prune` is called by the writer now and then."""

    days: float
    most: int
    """Records."""
    most_bytes: int
    """Of all texts, as they are stored."""

    def prune(self, store: SqlStore) -> int:
        """Returns how many records were deleted. Raises StoreError."""
        store.prepare()
        cut = self._prune_texts(store)
        deleted = self._delete_until(store, self._oldest_wanted())
        row = store.database.read("SELECT id FROM record ORDER BY id DESC LIMIT 1 OFFSET :most", {"most": self.most})
        if row:
            deleted += self._delete_until(store, str(row[0][0]))
        if cut or deleted:
            store.database.tidy()
        return deleted

    def _oldest_wanted(self) -> str:
        """The name that a record would have that began so many days ago: names sort by time."""
        return new_id(max(time.time() - self.days * 86400, 0))[:13]

    def _prune_texts(self, store: SqlStore) -> bool:
        rows = store.database.read("SELECT coalesce(sum(stored), 0) FROM record_text", {})
        excess = int(rows[0][0]) - self.most_bytes
        if excess <= 0:
            return False
        while excess > 0:
            sizes = store.database.read(
                "SELECT record_id, sum(stored) FROM record_text GROUP BY record_id ORDER BY record_id LIMIT :n",
                {"n": _AT_ONCE},
            )
            if not sizes:
                break
            last = ""
            for record_id, size in sizes:
                last = str(record_id)
                excess -= int(size)
                if excess <= 0:
                    break
            given = [{"last": last}]
            store.database.write(
                [
                    ("DELETE FROM record_text WHERE record_id <= :last", given),
                    ("UPDATE record SET has_text = 0 WHERE id <= :last AND has_text = 1", given),
                ]
            )
        return True

    def _delete_until(self, store: SqlStore, last: str) -> int:
        deleted = 0
        while rows := store.database.read(
            "SELECT id FROM record WHERE id <= :last ORDER BY id LIMIT :n", {"last": last, "n": _AT_ONCE}
        ):
            given = [{"last": str(rows[-1][0])}]
            store.database.write(
                [
                    ("DELETE FROM record_text WHERE record_id <= :last", given),
                    ("DELETE FROM record_code WHERE record_id <= :last", given),
                    ("DELETE FROM answer_source WHERE record_id <= :last", given),
                    ("DELETE FROM record WHERE id <= :last", given),
                ]
            )
            deleted += len(rows)
        return deleted
