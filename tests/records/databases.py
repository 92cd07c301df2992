"""Databases for the tests: files, and with `make stores` a real PostgreSQL, each of them empty."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from records.databases import Database
from records.sql import database_of

SERVER = os.environ.get("DRAGOMAN_TEST_POSTGRES", "")
"""The URL of a server where databases may be made, without the name of one. Set by tests/stores.py."""

KINDS = ["sqlite", "postgres"] if SERVER else ["sqlite"]
_number = itertools.count()


def new_url(kind: str, folder: Path) -> str:
    """The RECORD_DB of a new database."""
    if kind == "sqlite":
        return f"sqlite:///{folder / f'records-{next(_number)}.sqlite'}"
    import psycopg

    name = f"records_{os.getpid()}_{next(_number)}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{SERVER}/{name}"


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Connects to one database, as often as a test likes."""
    url = new_url(request.param, tmp_path)
    made: list[Database] = []

    def connect() -> Database:
        made.append(database_of(url))
        return made[-1]

    yield connect
    for each in made:
        each.close()
