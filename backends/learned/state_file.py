"""Lessons in an SQLite file, which workers share and which outlives a restart (`STATE_FILE`).

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
from contextlib import closing, suppress
from pathlib import Path

from backends.learned.lessons import MOST_MODELS, Lesson, Memory

log = logging.getLogger("dragoman.learned")

_TABLE = """
CREATE TABLE IF NOT EXISTS lessons (
    backend TEXT NOT NULL, model TEXT NOT NULL, learned REAL NOT NULL, lessons TEXT NOT NULL,
    PRIMARY KEY (backend, model)
)
"""
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
        rows = self._run(("SELECT lessons FROM lessons WHERE backend = ? AND model = ?", (backend, _told(model))))
        if rows is None:
            return self._memory.load(backend, model)
        return _lessons(rows[0][0]) if rows else ()

    def save(self, backend: str, model: str, lessons: tuple[Lesson, ...]) -> None:
        self._memory.save(backend, model, lessons)
        if not lessons:
            self._run(("DELETE FROM lessons WHERE backend = ? AND model = ?", (backend, _told(model))))
            return
        told = json.dumps([[each.adaptation, each.why, each.at] for each in lessons])
        newest = max(each.at for each in lessons)
        self._run(
            ("INSERT OR REPLACE INTO lessons VALUES (?, ?, ?, ?)", (backend, _told(model), newest, told)),
            (_DROP_OLDEST, (MOST_MODELS,)),
        )

    def all(self) -> list[tuple[str, str, tuple[Lesson, ...]]]:
        rows = self._run(("SELECT backend, model, lessons FROM lessons ORDER BY learned", ()))
        if rows is None:
            return self._memory.all()
        return [(backend, model, _lessons(told)) for backend, model, told in rows]

    def _run(self, *statements: tuple[str, tuple[object, ...]]) -> list[tuple[str, ...]] | None:
        """The rows of the last of these, which are one transaction; None if the file cannot be used."""
        with self._lock:
            if time.monotonic() < self._rests_until:
                return None
            for is_last in (self._connection is None, True):
                try:
                    return self._done(statements)
                except sqlite3.Error as error:
                    self._disconnect()
                    if not is_last and "locked" not in str(error):
                        continue  # another file may have been put in its place
                    self._failed_with(error)
                    return None
        return None

    def _done(self, statements: tuple[tuple[str, tuple[object, ...]], ...]) -> list[tuple[str, ...]]:
        connection = self._connected()
        rows: list[tuple[str, ...]] = []
        with connection:
            for statement, values in statements:
                rows = connection.execute(statement, values).fetchall()
        return rows

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
            connection.execute(_TABLE)
            connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _told(model: str) -> str:
    """A name as SQLite takes it: JSON may hold half a character."""
    return model.encode(errors="backslashreplace").decode()


def _lessons(told: str) -> tuple[Lesson, ...]:
    """Lessons as they were written; none from what somebody else wrote."""
    try:
        return tuple(Lesson(str(name), str(why), float(at)) for name, why, at in json.loads(told))
    except (ValueError, TypeError):
        return ()
