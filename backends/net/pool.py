"""The connections to one backend. urllib3, on which requests is built, opens them, keeps them and does TLS.

May not know: what is sent over them.
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


class Refusing(Unreachable):
    """The backend's machine is there, and nobody listens."""


class _PeekingConnection(HTTPConnection):
    """A connection that peeks at its socket to see whether the backend hung up.

    urllib3 polls instead, and under gevent a poll runs the whole event loop. The peek does not block: a connection that
    was in use has a non-blocking socket (`BackendSocket`).
    """

    @property
    def is_connected(self) -> bool:
        if self.sock is None:
            return False
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except OSError as error:
            return isinstance(error, BlockingIOError)
        return False  # closed, or with bytes that no request asked for


class Pool:
    """The connections to one backend, shared by all threads."""

    def __init__(self, url: str, size: int, verify: str | None) -> None:
        """`size` is the number of idle connections kept. `verify` is a file of CA certificates, None the default."""
        parsed = urllib3.util.parse_url(url)
        default_port = {"http": 80, "https": 443}.get(parsed.scheme or "")
        self.host = f"{parsed.host}" if parsed.port in (None, default_port) else f"{parsed.host}:{parsed.port}"
        self.path = parsed.path or ""
        # Not a requests.Session, which reads proxies and passwords from the environment for each request.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=size, max_retries=0, pool_block=False)
        options = {"ssl_context": _tls_context(verify)} if parsed.scheme == "https" else {}
        self._pool = adapter.poolmanager.connection_from_url(url, options)
        if parsed.scheme != "https":  # a TLS socket cannot be peeked at
            self._pool.ConnectionCls = _PeekingConnection

    # _get_conn and _put_conn are private, but as old as urllib3. The public urlopen() blocks until the head arrives.

    def take(self) -> HTTPConnection:
        """An idle connection, or a new one that is not connected yet. Raises Unreachable once the pool is closed."""
        try:
            return cast(HTTPConnection, self._pool._get_conn())
        except HTTPError as error:
            raise Unreachable(f"the backend at {self.host} is no longer in use") from error

    def give_back(self, connection: HTTPConnection) -> None:
        """Return an open connection. A closed one would be taken before the open ones below it in the pool's stack."""
        self._pool._put_conn(connection)

    def connect(self, connection: HTTPConnection, timeout: float) -> None:
        """Connect within `timeout` seconds; 0 is no limit. Raises TimedOut or Unreachable."""
        connection.timeout = timeout or None  # a socket would take 0 as "do not block"
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            connection.close()  # a failed TLS handshake leaves the socket open
            where = f"no connection to the backend at {self.host}"
            if _is_timeout(error):
                raise TimedOut(f"{where} within {timeout:g} s", "connect") from error
            kind = Refusing if _is_refusal(error) else Unreachable
            raise kind(f"{where}: {cause(error)}") from error

    def close(self) -> None:
        """Close the idle connections. Those in use are closed when they are given back."""
        self._pool.close()  # the adapter's close() would leave it to the garbage collector


def cause(error: BaseException) -> str:
    """The message of the innermost error, in the operating system's words where there are any."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _is_refusal(error: BaseException) -> bool:
    while error.__cause__ is not None:
        error = error.__cause__
    return isinstance(error, ConnectionRefusedError)


def _tls_context(verify: str | None) -> ssl.SSLContext:
    """One context for all connections: without it urllib3 loads the certificates again for each connection."""
    context = urllib3.util.create_urllib3_context()
    context.load_verify_locations(verify or DEFAULT_CA_BUNDLE_PATH)
    return context


def _is_timeout(error: Exception) -> bool:
    # NewConnectionError (refused, unknown host) is a ConnectTimeoutError too. TimeoutError is the TLS handshake's.
    return isinstance(error, (ConnectTimeoutError, TimeoutError)) and not isinstance(error, NewConnectionError)
