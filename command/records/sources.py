"""Where records come from: a database, or a running proxy. Both give the same JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from backends import Backend, ResponseHead, Timeouts
from command.given import settings
from command.records.filters import Filters
from command.subcommand import UNREACHABLE, WRONG_USE, CommandError
from config import Config
from errors import ConfigError, ProxyError, RequestError
from inspector.records import query_of
from records.export import lines
from records.query import MOST, Query
from records.sql import SqlStore, database_of
from records.stores import StoreError, each_of
from records.texts import Redact
from records.views import listed, shown
from setting_kinds import URL
from startup import base_url
from streaming.redaction import Redaction

_TIMEOUT = 30.0
_MOST_BYTES = 256 << 20
"""Bytes of an answer that is read whole."""
_SQLITE = "sqlite:///"

Record = dict[str, Any]
"""A record as `GET /dragoman/api/records` has it."""


class Source(Protocol):
    """Every method raises CommandError if nobody answers."""

    def newest(self, filters: Filters, limit: int) -> list[Record]: ...

    def one(self, name: str) -> Record | None:
        """All that is known of a record: `record` and `text`, as the inspector's route has them."""
        ...

    def count(self, filters: Filters) -> int: ...

    def lines(self, filters: Filters, texts: bool) -> Iterator[bytes]:
        """Each record as a line of JSON."""
        ...


@contextmanager
def source_of(url: str | None) -> Iterator[Source]:
    """The proxy at `url`; without one RECORD_DB, or the proxy of this machine. Raises CommandError."""
    config = settings()
    key = config.inspector_key or os.environ.get("API_KEY")
    if url is None and config.record_db is not None:
        store = _store(config.record_db)
        with closing(store.database):
            yield Stored(store, Redaction(config.secrets).of)
        return
    base = _url(url) if url is not None else _own_url(config)
    with closing(Backend(base, Timeouts(_TIMEOUT, _TIMEOUT, _TIMEOUT), pool_size=1)) as backend:
        yield Served(backend, key)


def _url(text: str) -> str:
    try:
        return str(URL.parse(text))
    except (KeyError, ValueError):
        raise CommandError(f"--url {text}: takes {URL.takes}") from None


def _own_url(config: Config) -> str:
    return base_url(config.proxy_host, config.proxy_port).removesuffix("/v1")


def _store(url: str) -> SqlStore:
    path = url.removeprefix(_SQLITE)
    if url.startswith(_SQLITE) and not Path(path).is_file():
        raise CommandError(f"RECORD_DB: there is no file {path}", UNREACHABLE)
    try:
        return SqlStore(database_of(url))
    except ConfigError as error:
        raise CommandError(str(error)) from None


class Stored:
    """A Source: a database."""

    def __init__(self, store: SqlStore, redact: Redact) -> None:
        self._store = store
        self._redact = redact

    def newest(self, filters: Filters, limit: int) -> list[Record]:
        with _database():
            found = each_of(self._store, replace(_query(filters), limit=min(limit, MOST)))
            records = [listed(record) for record, _ in zip(found, range(limit), strict=False)]
            told: list[Record] = self._told(records)
            return told

    def one(self, name: str) -> Record | None:
        with _database():
            record = self._store.get(name, None)
            return None if record is None else self._told(shown(record, self._store.texts(record.id)))

    def count(self, filters: Filters) -> int:
        with _database():
            return sum(each.requests for each in self._store.usage(_query(filters)))

    def lines(self, filters: Filters, texts: bool) -> Iterator[bytes]:
        with _database():
            yield from map(self._redact, lines(self._store, replace(_query(filters), limit=MOST), texts))

    def _told(self, value: Any) -> Any:
        """Without keys: where a model wrote one in pieces, only the joined text shows it."""
        return json.loads(self._redact(json.dumps(value, ensure_ascii=False).encode(errors="replace")))


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise CommandError(f"RECORD_DB: {error}", UNREACHABLE) from None


def _query(filters: Filters) -> Query:
    try:
        return query_of(filters, None)
    except RequestError as error:
        raise CommandError(error.message) from None


class Served:
    """A Source: a running proxy, through the inspector's routes."""

    def __init__(self, backend: Backend, key: str | None) -> None:
        self._backend = backend
        self._headers = [("Authorization", f"Bearer {key}")] if key else []

    def newest(self, filters: Filters, limit: int) -> list[Record]:
        found: list[Record] = []
        before: Filters = {}
        while len(found) < limit:
            page = self._json("records", {**filters, **before, "limit": str(min(limit - len(found), MOST))})
            found += page["records"]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
        return found

    def one(self, name: str) -> Record | None:
        found: Record | None = self._json(f"records/{quote(name, safe='')}", {}, missing=True)
        return found

    def count(self, filters: Filters) -> int:
        return sum(each["requests"] for each in self._json("usage", filters)["usage"])

    def lines(self, filters: Filters, texts: bool) -> Iterator[bytes]:
        rest = b""
        for piece in self._pieces("records/export", {**filters, **({"texts": "1"} if texts else {})}):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)
        if rest:
            raise CommandError(f"{self._backend.url}: the export broke off", UNREACHABLE)

    def _json(self, target: str, query: Filters, missing: bool = False) -> Any:
        """The JSON at a path below `/dragoman/api/`; None for 404 if it may be missing."""
        body = b"".join(self._pieces(target, query, missing))
        try:
            return json.loads(body) if body else None
        except ValueError:
            raise CommandError(f"{self._backend.url} is no Dragoman: its answer is not JSON", UNREACHABLE) from None

    def _pieces(self, target: str, query: Filters, missing: bool = False) -> Iterator[bytes]:
        path = f"/dragoman/api/{target}" + (f"?{urlencode(query)}" if query else "")
        try:
            with closing(self._backend.open("GET", path, self._headers, b"")) as exchange:
                head = exchange.wait_head(None)
                assert isinstance(head, ResponseHead), "without a deadline and a client there is nothing else"
                if head.status == 404 and missing:
                    return
                if head.status != 200:
                    body = exchange.read_all(_MOST_BYTES)
                    raise self._refused(head.status, body if isinstance(body, bytes) else b"")
                while isinstance(piece := exchange.next_bytes(None), bytes):
                    yield piece
        except ProxyError as error:
            raise CommandError(f"{self._backend.url} does not answer: {error.message}", UNREACHABLE) from None

    def _refused(self, status: int, body: bytes) -> CommandError:
        try:
            said = str(json.loads(body)["error"]["message"])
        except (ValueError, TypeError, KeyError):
            said = f"HTTP {status}"
        hint = "; set INSPECTOR_KEY or API_KEY to the key" if status in (401, 403) else ""
        return CommandError(f"{self._backend.url}: {said}{hint}", UNREACHABLE if status >= 500 else WRONG_USE)
