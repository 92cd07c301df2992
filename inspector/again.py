"""`POST /dragoman/api/records/<id>/replay`: a recorded request is sent again, as the viewer's own."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, g, jsonify

from errors import NotFound
from inspector.access import must_change
from inspector.bounded import Bounded
from inspector.filters import plain
from inspector.stored import asked_of, found_record
from records.export import NoText, headers_of, request_of
from records.recorder import Recorder
from web.again import play_again
from web.client_request import current_request

MOST_AT_ONCE = 4
_UNTIL_STORED = 3.0
"""Seconds to wait until the new record can be looked at."""


def add_again(app: Flask, room: Blueprint, recorder: Recorder) -> None:
    """The route. Only who may change something may use it."""
    at_once = Bounded(MOST_AT_ONCE, f"{MOST_AT_ONCE} requests are played again at the moment.")

    @room.post("/api/records/<name>/replay")
    def replay(name: str) -> Response:
        must_change()
        record = found_record(recorder.store, plain(name), g.viewer.key_name)
        try:
            texts = asked_of(lambda: recorder.store.texts(record.id))
            body = request_of(texts)
        except NoText as error:
            raise NotFound(str(error)) from None
        with at_once:
            new, status = play_again(app, current_request(), record.path, body, headers_of(texts))
        if new is not None:
            _wait_for(recorder, new)
        return jsonify({"id": new, "status": status})


def _wait_for(recorder: Recorder, name: str) -> None:
    until = time.monotonic() + _UNTIL_STORED
    while time.monotonic() < until and asked_of(lambda: recorder.store.get(name, None)) is None:
        time.sleep(0.05)
