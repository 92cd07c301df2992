"""`gunicorn -c gunicorn.conf.py app:app`: the same configuration as `python app.py`, for a service.

One process, and gevent in it: a stream is a greenlet, most of the time asleep. docs/SPEED.md measures it beside threads
(`--worker-class gthread`): both cost about the same per chunk while there are few streams. At a thousand of them the
threads get in each other's way, some streams are not served for seconds, and each takes half as much memory again.
One worker keeps what was learnt of the models in one place; more of them (`--workers 4`) use more processors.

Only light modules may be imported here, because gevent replaces Python's sockets in the worker and not before.
"""

from typing import Any

import gunicorn.util

from serving import allow_many_connections, announce_worker, load_config, refusal, ring_in_time

_config = load_config()
_host = f"[{_config.proxy_host}]" if ":" in _config.proxy_host else _config.proxy_host

allow_many_connections()

bind = f"{_host}:{_config.proxy_port}"
worker_class = "gevent"
workers = 1
threads = 1200  # with gthread each stream takes one; gevent needs none
worker_connections = 4096  # streams and idle connections; two descriptors for each stream
backlog = 2048
keepalive = 75  # seconds; clients that ask again within a minute keep their connection
timeout = 0  # no answer of ours is ever long enough to be killed for it
graceful_timeout = 600  # what open streams get at a stop or a reload
limit_request_line = 8190  # gunicorn's highest; its other choice, 0, is no limit at all
limit_request_fields = 100
limit_request_field_size = 65536  # long keys are the backend's to judge, as with `python app.py`
loglevel = "error"  # its warnings quote requests, keys and queries included
accesslog = None


def _refuse(client: Any, status: int, _reason: str, message: str) -> None:
    gunicorn.util.write_nonblock(client, refusal(status, message))


# What gunicorn refuses before the application sees it, it tells in HTML. Our clients read JSON.
gunicorn.util.write_error = _refuse


def post_worker_init(worker: Any) -> None:
    """Streams that a stop or a reload would cut off are told of it first. The first worker says where it serves."""
    announce_worker(worker, _config)
    closing = getattr(worker.wsgi, "extensions", {}).get("closing")
    if closing is not None:  # else somebody has wrapped the application in another
        ring_in_time(closing, worker.cfg.graceful_timeout)
