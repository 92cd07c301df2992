"""The two databases that can keep records. Their errors become StoreError; nothing here knows what the tables mean.

Parameters of a statement are written `:name` in both. A connection does not survive a fork: each process has its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from errors import ConfigError
from records.stores import StoreError
from records.threads import new_lock

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Values = Mapping[str, Any]
Statement = tuple[str, Sequence[Values]]
"""SQL, and the parameters of each time that it is run."""
Rows = Sequence[Sequence[Any]]

_PATIENCE = 2.0
"""Seconds to wait for a lock or a server. Only the writer waits, or whoever looks."""


class Database(Protocol):
    """Runs SQL. Any method may raise StoreError."""

    bytes_type: str
    """The type of a column that holds bytes."""

    def migrate(self, version_table: str, migrations: Sequence[Sequence[str]], lock: int) -> None:
        """Run what of the migrations was not run yet, by one process at a time."""
        ...

    def write(self, statements: Sequence[Statement]) -> None:
        """All of them or none."""
        ...

    def read(self, statement: str, values: Values) -> Rows: ...

    def tidy(self) -> None:
        """Much was deleted: give room back."""
        ...

    def close(self) -> None:
        """Let the connections go. It may be used again."""
        ...


class Sqlite:
    """A file, with a write-ahead log. Only its owner may read it."""

    bytes_type = "BLOB"

    def __init__(self, path: str) -> None:
        self._path = path
        self._process = 0
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._lock_writing = new_lock()
        self._lock_reading = new_lock()

    def migrate(self, version_table: str, migrations: Sequence[Sequence[str]], lock: int) -> None:
        with self._lock_writing:
            try:
                connection = self._writer()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.execute(version_table)
                    _migrated(lambda sql: connection.execute(sql).fetchall(), migrations, self.bytes_type)
                except (sqlite3.Error, StoreError):
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
                raise StoreError(_told(error)) from None

    def write(self, statements: Sequence[Statement]) -> None:
        with self._lock_writing:
            try:
                connection = self._writer()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for sql, values in statements:
                        connection.executemany(sql, values)
                    connection.execute("COMMIT")
                except sqlite3.Error:
                    with suppress(sqlite3.Error):  # a full disk has rolled it back already
                        connection.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
                self._writing = None
                raise StoreError(_told(error)) from None

    def read(self, statement: str, values: Values) -> Rows:
        with self._lock_reading:
            try:
                self._forked()
                if self._reading is None:
                    self._reading = self._open()
                return self._reading.execute(statement, values).fetchall()
            except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
                self._reading = None
                raise StoreError(_told(error)) from None

    def tidy(self) -> None:
        with self._lock_writing:
            try:
                self._writer().execute("PRAGMA incremental_vacuum(1000)").fetchall()
            except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
                raise StoreError(_told(error)) from None

    def close(self) -> None:
        with self._lock_writing, self._lock_reading:
            for each in (self._writing, self._reading):
                if each is not None and self._process == os.getpid():
                    each.close()
            self._writing = self._reading = None

    def _writer(self) -> sqlite3.Connection:
        self._forked()
        if self._writing is None:
            self._writing = self._open()
        return self._writing

    def _forked(self) -> None:
        if self._process != os.getpid():
            self._process, self._writing, self._reading = os.getpid(), None, None

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # its log gets the same mode
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
        # PostgreSQL's name for the order of bytes: a condition that names it is the same in both
        connection.create_collation("C", lambda one, other: (one > other) - (one < other))
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts only while there is no table
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


class Postgres:
    """A server, through SQLAlchemy, which is imported only here."""

    bytes_type = "BYTEA"

    def __init__(self, url: str) -> None:
        """Raises ConfigError if the packages for it are missing, or the URL is none."""
        try:
            import psycopg  # noqa: F401 - SQLAlchemy imports it later
            import sqlalchemy
        except ImportError as error:
            raise ConfigError(
                f"RECORD_DB: PostgreSQL needs {error.name}: pip install 'dragoman[records]', "
                "or -r requirements/records.txt"
            ) from None
        self._alchemy = sqlalchemy
        self._url = "postgresql+psycopg://" + url.partition("://")[2]
        try:
            sqlalchemy.engine.make_url(self._url)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            raise ConfigError("RECORD_DB=(hidden): takes postgresql://user:password@host/database") from None
        self._lock = new_lock()
        self._made: Engine | None = None
        self._process = 0

    def migrate(self, version_table: str, migrations: Sequence[Sequence[str]], lock: int) -> None:
        try:
            with self._engine().begin() as connection:
                self._run(connection, "SELECT pg_advisory_xact_lock(:lock)", {"lock": lock})
                self._run(connection, version_table, {})
                _migrated(lambda sql: self._run(connection, sql, {}), migrations, self.bytes_type)
        except self._alchemy.exc.SQLAlchemyError as error:
            raise StoreError(_told(error)) from None

    def write(self, statements: Sequence[Statement]) -> None:
        try:
            with self._engine().begin() as connection:
                for sql, values in statements:
                    connection.execute(self._alchemy.text(sql), [dict(each) for each in values])
        except self._alchemy.exc.SQLAlchemyError as error:
            raise StoreError(_told(error)) from None

    def read(self, statement: str, values: Values) -> Rows:
        try:
            with self._engine().connect() as connection:
                return self._run(connection, statement, values)
        except self._alchemy.exc.SQLAlchemyError as error:
            raise StoreError(_told(error)) from None

    def tidy(self) -> None:
        """Its own autovacuum does that."""

    def close(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.dispose()

    def _run(self, connection: Connection, sql: str, values: Values) -> Rows:
        result = connection.execute(self._alchemy.text(sql), dict(values))
        return [tuple(row) for row in result] if result.returns_rows else []

    def _engine(self) -> Engine:
        with self._lock:
            if self._made is None or self._process != os.getpid():
                options = f"-c statement_timeout={int(_PATIENCE * 1000)} -c lock_timeout={int(_PATIENCE * 1000)}"
                self._made = self._alchemy.create_engine(
                    self._url,
                    pool_size=2,
                    pool_pre_ping=True,
                    pool_timeout=_PATIENCE,
                    connect_args={"connect_timeout": 5, "tcp_user_timeout": 5000, "options": options},
                )
                self._process = os.getpid()
            return self._made


def _migrated(run: Any, migrations: Sequence[Sequence[str]], bytes_type: str) -> None:
    rows = run("SELECT version FROM version")
    done = rows[0][0] if rows else 0
    if done > len(migrations):
        raise StoreError("the tables are those of a newer version of Dragoman")
    for statements in migrations[done:]:
        for sql in statements:
            run(sql.replace("BYTES", bytes_type))
    if done < len(migrations):
        run("DELETE FROM version")
        run(f"INSERT INTO version VALUES ({len(migrations)})")


def _told(error: Exception) -> str:
    """One line that quotes no parameter: SQLAlchemy writes them, and so texts, into the message of its own error."""
    original = getattr(error, "orig", None) or error
    line = (str(original).splitlines() or [""])[0][:200]
    return f"{type(original).__name__}: {line}"
