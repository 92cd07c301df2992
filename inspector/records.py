"""The routes for records. A key of a client sees its own; who has all of them is decided in inspector/access.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from flask import Blueprint, Response, g

from errors import NotFound, RecordsUnavailable, RequestError
from records.export import NoText, corpus_case, curl, lines
from records.query import MOST, PAGE, SLOW, Query
from records.record import StoredRecord
from records.recorder import Recorder
from records.stores import StoreError
from records.threads import away_from_streams
from records.views import listed, shown
from web.client_request import current_request

Found = TypeVar("Found")

_TEXTS = ("model", "row", "outcome", "code", "key", "face", "state", "before")
_LONGEST = 200
"""Characters of a filter."""


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
        found = _asked(lambda: store.find(query))
        older = found[-1].id if len(found) == query.limit else None
        return told({"records": [listed(each) for each in found], "next": older, "lost": dict(recorder.lost)})

    @room.get("/api/records/<name>")
    def record(name: str) -> Response:
        found = _found(recorder, name)
        return told(_asked(lambda: shown(found, store.texts(found.id))))

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
        pieces = lines(store, query, _flag(args, "texts"))
        first = _asked(lambda: next(pieces, b""))  # so that a store that is gone is an error, not half a file

        def rest() -> object:
            yield recorder.redact(first)
            while line := away_from_streams(lambda: next(pieces, b"")):
                yield recorder.redact(line)

        answer = Response(rest(), content_type="application/x-ndjson")  # type: ignore[arg-type]
        answer.headers["Content-Disposition"] = 'attachment; filename="records.jsonl"'
        return answer

    @room.get("/api/usage")
    def usage() -> Response:
        query = query_of(current_request().args, g.viewer.key_name)
        found = _asked(lambda: store.usage(query))
        names = ("key_name", "requests", "failed", "calls", "tok_in", "tok_out")
        return told({"usage": [{name: getattr(each, name) for name in names} for each in found]})


def query_of(args: Mapping[str, str], own: str | None) -> Query:
    """The filters of a query string. Raises RequestError for one that cannot be understood."""
    texts = {name: _plain(args.get(name, "")) for name in _TEXTS}
    slow = args.get("slow")
    return Query(
        own=own,
        **texts,
        request_id=_plain(args.get("request", "")),
        status=int(_number(args, "status")) if "status" in args else None,
        failed=_flag(args, "failed"),
        slow=None if slow in (None, "", "0", "false") else SLOW if slow == "true" else _number(args, "slow"),
        since_us=int(_number(args, "since") * 1e6) if "since" in args else None,
        until_us=int(_number(args, "until") * 1e6) if "until" in args else None,
        limit=max(1, min(int(_number(args, "limit")), MOST)) if "limit" in args else PAGE,
    )


def _plain(text: str) -> str:
    """A filter, without what no record holds and not every database takes."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST])


def _flag(args: Mapping[str, str], name: str) -> bool:
    text = args.get(name, "").lower()
    if text not in ("", "0", "1", "true", "false"):
        raise RequestError(f"{name!r} must be true or false.", param=name)
    return text in ("1", "true")


def _number(args: Mapping[str, str], name: str) -> float:
    try:
        number = float(args[name])
        if 0 <= number < 1e11:  # seconds since 1970, and less than no number
            return number
    except ValueError:
        pass
    raise RequestError(f"{name!r} must be a number, 0 or more.", param=name)


def _found(recorder: Recorder, name: str) -> StoredRecord:
    own = g.viewer.key_name
    found = _asked(lambda: recorder.store.get(_plain(name), own))
    if found is None:
        raise NotFound("There is no such record, or it is gone.")
    return found


def _asked(ask: Callable[[], Found]) -> Found:
    """What the store says. Raises RecordsUnavailable."""
    try:
        return away_from_streams(ask)
    except StoreError as error:
        raise RecordsUnavailable(f"The store of records cannot be used now: {error}") from None


def _with_text(ask: Callable[[], Found]) -> Found:
    try:
        return _asked(ask)
    except NoText as error:
        raise NotFound(str(error)) from None
