"""The routes under `/dragoman/`. Who may use them has been checked before (inspector/access.py)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify

from backends.learned import Learned
from inspector.access import must_change
from web.client_request import current_request


def add_inspector(app: Flask, learned: Learned) -> None:
    """The JSON of the inspector."""
    room = Blueprint("inspector", __name__, url_prefix="/dragoman")

    @room.get("/api/backends")
    def backends() -> Response:
        return jsonify({"backends": [dict(entry) for entry in learned.entries()]})

    @room.delete("/api/backends")
    def forget() -> Response:
        must_change()
        return jsonify({"forgotten": learned.forget(current_request().args.get("model"))})

    app.register_blueprint(room)
