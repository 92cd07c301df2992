"""Lessons in an SQLite file, which workers share and which outlives a restart (`STATE_FILE`).

It is read often and written seldom. A file that is locked or broken costs lessons, never a request: each error is
logged once, and what was learned is then only in memory.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from backends.learned.lessons import MOST_MODELS, Lesson, Memory

log = logging.getLogger("dragoman.learned")

_TABLE = """
CREATE TABLE IF NOT EXISTS lessons (
    backend TEXT NOT NULL, model TEXT NOT NULL, learned REAL NOT NULL, lessons TEXT NOT NULL,
    PRIMARY KEY (backend, model)
)
"""
_WAIT = 0.2
"""Seconds to wait for another worker that writes."""


class StateFile:
    """A LessonStore. Each process has one connection: threads and greenlets take turns."""

    def __init__(self, path: str | Path) -> None:
        """The file is made if it is not there. Raises ValueError, in one line, if that cannot be."""
        self._path = str(path)
        self._memory = Memory()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._failed = False
        try:
            with closing(self._open()) as connection:
                connection.execute("SELECT count(*) FROM lessons").fetchone()
        except sqlite3.Error as error:
            raise ValueError(str(error)) from None

    def load(self, backend: str, model: str) -> tuple[Lesson, ...]:
        rows = self._run("SELECT lessons FROM lessons WHERE backend = ? AND model = ?", (backend, model))
        if rows is None:
            return self._memory.load(backend, model)
        return _lessons(rows[0][0]) if rows else ()

    def save(self, backend: str, model: str, lessons: tuple[Lesson, ...]) -> None:
        self._memory.save(backend, model, lessons)
        if not lessons:
            self._run("DELETE FROM lessons WHERE backend = ? AND model = ?", (backend, model))
            return
        told = json.dumps([[each.adaptation, each.why, each.at] for each in lessons])
        newest = max(each.at for each in lessons)
        self._run("INSERT OR REPLACE INTO lessons VALUES (?, ?, ?, ?)", (backend, model, newest, told))
        self._run(
            "DELETE FROM lessons WHERE rowid IN (SELECT rowid FROM lessons ORDER BY learned DESC LIMIT -1 OFFSET ?)",
            (MOST_MODELS,),
        )

    def all(self) -> list[tuple[str, str, tuple[Lesson, ...]]]:
        rows = self._run("SELECT backend, model, lessons FROM lessons ORDER BY learned", ())
        if rows is None:
            return self._memory.all()
        return [(backend, model, _lessons(told)) for backend, model, told in rows]

    def _run(self, statement: str, values: tuple[object, ...]) -> list[tuple[str, ...]] | None:
        """The rows; None if the file cannot be used."""
        with self._lock:
            try:
                if self._connection is None or self._process != os.getpid():  # a connection does not survive a fork
                    self._connection, self._process = self._open(), os.getpid()
                with self._connection:
                    found: list[tuple[str, ...]] = self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                if not self._failed:
                    self._failed = True
                    log.warning("STATE_FILE cannot be used, so what is learned stays in memory: %s", error)
                self._connection = None
                return None
            return found

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_WAIT, check_same_thread=False)
        connection.execute(_TABLE)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


def _lessons(told: str) -> tuple[Lesson, ...]:
    """Lessons as they were written; none from what somebody else wrote."""
    try:
        return tuple(Lesson(str(name), str(why), float(at)) for name, why, at in json.loads(told))
    except (ValueError, TypeError):
        return ()
