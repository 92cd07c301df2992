"""Connections that fail before there is a request are a line of the log each, and nobody else's harm (defect C15)."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from tests.faults.service import certificate, service
from tests.servers import HOST, Process, ScriptedBackend
from tests.serving import LOCAL, connected, linux, until_closed, workers_of

pytestmark = pytest.mark.long


@contextmanager
def few_descriptors(process: Process, most: int) -> Iterator[None]:
    """Its worker has no more than these meanwhile."""
    import resource  # Windows has none

    (worker,) = workers_of(process)
    usual = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (most, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, usual)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_c15_a_handshake_that_fails_is_one_line_of_the_log() -> None:
    with ExitStack() as stack:
        cert, key = stack.enter_context(certificate())
        backend = stack.enter_context(ScriptedBackend())
        process = stack.enter_context(service("gunicorn", backend, "--certfile", cert, "--keyfile", key))
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"):
            with closing(socket.create_connection((HOST, process.port), 5)) as sock:
                sock.sendall(sent)
                with suppress(OSError):  # not connected: it has cut already
                    sock.shutdown(socket.SHUT_WR)
                with suppress(ConnectionError):
                    until_closed(sock)
        _told(process)


@linux
def test_c15_connections_without_a_descriptor_wait_and_are_one_line_of_the_log() -> None:
    with ScriptedBackend() as backend, service("gunicorn", backend) as process:
        with connected(process) as first:
            first.sendall(LOCAL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert until_closed(first).startswith(b"HTTP/1.1 200 ")
        with few_descriptors(process, 12), ExitStack() as stack:
            for _ in range(12):
                stack.enter_context(connected(process))
            _told(process)
        with connected(process, patience=20) as last:
            last.sendall(LOCAL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert until_closed(last).startswith(b"HTTP/1.1 200 ")
        _told(process)


def _told(process: Process) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and "a connection failed" not in process.said():
        time.sleep(0.05)
    log = process.said()
    assert "a connection failed: " in log, log
    assert "Traceback" not in log and "Greenlet" not in log, log
