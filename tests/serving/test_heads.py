"""Heads of requests are read once, and within limits of size and time (defect C4)."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest

from serving import client
from serving.client import HeadTooLarge, LineTooLong, read_head
from tests.servers import How, Process, ScriptedBackend, json_answer
from tests.serving import (
    CHAT,
    LOCAL,
    WHOLE,
    answer,
    connected,
    cpu_of,
    each_way,
    limited_proxy,
    linux,
    until_closed,
)

pytestmark = pytest.mark.long

LIMITS = {"HEAD_SECONDS": 0.5, "AWAY_SILENCE": 0.3}


@pytest.fixture(scope="module", params=["app", "gunicorn", "gthread"])
def proxy(request: pytest.FixtureRequest) -> Iterator[Process]:
    backend = ScriptedBackend(json_answer({"ok": True}))
    with backend, limited_proxy(request.param, backend, LIMITS) as started:
        yield started


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X-Long: %s\r\n\r\n" % (b"a" * 66000), 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(70)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X-Endless: " + b"a" * 200_000, 431),
        (b"GET /" + b"a" * 200_000, 414),
    ],
    ids=["one field", "many fields", "a field without an end", "a line without an end"],
)
def test_c4_a_head_that_is_too_large_is_refused_in_json(proxy: Process, head: bytes, status: int) -> None:
    with connected(proxy) as sock:
        sock.sendall(head)
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 %d " % status) and b'"error": {' in received, received[:300]


@pytest.mark.parametrize("begun", [b"G", b"GET /health HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\nGET /health HT"])
def test_c4_a_head_that_is_too_slow_is_a_408(proxy: Process, begun: bytes) -> None:
    began = time.monotonic()
    with connected(proxy) as sock:
        sock.sendall(begun)
        time.sleep(0.3)
        sock.sendall(b"X")  # more bytes do not buy more time
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 408 ") and b'"code": "request_timeout"' in received, received
    assert 0.4 < time.monotonic() - began < 2


def test_c4_a_connection_without_a_head_is_only_idle(proxy: Process) -> None:
    with connected(proxy) as sock:
        time.sleep(0.8)
        sock.sendall(LOCAL)
        assert answer(sock).startswith(b"HTTP/1.1 200 ")


def test_c4_between_two_requests_a_connection_is_only_idle(backend: ScriptedBackend) -> None:
    with limited_proxy("gunicorn", backend, LIMITS) as proxy, connected(proxy) as sock:
        for _ in range(2):
            sock.sendall(LOCAL)
            assert answer(sock).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.8)


@each_way
@linux
def test_c4_a_head_that_drips_costs_little(backend: ScriptedBackend, how: How) -> None:
    with limited_proxy(how, backend, {}) as proxy, connected(proxy) as sock:
        before = cpu_of(proxy)
        sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Long: ")
        for _ in range(6000):
            sock.sendall(b"aaaa")
        sock.sendall(b"\r\n\r\n")
        assert answer(sock).startswith(b"HTTP/1.1 200 ")
        assert cpu_of(proxy) - before < 0.9


class _Counted:
    """Stands for the pattern of a head's end; counts the bytes that are looked at."""

    def __init__(self) -> None:
        self.looked_at = 0

    def search(self, data: bytes, start: int) -> re.Match[bytes] | None:
        self.looked_at += len(data) - start
        return re.compile(rb"\n\r?\n").search(data, start)


class _Drip(socket.socket):
    """A client that sends a byte at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = iter(data)

    def recv(self, *_: object) -> bytes:
        return bytes([byte]) if (byte := next(self._data, None)) is not None else b""


def test_c4_each_byte_of_a_head_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = _Counted()
    monkeypatch.setattr(client, "_HEAD_END", counted)
    head = b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 60_000 + b"\r\n\r\n"
    with _Drip(head) as sock:
        assert read_head(sock) == (head, len(head))
    assert counted.looked_at <= 4 * len(head)


@pytest.mark.parametrize("more", [0, 1])
def test_c4_the_limit_counts_the_whole_head(more: int) -> None:
    head = b"GET / HTTP/1.1\r\nX-Long: "
    head += b"a" * (client.HEAD_BYTES - len(head) - 4 + more) + b"\r\n\r\n"
    with _Drip(b"") as sock:
        if not more:
            assert read_head(sock, head + b"body")[1] == client.HEAD_BYTES
            return
        with pytest.raises(HeadTooLarge):
            read_head(sock, head)
        with pytest.raises(LineTooLong):
            read_head(sock, head.replace(b"\r\n", b"aa"))


@pytest.mark.parametrize(
    "framing",
    [b"5;ext=" + b"a" * 100_000, b"0" * 100_000, b"0\r\nX-Trailer: " + b"a" * 8_000_000],
    ids=["an extension", "a size", "a trailer"],
)
def test_c4_what_frames_a_body_has_an_end(proxy: Process, framing: bytes) -> None:
    with connected(proxy) as sock:
        sock.sendall(CHAT + b"Transfer-Encoding: chunked\r\n\r\n" + framing)
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 400 ") and b'"error"' in received, received[:300]


def test_c15_stray_line_ends_before_a_request_are_passed_over(proxy: Process) -> None:
    with connected(proxy) as sock:
        sock.sendall(b"\r\n\r\n" + LOCAL)
        assert answer(sock).startswith(b"HTTP/1.1 200 ")


def test_c15_a_stray_line_end_behind_a_body_keeps_no_connection_open(proxy: Process) -> None:
    with connected(proxy) as sock:
        sock.sendall(WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close") + b"\r\n")
        assert until_closed(sock).startswith(b"HTTP/1.1 200 ")
