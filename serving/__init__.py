"""The two ways of serving: `python app.py`, which is one process with threads, and gunicorn.

    client         reading from a client's socket within limits, and in turns
    body           `wsgi.input`, the body of a request
    request_body   a whole body, within its limit and decoded
    refusals       answers to requests that do not reach the application
    threaded       the server of `python app.py`
    lobby          its connections that nobody has sent anything on
    threads        its threads
    service        what is ours in gunicorn
    gthread        what is ours in its gthread workers
    made_once      what gunicorn would make anew for each request
    silence        its connections on which nothing is said, at a stop
    stopping       signals
    start, logs    settings, descriptors, the start line, the log

Nothing imported here may open connections: gunicorn.conf.py imports this file before gevent patches the sockets.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from config import Config
from serving.logs import start_logging
from serving.refusals import refusal
from serving.start import allow_many_connections, announce_worker, calm_collector, load_config
from serving.stopping import StopOnSignal, notice_of, set_before_exit
from serving.threaded import Server, listen
from startup import announce, base_url

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "Server",
    "allow_many_connections",
    "announce_worker",
    "calm_collector",
    "listen",
    "load_config",
    "refusal",
    "serve",
    "set_before_exit",
    "start_logging",
]

SWITCH = 0.0005
"""Seconds after which a thread that computes lets another one run. A request waits for that some ten times."""
GRACE = 600.0
"""Seconds that open streams get to end by themselves at a shutdown."""


def serve(app: Flask, config: Config) -> int:
    """Serve until SIGINT or SIGTERM, then let open streams end; a second signal ends at once. The exit status."""
    start_logging(config)
    allow_many_connections()
    stop = StopOnSignal()
    try:
        listener = listen(config)
    except OSError as error:
        problem = f"PROXY_PORT={config.proxy_port}: cannot listen on {config.proxy_host}"
        print(f"{problem}: {error.strerror}", file=sys.stderr)
        return 1
    sys.setswitchinterval(SWITCH)
    server = Server(listener, app)
    stop.control(server)
    announce(config, base_url(config.proxy_host, server.server_port))
    calm_collector()
    server.serve_forever()
    server.server_close()
    app.extensions["shutdown"].begin()
    notice = notice_of(GRACE)
    if not server.idle_within(GRACE - notice):
        app.extensions["shutdown"].set()
        server.idle_within(notice)
    return 0
