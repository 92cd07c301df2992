"""Stores that are in trouble: each is a RECORD_DB for a service. None of them may cost it an answer."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from records.databases import Sqlite
from records.sql import SqlStore
from tests.servers import HOST, free_port


def _new(path: Path) -> str:
    """The RECORD_DB of a file with all tables."""
    store = SqlStore(Sqlite(str(path)))
    store.prepare()
    store.database.close()
    return f"sqlite:///{path}"


@contextmanager
def locked(folder: Path) -> Iterator[str]:
    """Somebody holds the file and does not let go."""
    path = folder / "locked.sqlite"
    url = _new(path)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield url


@contextmanager
def full(folder: Path) -> Iterator[str]:
    """The disk has no room: every write fails (`/dev/full` says so to whoever writes there)."""
    url = _new(folder / "full.sqlite")
    (folder / "full.sqlite-wal").symlink_to("/dev/full")
    yield url


@contextmanager
def silent(_folder: Path) -> Iterator[str]:
    """A server takes connections and says nothing."""
    with socket.create_server((HOST, 0), backlog=64) as listener:
        yield f"postgresql://somebody@{HOST}:{listener.getsockname()[1]}/records"


@contextmanager
def closed(_folder: Path) -> Iterator[str]:
    """There is no server."""
    yield f"postgresql://somebody@{HOST}:{free_port()}/records"


BROKEN: tuple[Callable[[Path], AbstractContextManager[str]], ...] = (locked, full, silent, closed)
