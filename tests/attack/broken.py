"""Backends that bomb, never end, count wrongly, or are no API (C5, C7, C8, C11, C12, C14, section 13)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.attack.arena import KEY, Arena, Attack, asking, coded, head_of, read_answer
from tests.attack.bodies import NOISE

HELD = 64
"""MiB of decoded bytes that may be held (CONTRACT 13): the bytes, and once more while they are put together."""
OK = "HTTP/1.1 200 OK\r\n"
STREAM = OK + "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n"
BUFFER = OK + "Content-Type: application/json\r\nConnection: close\r\n\r\n"


def _bomb(layers: str, megabytes: int, way: str, quick: bool = True) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(way != "whole"), coded("bomb", layers, megabytes, way).replace("%2C", ","))
        if way == "whole":
            assert told.status == 502, f"{told.status} {told.body[:200]!r}"
        else:
            assert told.status == 502 or (told.ended and told.code), f"{told.status} {told.body[-200:]!r}"

    kind = "buffered" if way == "whole" else "streamed"
    return Attack(
        "C5", f"{megabytes} MiB in {layers}, {kind}", play, 2.0 * HELD + NOISE, seconds=0, quick=quick, within=15
    )


def _sent_once(arena: Arena) -> None:
    """A request that the backend has read, over a connection that was used before, is not sent again."""
    for number in range(20):
        mark = f"{arena.how}-{number}-{id(arena)}"
        told = arena.post(asking(number % 2 == 1), f"die {mark}")
        assert told.status == 502 or told.code, f"{told.status} {told.body[:200]!r}"
        assert arena.seen(mark) == 1, f"it ran {arena.seen(mark)} times"


def _native(name: str, count: int, id_size: int, way: str) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(way != "whole"), coded("calls", count, id_size, way))
        if count <= 10_000:
            assert told.status in (200, 502), f"{told.status} {told.body[:200]!r}"
        else:
            assert told.status == 502 or told.code, f"no error: {told.status} {told.body[-200:]!r}"
        assert way == "whole" or told.status == 502 or told.ended, told.body[-200:]

    size = count * (id_size + 200) / 1e6
    return Attack("C8", f"{name}, {way}", play, 25 * size + NOISE, seconds=0, within=max(2.0, size))


def _choices(name: str, count: int, first: int = 0) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(True), coded("choices", count, first))
        assert told.status == 502 or told.ended, f"{told.status} {told.body[-200:]!r}"
        assert told.status == 502 or told.code, f"no error: {told.body[-200:]!r}"

    return Attack("C8", name, play, NOISE, seconds=0, within=3)


def _early(arena: Arena) -> None:
    """An answer that comes while the request is still being sent is seen."""
    told = arena.post(asking(x="y" * (30 << 20)), "early 413")
    assert told.status == 413 and b"too much" in told.body, f"{told.status} {told.body[:200]!r}"


def _no_api(name: str, answer: str, streams: Sequence[bool] = (False, True)) -> Attack:
    def play(arena: Arena) -> None:
        for stream in streams:
            told = arena.post(asking(stream), coded("raw", answer))
            assert told.status == 502, f"{told.status} {told.body[:200]!r}"
            assert b'"error"' in told.body, told.body[:200]
            assert any(key.lower() == "retry-after" for key, _ in told.headers), "no Retry-After"

    return Attack("C12", name, play, NOISE, seconds=0.5)


def _statuses(arena: Arena) -> None:
    for line in ("099 Odd", "1000 Odd", "-1 Odd", "2x0 Odd", "000 Odd", "\xb2\xb2\xb2 Odd", "", "+200 Odd"):
        told = arena.post(
            asking(), coded("raw", f"HTTP/1.1 {line}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
        )
        assert told.status == 502, f"{line!r}: {told.status} {told.body[:200]!r}"


def _redacted(arena: Arena) -> None:
    """The key that goes to the backend comes back in no header."""
    answer = BUFFER.replace("\r\n\r\n", f"\r\nX-Echo: Bearer {KEY}\r\n\r\n{{}}")
    for status in ("200 OK", "500 No"):
        for target in ("/v1/chat/completions", "/v1/files"):
            script = coded("raw", answer.replace("200 OK", status))
            told = arena.post(asking(), script, target=target)
            assert KEY not in str(told.headers), f"{target} {status}: {told.headers}"


def _endless(
    name: str, start: str, piece: str, *, stream: bool = True, memory: float = NOISE, times: int = 1000
) -> Attack:
    def play(arena: Arena) -> None:
        told = arena.post(asking(stream), coded("endless", start, piece, times))
        assert told.status in (502, 504) or told.code, f"no error: {told.status} {told.body[-200:]!r}"

    return Attack("13", name, play, memory, seconds=0, within=25)


def _never_reads(arena: Arena) -> None:
    """Clients that ask for a flood and read nothing of it: the backend waits, not our memory."""

    def attacker(_: int) -> None:
        with arena.open(head_of(asking(True), coded("flood", 4), (), "/v1/chat/completions")):
            time.sleep(4)

    arena.many(10, attacker)


def _reads_slowly(arena: Arena) -> None:
    told = None
    with arena.open(
        head_of(asking(True), coded("text", "x" * 100, 300_000, "pieces"), (), "/v1/chat/completions")
    ) as sock:
        told = read_answer(sock, 0.0)
    assert told.ended, told.body[-200:]


ATTACKS = [
    _bomb("gzip", 400, "whole"),
    _bomb("gzip,gzip", 400, "whole"),
    _bomb("gzip,gzip,gzip", 400, "whole", quick=False),
    _bomb("deflate", 400, "whole"),
    _bomb("deflate,gzip", 400, "whole", quick=False),
    _bomb("gzip", 400, "streamed"),
    _bomb("gzip,deflate,gzip", 400, "streamed"),
    Attack("C7", "a backend that dies behind a request that it read", _sent_once, seconds=0),
    _native("10,000 calls", 10_000, 8, "streamed"),
    _native("10,000 calls", 10_000, 8, "whole"),
    _native("30,000 calls", 30_000, 8, "streamed"),
    _native("100 calls with ids of 100 kB", 100, 100_000, "streamed"),
    _choices("20,000 choices", 20_000),
    _choices("choices without end", 0),
    _choices("choices from 10^30 on", 0, 10**30),
    _choices("choices below 0", 0, -(10**6)),
    Attack("C11", "an answer while the request is being sent", _early, memory=30 * 3 + NOISE, seconds=0, within=4),
    _no_api("HTML for an answer", f"{OK}Content-Type: text/html\r\nConnection: close\r\n\r\n<html>hi"),
    _no_api(
        "nothing for an answer", f"{OK}Content-Type: application/json\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    ),
    _no_api(
        "br that nobody asked for",
        f"{OK}Content-Type: application/json\r\nContent-Encoding: br\r\nConnection: close\r\n\r\n\x8b",
    ),
    _no_api(
        "zstd that is none",
        f"{OK}Content-Type: application/json\r\nContent-Encoding: zstd\r\nConnection: close\r\n\r\nxyz",
    ),
    _no_api("a list for a stream", BUFFER + "[1]", [True]),
    Attack("C13", "odd statuses of a backend", _statuses),
    Attack("C14", "a backend that echoes the key in headers", _redacted),
    _endless("a head of headers without end", OK, "X-A: bbbbbbbbbb\r\n"),
    _endless("a status line without end", "HTTP/1.1 200 ", "O"),
    _endless("1xx without end", "", "HTTP/1.1 100 Continue\r\n\r\n"),
    _endless("103 with headers without end", "", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    _endless("a line of an event without end", STREAM + "data: ", "x", memory=3 * HELD),
    _endless("an event of lines without end", STREAM, "data: x\n", memory=3 * HELD),
    _endless("a comment without end", STREAM + ":", "x", memory=3 * HELD),
    _endless(
        "a chunk size without end", OK + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "0"
    ),
    _endless(
        "a body without end", BUFFER + '{"choices": [{"message": {"content": "', "x", stream=False, memory=3 * HELD
    ),
    _endless("white space for a body without end", BUFFER, " ", stream=False, memory=3 * HELD),
    _endless("JSON without end for a stream", BUFFER + '{"choices": [', "{},", memory=3 * HELD),
    Attack("13", "clients that read nothing of a flood", _never_reads, memory=96, seconds=0),
    Attack("13", "100 kB in pieces of 100 bytes", _reads_slowly, memory=NOISE),
]
