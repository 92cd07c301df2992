"""One backend: where it is, how to send it a request, whether it is reachable.

May not know: what the bytes mean, tools, dialects, Flask.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from backends.net.exchange import Timeouts, UpstreamExchange
from backends.net.pool import Pool
from backends.net.request import render
from backends.net.shutdown import ShutdownSignal
from backends.net.wait import ClientSocket, Wait
from errors import ProxyError


class Backend:
    """One backend: its base URL, its pooled connections, its timeouts. Shared by all threads."""

    def __init__(
        self,
        url: str,
        timeouts: Timeouts,
        pool_size: int = 1024,
        verify: str | None = None,
        shutdown: ShutdownSignal | None = None,
    ) -> None:
        """`url` is the base URL, `pool_size` the number of idle connections that are kept.

        `verify` is a file of CA certificates that replaces the default ones. `shutdown` ends every wait when it is set.
        """
        self.url = url.rstrip("/")
        self.timeouts = timeouts
        self._shutdown = shutdown
        self._pool = Pool(self.url, pool_size, verify)

    def open(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes, client_fd: int | None = None
    ) -> UpstreamExchange:
        """Connect and send, without waiting for the response. `target` is the path below the base URL, and the query.

        `client_fd` is the client's socket, watched for a hang-up. The caller closes the exchange. Raises RequestError
        for an invalid head, Unreachable, TimedOut, or Stopping.
        """
        request = render(method, self._pool.path + target, self._pool.host, headers, body)
        return UpstreamExchange(self._pool, method, request, ClientSocket(client_fd), self.timeouts, self._shutdown)

    def probe(
        self, path: str = "/v1/models", timeout: float = 2.0, headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[bool, str]:
        """Whether the backend answers GET `path` within `timeout` seconds with a status below 500.

        The second value is a short text: the status, or why there is none. Never raises a ProxyError.
        """
        deadline = time.monotonic() + timeout
        try:
            request = render("GET", self._pool.path + path, self._pool.host, headers, b"")
            limits = Timeouts(timeout, None, timeout)
            exchange = UpstreamExchange(self._pool, "GET", request, ClientSocket(None), limits, self._shutdown)
            with closing(exchange):
                head = exchange.wait_head(deadline)
                if isinstance(head, Wait):
                    return False, f"no answer within {timeout:g} s"
                # Read the body to its end: a backend may log an error if the client hangs up in the middle.
                while isinstance(exchange.next_bytes(deadline), bytes):
                    pass
        except ProxyError as error:
            return False, error.message
        return head.status < 500, f"HTTP {head.status}"

    def close(self) -> None:
        """Close the idle connections. Those in use are closed when they are given back."""
        self._pool.close()
