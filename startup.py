"""The start line: the base URL for clients, the backend, and whether the backend answers.

A thread asks the backend, so serving begins at once. `backends` is imported only in that thread, because
gunicorn.conf.py imports this file before gevent patches the sockets.
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

from config import Config
from errors import ProxyError
from version import VERSION

log = logging.getLogger("dragoman")

PROBE_HEADERS = (("User-Agent", f"dragoman/{VERSION} (start)"),)
"""Headers by which a backend can recognize the requests of a start."""

KNOWN_SERVERS = (("LM Studio", 1234), ("Ollama", 11434), ("llama.cpp", 8080), ("llama.cpp", 9931), ("vLLM", 8000))
"""Servers that people run on their own machine, with their default ports."""

_BACKEND_TIMEOUT = 2.0
_KNOWN_SERVER_TIMEOUT = 1.0
"""Seconds of each phase: connect, first byte, between bytes."""
_MAX_MODEL_LIST = 4 << 20
"""Bytes."""
_ALL_ADDRESSES = ("0.0.0.0", "::")


def base_url(host: str, port: int, scheme: str = "http") -> str:
    """The base URL at which clients on this machine reach a proxy that listens on `host`."""
    name = "localhost" if host in _ALL_ADDRESSES else f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}/v1"


def announce(config: Config, clients_url: str) -> None:
    """Log the start line. Returns at once; a thread asks the backend and logs."""
    if log.isEnabledFor(logging.WARNING):
        threading.Thread(target=_announce, args=(config, clients_url), daemon=True, name="start").start()


def _announce(config: Config, clients_url: str) -> None:
    reachable, line = start_line(config, clients_url)
    log.log(logging.INFO if reachable else logging.WARNING, "%s", line)


def start_line(config: Config, clients_url: str) -> tuple[bool, str]:
    """Whether the backend answers, and the start line. If it does not, the known servers of this machine are asked."""
    from backends import Backend, Timeouts

    seconds = _BACKEND_TIMEOUT
    with closing(Backend(config.backend_url, Timeouts(seconds, seconds, seconds), pool_size=1)) as backend:
        reachable, detail = backend.probe(timeout=seconds, headers=PROBE_HEADERS)
    line = f"Base URL for clients: {clients_url}. The backend {config.backend_url} "
    if reachable:
        return True, f"{line}answers ({detail})."
    return False, f"{line}does not answer ({detail.rpartition(': ')[2]}).{_advice(config)}"


def _advice(config: Config) -> str:
    """A sentence about the first known server that answers on this machine; empty if none does."""
    tried = {config.proxy_port, _port_on_this_machine(config.backend_url)}
    for name, port in KNOWN_SERVERS:
        url = f"http://localhost:{port}"
        if port not in tried and _lists_models(url):
            return f" A server answers on port {port}, the default of {name}: to use it, set BACKEND_URL={url}."
    return ""


def _port_on_this_machine(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port if parts.hostname in ("localhost", "127.0.0.1", "::1") else None


def _lists_models(url: str) -> bool:
    """Whether a server at `url` answers with a model list of the OpenAI API; many other programs use port 8080."""
    from backends import Backend, ResponseHead, Timeouts

    seconds = _KNOWN_SERVER_TIMEOUT
    with (
        suppress(ProxyError, ValueError, RecursionError),
        closing(Backend(url, Timeouts(seconds, seconds, seconds), pool_size=1)) as backend,
        closing(backend.open("GET", "/v1/models", PROBE_HEADERS, b"")) as exchange,
    ):
        head = exchange.wait_head(None)
        body = exchange.read_all(_MAX_MODEL_LIST)
        if isinstance(head, ResponseHead) and head.status == 200 and isinstance(body, bytes):
            found = json.loads(body)
            return isinstance(found, dict) and "data" in found
    return False
