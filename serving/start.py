"""What both ways of serving do at their start."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from typing import Any

from config import Config
from converters.syntaxes import SYNTAXES
from errors import ConfigError
from startup import announce, base_url
from templates.sources import sources_of

_DESCRIPTORS = 16384
"""File descriptors to ask the system for."""


def load_config() -> Config:
    """The configuration from the environment and `.env`. A wrong value ends the process with status 1 and one line."""
    try:
        config = Config.from_environment(syntax_names={syntax.name for syntax in SYNTAXES})
        sources_of(config.chat_templates or ())  # here, so that a file that is not there ends the start, not a worker
        return config
    except ConfigError as error:
        sys.exit(str(error))


def announce_worker(worker: Any, config: Config) -> None:
    """Log the start line under gunicorn: once, in its first worker, because there gevent has patched the sockets."""
    if worker.age != 1:  # a further worker, or one that replaces the first
        return
    address = worker.sockets[0].getsockname()
    if isinstance(address, tuple):
        announce(config, base_url(address[0], address[1], "https" if worker.cfg.is_ssl else "http"))
    else:
        announce(config, f"unix:{address}")


def allow_many_connections() -> None:
    """Raise the limit of open file descriptors. A stream takes two, and many systems start with 1,024."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


_COLLECTIONS = (50_000, 10, 10)
"""Objects by which there are more before the garbage collector looks at the new ones, and such looks after which it
looks at older ones.

By Python's own numbers, (700, 10, 10), it looks some times a second at all that a thousand streams have made, which
takes 10 to 100 ms in which nobody is served: streams that end count against those that begin, so what is new grows with
them. Nothing of ours is left to find (tests/app/test_garbage.py). Werkzeug leaves eight objects a request, so that a
look comes after some six thousand requests, and frees a few megabytes.
"""


def calm_collector() -> None:
    """Take what the start has made out of what the garbage collector goes through, and let it look more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
