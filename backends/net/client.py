"""One backend: where it is, how to ask it, whether it is there.

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
from backends.net.wait import Client, Wait
from errors import ProxyError


class Backend:
    """One backend: its base URL, its pooled connections, its timeouts. Shared by all threads."""

    def __init__(
        self,
        url: str,
        timeouts: Timeouts,
        pool_size: int = 1024,
        verify: str | None = None,
        closing: ShutdownSignal | None = None,
    ) -> None:
        """`verify` is a file of CA certificates to trust instead of the usual bundle; `closing` ends every wait."""
        self.url = url.rstrip("/")
        self.timeouts = timeouts
        self._closing = closing
        self._pool = Pool(self.url, pool_size, verify)

    def open(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes, client_fd: int | None = None
    ) -> UpstreamExchange:
        """Connect and send, without waiting for the answer. `target` is the path below the base URL, and the query.

        Raises Unreachable or TimedOut; RequestError for what cannot stand in a head. The caller closes the exchange.
        """
        request = render(method, self._pool.path + target, self._pool.host, headers, body)
        return UpstreamExchange(self._pool, method, request, Client(client_fd), self.timeouts, self._closing)

    def probe(
        self, path: str = "/v1/models", timeout: float = 2.0, headers: Sequence[tuple[str, str]] = ()
    ) -> tuple[bool, str]:
        """Is it there? And in a few words: what it answers, or why not. Never raises."""
        deadline = time.monotonic() + timeout
        try:
            request = render("GET", self._pool.path + path, self._pool.host, headers, b"")
            limits = Timeouts(timeout, None, timeout)
            with closing(UpstreamExchange(self._pool, "GET", request, Client(None), limits, self._closing)) as exchange:
                head = exchange.wait_head(deadline)
                if isinstance(head, Wait):
                    return False, f"no answer within {timeout:g} s"
                # To hang up in mid-answer would be an error in the backend's log.
                while isinstance(exchange.next_bytes(deadline), bytes):
                    pass
        except ProxyError as error:
            return False, error.message
        return head.status < 500, f"HTTP {head.status}"

    def close(self) -> None:
        """Close the connections nobody uses; those in use are closed when they are given back."""
        self._pool.close()
