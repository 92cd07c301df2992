"""A stop does not wait for connections on which nothing is said (defect C15)."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import time
from contextlib import ExitStack

import pytest

from tests.faults.service import certificate, service
from tests.servers import HOST, How, Process, ScriptedBackend, proxy_process
from tests.serving import LOCAL, answer, connected, each_way

pytestmark = pytest.mark.long

SOON = 15.0
"""Seconds: less than any of the limits that would end such a connection otherwise."""


@each_way
def test_c15_a_stop_does_not_wait_for_silent_connections(how: How) -> None:
    with ScriptedBackend() as backend, ExitStack() as stack:
        proxy = stack.enter_context(proxy_process(how, backend))
        stack.enter_context(connected(proxy))
        kept = stack.enter_context(connected(proxy))
        kept.sendall(LOCAL)
        assert answer(kept).startswith(b"HTTP/1.1 200 ")
        _stops_soon(proxy)


def test_c15_a_first_request_in_the_moment_of_a_stop_is_answered() -> None:
    with ScriptedBackend() as backend, proxy_process("gunicorn", backend) as proxy:
        with connected(proxy) as sock:
            time.sleep(0.5)  # the worker has it
            proxy.signal(signal.SIGTERM)
            time.sleep(0.1)
            sock.sendall(LOCAL)
            assert answer(sock).startswith(b"HTTP/1.1 200 ")
        assert proxy.wait(SOON) == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
@pytest.mark.parametrize("how", ["gunicorn", "gthread"])
def test_c15_nor_for_silent_connections_with_tls(how: How) -> None:
    with ExitStack() as stack:
        cert, key = stack.enter_context(certificate())
        backend = stack.enter_context(ScriptedBackend())
        process = stack.enter_context(service(how, backend, "--certfile", cert, "--keyfile", key))
        context = ssl.create_default_context(cafile=cert)
        context.check_hostname = False
        plain = stack.enter_context(socket.create_connection((HOST, process.port), 30))  # of a worker that starts
        sock = stack.enter_context(context.wrap_socket(plain))
        sock.sendall(LOCAL)
        assert answer(sock).startswith(b"HTTP/1.1 200 ")
        _stops_soon(process)


def _stops_soon(process: Process) -> None:
    time.sleep(0.5)  # until the worker waits for what comes next
    process.signal(signal.SIGTERM)
    assert process.wait(SOON) == 0
    assert "Traceback" not in process.said(), process.said()
