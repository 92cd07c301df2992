"""What tests of the running proxy share: one scripted backend and one proxy before it for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Proxy, ScriptedBackend, running_proxy


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as running:
        yield running
