"""`gunicorn -c gunicorn.conf.py app:app`: the same configuration as `python app.py`, for a service.

One process with many threads: a stream occupies a thread, most of the time asleep, so threads bound the streams.
"""

from typing import Any

import gunicorn.util

from app import load_config
from serving import allow_many_connections, refusal, ring_in_time

_config = load_config()
_host = f"[{_config.proxy_host}]" if ":" in _config.proxy_host else _config.proxy_host

allow_many_connections()

bind = f"{_host}:{_config.proxy_port}"
worker_class = "gthread"
workers = 1
# For 1,000 streams, and room for the short requests beside them. Each costs some 77 kB (docs/RELIABILITY.md).
threads = 1200
worker_connections = 2048
backlog = 2048
keepalive = 75
timeout = 0  # a stream may last as long as it likes; gthread watches its own main loop only
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
    """Streams that a stop or a reload would cut off are told of it first."""
    closing = getattr(worker.wsgi, "extensions", {}).get("closing")
    if closing is not None:  # else somebody has wrapped the application in another
        ring_in_time(closing, worker.cfg.graceful_timeout)
