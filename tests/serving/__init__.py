"""Both ways of serving before clients that send too much, too slowly or too eagerly: in processes with short limits."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import (
    COMMANDS,
    HOST,
    ROOT,
    How,
    Process,
    Proxy,
    ScriptedBackend,
    free_port,
    started,
    wait_until_listening,
)

CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
WHOLE = CHAT + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
LOCAL = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
"""What is answered without the backend."""

each_way = pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
both = pytest.mark.parametrize("how", ["app", "gunicorn"])


@contextmanager
def limited_proxy(
    how: How, backend: ScriptedBackend, limits: Mapping[str, float], **settings: object
) -> Iterator[Process]:
    """The proxy in a process, with other values for attributes of serving/client.py and these settings."""
    changes = "import serving.client\n" + "".join(f"serving.client.{name} = {limits[name]}\n" for name in limits)
    port = free_port()
    given = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": port, "KEEPALIVE_SECONDS": 0, **settings}
    environ = {name: str(value) for name, value in given.items()}
    with tempfile.TemporaryDirectory() as folder:
        if how == "app":
            arguments = ["-c", f"{changes}import sys, app\nsys.exit(app.run())"]
        else:
            conf = Path(folder) / "limited.conf.py"
            conf.write_text(f"{changes}exec(open({str(ROOT / 'gunicorn.conf.py')!r}).read())\n")
            arguments = [str(conf) if part.endswith("gunicorn.conf.py") else part for part in COMMANDS[how]]
        with started(arguments, environ, port) as process:
            wait_until_listening(process)
            yield process


@contextmanager
def connected(proxy: Proxy, patience: float = 3.0) -> Iterator[socket.socket]:
    """A connection to it, whose reads end with TimeoutError after `patience` seconds."""
    with socket.create_connection((HOST, proxy.port), patience) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def until_closed(sock: socket.socket) -> bytes:
    """All that comes until the proxy closes. A connection that is cut is an error."""
    received = b""
    while more := sock.recv(65536):
        received += more
    return received


def answer(sock: socket.socket) -> bytes:
    """One answer that has a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received or len(received) < _size(received):
        more = sock.recv(65536)
        assert more, received
        received += more
    return received


def _size(received: bytes) -> int:
    head, _, _ = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(head) + 4 + int(lengths[0])


def send_until_cut(sock: socket.socket, piece: bytes, seconds: float) -> int:
    """Send the piece again and again. Returns the bytes that were sent until the proxy cut, or the time was over."""
    sent, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            sent += sock.send(piece)
    except (OSError, TimeoutError):
        pass
    return sent


def workers_of(process: Process) -> list[int]:
    """The processes that gunicorn has started; Linux tells them."""
    pid = process.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_of(process: Process) -> float:
    """Seconds of processor time that it and its workers have used. Linux tells them."""
    pids = [process.process.pid, *workers_of(process)]
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
