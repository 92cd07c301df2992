"""What tests of the running proxy share: one scripted backend and one proxy before it for each file."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers import Proxy, ScriptedBackend, running_proxy


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: two more than there are processors, as many tests wait for a server."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as running:
        yield running
