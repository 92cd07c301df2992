"""A backend and a proxy for each file; the requests of one test are forgotten in the next."""

from __future__ import annotations

import pytest

from tests.servers import ScriptedBackend


@pytest.fixture(autouse=True)
def _no_requests_yet(request: pytest.FixtureRequest) -> None:
    if "backend" in request.fixturenames:
        backend: ScriptedBackend = request.getfixturevalue("backend")
        backend.forget()
