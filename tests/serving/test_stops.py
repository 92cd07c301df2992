"""Signals, and a system without descriptors: streams are not cut without a word (defect C15)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.servers import (
    HOST,
    PATIENCE,
    Answer,
    How,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    message_of,
    proxy_process,
    whole_stream,
)
from tests.serving import LOCAL, answer, connected, cpu_of, each_way, limited_proxy, linux, workers_of

pytestmark = pytest.mark.long

HELLO = frame(chunk({"role": "assistant", "content": "Hello"}))
REST = [frame(chunk({"content": " world"})), frame(chunk({}, "stop")), b"data: [DONE]\n\n"]


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


def test_c15_a_terminal_that_is_closed_cuts_no_stream(backend: ScriptedBackend) -> None:
    more = threading.Event()
    backend.answer = Answer([HELLO, more, *REST])
    with proxy_process("app", backend) as proxy, proxy.client(ask()) as client:
        client.until(b"Hello")
        for _ in range(2):  # it often comes twice
            proxy.signal(signal.SIGHUP)
            with pytest.raises(subprocess.TimeoutExpired):
                proxy.wait(0.3)
        more.set()
        assert message_of(whole_stream(client.rest()))["content"] == "Hello world"
        client.leave()
        assert proxy.wait(5) == 0
        assert "Traceback" not in proxy.said()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("how", ["gunicorn", "gthread"])
def test_c15_a_quick_stop_of_gunicorn_tells_open_streams(
    backend: ScriptedBackend, how: How, number: signal.Signals
) -> None:
    backend.answer = Answer([HELLO, threading.Event()])
    with proxy_process(how, backend, KEEPALIVE_SECONDS=0) as proxy, ExitStack() as stack:
        clients = [stack.enter_context(proxy.client(ask())) for _ in range(3)]
        for client in clients:
            client.until(b"Hello")
        began = time.monotonic()
        proxy.signal(number)
        for client in clients:
            assert broken_stream(client.rest()).errors[0]["code"] == "proxy_stopping"
            assert not client.broken
            client.leave()
        assert time.monotonic() - began < 2
        proxy.wait(4)
        assert "Traceback" not in proxy.said(), proxy.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["gunicorn", "gthread"])
def test_c15_a_stop_while_the_worker_starts_is_not_lost(
    backend: ScriptedBackend, how: How, number: signal.Signals
) -> None:
    for delay in (0.0, 0.05, 0.1):  # gunicorn listens before it has a worker, and gevent takes a while to begin
        with proxy_process(how, backend) as proxy:
            time.sleep(delay)
            proxy.signal(number)
            assert proxy.wait(15) == 0
            assert "Traceback" not in proxy.said(), proxy.said()


@each_way
@linux
def test_c15_without_descriptors_the_server_waits(backend: ScriptedBackend, how: How) -> None:
    """`python app.py` looked for a connection that it could not take, without a pause; gthread's worker died."""
    import resource

    with limited_proxy(how, backend, {}) as proxy, ExitStack() as stack:
        (server, *_) = [*workers_of(proxy), proxy.process.pid]
        with connected(proxy) as sock:
            sock.sendall(LOCAL)
            assert answer(sock).startswith(b"HTTP/1.1 200 ")  # it has started, which takes longer than what is measured
        resource.prlimit(server, resource.RLIMIT_NOFILE, (28, 28))
        clients = [stack.enter_context(socket.create_connection((HOST, proxy.port), 2)) for _ in range(40)]
        time.sleep(0.3)
        before = cpu_of(proxy)
        time.sleep(0.5)
        assert cpu_of(proxy) - before < 0.25
        for client in clients:
            client.close()
        with connected(proxy) as sock:
            sock.sendall(LOCAL)
            assert answer(sock).startswith(b"HTTP/1.1 200 ")
        assert server in [*workers_of(proxy), proxy.process.pid]


@each_way
@linux
def test_c15_the_last_descriptor_is_enough_for_what_is_answered_here(backend: ScriptedBackend, how: How) -> None:
    import resource

    with limited_proxy(how, backend, {}) as proxy:
        (server, *_) = [*workers_of(proxy), proxy.process.pid]
        with connected(proxy) as sock:
            sock.sendall(LOCAL)
            assert answer(sock).startswith(b"HTTP/1.1 200 ")  # it has imported all that it needs
        with connected(proxy) as sock:
            sock.sendall(LOCAL[:9])
            used = _descriptors_with(server, sock)
            free = next(number for number in range(len(used) + 1) if number not in used)
            resource.prlimit(server, resource.RLIMIT_NOFILE, (free, free))
            sock.sendall(LOCAL[9:])
            assert answer(sock).startswith(b"HTTP/1.1 200 ")


def _descriptors_with(server: int, client: socket.socket) -> set[int]:
    """The descriptors of a process as soon as it has accepted the connection. Linux tells them."""
    ends = [f"{port:04X}" for _, port in (client.getpeername(), client.getsockname())]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {row[9] for row in rows if [address.partition(":")[2] for address in row[1:3]] == ends}
        open_now: dict[int, str] = {}
        for path in Path(f"/proc/{server}/fd").iterdir():
            with suppress(FileNotFoundError):  # it has been closed just now
                open_now[int(path.name)] = os.readlink(path)
        if any(f"socket:[{inode}]" in open_now.values() for inode in inodes):
            return set(open_now)
        time.sleep(0.02)
    raise AssertionError("the connection was not accepted")
