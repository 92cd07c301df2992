"""A backend and a proxy for each file; the requests of one test are forgotten in the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.answers import OK
from tests.servers import (
    Proxy,
    ScriptedBackend,
    proxy_process,
    running_proxy,
)


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedBackend, Proxy]]:
    """A backend with the proxy before it, for what the way of serving could change."""
    with ScriptedBackend(OK) as backend:
        if request.param == "app":
            with running_proxy(backend) as proxy:
                yield backend, proxy
        else:
            with proxy_process("gunicorn", backend) as process:
                yield backend, process


@pytest.fixture(autouse=True)
def _no_requests_yet(request: pytest.FixtureRequest) -> None:
    if "backend" in request.fixturenames:
        backend: ScriptedBackend = request.getfixturevalue("backend")
        backend.forget()
        backend.answer = OK
