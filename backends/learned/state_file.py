"""Lessons in an SQLite file, which workers share and which outlives a restart (`STATE_FILE`).

What chat templates told is kept in it, too (template_file.py).

It is read often and written seldom. It has no write-ahead log: that has a file in shared memory, and whoever shortens
it kills every process that has it open. A file that is locked or broken costs lessons, never a request: the first error
is logged, and what was learned is then only in memory.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from backends.learned.lessons import MOST_MODELS, Lesson, Memory, merged

log = logging.getLogger("dragoman.learned")

VERSION = 1
"""Of the tables, kept as SQLite's `user_version`. 0 is a file with lessons alone."""
_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS lessons (
        backend TEXT NOT NULL, model TEXT NOT NULL, learned REAL NOT NULL, lessons TEXT NOT NULL,
        PRIMARY KEY (backend, model)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS template_answers (
        backend TEXT NOT NULL, model TEXT NOT NULL, asked REAL NOT NULL, template TEXT NOT NULL, why TEXT NOT NULL,
        PRIMARY KEY (backend, model)
    )
    """,
    "CREATE TABLE IF NOT EXISTS templates (template TEXT PRIMARY KEY, learned REAL NOT NULL, told TEXT NOT NULL)",
)
_LOAD = "SELECT lessons FROM lessons WHERE backend = ? AND model = ?"
_DROP_OLDEST = "DELETE FROM lessons WHERE rowid IN (SELECT rowid FROM lessons ORDER BY learned DESC LIMIT -1 OFFSET ?)"
_WAIT = 0.04
"""Seconds to wait for another worker that writes: nothing else in the process goes on meanwhile."""
_REST = 2.0
"""Seconds for which a file that could not be used is left alone."""
_START = 5.0
"""Seconds to wait at the start, when all workers make the file at once."""


class StateFile:
    """A LessonStore. Each process has one connection: threads and greenlets take turns."""

    def __init__(self, path: str | Path) -> None:
        """The file is made if it is not there. Raises ValueError, in one line, if that cannot be."""
        self._path = str(path)
        self._memory = Memory()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []  # of the process that this one was forked from: never closed
        self._failed = False
        self._rests_until = 0.0
        try:
            with closing(self._open(_START)) as connection:
                connection.execute("SELECT backend, model, learned, lessons FROM lessons LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise ValueError(str(error)) from None

    def load(self, backend: str, model: str) -> tuple[Lesson, ...]:
        rows = self.rows(_LOAD, backend, spelled(model))
        if rows is None:
            return self._memory.load(backend, model)
        return _lessons(rows[0][0]) if rows else ()

    def add(self, backend: str, model: str, lessons: tuple[Lesson, ...], oldest: float) -> None:
        self._memory.add(backend, model, lessons, oldest)

        def upsert(connection: sqlite3.Connection) -> None:
            """Another process may add to the same model: reading and writing are one transaction."""
            row = connection.execute(_LOAD, (backend, spelled(model))).fetchone()
            kept = merged(_lessons(row[0]) if row else (), lessons, oldest)
            text = json.dumps([[each.adaptation, each.why, each.at] for each in kept])
            newest = max(each.at for each in kept)
            values = (backend, spelled(model), newest, text)
            connection.execute("INSERT OR REPLACE INTO lessons VALUES (?, ?, ?, ?)", values)
            connection.execute(_DROP_OLDEST, (MOST_MODELS,))

        self.write(upsert)

    def forget(self, backend: str, model: str) -> None:
        self._memory.forget(backend, model)
        gone = "DELETE FROM lessons WHERE backend = ? AND model = ?"
        self.write(lambda connection: connection.execute(gone, (backend, spelled(model))))

    def all(self) -> list[tuple[str, str, tuple[Lesson, ...]]]:
        rows = self.rows("SELECT backend, model, lessons FROM lessons ORDER BY learned")
        if rows is None:
            return self._memory.all()
        return [(backend, model, _lessons(text)) for backend, model, text in rows]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]] | None:
        """The rows that a query finds; None if the file cannot be used."""
        found: list[tuple[Any, ...]] = []
        done = self._run(lambda connection: found.extend(connection.execute(query, values)))
        return found if done else None

    def write(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Do work in one transaction, in which no other process writes. False if the file cannot be used."""

        def alone(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            work(connection)

        return self._run(alone)

    def _run(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        with self._lock:
            if time.monotonic() < self._rests_until:
                return False
            for is_last in (self._connection is None, True):
                try:
                    connection = self._connected()
                    with connection:
                        work(connection)
                    return True
                except sqlite3.Error as error:
                    self._disconnect()
                    if not is_last and "locked" not in str(error):
                        continue  # another file may have been put in its place
                    self._failed_with(error)
                    return False
        return False

    def _failed_with(self, error: sqlite3.Error) -> None:
        if not self._failed:
            self._failed = True
            log.warning("STATE_FILE cannot be used, so what is learned stays in memory: %s", error)
        self._rests_until = time.monotonic() + _REST

    def _connected(self) -> sqlite3.Connection:
        """The connection of this process: one does not survive a fork."""
        if self._process != os.getpid():
            if self._connection is not None:
                self._inherited.append(self._connection)
            self._connection, self._process = None, os.getpid()
        if self._connection is None:
            self._connection = self._open(_WAIT)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _open(self, wait: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=wait, check_same_thread=False)
        try:
            _make_tables(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make what is not there. Raises sqlite3.DatabaseError for a file of a later version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError(f"a later version of this program has written it (tables {version}, not {VERSION})")
    for table in _TABLES:
        connection.execute(table)
    if version < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")


def spelled(model: str) -> str:
    """A name as SQLite takes it: JSON may hold half a character."""
    return model.encode(errors="backslashreplace").decode()


def _lessons(text: str) -> tuple[Lesson, ...]:
    """Lessons as they were written; none from what somebody else wrote."""
    try:
        return tuple(Lesson(str(name), str(why), float(at)) for name, why, at in json.loads(text))
    except (ValueError, TypeError):
        return ()
