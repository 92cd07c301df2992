"""Which records somebody wants to see: filters that each store understands. Everything stands beside an AND."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from records.filters import Term
from records.record import StoredRecord, new_id

MOST = 500
"""Records of one page."""
PAGE = 50
"""Records of a page, where nobody says another number."""


@dataclass(frozen=True, slots=True)
class Query:
    """None, an empty text or False asks for nothing."""

    own: str | None = None
    """Whose records alone may be seen, by the name of the key."""
    model: str = ""
    """A name, in upper or lower case, in which `*` stands for anything."""
    row: str = ""
    outcome: str = ""
    code: str = ""
    key: str = ""
    face: str = ""
    state: str = ""
    status: int | None = None
    request_id: str = ""
    failed: bool = False
    slow: float | None = None
    """Took at least so many seconds."""
    since_us: int | None = None
    until_us: int | None = None
    changed_us: int | None = None
    """Only what is under way, or has ended since then."""
    before: str = ""
    """Only what is older than the record of this name: the next page."""
    limit: int = PAGE
    terms: tuple[Term, ...] = ()
    """Those of a filter in words (`records/filters.py`)."""

    def fits(self, record: StoredRecord) -> bool:
        """Whether a record is wanted; `limit` counts elsewhere."""
        return not (
            any(wanted and getattr(record, column) != wanted for column, wanted in self._equal())
            or (self.own is not None and record.key_name != self.own)
            or (self.model and not fnmatchcase(record.model.lower(), _pattern(self.model)))
            or (self.code and all(each.code != self.code for each in record.codes))
            or (self.failed and not record.failed)
            or (self.slow is not None and (record.total_us is None or record.total_us < self.slow * 1e6))
            or (self.since_us is not None and record.received_us < self.since_us)
            or (self.until_us is not None and record.received_us > self.until_us)
            or (self.changed_us is not None and not self._changed(record, self.changed_us))
            or (self.before and record.id >= self.before)
            or not all(term.fits(record) for term in self.terms)
        )

    def where(self) -> tuple[str, Mapping[str, Any]]:
        """(a condition of SQL, its parameters by name)"""
        parts: list[tuple[str, Mapping[str, Any]]] = [
            (f"{column} = :{column}", {column: wanted}) for column, wanted in self._equal() if wanted
        ]
        if self.own is not None:
            parts.append(("key_name = :own", {"own": self.own}))
        if self.model:
            parts.append(("lower(model) LIKE :model ESCAPE '!'", {"model": _like(self.model)}))
        if self.code:
            inner = "SELECT record_id FROM record_code WHERE code = :code"
            parts.append((f"id IN ({inner})", {"code": self.code}))
        if self.failed:
            parts.append(("(status >= 400 OR error IS NOT NULL)", {}))
        if self.slow is not None:
            parts.append(("total_us >= :slow", {"slow": int(self.slow * 1e6)}))
        # the name tells when an exchange began, so that the primary key finds it
        if self.since_us is not None:
            parts.append(("received_us >= :since AND id >= :oldest", self._since(self.since_us)))
        if self.until_us is not None:
            parts.append(("received_us <= :until", {"until": self.until_us}))
        if self.changed_us is not None:
            changed = "(state = 'open' OR received_us + coalesce(total_us, 0) >= :changed)"
            parts.append((changed, {"changed": self.changed_us}))
        if self.before:
            parts.append(("id < :before", {"before": self.before}))
        parts += [term.where(f"term{place}") for place, term in enumerate(self.terms)]
        values = {name: value for _, given in parts for name, value in given.items()}
        return " AND ".join(part for part, _ in parts) or "1 = 1", values

    def _equal(self) -> Sequence[tuple[str, object]]:
        return (
            ("row_name", self.row),
            ("outcome", self.outcome),
            ("key_name", self.key),
            ("face", self.face),
            ("state", self.state),
            ("status", self.status),
            ("request_id", self.request_id),
        )

    @staticmethod
    def _changed(record: StoredRecord, since_us: int) -> bool:
        return record.state == "open" or record.received_us + (record.total_us or 0) >= since_us

    @staticmethod
    def _since(since_us: int) -> Mapping[str, Any]:
        # a millisecond earlier, as the name is cut to whole ones
        return {"since": since_us, "oldest": new_id(max(since_us / 1e6 - 0.001, 0))[:13]}


def _pattern(model: str) -> str:
    """`*` alone is special: the names of some models hold brackets."""
    return re.sub(r"[\[?]", lambda found: f"[{found[0]}]", model.lower())


def _like(model: str) -> str:
    return re.sub(r"[!%_]", lambda found: f"!{found[0]}", model.lower()).replace("*", "%")
