"""Clients that send too fast, too slowly, too much, or not HTTP (C3, C4, C13, C15, section 13)."""

from __future__ import annotations

import time
from contextlib import suppress

from tests.attack.arena import LIMITS, Arena, Attack, asking, coded, head_of, read_answer

READY = 3.0
"""Seconds for which bytes are always ready."""
BLOCK = b"x" * 65536


def _pour(arena: Arena, head: bytes, block: bytes) -> None:
    """Send for some seconds whatever comes back."""
    until = time.monotonic() + READY
    with suppress(ConnectionError, BrokenPipeError), arena.open(head) as sock:
        sock.settimeout(0.5)
        while time.monotonic() < until:
            with suppress(TimeoutError):
                sock.sendall(block)


def _refused_body(arena: Arena) -> None:
    head = head_of(None, "", [("Content-Length", str(1 << 40))], "/v1/chat/completions")
    arena.many(2, lambda _: _pour(arena, head, BLOCK))


def _endless_chunks(arena: Arena) -> None:
    head = head_of(None, "", [("Transfer-Encoding", "chunked")], "/v1/chat/completions")
    arena.many(2, lambda _: _pour(arena, head, b"10000\r\n" + BLOCK + b"\r\n"))


def _tiny_chunks(arena: Arena) -> None:
    head = head_of(None, "", [("Transfer-Encoding", "chunked")], "/v1/chat/completions")
    arena.many(2, lambda _: _pour(arena, head, b"1\r\n \r\n" * 10_000))


def _body_of_nowhere(arena: Arena) -> None:
    """A body for a path that there is not, and for one that takes none."""
    for target in ("/nothing", "/health"):
        head = head_of(None, "", [("Content-Length", str(60 << 20))], target)
        arena.many(2, lambda _, head=head: _pour(arena, head, BLOCK))  # type: ignore[misc]


def _pipelined(target: str, method: str = "GET") -> Attack:
    def play(arena: Arena) -> None:
        one = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
        until = time.monotonic() + READY

        def attacker(_: int) -> None:
            with arena.open() as sock:
                sock.setblocking(False)
                while time.monotonic() < until:
                    with suppress(BlockingIOError):
                        sock.send(one * 200)
                    with suppress(BlockingIOError):
                        if not sock.recv(1 << 20):
                            return
                    time.sleep(0.001)

        arena.many(2, attacker)

    return Attack("C3", f"pipelined {method} {target} without end", play, seconds=0)


def _flooded(way: str, target: str, stream: bool, piece: str = "x") -> Attack:
    def play(arena: Arena) -> None:
        attack = coded("flood", READY, piece, way)
        told = arena.post(asking(stream), attack, target=target)
        assert told.status in (200, 502), f"{told.status} {told.body[:200]!r}"
        assert told.status == 502 or not stream or told.ended or target != "/v1/chat/completions", told.body[-200:]

    named = {"x": "text", ": x\n\n": "comments", "\n": "blank lines", "data: {}\n\n": "empty objects"}
    shown = named.get(piece, repr(piece[:12]))
    kind = "streamed" if stream else "buffered"
    return Attack("C3", f"a backend's {shown} always ready, {kind} {target}", play, memory=192, seconds=0)


# -- heads -------------------------------------------------------------------------------------------------------------


def _drip(arena: Arena, start: bytes, piece: bytes, count: int = 20, seconds: float = 4.0) -> None:
    """Clients that send a little every 50 ms."""
    socks = [arena.open(start) for _ in range(count)]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for sock in socks:
            with suppress(OSError):
                sock.send(piece)
        time.sleep(0.05)
    for sock in socks:
        sock.close()


def _dripped(name: str, start: bytes, piece: bytes, quick: bool = True) -> Attack:
    return Attack("C4", name, lambda arena: _drip(arena, start, piece), cpu=0.25, seconds=0, quick=quick)


LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
BIG_HEAD = LINE + b"".join(b"X-%02d: %s\r\n" % (n, b"v" * 3000) for n in range(19))
BODY_HEAD = LINE + b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


def _refused(name: str, data: bytes, *statuses: int, number: str = "C4") -> Attack:
    def play(arena: Arena) -> None:
        told = arena.raw(data)
        assert told.status in statuses, f"{told.status} {told.body[:200]!r}"
        assert told.status in (200, 404) or b'"error"' in told.body, told.body[:200]

    return Attack(number, name, play, within=8)  # a part of it may wait for CLIENT_TIMEOUT


def _head_never_ends(arena: Arena) -> None:
    """30 s to send a head."""
    began = time.monotonic()
    with arena.open(LINE) as sock:
        sock.settimeout(1)
        while time.monotonic() - began < 36:
            try:
                sock.send(b"X: y\r\n")
                if not sock.recv(1000):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
            return
    raise AssertionError("a head may take longer than 36 s")


def _body_never_ends(arena: Arena) -> None:
    """CLIENT_TIMEOUT between two pieces of a body."""
    allowed = float(str(LIMITS.get("CLIENT_TIMEOUT", 60)))
    began = time.monotonic()
    with arena.open(BODY_HEAD + b"{") as sock:
        sock.settimeout(allowed + 6)
        try:
            told = read_answer(sock, began)
        except TimeoutError:
            raise AssertionError(f"no answer {allowed + 6:.0f} s after the last byte") from None
    assert told.status in (0, 400, 408), f"{told.status} {told.body[:200]!r}"
    assert time.monotonic() - began >= allowed - 1, "too early"


def _many_idle(arena: Arena) -> None:
    socks = [arena.open() for _ in range(500)]
    time.sleep(2)
    for sock in socks:
        sock.close()


def _leaving(arena: Arena) -> None:
    """Clients that go away in every phase."""
    data = head_of(asking(True), coded("flood", 5), (), "/v1/chat/completions")

    def attacker(number: int) -> None:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            with arena.open() as sock:
                sock.sendall(data[: (number * 37) % len(data)] if number % 2 else data)
                if number % 4 == 0:
                    sock.recv(1000)
            time.sleep(0.1)

    arena.many(8, attacker)


# -- paths, 100, stray bytes -------------------------------------------------------------------------------------------


PATHS = [
    *(
        "/v1//x",
        "/v1/%2e%2e/x",
        "/v1/..;/x",
        "/v1/%00",
        "/v1/../x",
        "/v1/a/.%2E/b",
        "/v1/a%2fb",
        "/v1/.;a=b/x",
        "//v1/x",
    ),
    *("/v1/x%5c..", "/v1/%2e", "/v1/x/..%3b/y", "/v1/x\\y", "//evil.example/v1/models"),
]


def _odd_paths(arena: Arena) -> None:
    for target in PATHS:
        told = arena.raw(f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode("latin-1"))
        assert told.status == 400, f"{target}: {told.status} {told.headers} {told.body[:100]!r}"
        assert b'"error"' in told.body and b"<html" not in told.body.lower(), f"{target}: {told.body[:200]!r}"


def _script_name(arena: Arena) -> None:
    for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO", "X-Script-Name", "X_Forwarded_Prefix"):
        told = arena.post(asking(), headers=[(name, "/x")])
        assert told.status in (200, 400), f"{name}: {told.status} {told.body[:200]!r}"


def _continues_once(arena: Arena) -> None:
    """A Node client dies of a second 100."""
    data = head_of(asking(), "", [("Expect", "100-continue")], "/v1/chat/completions")
    head, _, body = data.partition(b"\r\n\r\n")
    with arena.open(head + b"\r\n\r\n") as sock:
        time.sleep(0.3)
        sock.sendall(body)
        received = b""
        while more := sock.recv(65536):
            received += more
    assert received.count(b"HTTP/1.1 100") <= 1, received[:300]
    assert b"HTTP/1.1 200" in received, received[:300]


def _stray_lines(arena: Arena) -> None:
    """Blank lines before a request are none; only they get no answer, and the connection does not stay for ever."""
    told = arena.raw(b"\r\n\r\n" + head_of(asking(), "", (), "/v1/chat/completions"))
    assert told.status in (200, 400), f"{told.status} {told.body[:100]!r}"
    if arena.how == "app":
        return  # it closes each connection behind its answer
    one = head_of(asking(), "", (), "/v1/chat/completions").replace(b"Connection: close\r\n", b"")
    with arena.open(one + b"\r\n" + one.replace(b"Host: x", b"Host: x\r\nConnection: close")) as sock:
        received = b""
        while more := sock.recv(65536):
            received += more
    assert received.count(b"HTTP/1.1 ") == 2 and b"HTTP/1.1 5" not in received, received[:400]


CHUNKED = LINE + b"Connection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ATTACKS = [
    Attack("C3", "a refused body of a TiB", _refused_body, seconds=0),
    Attack("C3", "a body of chunks without end", _endless_chunks, memory=160, seconds=0),
    Attack("C3", "chunks of one byte without end", _tiny_chunks, memory=160, seconds=0),
    Attack("C3", "bodies for paths that take none", _body_of_nowhere, memory=160, seconds=0),
    _pipelined("/health"),
    _pipelined("/nothing"),
    _pipelined("/v1/chat/completions", "POST"),
    *(_flooded("events", "/v1/chat/completions", True, piece) for piece in ("x", "y" * 5000, "<", "`")),
    *(
        _flooded("raw", "/v1/chat/completions", True, piece)
        for piece in (": x\n\n", "\n", "data: {}\n\n", "data: 1\n", "x: y\n\n")
    ),
    _flooded("events", "/v1/completions", True),
    _flooded("raw", "/v1/files", False, "x" * 1000),
    _dripped("big heads, dripping", BIG_HEAD + b"X-Last: ", b"v" * 25),
    _dripped("one header of 60 kB, dripping", LINE + b"X: " + b"v" * 60_000, b"v" * 25),
    _dripped(
        "heads of 5 MB, dripping", LINE + b"".join(b"X-%02d: %s\r\n" % (n, b"v" * 60_000) for n in range(85)), b"X:"
    ),
    _dripped("a request line, dripping", b"GET /v1/" + b"a" * 4000, b"a"),
    _dripped("bodies, dripping", BODY_HEAD + b'{"x": "' + b"y" * 500_000, b"y" * 25),
    _dripped("chunk extensions, dripping", CHUNKED + b"5;" + b"x" * 3000, b"x" * 25),
    _refused(
        "a head of 800 kB", LINE + b"".join(b"X-%02d: %s\r\n" % (n, b"v" * 8000) for n in range(98)) + b"\r\n", 431, 400
    ),
    _refused(
        "a head of 70 kB in ten headers",
        LINE + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 7000) for n in range(10)) + b"\r\n",
        431,
    ),
    _refused("a head of 1,000 headers", LINE + b"X: y\r\n" * 1000 + b"\r\n", 431, 400),
    _refused("a request line of 70 kB", b"GET /v1/" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, 400),
    _refused("a chunk of 10^30 bytes", CHUNKED + b"f" * 25 + b"\r\nxx", 400, 408, 413, number="13"),
    _refused("a chunk size of 100 kB", CHUNKED + b"0" * 100_000 + b"\r\nxx", 400, 408, 413, number="13"),
    _refused(
        "a chunk extension of 100 kB",
        CHUNKED + b"5;" + b"x" * 100_000 + b"\r\n{    \r\n0\r\n\r\n",
        400,
        413,
        number="13",
    ),
    _refused(
        "trailers of 1 MB",
        CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: yyyyyyyyyy\r\n" * 70_000 + b"\r\n",
        400,
        413,
        431,
        number="13",
    ),
    _refused(
        "two lengths",
        LINE + b"Content-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}x",
        400,
        number="13",
    ),
    Attack("C4", "heads that never end", _head_never_ends, seconds=0, quick=False),
    Attack("C4", "a body that never ends", _body_never_ends, seconds=0, quick="CLIENT_TIMEOUT" in LIMITS),
    Attack("13", "500 idle clients", _many_idle, memory=64, seconds=0),
    Attack("13", "clients that leave in every phase", _leaving, memory=96, seconds=0),
    Attack("C13", "paths that another server could read otherwise", _odd_paths),
    Attack("C13", "headers that name a path", _script_name),
    Attack("C15", "Expect: 100-continue gets one 100", _continues_once),
    Attack("C15", "stray line ends between requests", _stray_lines, within=5),
]
