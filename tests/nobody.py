"""A backend that is not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import HOST


@contextmanager
def nobody() -> Iterator[str]:
    """The base URL of a port that refuses connections. It is taken: the next backend of a test gets another."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield f"http://{HOST}:{taken.getsockname()[1]}"
