"""The answer's bytes, understood without a socket: heads, ends of bodies, faults, and what may follow."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.net.response import HttpResponse, ResponseHead
from tests.backends.scripted import CHUNKED, EMPTY, UNTIL_CLOSE, chunk, sized

LAST = b"0\r\n\r\n"


def read(*pieces: bytes, method: str = "GET") -> tuple[HttpResponse, bytes]:
    """As an exchange reads: no more than it must. `b""` is the close of the connection."""
    answer, body = HttpResponse(method), b""
    for piece in pieces:
        if answer.done or answer.fault:
            break
        if piece:
            answer.feed(piece)
        else:
            answer.end()
        body += answer.take()
    return answer, body


def head_of(answer: HttpResponse) -> ResponseHead:
    assert answer.head is not None, answer.fault
    return answer.head


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, "OK"),
        (b"HTTP/1.0 404 Not  Found ", 404, "Not  Found"),
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.1 500 \xe9", 500, "\xe9"),
        (b"HTTP/1.1 599 ?", 599, "?"),
    ],
)
def test_status_line(line: bytes, status: int, reason: str) -> None:
    head = head_of(read(line + b"\r\n\r\n")[0])
    assert (head.status, head.reason) == (status, reason)


def test_headers_as_received() -> None:
    answer, _ = read(b"HTTP/1.1 200 OK\r\nA:1\r\nb: \t2 \t\r\nEmpty:\r\na: x, Y\r\n\xc3\xa9", b"")
    assert answer.head is None  # no letter of a name
    head = head_of(read(b"HTTP/1.1 200 OK\r\nA:1\r\nb: \t2 \t\r\nEmpty:\r\na: x, Y,\r\nc: \xe9\r\n\r\n")[0])
    assert head.headers == (("A", "1"), ("b", "2"), ("Empty", ""), ("a", "x, Y,"), ("c", "\xe9"))
    assert head.get("EMPTY") == ""
    assert head.tokens("A") == ["1", "x", "y"]


ANSWERS = {
    "sized": (sized(b"hello"), b"hello", True),
    "empty": (EMPTY, b"", True),
    "chunked": (CHUNKED + chunk(b"hel") + chunk(b"lo") + LAST, b"hello", True),
    "extensions": (CHUNKED + b"5;a=b\r\nhello\r\n0;c\r\n\r\n", b"hello", True),
    "spaces": (CHUNKED + b"0005  \r\nhello\r\n0 \r\n\r\n", b"hello", True),
    "trailers": (CHUNKED + chunk(b"hello") + b"0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n", b"hello", True),
    "chunks and a length": (
        CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n" + chunk(b"hello") + LAST,
        b"hello",
        True,
    ),
    "announced": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + EMPTY, b"", True),
    "no content": (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304 Not\r\nContent-Length: 50\r\n\r\n", b"", True),
    "an offer to upgrade": (sized(b"hello", "Connection: Upgrade", "Upgrade: h2c"), b"hello", True),
    "close": (sized(b"hello", "Connection: x, Close"), b"hello", False),
    "1.0": (sized(b"hello").replace(b"1.1", b"1.0"), b"hello", False),
    "1.0 that stays": (sized(b"hello", "Connection: Keep-Alive").replace(b"1.1", b"1.0"), b"hello", True),
}


@pytest.mark.parametrize(("data", "body", "reusable"), ANSWERS.values(), ids=ANSWERS)
def test_ends(data: bytes, body: bytes, reusable: bool) -> None:
    answer, got = read(data)
    assert (got, answer.done, answer.fault, answer.reusable) == (body, True, "", reusable)
    assert head_of(answer).get("link") is None
    assert head_of(answer).get("x-sum") is None
    assert not read(data[:-1])[0].done


@given(st.sampled_from(sorted(ANSWERS)), st.lists(st.integers(0, 120), max_size=8))
def test_cuts_make_no_difference(name: str, cuts: list[int]) -> None:
    data, body, reusable = ANSWERS[name]
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    answer, got = read(*(data[at:to] for at, to in pairwise(places)))
    assert (got, answer.done, answer.fault, answer.reusable) == (body, True, "", reusable)
    assert answer.head == read(data)[0].head


@pytest.mark.parametrize(
    "header", [b"", b"Connection: keep-alive\r\n", b"Transfer-Encoding: gzip\r\nContent-Length: 2\r\n"]
)
def test_until_close(header: bytes) -> None:
    start = UNTIL_CLOSE[:-2] + header + b"\r\nhel"
    assert not read(start, b"lo")[0].done
    answer, body = read(start, b"lo", b"")
    assert (body, answer.done, answer.fault, answer.reusable) == (b"hello", True, "", False)


@pytest.mark.parametrize("follows", [b"more", b"H", sized(b"more")])
@pytest.mark.parametrize("name", ["sized", "empty", "chunked", "no content", "close"])
def test_what_follows_the_end(name: str, follows: bytes) -> None:
    data, body, _ = ANSWERS[name]
    answer, got = read(data + follows)
    assert (got, answer.done, answer.fault, answer.reusable) == (body, True, "", False)
    assert answer.head == read(data)[0].head


@pytest.mark.parametrize("name", ["sized", "chunked", "1.0 that stays"])
def test_to_a_head_request(name: str) -> None:
    head = ANSWERS[name][0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    answer, _ = read(head, method="HEAD")
    assert (answer.done, answer.empty, answer.reusable) == (True, True, True)
    answer, body = read(ANSWERS["sized"][0], method="HEAD")
    assert (body, answer.done, answer.reusable) == (b"", True, False)


@pytest.mark.parametrize(
    ("data", "empty"), [(EMPTY, True), (ANSWERS["no content"][0], True), (sized(b"x"), False), (CHUNKED, False)]
)
def test_empty_is_told_with_the_head(data: bytes, empty: bool) -> None:
    answer = HttpResponse("GET")
    answer.feed(data)
    assert answer.empty == empty


@pytest.mark.parametrize("end", [b"0\r\n", b"0\r\nX-Sum: 1\r\n"])
def test_a_close_instead_of_the_last_blank_line(end: bytes) -> None:
    answer, body = read(CHUNKED + chunk(b"hello") + end, b"")
    assert (body, answer.done, answer.fault, answer.reusable) == (b"hello", True, "", False)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (sized(b"hello")[:-2], b"hel"),  # two bytes, as many as the blank line that is tried
        (CHUNKED, b""),
        (CHUNKED + b"2\r\n", b""),
        (CHUNKED + b"5\r\nhel", b"hel"),
        (CHUNKED + b"5\r\nhello", b"hello"),
        (CHUNKED + chunk(b"hello"), b"hello"),
        (CHUNKED + chunk(b"hello") + b"0", b"hello"),
        (CHUNKED + chunk(b"hello") + b"0\r\nX-Su", b"hello"),
    ],
)
def test_a_close_too_early(data: bytes, body: bytes) -> None:
    answer, got = read(data, b"")
    assert (got, answer.done, answer.reusable) == (body, False, False)
    assert answer.fault == "the backend's answer broke off: the connection closed"


@pytest.mark.parametrize("data", [b"HTT", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_close_in_the_head(data: bytes) -> None:
    assert read(data, b"")[0].fault == "no HTTP answer from the backend: the connection closed"


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"xyz\r\n", b""),
        (b"-5\r\n", b""),
        (b"7" * 20, b""),
        (b"3\r\nhello\r\n", b"hel"),
        (chunk(b"hello") + b"\r\n", b"hello"),
        (chunk(b"hello") + b"0\r\nno colon\r\n\r\n", b"hello"),
    ],
)
def test_what_came_before_a_fault_is_kept(data: bytes, body: bytes) -> None:
    for pieces in ([CHUNKED + data], [CHUNKED, data]):
        answer, got = read(*pieces)
        assert (got, answer.done, answer.reusable) == (body, False, False)
        assert answer.fault.startswith("the backend's answer broke off: ")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example.com",
        b"HTTP/1.1 OK\r\n",
        b"HTTP/3.0 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
        b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_no_head(data: bytes) -> None:
    answer, body = read(data)
    assert (answer.head, body, answer.done, answer.reusable) == (None, b"", False, False)
    assert answer.fault.startswith("no HTTP answer from the backend: ")


@pytest.mark.parametrize(
    ("start", "on"),
    [
        (b"HTTP/1.1 200 OK\r\nA: ", b"b"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"\r\n"),
        (CHUNKED + b"5;", b"a"),
        (CHUNKED + chunk(b"hello") + b"0\r\nA: ", b"b"),
        (CHUNKED + chunk(b"hello") + b"0\r\n", b"A: b\r\n"),
    ],
)
def test_no_end_of_what_is_no_body(start: bytes, on: bytes) -> None:
    piece = on * (60_000 // len(on))
    assert not read(start + piece, *[piece] * 3)[0].fault
    assert read(start + piece, *[piece] * 5)[0].fault.endswith("bytes of head or trailers")


def test_a_long_body_is_no_long_head() -> None:
    piece = b"x" * 60_000
    answer, body = read(CHUNKED, *[chunk(piece)] * 10, LAST)
    assert answer.done
    assert len(body) == 600_000


def test_pieces_are_joined() -> None:
    answer = HttpResponse("GET")
    answer.feed(CHUNKED + b"".join(chunk(b"%d " % number) for number in range(50)))
    assert answer.take() == b"".join(b"%d " % number for number in range(50))
    assert answer.take() == b""


def test_ctrl_c_while_a_head_is_read_is_no_fault_of_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(HttpResponse, "on_header", interrupted)
    with pytest.raises(KeyboardInterrupt):
        HttpResponse("GET").feed(EMPTY)
