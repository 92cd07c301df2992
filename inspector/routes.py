"""The routes under `/dragoman/`. Who may use them has been checked before (inspector/access.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flask import Blueprint, Flask, Response, jsonify

from config import Config
from inspector.access import must_change
from inspector.again import add_again
from inspector.explain import add_explain
from inspector.feed import add_feed
from inspector.login import add_login
from inspector.pages import add_pages
from inspector.records import add_record_routes
from inspector.sessions import EndedHere, Sessions
from records.recorder import Recorder
from records.sql import SqlStore
from web.client_request import current_request


class Learned(Protocol):
    """What refusals have taught about backends. It holds no client's text."""

    def entries(self) -> Sequence[Mapping[str, object]]:
        """One object of JSON for each model: of which backend, what, and why."""
        ...

    def forget(self, model: str | None = None) -> int:
        """Forget what is known of a model, or of all. Returns how many models that were."""
        ...


def new_sessions(config: Config, recorder: Recorder | None) -> Sessions:
    """The logins of browsers. Where the records are in a database, its workers share who has logged out."""
    store = None if recorder is None else recorder.store
    return Sessions(config, store if isinstance(store, SqlStore) else EndedHere())


def add_inspector(
    app: Flask, config: Config, learned: Learned, sessions: Sessions, recorder: Recorder | None = None
) -> None:
    """The inspector. Without a recorder there is nothing about single requests."""
    room = Blueprint(
        "inspector",
        __name__,
        url_prefix="/dragoman",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    shutdown = app.extensions["shutdown"]

    @room.get("/api/backends")
    def backends() -> Response:
        return jsonify({"backends": [dict(entry) for entry in learned.entries()]})

    @room.delete("/api/backends")
    def forget() -> Response:
        must_change()
        return jsonify({"forgotten": learned.forget(current_request().args.get("model"))})

    add_login(room, config, sessions)
    add_explain(room)
    if recorder is not None:
        add_record_routes(room, recorder)
        add_again(app, room, recorder)
        add_feed(room, recorder, lambda: shutdown.begun)
    add_pages(room, recorder)
    app.register_blueprint(room)
