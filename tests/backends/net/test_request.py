"""The request as it is sent."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from errors import RequestError
from tests.backends.scripted import EMPTY, World, head_of


def test_what_is_sent(world: World) -> None:
    server = world.serve(lambda peer: peer.answer(EMPTY))
    backend = world.backend(server.url + "/base/")
    headers = [("X-B", "2"), ("x-a", "1"), ("X-B", "\xe9 2"), ("Host", "elsewhere"), ("content-length", "99")]
    with closing(backend.open("POST", "/v1/chat?x=1&y=%20", headers, b'{"a":1}')) as exchange:
        assert head_of(exchange).status == 200
    server.close()
    host = server.url.removeprefix("http://")
    assert server.results == [
        b"POST /base/v1/chat?x=1&y=%20 HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
        b'X-B: 2\r\nx-a: 1\r\nX-B: \xe9 2\r\nContent-Length: 7\r\n\r\n{"a":1}'
    ]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", b"", None), ("DELETE", b"", None), ("POST", b"", b"0"), ("PATCH", b"", b"0"), ("DELETE", b"ab", b"2")],
)
def test_content_length(world: World, method: str, body: bytes, length: bytes | None) -> None:
    server = world.serve(lambda peer: peer.answer(EMPTY))
    with closing(world.backend(server).open(method, "/", [], body)) as exchange:
        head_of(exchange)
    server.close()
    found = re.search(rb"Content-Length: (\d+)", server.results[0])
    assert (found and found[1]) == length


@pytest.mark.parametrize(
    ("method", "target", "header"),
    [
        ("GET", "/", ("x-a", "1\r\nx-b: 2")),
        ("GET", "/", ("x-a", "1\n")),
        ("GET", "/", ("x\r\n", "1")),
        ("GET", "/", ("", "1")),
        ("GET", "/", ("x-a", "\u20ac")),
        ("GET", "/a b", ("x-a", "1")),
        ("GET", "/\r\nx: y", ("x-a", "1")),
        ("GET /", "/", ("x-a", "1")),
    ],
)
def test_what_cannot_be_sent(world: World, method: str, target: str, header: tuple[str, str]) -> None:
    backend = world.backend("http://127.0.0.1:9")
    with pytest.raises(RequestError):
        backend.open(method, target, [header], b"")
