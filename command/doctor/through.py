"""The proxy, in this process and in front of the server that is examined."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app import create_app
from config import Config
from serving import Server as ProxyServer
from serving import listen

HOST = "127.0.0.1"
_ENDS_WITHIN = 5.0
"""Seconds that a thread may take to end."""


@contextmanager
def proxy(config: Config) -> Iterator[str]:
    """The base URL of a proxy with these settings: for this machine only, without keys, records or a state file."""
    quiet = replace(
        config,
        proxy_host=HOST,
        proxy_port=0,
        proxy_api_keys=(),
        inspector=False,
        record="off",
        state_file=None,
        convert=True,
        heal="repair" if config.heal == "retry" else config.heal,
    )
    logging.getLogger("dragoman").addHandler(logging.NullHandler())
    server = ProxyServer(listen(quiet), create_app(quiet))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(_ENDS_WITHIN)
        server.server_close()
