"""The stores in a database: migrations, retention, what is lost, and what is nowhere with RECORD=meta."""

from __future__ import annotations

import gc
import json
import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from converters.text.expectations import Expectations
from records.databases import Database, Sqlite, Statement
from records.query import Query
from records.record import COLUMNS, StoredRecord, new_id, stored, worker_name
from records.recorder import OpenTapes
from records.retention import Retention
from records.schema import LOCK, MIGRATIONS, VERSION_TABLE
from records.sql import SqlStore, _is_dead
from records.stores import StoreError, each_of
from records.texts import StoredText, packed, reading_of, texts_of, unpacked
from records.writer import Writer
from streaming.record import ExchangeRecord
from streaming.tape import Reading, Tape
from tests.answers import TOOLS, ask, chunk, completion, frame, said
from tests.records.databases import new_database
from tests.records.recorded import Recorded, Said, recorded, until

__all__ = ["new_database", "recorded"]

New = Callable[[], Database]

CANARY = "Zaunkönig-7f3a"


def store_in(folder: Path) -> SqlStore:
    return SqlStore(Sqlite(str(folder / "records.sqlite")))


def record_of(model: str = "m", at: float | None = None, text: bytes = b"") -> ExchangeRecord:
    """An exchange that has ended."""
    record = ExchangeRecord("req_1", "/v1/chat/completions", model, received_at=time.time() if at is None else at)
    record.id = new_id(record.received_at)
    if text:
        record.tape = Tape()
        record.tape.asked(text)
    record.end()
    return record


def write(store: SqlStore, records: Iterable[ExchangeRecord]) -> list[str]:
    """Store them; returns their names."""
    batch = [
        (stored(each), packed(texts_of(each.tape, each.started, bytes)) if each.tape is not None else ())
        for each in records
    ]
    store.write(batch)
    return [record.id for record, _ in batch]


# -- names and texts ---------------------------------------------------------------------------------------------------


def test_names_are_uuids_that_sort_by_time() -> None:
    names = [new_id(1_700_000_000 + step / 100_000) for step in range(500)]
    assert names == sorted(names) and len(set(names)) == 500
    assert all(len(name) == 36 and name[14] == "7" and name[19] in "89ab" for name in names)


def test_texts_are_what_was_packed() -> None:
    tape = Tape()
    long = json.dumps(ask(tools=TOOLS, messages=[{"role": "user", "content": "word " * 5000}])).encode()
    tape.asked(long)
    for body in (long + b" changed", long, b"short"):
        tape.sent(body)
    for piece in (b"data: 1\n\n" * 900, b"", b"data: 2\n\n"):
        tape.attempts[2].received.add(piece)
        tape.client.add(piece)
    tape.client.add(b": end\n\n")
    texts = texts_of(tape, 0.0, bytes)
    rows = packed(texts)
    assert {text.kind: text for text in unpacked(rows[::-1])} == {text.kind: text for text in texts}
    assert sum(len(row.body) for row in rows) < 1000
    client = next(text for text in texts if text.kind == "client")
    assert [piece for _, piece in client.pieces] == tape.client.blocks


@pytest.mark.parametrize("body", [b"", b"{}", b"not zlib"])
def test_a_text_that_cannot_be_read_is_left_out(body: bytes) -> None:
    row = packed([StoredText("client", b"x" * 9000, 9000)])[0]
    broken = type(row)(row.kind, body, row.encoding, row.size, row.truncated, b"zno")
    assert unpacked([broken]) == []


def test_a_reading_is_what_was_told() -> None:
    expectations = Expectations({"f": {"type": "object"}}, choice="required", allowed=frozenset({"f"}), heal=False)
    tape = Tape(reading=Reading("glm45", expectations, 2, True))
    told = json.loads(next(text.body for text in texts_of(tape, 0.0, bytes) if text.kind == "reading"))
    assert reading_of(told["reading"]) == tape.reading
    assert reading_of({"row": 1}) is None and reading_of(None) is None


# -- the database ------------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    write(store, [record_of()])
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert {path.name for path in tmp_path.iterdir()} >= {"records.sqlite", "records.sqlite-wal"}


def test_tables_of_an_older_version_are_brought_up_to_date(new_database: New) -> None:
    store = SqlStore(new_database())
    write(store, [record_of("old")])
    newer = (*MIGRATIONS, ("ALTER TABLE record ADD COLUMN invented TEXT", "CREATE INDEX invented ON record (invented)"))
    database = new_database()
    database.migrate(VERSION_TABLE, newer, LOCK)
    database.migrate(VERSION_TABLE, newer, LOCK)
    assert database.read("SELECT model, invented FROM record", {}) == [("old", None)]
    assert database.read("SELECT version FROM version", {}) == [(len(MIGRATIONS) + 1,)]
    with pytest.raises(StoreError, match="newer version"):
        SqlStore(new_database()).prepare()


def test_a_migration_that_fails_leaves_nothing(new_database: New) -> None:
    database = new_database()
    with pytest.raises(StoreError):
        database.migrate(VERSION_TABLE, [("CREATE TABLE one (a TEXT)", "CREATE TABLE one (a TEXT)")], LOCK)
    with pytest.raises(StoreError):
        database.read("SELECT * FROM one", {})


def test_workers_that_start_together_migrate_once(new_database: New) -> None:
    failed: list[Exception] = []

    def start() -> None:
        try:
            write(SqlStore(new_database()), [record_of()])
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(SqlStore(new_database()).find(Query())) == 6


def test_an_open_record_becomes_the_ended_one(new_database: New) -> None:
    store = SqlStore(new_database())
    record = ExchangeRecord("req_1", "/v1/x", "m")
    record.id = new_id()
    store.write([(stored(record), ())])
    assert [each.state for each in store.find(Query())] == ["open"]
    record.codes.add("adapted")
    record.end()
    write(store, [record])
    (found,) = store.find(Query(code="adapted"))
    assert found == stored(record) and found.state == "ended"


def test_every_column_comes_back(new_database: New) -> None:
    store = SqlStore(new_database())
    record = record_of("m\x00\ud800", text=b"x")
    record.notes.note("arguments_misfit", "f/properties/\ud800")
    record.was_sent(b"")
    (name,) = write(store, [record])
    found = store.get(name, None)
    assert isinstance(found, StoredRecord) and found == stored(record) and found.model == "m??"
    assert set(COLUMNS) < set(found.as_json())


def test_the_dead_leave_no_open_records(new_database: New) -> None:
    store = SqlStore(new_database())
    rows = []
    for _ in range(3):
        record = ExchangeRecord("req_1", "/v1/x", "m")
        record.id = new_id()
        rows.append((stored(record), ()))
    store.write(rows)
    host = worker_name().split(":")[0]
    for (row, _), worker in zip(rows, (f"{host}:999999999:1", "elsewhere:1:1", worker_name()), strict=True):
        store.database.write([("UPDATE record SET worker = :w WHERE id = :id", [{"w": worker, "id": row.id}])])
    store.lose_dead()
    assert sorted(each.state for each in store.find(Query())) == ["lost", "open", "open"]
    assert _is_dead(f"{host}:{os.getpid()}:1", worker_name()) and not _is_dead(f"{host}:1:1", worker_name())


# -- retention ---------------------------------------------------------------------------------------------------------


def test_texts_go_first_and_the_oldest(new_database: New) -> None:
    store = SqlStore(new_database())
    names = write(store, [record_of(f"m{n}", text=os.urandom(2000)) for n in range(10)])
    assert Retention(7, 100, 7000).prune(store) == 0
    kept = [name for name in names if store.texts(name)]
    assert kept == names[-3:] and [each.has_text for each in store.find(Query())] == [True] * 3 + [False] * 7


def test_old_records_and_too_many_are_deleted(new_database: New) -> None:
    store = SqlStore(new_database())
    old = write(store, [record_of("old", at=time.time() - 8 * 86400 + n / 100, text=b"x") for n in range(450)])
    new = write(store, [record_of("new") for _ in range(30)])
    assert Retention(7, 20, 1 << 20).prune(store) == 460
    assert [each.id for each in store.find(Query())] == new[:-21:-1]
    assert not store.texts(old[0]) and store.database.read("SELECT count(*) FROM record_text", {}) == [(0,)]


def test_all_pages_are_all_records(new_database: New) -> None:
    store = SqlStore(new_database())
    names = write(store, [record_of() for _ in range(25)])
    assert [each.id for each in each_of(store, Query(limit=10))] == names[::-1]


def test_lists_do_not_read_texts_and_use_an_index(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.prepare()
    for query in (Query(), Query(own="alice"), Query(code="quoted", before="0"), Query(since_us=1)):
        where, values = query.where()
        sql = f"EXPLAIN QUERY PLAN SELECT * FROM record WHERE {where} ORDER BY id DESC LIMIT 5"
        plan = " ".join(str(row) for row in store.database.read(sql, values))
        assert "TEMP B-TREE" not in plan and "record_text" not in plan, plan
    sql = "EXPLAIN QUERY PLAN SELECT id, state, has_text FROM record WHERE state = 'open' LIMIT 5"  # of `heads`
    assert "record_open" in str(store.database.read(sql, {}))


# -- what is lost ------------------------------------------------------------------------------------------------------


class Broken(Sqlite):
    """Fails, or hangs, where a test says so."""

    def __init__(self, path: str, error: str = "", gate: threading.Event | None = None) -> None:
        super().__init__(path)
        self._error = error
        self._gate = gate

    def write(self, statements: Sequence[Statement]) -> None:
        if self._gate is not None:
            self._gate.wait(30)
        if self._error:
            raise StoreError(self._error)
        super().write(statements)


def writer_of(database: Sqlite, most: int = 100) -> Writer:
    return Writer(SqlStore(database), Retention(7, 1000, 1 << 20), bytes, most)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was said of records."""
    caplog.set_level(logging.WARNING, "dragoman.records")
    logging.getLogger("dragoman").propagate = True
    return lambda: [each.getMessage() for each in caplog.records if each.name == "dragoman.records"]


def test_a_full_disk_loses_records_and_says_so_once(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    writer = writer_of(Broken(str(tmp_path / "r.sqlite"), "OperationalError: database or disk is full"))
    for count in (3, 5):
        for _ in range(count):
            writer.ended(record_of())
        until(lambda count=count: writer.lost["store"] >= count or None)  # type: ignore[misc]
    writer.close()
    assert writer.lost == {"store": 8}
    assert len(warnings()) == 1 and "disk is full" in warnings()[0]


def test_a_store_that_hangs_delays_nobody(tmp_path: Path, warnings: Callable[[], list[str]]) -> None:
    gate = threading.Event()
    writer = writer_of(Broken(str(tmp_path / "r.sqlite"), gate=gate), most=100)
    writer.ended(record_of())
    time.sleep(0.5)  # the writer waits at the gate now
    began = time.monotonic()
    for _ in range(1000):
        writer.ended(record_of())
    assert time.monotonic() - began < 2
    assert writer.lost == {"queue_full": 900} and len(warnings()) == 1
    gate.set()
    writer.close()
    assert len(store_in(tmp_path / "..").database.bytes_type) == 4
    assert len(SqlStore(Sqlite(str(tmp_path / "r.sqlite"))).find(Query(limit=500))) == 101


def test_a_file_that_cannot_be_written(tmp_path: Path, recorded: Callable[..., Recorded]) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    proxy = recorded(RECORD_DB=f"sqlite:///{folder / 'r.sqlite'}")
    folder.rmdir()
    assert b"Hi." in proxy.ask(ask(), Said(said("Hi.")))
    recorder = proxy.app.extensions["records"]
    until(lambda: recorder.lost.get("store") or None)
    assert proxy.get("records", status=503)["error"]["code"] == "records_unavailable"
    folder.mkdir()  # it comes back
    proxy.ask(ask(model="later"), Said(said("Hi.")))
    assert [each["model"] for each in proxy.settled(1)] == ["later"]
    assert proxy.get("records")["lost"]["store"] == 1


def test_the_end_of_the_process_waits_for_what_is_in_the_queue(tmp_path: Path) -> None:
    writer = writer_of(Sqlite(str(tmp_path / "records.sqlite")))
    for _ in range(50):
        writer.ended(record_of(text=b"Hi."))
    writer.close()
    writer.close()
    assert len(store_in(tmp_path).find(Query(limit=100))) == 50 and not writer.lost


def test_what_is_under_way_counts_too() -> None:
    tapes = OpenTapes(most_bytes=100_000)
    open_ones = [tapes.new() for _ in range(60)]
    for tape in open_ones:
        assert tape is not None
        tape.asked(b"x" * 5000)
    tapes._looked = 0.0
    assert tapes.new() is None
    for tape in open_ones[:50]:
        assert tape is not None
        tapes.ended(tape)
    assert tapes.new() is not None


# -- with RECORD=meta --------------------------------------------------------------------------------------------------


def talk_of_the_canary(proxy: Recorded) -> None:
    """Exchanges whose every text holds the canary: prompts, answers, reasoning, arguments, results, errors."""
    question: list[Any] = [
        {"role": "system", "content": f"You are {CANARY}."},
        {"role": "user", "content": f"Who is {CANARY}?"},
    ]
    call = f'<tool_call>{{"name": "get_weather", "arguments": {{"city": "{CANARY}", "days": "{CANARY}"}}}}</tool_call>'
    error = json.dumps({"error": {"message": f"cannot parse {CANARY}", "code": CANARY}}).encode()
    asked: dict[str, Any] = {"messages": question, "tools": TOOLS, "user": CANARY}
    reasoned = [frame(chunk({"reasoning_content": CANARY})), *said(f"{CANARY} {call} <tool_call>{CANARY}")]
    proxy.ask(ask(**asked), Said(reasoned))
    proxy.ask(ask(**asked), Said([frame({"error": {"message": CANARY}})]))
    proxy.ask(ask(False, **asked), Said([json.dumps(completion(call)).encode()], content_type="application/json"))
    proxy.ask(ask(False, **asked), *[Said([error], 400, "application/json")] * 4)
    proxy.ask(ask(**asked), *[Said([error], 500, "application/json")] * 4)
    finish = completion(CANARY, finish=f"{CANARY} why") | {"usage": {"prompt_tokens": CANARY, CANARY: CANARY}}
    proxy.ask(ask(False, **asked), Said([json.dumps(finish).encode()], content_type="application/json"))
    proxy.ask(f"no JSON {CANARY}".encode(), Said([error], 400, "application/json"))
    proxy.ask({"input": CANARY}, Said([error], content_type="application/json"), path="/v1/embeddings")


def first_events_of(proxy: Recorded) -> bytes:
    """What a live feed tells at its beginning: all that has ended a moment ago."""
    response = proxy.client.get("/dragoman/api/events", buffered=False)
    pieces: Iterator[Any] = iter(response.response)
    found = b"".join(next(pieces) for _ in range(2))
    response.close()
    assert b"event: records" in found
    return found


def reachable_from(start: object) -> list[Any]:
    """Everything that an object refers to, at whatever distance; not modules, classes and functions."""
    seen: dict[int, Any] = {}
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | type(os) | type(reachable_from)):
            continue
        seen[id(one)] = one
        waiting += gc.get_referents(one)
    return list(seen.values())


def assert_no_canary(values: Iterable[object]) -> None:
    forms = (CANARY, json.dumps(CANARY)[1:-1], "Zaunk")
    for value in values:
        text = value if isinstance(value, str) else value.decode(errors="replace") if isinstance(value, bytes) else ""
        assert not any(form in text for form in forms), text[:300]


@pytest.mark.parametrize("where", ["memory", "sqlite"])
def test_with_meta_no_text_is_anywhere(
    where: str, tmp_path: Path, recorded: Callable[..., Recorded], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("dragoman").propagate = True
    settings = {"RECORD_DB": f"sqlite:///{tmp_path / 'r.sqlite'}"} if where == "sqlite" else {}
    proxy = recorded(RECORD="meta", ADAPT="auto", **settings)
    talk_of_the_canary(proxy)
    proxy.sent.clear()
    found = proxy.settled(8)
    recorder = proxy.app.extensions["records"]
    assert_no_canary(reachable_from([recorder.store, recorder._sink, recorder._tapes]))
    assert_no_canary([json.dumps(proxy.get(f"records/{each['id']}")) for each in found])
    assert_no_canary([proxy.get("records/export?texts=1"), json.dumps(proxy.get("usage"))])
    assert_no_canary([json.dumps(proxy.get("overview")), json.dumps(proxy.listed(f"q={CANARY}"))])
    assert_no_canary([first_events_of(proxy)])
    assert_no_canary(proxy.client.get(path).get_data() for path in ("/metrics", "/dragoman/", "/dragoman/overview"))
    assert_no_canary(record.getMessage() for record in caplog.records)
    assert_no_canary(path.read_bytes() for path in tmp_path.iterdir())
    if where == "sqlite":
        with sqlite3.connect(tmp_path / "r.sqlite") as connection:
            assert connection.execute("SELECT count(*) FROM record_text").fetchone() == (0,)


def test_the_search_for_the_canary_finds_it(tmp_path: Path, recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(RECORD="full")
    talk_of_the_canary(proxy)
    with pytest.raises(AssertionError):
        assert_no_canary(reachable_from(proxy.app.extensions["records"].store))
