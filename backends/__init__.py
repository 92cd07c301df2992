"""The network: bytes and statuses to a backend and back. The only room that opens sockets.

    client    a backend to ask, and whether it is there
    exchange  one request and its answer, in time
    request   the request's bytes
    answer    the answer's bytes, read by httptools
    coding    gzip and its like, taken off
    pool      connections, by urllib3
    wait      the one place that waits
    watchers  how to wait on this system, and under gevent
    closing   the bell that ends every wait at a stop

May not know: tools, dialects, events, Flask.
"""

from backends.net.client import Backend
from backends.net.exchange import Timeouts, UpstreamExchange
from backends.net.response import ResponseHead
from backends.net.shutdown import ShutdownSignal
from backends.net.wait import Wait

__all__ = ["Backend", "ResponseHead", "ShutdownSignal", "Timeouts", "UpstreamExchange", "Wait"]
