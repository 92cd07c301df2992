"""Frames of server-sent events: whole and as received at every cut, and read where they must be understood."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import pytest

from wire.sse import DONE, KEEP_ALIVE, Frames, comments_of, data_of, frame_of

STREAM = (
    ': hello\n\ndata: {"a": "서울"}\n\nevent: x\nid: 7\ndata:one\ndata: two\n\nretry: 5\n\n'
    ": note\ndata: 😀\n\ndata: [DONE]\n\n"
)
MEANT = [None, '{"a": "서울"}', "one\ntwo", None, "😀", "[DONE]"]
BOM = b"\xef\xbb\xbf"


def frames(pieces: Iterable[bytes]) -> list[bytes]:
    reader = Frames()
    out = [frame for piece in pieces for frame in reader.feed(piece)]
    rest = reader.finish()
    return [*out, rest] if rest else out


def byte_cuts(data: bytes) -> Iterable[list[bytes]]:
    yield [data]
    for size in (1, 2, 3):
        yield [data[start : start + size] for start in range(0, len(data), size)]
    for place in range(1, len(data)):
        yield [data[:place], data[place:]]


@pytest.mark.parametrize("bom", [b"", BOM], ids=["plain", "bom"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "open"])
def test_frames_at_every_cut(newline: str, bom: bytes, ended: bool) -> None:
    data = (STREAM if ended else STREAM.rstrip("\n") + "\n").replace("\n", newline).encode()
    for pieces in byte_cuts(bom + data):
        found = frames(pieces)
        assert b"".join(found) == data, pieces
        assert [data_of(frame) for frame in found] == MEANT, pieces


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data:x\n\n", "x"),
        (b"data: x\n\n", "x"),
        (b"data:  x \n\n", " x "),
        (b"data: a: b\r\n\r\n", "a: b"),
        (b"data: a\n: between\ndata: b\n\n", "a\nb"),
        (b"data: last", "last"),
        (b"data: last\n", "last"),
        (b": data: no\n\n", None),
        (b"event: ping\n\n", None),
        (b"retry: 100\n\n", None),
        (b"\n", None),
        (b"", None),
        (b"data: \xff\xfe!\n\n", "\ufffd\ufffd!"),
    ],
)
def test_the_data_of_a_frame(frame: bytes, data: str | None) -> None:
    assert data_of(frame) == data


@pytest.mark.parametrize("letter", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e", "\ufeff"])
def test_only_newlines_end_lines(letter: str) -> None:
    text = json.dumps({"a": f"x{letter}data: y"}, ensure_ascii=False)
    assert data_of(frame_of(text)) == text
    assert frames([frame_of(text)]) == [frame_of(text)]


@pytest.mark.parametrize(
    ("frame", "comments"),
    [
        (b": a\n\n", b": a\n\n"),
        (b": a\r\n:b\r\ndata: x\r\n\r\n", b": a\n:b\n\n"),
        (b"data: x\n\n", b""),
        (b"event: : x\n\n", b""),
    ],
)
def test_the_comments_of_a_frame(frame: bytes, comments: bytes) -> None:
    assert comments_of(frame) == comments


def test_our_own_frames() -> None:
    assert frame_of("é") == "data: é\n\n".encode()
    assert frame_of("\ud83d") == b"data: ?\n\n"
    assert (data_of(DONE), data_of(KEEP_ALIVE)) == ("[DONE]", None)
    assert comments_of(KEEP_ALIVE) == KEEP_ALIVE


def test_a_long_line_is_linear() -> None:
    def seconds(length: int) -> float:
        data = b"data: " + b"x" * length + b"\n\n"
        started = time.process_time()
        assert frames(data[start : start + 16] for start in range(0, len(data), 16)) == [data]
        return time.process_time() - started

    seconds(10_000)
    assert seconds(1_000_000) < 40 * max(seconds(100_000), 0.005)
