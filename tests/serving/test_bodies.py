"""Bodies of requests: within limits of time and size, asked for once, read away within limits (C3, C15)."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from errors import TooLarge
from serving.body import Body
from serving.request_body import read_body
from tests.servers import How, Process, ScriptedBackend, json_answer, running_proxy
from tests.serving import (
    BODY,
    CHAT,
    LOCAL,
    WHOLE,
    answer,
    connected,
    each_way,
    limited_proxy,
    send_until_cut,
    until_closed,
)

pytestmark = pytest.mark.long

LIMITS = {"AWAY_SILENCE": 0.3, "AWAY_BYTES": 4 << 20}
MOST = 100_000
Place = tuple[ScriptedBackend, Process]


@pytest.fixture(scope="module", params=["app", "gunicorn", "gthread"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    backend = ScriptedBackend(json_answer({"ok": True}))
    settings = {"CLIENT_TIMEOUT": 0.4, "MAX_REQUEST_BYTES": MOST, "PROXY_API_KEYS": "sk-1"}
    with backend, limited_proxy(request.param, backend, LIMITS, **settings) as proxy:
        yield backend, proxy


def asking(head: bytes, key: bytes = b"sk-1") -> bytes:
    return CHAT + b"Authorization: Bearer " + key + b"\r\n" + head + b"\r\n\r\n"


@pytest.mark.parametrize("framing", [b"Content-Length: 57", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("begun", [0, 10])
def test_client_timeout_ends_a_body_that_stalls(place: Place, framing: bytes, begun: int) -> None:
    _, proxy = place
    piece = BODY[:begun] if b"Length" in framing else b"%x\r\n%s" % (len(BODY), BODY[:begun])
    began = time.monotonic()
    with connected(proxy) as sock:
        sock.sendall(asking(framing) + piece)
        received = until_closed(sock)
    head, _, body = received.lower().partition(b"\r\n\r\n")
    assert head.startswith(b"http/1.1 408 ") and b"connection: close" in head, received
    assert b"client_timeout" in body and b'"request_timeout"' in body
    assert 0.3 < time.monotonic() - began < 10  # far below the limit of a test, on a busy machine too


def test_client_timeout_is_for_each_piece(place: Place) -> None:
    _, proxy = place
    with connected(proxy) as sock:
        sock.sendall(asking(b"Content-Length: %d" % len(BODY)))
        for pos in range(0, len(BODY), 12):
            time.sleep(0.15)
            sock.sendall(BODY[pos : pos + 12])
        assert answer(sock).startswith(b"HTTP/1.1 200 ")


def test_client_timeout_of_0_is_none(backend: ScriptedBackend) -> None:
    backend.answer = json_answer({"ok": True})
    with running_proxy(backend, CLIENT_TIMEOUT=0) as proxy, connected(proxy) as sock:
        sock.sendall(WHOLE[:-5])
        time.sleep(0.3)
        sock.sendall(WHOLE[-5:])
        assert answer(sock).startswith(b"HTTP/1.1 200 ")


# -- 100 Continue ------------------------------------------------------------------------------------------------------


def test_c15_a_client_is_told_once_to_go_on(place: Place) -> None:
    _, proxy = place
    with connected(proxy) as sock:
        sock.sendall(asking(b"Expect: 100-continue\r\nContent-Length: %d" % len(BODY)))
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(BODY)
        received = answer(sock)
    assert received.startswith(b"HTTP/1.1 200 ") and b"100 Continue" not in received


@pytest.mark.parametrize(("key", "length", "status"), [(b"sk-2", 57, 401), (b"sk-1", MOST + 1, 413)])
def test_c3_a_client_that_is_refused_is_not_told_to_go_on(place: Place, key: bytes, length: int, status: int) -> None:
    _, proxy = place
    with connected(proxy) as sock:
        sock.sendall(asking(b"Expect: 100-continue\r\nContent-Length: %d" % length, key))
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 %d " % status) and received.count(b"HTTP/1.1") == 1
    assert b"connection: close" in received.lower()


def test_c15_an_expectation_does_not_reach_the_backend(place: Place) -> None:
    backend, proxy = place
    with connected(proxy) as sock:
        sock.sendall(asking(b"Expect: 100-continue\r\nContent-Length: %d" % len(BODY)) + BODY)
        until = time.monotonic() + 2
        received = b""
        while b"200 OK" not in received and time.monotonic() < until:
            received += sock.recv(65536)
    assert backend.last.header("expect") is None


# -- too much ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "status"), [(b"sk-2", 401), (b"sk-1", 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_c3_who_sends_too_much_still_sees_the_answer(place: Place, key: bytes, status: int, chunked: bool) -> None:
    _, proxy = place
    size = 2_000_000
    with connected(proxy) as sock:
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        sock.sendall(asking(framing, key) + (b"%x\r\n" % size if chunked else b""))
        sock.sendall(b" " * size + (b"\r\n0\r\n\r\n" if chunked else b""))
        received = until_closed(sock)
    assert received.startswith(b"HTTP/1.1 %d " % status) and b'"error"' in received, received[:300]


@pytest.mark.parametrize("key", [b"sk-2", b"sk-1"])
def test_c3_what_is_read_away_has_an_end(place: Place, key: bytes) -> None:
    _, proxy = place
    with connected(proxy, 1.0) as sock:
        sock.sendall(asking(b"Content-Length: 1000000000000", key))
        assert send_until_cut(sock, b" " * 65536, 2.5) < 40 << 20  # buffers of the system among it


def test_a_short_body_that_is_refused_keeps_the_connection(backend: ScriptedBackend) -> None:
    with limited_proxy("gunicorn", backend, LIMITS, PROXY_API_KEYS="sk-1") as proxy, connected(proxy) as sock:
        for _ in range(2):
            sock.sendall(WHOLE)
            assert answer(sock).startswith(b"HTTP/1.1 401 ")


def test_c3_a_body_that_waits_costs_at_most_three_times_its_bytes() -> None:
    size = 8 << 20
    stream = io.BytesIO(b"a" * size)
    tracemalloc.start()
    try:
        assert len(read_body(Body(stream, size), size, size)) == size
        assert tracemalloc.get_traced_memory()[1] < 2.2 * size
        tracemalloc.reset_peak()
        with pytest.raises(TooLarge):
            read_body(Body(stream, size), size, size - 1)
    finally:
        tracemalloc.stop()


# -- turns -------------------------------------------------------------------------------------------------------------

GREEDY = {
    "a body": (asking(b"Content-Length: 60000000"), b" " * 65536),
    "a refused body": (asking(b"Content-Length: 60000000", b"sk-2"), b" " * 65536),
    "chunks": (asking(b"Transfer-Encoding: chunked"), b"1\r\na\r\n" * 10_000),
    "blank lines": (b"\r\n", b"\r\n" * 20_000),
    "requests": (b"", b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 100),
    "refused requests": (b"", asking(b"Content-Length: 57", b"sk-2")[:-4] + b"\r\n\r\n" + BODY * 1),
}


@pytest.fixture(scope="module")
def under_gevent() -> Iterator[Process]:
    backend = ScriptedBackend(json_answer({"ok": True}))
    with backend, limited_proxy("gunicorn", backend, {}, PROXY_API_KEYS="sk-1") as proxy:
        yield proxy


@pytest.mark.parametrize("greed", GREEDY)
def test_c3_a_client_whose_bytes_are_always_ready_takes_turns(under_gevent: Process, greed: str) -> None:
    first, more = GREEDY[greed]
    with connected(under_gevent) as greedy, connected(under_gevent) as victim:
        greedy.setblocking(False)
        pending = first
        waits = []
        for _ in range(8):
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pending = pending or more
                try:
                    pending = pending[greedy.send(pending) :]
                except BlockingIOError:
                    time.sleep(0.001)
                except OSError:  # cut, as it may be
                    break
            began = time.monotonic()
            victim.sendall(LOCAL.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer sk-1\r\n\r\n"))
            assert answer(victim).startswith(b"HTTP/1.1 200 ")
            waits.append(time.monotonic() - began)
        assert sorted(waits)[len(waits) // 2] < 0.5, waits  # without turns: for ever


@each_way
def test_c3_a_whole_large_body_is_delivered(backend: ScriptedBackend, how: How) -> None:
    backend.answer = json_answer({"ok": True})
    body = BODY[:-1] + b',"user":"' + b"u" * 700_000 + b'"}'
    with limited_proxy(how, backend, {}) as proxy, connected(proxy) as sock:
        sock.sendall(CHAT + b"Transfer-Encoding: chunked\r\n\r\n")
        for pos in range(0, len(body), 70_001):
            piece = body[pos : pos + 70_001]
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
        assert answer(sock).startswith(b"HTTP/1.1 200 ")
        assert backend.last.body == body
