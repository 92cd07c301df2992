"""The one line of a start: the base URL for clients, the backend, and whether it answers.

It is looked up beside the serving and never in its way. `backends` is imported only then: gunicorn.conf.py imports this
file before gevent replaces Python's sockets.
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
"""What a backend can tell the requests of a start by."""

KNOWN_SERVERS = (("LM Studio", 1234), ("Ollama", 11434), ("llama.cpp", 8080), ("llama.cpp", 9931), ("vLLM", 8000))
"""Servers that people run on their own machine, and the port that each listens on if it is not told otherwise."""

_BACKEND_SECONDS = 2.0
_KNOWN_SERVER_SECONDS = 1.0
_LONGEST_LIST = 4 << 20
_EVERY_ADDRESS = ("0.0.0.0", "::")


def base_url(host: str, port: int, scheme: str = "http") -> str:
    """The base URL to give to clients of a proxy that listens on `host`, as it is reached from this machine."""
    reached = "localhost" if host in _EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    return f"{scheme}://{reached}:{port}/v1"


def announce(config: Config, clients_url: str) -> None:
    """Log the line as soon as it is known. Returns at once: a thread of its own asks, and serving goes on."""
    if log.isEnabledFor(logging.WARNING):
        threading.Thread(target=_announce, args=(config, clients_url), daemon=True, name="start").start()


def _announce(config: Config, clients_url: str) -> None:
    reachable, line = start_line(config, clients_url)
    log.log(logging.INFO if reachable else logging.WARNING, "%s", line)


def start_line(config: Config, clients_url: str) -> tuple[bool, str]:
    """Whether the backend answers, and the line. If it does not, known servers of this machine are asked, too."""
    from backends import Backend, Timeouts

    seconds = _BACKEND_SECONDS
    with closing(Backend(config.backend_url, Timeouts(seconds, seconds, seconds), pool_size=1)) as backend:
        reachable, detail = backend.probe(timeout=seconds, headers=PROBE_HEADERS)
    line = f"Base URL for clients: {clients_url}. The backend {config.backend_url} "
    if reachable:
        return True, f"{line}answers ({detail})."
    return False, f"{line}does not answer ({detail.rpartition(': ')[2]}).{_advice(config)}"


def _advice(config: Config) -> str:
    """One sentence on the first known server that answers on this machine; empty if there is none."""
    tried = {config.proxy_port, _port_on_this_machine(config.backend_url)}
    for name, port in KNOWN_SERVERS:
        url = f"http://localhost:{port}"
        if port not in tried and _lists_models(url):
            return f" A server answers on port {port}, the default of {name}: to use it, set BACKEND_URL={url}."
    return ""


def _port_on_this_machine(url: str) -> int | None:
    place = urlsplit(url)
    return place.port if place.hostname in ("localhost", "127.0.0.1", "::1") else None


def _lists_models(url: str) -> bool:
    """Whether a server there speaks the OpenAI API: many programs listen on port 8080."""
    from backends import Backend, ResponseHead, Timeouts

    seconds = _KNOWN_SERVER_SECONDS
    with (
        suppress(ProxyError, ValueError, RecursionError),
        closing(Backend(url, Timeouts(seconds, seconds, seconds), pool_size=1)) as backend,
        closing(backend.open("GET", "/v1/models", PROBE_HEADERS, b"")) as exchange,
    ):
        head = exchange.wait_head(None)
        body = exchange.read_all(_LONGEST_LIST)
        if isinstance(head, ResponseHead) and head.status == 200 and isinstance(body, bytes):
            found = json.loads(body)
            return isinstance(found, dict) and "data" in found
    return False
