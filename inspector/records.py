"""The routes for records. A key of a client sees its own; who has all of them is decided in inspector/access.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

from flask import Blueprint, Response, g

from errors import NotFound
from inspector.filters import flag, plain, query_of
from inspector.stored import Found, asked_of, found_record
from records.export import NoText, corpus_case, curl, lines
from records.query import MOST
from records.record import StoredRecord
from records.recorder import Recorder
from records.threads import away_from_streams
from records.views import listed, shown
from web.client_request import current_request


def add_record_routes(room: Blueprint, recorder: Recorder) -> None:
    """The list, one record, what can be copied of it, the export, and what each key used."""
    store = recorder.store

    def told(value: object, content_type: str = "application/json") -> Response:
        """Text or JSON without keys: where a model wrote one in pieces, only the joined text shows it."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Response(recorder.redact(text.encode(errors="replace")), content_type=content_type)

    @room.get("/api/records")
    def records() -> Response:
        query = query_of(current_request().args, g.viewer.key_name)
        found = asked_of(lambda: store.find(query))
        older = found[-1].id if len(found) == query.limit else None
        return told({"records": [listed(each) for each in found], "next": older, "lost": dict(recorder.lost)})

    @room.get("/api/records/<name>")
    def record(name: str) -> Response:
        found = _found(recorder, name)
        return told(asked_of(lambda: shown(found, store.texts(found.id))))

    @room.get("/api/records/<name>/curl")
    def as_curl(name: str) -> Response:
        found = _found(recorder, name)
        base = current_request().host_url.rstrip("/")
        command = _with_text(lambda: curl(found, store.texts(found.id), base))
        return told(command + "\n", "text/plain; charset=utf-8")

    @room.get("/api/records/<name>/corpus")
    def as_case(name: str) -> Response:
        found = _found(recorder, name)
        return told(_with_text(lambda: corpus_case(found, store.texts(found.id))))

    @room.get("/api/records/export")
    def export() -> Response:
        args = current_request().args
        query = replace(query_of(args, g.viewer.key_name), limit=MOST)
        pieces = lines(store, query, flag(args, "texts"))
        first = asked_of(lambda: next(pieces, b""))  # so that a store that is gone is an error, not half a file

        def rest() -> object:
            yield recorder.redact(first)
            while line := away_from_streams(lambda: next(pieces, b"")):
                yield recorder.redact(line)

        answer = Response(rest(), content_type="application/x-ndjson")  # type: ignore[arg-type]
        answer.headers["Content-Disposition"] = 'attachment; filename="records.jsonl"'
        return answer

    @room.get("/api/overview")
    def overview() -> Response:
        query = query_of(current_request().args, g.viewer.key_name)
        return told(asdict(asked_of(lambda: store.overview(query))))

    @room.get("/api/usage")
    def usage() -> Response:
        query = query_of(current_request().args, g.viewer.key_name)
        found = asked_of(lambda: store.usage(query))
        names = ("key_name", "requests", "failed", "calls", "tok_in", "tok_out")
        return told({"usage": [{name: getattr(each, name) for name in names} for each in found]})


def _found(recorder: Recorder, name: str) -> StoredRecord:
    return found_record(recorder.store, plain(name), g.viewer.key_name)


def _with_text(ask: Callable[[], Found]) -> Found:
    try:
        return asked_of(ask)
    except NoText as error:
        raise NotFound(str(error)) from None
