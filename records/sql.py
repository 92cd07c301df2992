"""Records in a database. The tables are in `records/schema.py`, the two databases in `records/databases.py`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from errors import ConfigError
from records.databases import Database, Postgres, Sqlite, Statement
from records.overview import Overview, overview_in
from records.query import MOST, Query
from records.record import COLUMNS, AttemptMade, Code, StoredRecord, worker_name
from records.schema import LOCK, MIGRATIONS, VERSION_TABLE
from records.stores import Head, KeyUsage
from records.texts import PackedText, StoredText, unpacked

_NAMES = (*COLUMNS, "tried")
_SELECT = f"SELECT {', '.join(_NAMES)} FROM record"
_BOOLEANS = ("stream", "has_text")
_UPSERT = (
    f"INSERT INTO record ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES if name != 'id')}"
)
_INSERT_CODE = (
    "INSERT INTO record_code (record_id, seq, code, detail) VALUES (:record_id, :seq, :code, :detail) "
    "ON CONFLICT DO NOTHING"
)
_TEXT_NAMES = ("kind", "encoding", "size", "truncated", "stored", "borders", "body")
_INSERT_TEXT = (
    f"INSERT INTO record_text (record_id, {', '.join(_TEXT_NAMES)}) "
    f"VALUES (:record_id, {', '.join(f':{name}' for name in _TEXT_NAMES)}) ON CONFLICT DO NOTHING"
)

Written = tuple[StoredRecord, Sequence[PackedText]]
"""What is stored of one exchange."""


def database_of(url: str) -> Database:
    """The database of RECORD_DB. Raises ConfigError for one that cannot be used."""
    if url.startswith("sqlite:///"):
        return Sqlite(url.removeprefix("sqlite:///"))
    if url.startswith("postgresql://"):
        return Postgres(url)
    raise ConfigError("RECORD_DB: takes sqlite:///path or postgresql://user:password@host/database")


class SqlStore:
    """A Store. Only the writer of a process writes (`records/recorder.py`)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._migrated_by = 0

    def prepare(self) -> None:
        """Make the tables, or bring them up to date. Raises StoreError."""
        if self._migrated_by != os.getpid():
            self.database.migrate(VERSION_TABLE, MIGRATIONS, LOCK)
            self._migrated_by = os.getpid()

    def write(self, batch: Sequence[Written]) -> None:
        """Store these, or what has become of them since. Raises StoreError; then none of them is stored."""
        self.prepare()
        codes = [
            {"record_id": record.id, "seq": seq} | asdict(code)
            for record, _ in batch
            for seq, code in enumerate(record.codes)
            if record.state != "open"
        ]
        texts = [_text_values(record.id, text) for record, found in batch for text in found]
        statements: list[Statement] = [(_UPSERT, [_values(record) for record, _ in batch])]
        if codes:
            statements.append((_INSERT_CODE, codes))
        if texts:
            statements.append((_INSERT_TEXT, texts))
        self.database.write(statements)

    # -- reading -----------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Sequence[StoredRecord]:
        where, values = query.where()
        sql = f"{_SELECT} WHERE {where} ORDER BY id DESC LIMIT :limit"
        return self._records(self._read(sql, {**values, "limit": query.limit}))

    def get(self, name: str, own: str | None) -> StoredRecord | None:
        mine, values = ("", {}) if own is None else (" AND key_name = :own", {"own": own})
        for column in ("id", "request_id"):
            sql = f"{_SELECT} WHERE {column} = :name{mine} ORDER BY id DESC LIMIT 1"
            if found := self._records(self._read(sql, {"name": name, **values})):
                return found[0]
        return None

    def texts(self, record_id: str) -> Sequence[StoredText]:
        sql = "SELECT kind, body, encoding, size, truncated, borders FROM record_text WHERE record_id = :id"
        return unpacked(
            [
                PackedText(kind, bytes(body), encoding, size, bool(truncated), bytes(borders))
                for kind, body, encoding, size, truncated, borders in self._read(sql, {"id": record_id})
            ]
        )

    def overview(self, query: Query) -> Overview:
        return overview_in(self._read, query)

    def heads(self, most: int) -> Mapping[str, Head]:
        newest = "SELECT id, state, has_text FROM record ORDER BY id DESC LIMIT :most"
        # in no order, so that the index of those under way is used
        under_way = "SELECT id, state, has_text FROM record WHERE state = 'open' LIMIT :most"
        rows = [*self._read(newest, {"most": most}), *self._read(under_way, {"most": most})]
        return {name: Head(state, bool(has_text)) for name, state, has_text in rows}

    def those(self, ids: Sequence[str]) -> Sequence[StoredRecord]:
        found: list[StoredRecord] = []
        for start in range(0, len(ids), MOST):
            names = {f"id{place}": each for place, each in enumerate(ids[start : start + MOST])}
            sql = f"{_SELECT} WHERE id IN ({', '.join(f':{name}' for name in names)}) ORDER BY id DESC"
            found += self._records(self._read(sql, names))
        return found

    def usage(self, query: Query) -> Sequence[KeyUsage]:
        where, values = query.where()
        sums = "sum(calls), sum(coalesce(tok_in, 0)), sum(coalesce(tok_out, 0))"
        failed = "sum(CASE WHEN status >= 400 OR error IS NOT NULL THEN 1 ELSE 0 END)"
        sql = f"SELECT key_name, count(*), {failed}, {sums} FROM record WHERE {where} GROUP BY key_name"
        found = [KeyUsage(name, *map(int, numbers)) for name, *numbers in self._read(sql, values)]
        return sorted(found, key=lambda each: each.key_name or "")

    def _read(self, sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        self.prepare()
        return self.database.read(sql, values)

    def _records(self, rows: Sequence[Sequence[Any]]) -> list[StoredRecord]:
        if not rows:
            return []
        ids = [str(row[0]) for row in rows]
        names = {f"id{place}": each for place, each in enumerate(ids)}
        sql = (
            "SELECT record_id, code, detail FROM record_code "
            f"WHERE record_id IN ({', '.join(f':{name}' for name in names)}) ORDER BY record_id, seq"
        )
        codes: dict[str, list[Code]] = {}
        for record_id, code, detail in self.database.read(sql, names):
            codes.setdefault(record_id, []).append(Code(code, detail))
        return [_record(row, codes.get(str(row[0]), [])) for row in rows]

    # -- sessions of the inspector -----------------------------------------------------------------------------------

    def end_session(self, name: str, until_us: int, now_us: int) -> None:
        """A session counts no longer, for every worker. It is forgotten at `until_us`."""
        self.prepare()
        insert = "INSERT INTO ended_session (id, until_us) VALUES (:id, :until) ON CONFLICT DO NOTHING"
        delete = "DELETE FROM ended_session WHERE until_us < :now"
        self.database.write([(delete, [{"now": now_us}]), (insert, [{"id": name, "until": until_us}])])

    def has_ended(self, name: str) -> bool:
        """Whether a session counts no longer."""
        return bool(self._read("SELECT 1 FROM ended_session WHERE id = :id", {"id": name}))

    # -- keeping it small --------------------------------------------------------------------------------------------

    def lose_dead(self) -> None:
        """Exchanges that were open in a process of this machine that has ended will not end any more."""
        own = worker_name()
        rows = self._read("SELECT DISTINCT worker FROM record WHERE state = 'open'", {})
        dead = [str(worker) for (worker,) in rows if worker != own and _is_dead(str(worker), own)]
        if dead:
            sql = "UPDATE record SET state = 'lost' WHERE state = 'open' AND worker = :worker"
            self.database.write([(sql, [{"worker": each} for each in dead])])


def _is_dead(worker: str, own: str) -> bool:
    host, number, _ = worker.rsplit(":", 2)
    if os.name != "posix" or host != own.rsplit(":", 2)[0]:
        return False
    if int(number) == os.getpid():
        return True  # it had our number before
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _values(record: StoredRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in COLUMNS}
    values.update({name: int(values[name]) for name in _BOOLEANS})
    values["tried"] = json.dumps([[each.sent_us, each.status] for each in record.tried])
    return values


def _text_values(record_id: str, text: PackedText) -> dict[str, Any]:
    return {
        "record_id": record_id,
        "kind": text.kind,
        "encoding": text.encoding,
        "size": text.size,
        "truncated": int(text.truncated),
        "stored": len(text.body) + len(text.borders),
        "borders": text.borders,
        "body": text.body,
    }


def _record(row: Sequence[Any], codes: Iterable[Code]) -> StoredRecord:
    values = dict(zip(_NAMES, row, strict=True))
    values.update({name: bool(values[name]) for name in _BOOLEANS})
    tried = tuple(AttemptMade(sent, status) for sent, status in json.loads(values["tried"]))
    return StoredRecord(**values | {"tried": tried, "codes": tuple(codes)})
