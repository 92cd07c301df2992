"""What many records say together: memory and databases count the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from records.databases import Sqlite
from records.filters import parse
from records.overview import EDGES, overview_of
from records.query import Query
from records.record import Code, StoredRecord, new_id, stored
from records.sql import SqlStore
from streaming.record import ExchangeRecord
from tests.answers import TOOLS, ask, said
from tests.records.recorded import Said, recorded, until
from tests.records.test_routes import ALICE, BOB, GLM, KEYS, OWNER, Make, make, mixed

__all__ = ["make", "recorded"]


def test_outcomes_times_and_repairs(make: Make) -> None:
    proxy = make(RECORD="meta")
    mixed(proxy)
    proxy.ask(ask(tools=TOOLS, model="glm-4.5-air"), Said(said(GLM.replace("get_weather", "Get-Weather"))))
    proxy.settled(4)
    told = proxy.get("overview")
    lines = [(each["model"], each["row"], each["outcome"], each["count"]) for each in told["by_model"]]
    assert lines[0] == ("glm-4.5-air", "glm45", "translated", 2) and len(lines) == 3
    assert told["records"] == 4 and told["failed"] == 1
    for name in ("first_word", "total"):
        assert told[name]["edges"] == list(EDGES) and len(told[name]["counts"]) == len(EDGES) + 1
    assert sum(told["total"]["counts"]) == 4 and sum(told["first_word"]["counts"]) >= 2
    (repair,) = told["repairs"]
    assert repair == {"backend": "http://127.0.0.1:9", "model": "glm-4.5-air", "code": "name_repaired", "count": 1}


def test_filters_hold_here_too(make: Make) -> None:
    proxy = make(RECORD="meta")
    mixed(proxy)
    proxy.settled(3)
    assert proxy.get("overview?q=is:failed")["records"] == 1
    assert proxy.get("overview?model=qwen*&q=-is:failed")["records"] == 1
    assert proxy.get("overview?q=nothing") == {
        "by_model": [],
        "first_word": {"edges": list(EDGES), "counts": [0] * (len(EDGES) + 1)},
        "total": {"edges": list(EDGES), "counts": [0] * (len(EDGES) + 1)},
        "repairs": [],
        "failed": 0,
        "records": 0,
    }


def test_a_key_counts_its_own(make: Make) -> None:
    proxy = make(**KEYS)
    mixed(proxy, ALICE)
    proxy.ask(ask(model="of-bob"), Said(said("Hi.")), key=BOB)
    until(lambda: len(proxy.listed("state=ended", OWNER)) == 4 or None)
    assert proxy.get("overview", BOB)["records"] == 1 and proxy.get("overview", OWNER)["records"] == 4
    assert "of-bob" not in json.dumps(proxy.get("overview", ALICE))


_CODES = ["name_repaired", "native_id", "adapted:system_first", "adapted:x", "quoted", "prompted", "whitespace"]
_seconds = strategies.one_of(strategies.none(), strategies.sampled_from([0.0, *EDGES]), strategies.floats(0, 400))


@strategies.composite
def records_(draw: strategies.DrawFn) -> StoredRecord:
    made = ExchangeRecord("r", "/v1/x", draw(strategies.sampled_from(["a", "b", ""])))
    made.id = f"00000000-0000-7000-8000-{draw(strategies.integers(0, 10**12 - 1)):012}"
    made.row = draw(strategies.sampled_from([None, "hermes"]))
    made.backend = draw(strategies.sampled_from(["http://b", "http://c"]))
    made.status = draw(strategies.sampled_from([200, 404, 502]))
    made.error = draw(strategies.sampled_from([None, "backend_refused"]))
    made.first_word, total = draw(_seconds), draw(_seconds)
    if total is not None:
        made.end()
        made.seconds = total
    made.codes = set(draw(strategies.lists(strategies.sampled_from(_CODES))))
    return stored(made)


@given(found=strategies.lists(records_(), max_size=30, unique_by=lambda each: each.id))
@settings(max_examples=40, deadline=None)
def test_memory_and_sqlite_count_the_same(tmp_path_factory: pytest.TempPathFactory, found: list[StoredRecord]) -> None:
    store = SqlStore(Sqlite(str(tmp_path_factory.mktemp("o") / "r.sqlite")))
    if found:
        store.write([(each, ()) for each in found])
    for text in ("", "is:failed", "model:a"):
        query = Query(terms=parse(text))
        # codes of an exchange under way are not in a database yet
        known = [each if each.state == "ended" else _without_codes(each) for each in found if query.fits(each)]
        assert store.overview(query) == overview_of(known)
    store.database.close()


def _without_codes(record: StoredRecord) -> StoredRecord:
    return replace(record, codes=())


def test_a_code_that_stands_twice_counts_once(tmp_path: Path) -> None:
    made = ExchangeRecord("r", "/v1/x", "a")
    made.id = new_id()
    made.end()
    twice = replace(stored(made), codes=(Code("native_id", "one"), Code("native_id", "two")))
    store = SqlStore(Sqlite(str(tmp_path / "r.sqlite")))
    store.write([(twice, ())])
    assert store.overview(Query()) == overview_of([twice])
    assert [each.count for each in store.overview(Query()).repairs] == [1]
