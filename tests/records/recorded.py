"""An application in this process whose backend says what a test wants, and what its records say of it."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from backends import Backend, ResponseHead, Wait
from config import Config
from tests.answers import Json
from tests.servers import PATIENCE

STREAM = "text/event-stream"


@dataclasses.dataclass
class Said:
    """What the backend answers to one request."""

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = STREAM
    error: Exception | None = None
    """Raised behind the pieces."""


class _Exchange:
    decoded = False

    def __init__(self, said: Said) -> None:
        self._said = said
        self._left = iter(said.pieces)

    def wait_head(self, deadline: float | None) -> ResponseHead:
        return ResponseHead(self._said.status, "OK", (("Content-Type", self._said.content_type),))

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        piece = next(self._left, None)
        if piece is not None:
            return piece
        if self._said.error is not None:
            raise self._said.error
        return Wait.END

    def close(self) -> None:
        pass


class Recorded:
    """`ask` it something, then look at its records."""

    def __init__(self, patch: pytest.MonkeyPatch, **settings: object) -> None:
        self.answers: list[Said] = []
        self.sent: list[bytes] = []
        patch.setattr(Backend, "open", self._open)
        environ = {"BACKEND_URL": "http://127.0.0.1:9", "CHAT_TEMPLATES": "off", "RECORD": "full", **settings}
        self.app: Flask = create_app(Config.from_environment({name: str(value) for name, value in environ.items()}))
        self.client: FlaskClient = self.app.test_client()

    def _open(self, method: str, target: str, headers: object, body: bytes, client_fd: int | None = None) -> _Exchange:
        self.sent.append(body)
        return _Exchange(self.answers.pop(0))

    def ask(
        self, body: object, *answers: Said, key: str = "", path: str = "/v1/chat/completions", **more: str
    ) -> bytes:
        """The body that the client gets. `more` are headers."""
        self.answers[:] = answers
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.client.post(path, data=data, content_type="application/json", headers={**bearer(key), **more})
        return response.get_data()

    def get(self, path: str, key: str = "", status: int = 200) -> Any:
        response = self.client.get(f"/dragoman/api/{path}", headers=bearer(key))
        assert response.status_code == status, response.get_data()
        return response.get_json() if response.is_json else response.get_data(as_text=True)

    def listed(self, filters: str = "", key: str = "") -> list[Json]:
        found: list[Json] = self.get(f"records?{filters}", key)["records"]
        return found

    def last(self, key: str = "") -> Json:
        """The newest record with all that is known of it."""
        found: Json = self.get(f"records/{self.listed('limit=1', key)[0]['id']}", key)
        return found

    def settled(self, count: int) -> list[Json]:
        """The records, once so many have ended and been stored."""
        found: list[Json] = until(lambda: each if len(each := self.listed("state=ended&limit=500")) >= count else None)
        return found

    def close(self) -> None:
        recorder = self.app.extensions["records"]
        if recorder is not None:
            recorder.close()


def until(ask: Callable[[], Any]) -> Any:
    """What `ask` returns, once that is something."""
    end = time.monotonic() + PATIENCE
    while True:
        if (found := ask()) is not None:
            return found
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Recorded]]:
    """Makes a `Recorded` of some settings."""
    made: list[Recorded] = []

    def make(**settings: object) -> Recorded:
        made.append(Recorded(monkeypatch, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()
