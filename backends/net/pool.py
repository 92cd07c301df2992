"""The connections to one backend. urllib3, the engine of requests, pools them, makes them and speaks TLS.

May not know: what is said over them.
"""

from __future__ import annotations

import socket
import ssl
from typing import cast

import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from errors import TimedOut, Unreachable


class _Peeking(HTTPConnection):
    """Asks the socket itself whether the backend hung up. urllib3 polls, which under gevent takes its whole loop.

    What has been in use does not block any more: `wait.Line` saw to it.
    """

    @property
    def is_connected(self) -> bool:
        if self.sock is None:
            return False
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except OSError as error:
            return isinstance(error, BlockingIOError)
        return False


class Pool:
    """Of one backend, shared by all threads."""

    def __init__(self, url: str, size: int, verify: str | None) -> None:
        """`verify` is a file of CA certificates to trust instead of the usual bundle."""
        place = urllib3.util.parse_url(url)
        usual = {"http": 80, "https": 443}.get(place.scheme or "")
        self.host = f"{place.host}" if place.port in (None, usual) else f"{place.host}:{place.port}"
        self.path = place.path or ""
        # No requests.Session: it looks for proxies and passwords in the environment, at each call.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=size, max_retries=0, pool_block=False)
        options = {"ssl_context": _tls(verify)} if place.scheme == "https" else {}
        self._pool = adapter.poolmanager.connection_from_url(url, options)
        if place.scheme != "https":  # there is no peeking through TLS
            self._pool.ConnectionCls = _Peeking

    # _get_conn and _put_conn are private by name only: they are as old as urllib3, and urlopen(), the way in front of
    # them, blocks until the head is there.

    def take(self) -> HTTPConnection:
        """A connection that was given back, or a new one that is not connected yet."""
        try:
            return cast(HTTPConnection, self._pool._get_conn())
        except HTTPError as error:  # the pool is closed
            raise Unreachable(f"the backend at {self.host} is no longer in use") from error

    def give_back(self, connection: HTTPConnection) -> None:
        """Only one that can carry another answer: on top of the pool, a closed one hides those that are open."""
        self._pool._put_conn(connection)

    def connect(self, connection: HTTPConnection, timeout: float) -> None:
        connection.timeout = timeout or None  # to a socket, 0 is not to wait at all
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            connection.close()  # a handshake that failed leaves the socket open
            where = f"no connection to the backend at {self.host}"
            if _is_timeout(error):
                raise TimedOut(f"{where} within {timeout:g} s", "connect") from error
            raise Unreachable(f"{where}: {cause(error)}") from error

    def close(self) -> None:
        """Close the connections nobody uses; those in use are closed when they are given back."""
        self._pool.close()  # the adapter's close() leaves it to the garbage collector


def cause(error: BaseException) -> str:
    """What went wrong in the system's words, out of urllib3's wrapping."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _tls(verify: str | None) -> ssl.SSLContext:
    """Made once. urllib3 by itself reads the whole bundle again for each connection."""
    context = urllib3.util.create_urllib3_context()
    context.load_verify_locations(verify or DEFAULT_CA_BUNDLE_PATH)
    return context


def _is_timeout(error: Exception) -> bool:
    # To urllib3, a refused connection and an unknown name are ConnectTimeoutErrors too. TimeoutError is TLS's.
    return isinstance(error, (ConnectTimeoutError, TimeoutError)) and not isinstance(error, NewConnectionError)
