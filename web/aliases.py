"""The backend's routes that clients also ask for without `/v1`: SDKs whose base URL was set to the bare address."""

from __future__ import annotations

from flask import Flask, Response

from streaming import Relay
from web.client_request import client_request, current_request, flask_response, raw_target

ALIASES = (
    ("/models", "GET"),
    ("/models/<path:_path>", "GET"),
    ("/completions", "POST"),
    ("/embeddings", "POST"),
)
"""Rule and method. Chat and the other translated APIs name their own (`Dialect.routes`)."""


def add_aliases(app: Flask, relay: Relay) -> None:
    """Each alias goes to the backend as the same path under `/v1`."""

    def forward(_path: str = "") -> Response:
        asked = current_request()
        return flask_response(relay.forward(client_request(asked, f"/v1{raw_target(asked)[0]}")))

    for rule, method in ALIASES:
        app.add_url_rule(rule, f"alias {rule}", forward, methods=[method])
