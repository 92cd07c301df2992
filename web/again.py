"""A request that the application sends to itself: a recorded one, played again. No client can make one look like it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Flask, Request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from streaming import ExchangeRecord, exchange_ended

_MARK = "dragoman.again"
"""In the environ of such a request. What a client sends stands under HTTP_* there."""
_FROM_THE_VIEWER = ("REMOTE_ADDR", "gunicorn.socket", "werkzeug.socket")
"""The socket is watched, so that a viewer who leaves ends the exchange."""


def is_again(environ: Mapping[str, Any]) -> bool:
    """Whether the application asks itself. Who may make it do so has been checked."""
    return environ.get(_MARK) is _MARK


def play_again(
    app: Flask, asked: Request, path: str, body: bytes, headers: Sequence[tuple[str, str]]
) -> tuple[str | None, int]:
    """Send a request as the viewer's own, and read its answer to the end, which is not kept here.

    `headers` are those of the recorded request that are sent again. Returns (the id of the new record, the status);
    None if there is no record of it.
    """
    name = uuid.uuid4().hex
    own = [("X-Request-Id", name), ("Content-Type", "application/json"), ("Host", asked.host)]
    builder = EnvironBuilder(path=path, method="POST" if body else "GET", data=body or None, headers=[*headers, *own])
    environ = builder.get_environ()
    builder.close()
    environ |= {key: asked.environ[key] for key in _FROM_THE_VIEWER if key in asked.environ}
    environ[_MARK] = _MARK
    ids: list[str] = []

    def ended(record: ExchangeRecord, **_: object) -> None:
        if record.request_id == name:
            ids.append(record.id)

    with exchange_ended.connected_to(ended):
        pieces, status, _ = run_wsgi_app(app, environ)
        _read(pieces)
    return (ids[-1] or None if ids else None), int(status.split()[0])


def _read(pieces: Iterable[bytes]) -> None:
    try:
        for _ in pieces:
            pass
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
