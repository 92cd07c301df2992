"""How the pieces of an answer leave, in both ways of serving."""

from __future__ import annotations

import socket
import threading

import pytest

pytest.importorskip("gunicorn.http.wsgi", reason="gunicorn does not run on Windows", exc_type=ImportError)

from serving import service
from serving.threaded import Answer

pytestmark = pytest.mark.long


def test_what_is_written_leaves_when_it_is_flushed_and_the_last_chunk_at_once() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.settimeout(0.05)
        answer = Answer(here)
        for piece in (b"5", b"\r\n", b"Hello", b"\r\n"):
            assert answer.write(piece) == len(piece)
        with pytest.raises(TimeoutError):
            there.recv(99)
        answer.flush()
        assert there.recv(99) == b"5\r\nHello\r\n"
        answer.write(b"0\r\n\r\n")
        assert there.recv(99) == b"0\r\n\r\n"
        there.close()
        answer.write(b"more")
        with pytest.raises(OSError, match=r".+"):
            answer.flush()
        answer.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["as it is", "chunked"])
def test_a_piece_that_the_system_takes_in_parts_leaves_whole(chunked: bool) -> None:
    data = bytes(range(256)) * 20_000
    here, there = socket.socketpair()
    received = bytearray()

    def read() -> None:
        while more := there.recv(1 << 16):
            received.extend(more)

    with here, there:
        here.settimeout(5)  # as gevent's, such a socket takes what there is room for
        reader = threading.Thread(target=read)
        reader.start()
        service._write(here, b"first", chunked)
        service._write(here, data, chunked)
        here.close()
        reader.join(10)
    framed = b"5\r\nfirst\r\n" + b"%x\r\n" % len(data) + data + b"\r\n"
    assert bytes(received) == (framed if chunked else b"first" + data)
