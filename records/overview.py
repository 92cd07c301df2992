"""What many records say together: outcomes by model, the times to the first word and in all, what was repaired."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from records.query import Query
from records.record import StoredRecord
from records.repairs import ADAPTED, OF_CALLS, OF_THE_PROTOCOL, PROMPTED, is_repair

EDGES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Seconds. What took at most so long, and longer than the edge before, is counted at it."""
NEWEST = 100_000
"""Records that are counted, the newest of those that are found."""
_MOST = 200
"""Lines of a list, the largest counts first."""

Read = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
"""Runs SQL with parameters and returns the rows."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How often a model's answers had one outcome."""

    model: str
    row: str | None
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Repairs:
    """How often a backend needed one repair."""

    backend: str
    model: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """`counts` has one more than `edges`: what took longer than all of them."""

    edges: Sequence[float]
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Overview:
    """Of all records that were found."""

    by_model: Sequence[Outcomes]
    first_word: Histogram
    total: Histogram
    repairs: Sequence[Repairs]
    failed: int
    records: int


def overview_of(records: Iterable[StoredRecord]) -> Overview:
    """The overview of records in memory."""
    outcomes: Counter[tuple[str, str | None, str]] = Counter()
    repairs: Counter[tuple[str, str, str]] = Counter()
    first_word, total = [0] * (len(EDGES) + 1), [0] * (len(EDGES) + 1)
    failed = count = 0
    for record in records:
        count += 1
        failed += record.failed
        outcomes[record.model, record.row_name, record.outcome] += 1
        repairs.update(
            (record.backend, record.model, code) for code in {c.code for c in record.codes} if is_repair(code)
        )
        for counts, time_us in ((first_word, record.first_word_us), (total, record.total_us)):
            if time_us is not None:
                counts[bisect_left(_EDGES_US, time_us)] += 1
    return Overview(
        sorted((Outcomes(*key, number) for key, number in outcomes.items()), key=_outcomes_order)[:_MOST],
        Histogram(EDGES, first_word),
        Histogram(EDGES, total),
        sorted((Repairs(*key, number) for key, number in repairs.items()), key=_repairs_order)[:_MOST],
        failed,
        count,
    )


def overview_in(read: Read, query: Query) -> Overview:
    """The same of records in a database."""
    where, values = query.where()
    columns = "id, model, row_name, outcome, backend, status, error, first_word_us, total_us"
    found = f"(SELECT {columns} FROM record WHERE {where} ORDER BY id DESC LIMIT {NEWEST}) AS found"
    failed = "sum(CASE WHEN status >= 400 OR error IS NOT NULL THEN 1 ELSE 0 END)"
    numbers = ", ".join(["count(*)", failed, *_buckets("first_word_us"), *_buckets("total_us")])
    counts = [int(number or 0) for number in read(f"SELECT {numbers} FROM {found}", values)[0]]
    outcomes = read(
        f"SELECT model, row_name, outcome, count(*) FROM {found} GROUP BY model, row_name, outcome "
        f"ORDER BY count(*) DESC, model, row_name, outcome LIMIT {_MOST}",
        values,
    )
    codes = ", ".join(f"'{code}'" for code in sorted({*OF_CALLS, *OF_THE_PROTOCOL, PROMPTED}))
    # a code stands several times beside a record if it is about several places
    repairs = read(
        f"SELECT backend, model, code, count(DISTINCT id) FROM {found} JOIN record_code ON record_id = id "
        f"WHERE code IN ({codes}) OR code LIKE '{ADAPTED}%' GROUP BY backend, model, code "
        f"ORDER BY count(DISTINCT id) DESC, backend, model, code LIMIT {_MOST}",
        values,
    )
    size = len(EDGES) + 1
    return Overview(
        sorted((Outcomes(*row) for row in outcomes), key=_outcomes_order),
        Histogram(EDGES, counts[2 : 2 + size]),
        Histogram(EDGES, counts[2 + size :]),
        sorted((Repairs(*row) for row in repairs), key=_repairs_order),
        counts[1],
        counts[0],
    )


_EDGES_US = tuple(int(edge * 1e6) for edge in EDGES)


def _buckets(column: str) -> list[str]:
    borders: list[int | None] = [None, *_EDGES_US, None]
    return [_bucket(column, low, high) for low, high in pairwise(borders)]


def _bucket(column: str, low: int | None, high: int | None) -> str:
    above = "" if low is None else f" AND {column} > {low}"
    below = "" if high is None else f" AND {column} <= {high}"
    return f"sum(CASE WHEN {column} IS NOT NULL{above}{below} THEN 1 ELSE 0 END)"


def _outcomes_order(one: Outcomes) -> tuple[int, str, str, str]:
    return -one.count, one.model, one.row or "", one.outcome


def _repairs_order(one: Repairs) -> tuple[int, str, str, str]:
    return -one.count, one.backend, one.model, one.code
