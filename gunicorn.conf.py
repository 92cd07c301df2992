"""gunicorn's configuration: `gunicorn -c gunicorn.conf.py app:app` reads the same settings as `python app.py`.

There is one worker process, with gevent: each stream is a greenlet, which sleeps most of the time. docs/SPEED.md
compares gevent with threads (`--worker-class gthread`). With few streams both cost about the same per chunk. With a
thousand streams, threads take half as much memory again, and some streams wait for seconds. A single worker keeps all
that was learned about the models. More workers (`--workers 4`) use more processors.

Nothing imported here may open sockets, because gevent patches them only later, in the worker.
"""

import os
import signal
from typing import Any

from serving import allow_many_connections, announce_worker, calm_collector, load_config, set_before_exit
from serving.gthread import outlive_exhaustion, quit_between_connections
from serving.made_once import make_dates_once, make_settings_once
from serving.private_records import forget_records, share_records
from serving.service import (
    install,
    logger_of,
    post_request,
    pre_request,
    tell_before_quick_stop,
    tell_in_one_line,
)
from serving.silence import end_silence_at_stop
from telemetry.workers import forget_metrics, share_metrics, worker_ended

__all__ = ["post_request", "pre_request"]  # gunicorn calls them by their names

_config = load_config()
_host = f"[{_config.proxy_host}]" if ":" in _config.proxy_host else _config.proxy_host

allow_many_connections()

bind = f"{_host}:{_config.proxy_port}"
worker_class = "gevent"
workers = 1
threads = 1200  # used by gthread only, where each stream takes one
worker_connections = 4096  # streams and idle connections; a stream takes two descriptors
backlog = 2048
keepalive = 75  # seconds; a client that sends its next request within a minute reuses its connection
timeout = 0  # seconds; 0 is none: no worker is killed because of a long response
graceful_timeout = 600  # seconds that open streams get at a shutdown or a reload
limit_request_line = 8190  # gunicorn's maximum; 0 would be no limit
limit_request_fields = 100
limit_request_field_size = 65536  # as much as a whole head: the backend decides about long keys
loglevel = "error"  # gunicorn's warnings quote requests, with their keys and queries
logger_class = logger_of(_config)
accesslog = None
forwarder_headers = ""  # a header of a client names no path: SCRIPT_NAME would be a 500


install(_config.client_timeout)
make_dates_once()


def on_starting(server: Any) -> None:
    """Several workers keep their records in one file and count in one folder, so that each can show all."""
    share_records(_config, server.cfg.workers)
    share_metrics()


def on_exit(_server: Any) -> None:
    """Both are removed with the service."""
    forget_records()
    forget_metrics()


def child_exit(_server: Any, worker: Any) -> None:
    """What a worker had under way is under way no more."""
    worker_ended(worker.pid)


def post_fork(_server: Any, _worker: Any) -> None:
    """A stop ends a worker that is still starting: the master's handlers, which it has inherited, do nothing in it."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(each, lambda number, frame: os._exit(0))  # nothing is open yet


def post_worker_init(worker: Any) -> None:
    """Log the start line, and arrange that streams receive an error before a shutdown or a reload cuts them off."""
    announce_worker(worker, _config)
    outlive_exhaustion(worker)
    quit_between_connections(worker)
    end_silence_at_stop(worker)
    tell_in_one_line()
    make_settings_once(worker.cfg)
    calm_collector()
    shutdown = _shutdown_of(worker)
    if shutdown is not None:
        set_before_exit(shutdown, worker.cfg.graceful_timeout)


def worker_int(worker: Any) -> None:
    """A quick stop, by SIGINT or SIGQUIT: streams receive an error before they are cut off."""
    shutdown = _shutdown_of(worker)
    if shutdown is not None:
        tell_before_quick_stop(shutdown)


def _shutdown_of(worker: Any) -> Any:
    """None while the application is loaded, or if another WSGI application is wrapped around ours."""
    return getattr(getattr(worker, "wsgi", None), "extensions", {}).get("shutdown")
