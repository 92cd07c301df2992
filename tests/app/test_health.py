"""What /health tells of the backend, and how long it takes at most."""

from __future__ import annotations

import threading

from tests.cases import in_one_test
from tests.nobody import nobody
from tests.servers import (
    Answer,
    Proxy,
    ScriptedBackend,
    running_proxy,
)
from version import VERSION


@in_one_test("target", ["/health", "/health/", "/health?x=1"])
def test_health_tells_of_a_backend_that_is_there(backend: ScriptedBackend, proxy: Proxy, target: str) -> None:
    with proxy.get(target) as client:
        assert client.status == 200
        told = client.json()
    assert told["version"] == VERSION
    assert told["backend"]["reachable"] is True
    assert told["backend"]["url"] == backend.url
    with proxy.get(target, method="HEAD") as client:
        assert (client.status, client.rest()) == (200, b"")


def test_health_tells_of_a_backend_that_is_not_there() -> None:
    with nobody() as url, running_proxy(url) as proxy, proxy.get("/health") as client:
        assert client.status == 200
        told = client.json()
    assert told["version"] == VERSION
    assert told["backend"]["reachable"] is False
    assert told["backend"]["detail"]


def test_health_does_not_wait_for_a_backend_that_hangs(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(before=[threading.Event()])
    with proxy.get("/health") as client:
        assert client.json()["backend"]["reachable"] is False
        assert client.arrivals[-1][0] - client.sent_at < 4
