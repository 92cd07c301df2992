"""The second request of a path finds the same as the first, and leaves nothing to the garbage collector."""

from __future__ import annotations

import gc

import pytest
from flask import Flask

from app import create_app
from config import Config
from tests.cases import in_one_test


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Config.from_environment({"BACKEND_URL": "http://127.0.0.1:9", "CHAT_TEMPLATES": "off"}))


ASKED: dict[str, tuple[str, str, dict[str, str]]] = {
    "a path": ("GET", "/openapi.json", {}),
    "with a slash at its end": ("GET", "/openapi.json/", {}),
    "with slashes at its start": ("GET", "//openapi.json", {}),
    "another method": ("DELETE", "/openapi.json", {}),
    "HEAD": ("HEAD", "/openapi.json", {}),
    "OPTIONS": ("OPTIONS", "/v1/chat/completions", {}),
    "no such path": ("GET", "/nothing", {}),
    "a method of nobody": ("BREW", "/v1/chat/completions", {}),
    "a WebSocket": ("GET", "/openapi.json", {"Connection": "Upgrade", "Upgrade": "websocket"}),
    "with a variable": ("GET", "/dragoman/api/records/none", {}),
}


@in_one_test("name", ASKED)
def test_what_was_asked_before_is_answered_alike(app: Flask, name: str) -> None:
    method, path, headers = ASKED[name]
    fresh = create_app(Config.from_environment({"BACKEND_URL": "http://127.0.0.1:9", "CHAT_TEMPLATES": "off"}))
    found = [
        (answer.status, answer.data, answer.headers.get("Allow"))
        for each in (fresh, app, app)
        for answer in [each.test_client().open(path, method=method, headers=headers)]
    ]
    assert found[0] == found[1] == found[2]


def test_a_request_leaves_no_cycle(app: Flask) -> None:
    client = app.test_client()

    def ask() -> int:
        """Objects that only the garbage collector finds, of ten requests."""
        gc.collect()
        for _ in range(10):
            client.get("/openapi.json").close()
        return gc.collect()

    ask()
    gc.disable()
    try:
        known = ask()
        app._known.clear()  # type: ignore[attr-defined]
        assert known + 8 <= ask(), "the search leaves some"
    finally:
        gc.enable()
