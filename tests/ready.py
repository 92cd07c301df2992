"""A proxy that has a worker: gunicorn listens before it has one, and on a busy machine an SDK waits less than that."""

from __future__ import annotations

from tests.servers import STARTING, Client, Process


def ready(proxy: Process) -> Process:
    """The same proxy, once it answers."""
    with Client(proxy.port, "/health", None, (), "GET", patience=STARTING) as client:
        assert client.status == 200, client.body
    return proxy
