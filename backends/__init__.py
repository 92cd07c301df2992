"""The adapters to backends: the network, and the backend's API. This module is the facade of the network.

    net/client     a backend, and whether it is reachable
    net/exchange   one request and its response
    net/request    serialization of the request
    net/response   incremental parsing of the response, with httptools
    net/coding     decoding of Content-Encoding
    net/pool       connections, with urllib3
    net/wait       the one place that waits
    net/watchers   watching descriptors: poll(), Windows, gevent
    net/shutdown   the signal that ends every wait at a shutdown

May not know: tools, dialects, Flask.
"""

from backends.net.client import Backend
from backends.net.coding import CODINGS, Decoder
from backends.net.exchange import Timeouts, UpstreamExchange
from backends.net.response import ResponseHead
from backends.net.shutdown import ShutdownSignal
from backends.net.wait import ClientSocket, Wait

__all__ = [
    "CODINGS",
    "Backend",
    "ClientSocket",
    "Decoder",
    "ResponseHead",
    "ShutdownSignal",
    "Timeouts",
    "UpstreamExchange",
    "Wait",
]
