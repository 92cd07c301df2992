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

from backends.answer import ResponseHead
from backends.client import Backend
from backends.closing import Closing
from backends.exchange import BackendExchange, Timeouts
from backends.wait import Wait

__all__ = ["Backend", "BackendExchange", "Closing", "ResponseHead", "Timeouts", "Wait"]
