"""What hostile and broken backends send, by name. A script returns whether the connection may carry another answer."""

from __future__ import annotations

import gzip
import json
import re
import select
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from urllib.parse import unquote

from tests.answers import DONE, chunk, completion, frame, said

MIB = 1 << 20
LONGEST = 12.0
"""Seconds after which a script that never ends does."""
HEAD = b"HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\n"
SSE = HEAD % (200, b"text/event-stream")
JSON = HEAD % (200, b"application/json")


def _length(head: bytes, body: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


HONEST = "The answer for an honest client."
BUFFERED = (_length(JSON, json.dumps(completion(HONEST)).encode()),)
_FRAMES = said(*(f"{word} " for word in HONEST.split()))
STREAMED = (SSE + b"Transfer-Encoding: chunked\r\n\r\n", *map(_chunked, _FRAMES), b"0\r\n\r\n")
OPENED = SSE + b"Connection: close\r\n\r\n" + frame(chunk({"role": "assistant", "content": ""}))
"""The start of a stream that the end of the connection ends."""


class Left(Exception):
    """The proxy closed."""


class Connection:
    """A connection from the proxy, with what of the request has come."""

    def __init__(self, sock: socket.socket, data: bytes) -> None:
        self.sock = sock
        self.data = data
        self.body = b""
        self.missing = 0

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self.data:
            self.data += self._some()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        self.missing = int(found[1]) if found else 0
        return head

    def read_body(self) -> None:
        """Big ones are thrown away."""
        self.missing -= len(self.data)
        self.body, self.data = self.data, b""
        while self.missing > 0:
            more = self._some()
            self.missing -= len(more)
            if len(self.body) < 100_000:
                self.body += more

    def _some(self) -> bytes:
        more = self.sock.recv(1 << 18)
        if not more:
            raise Left
        return more

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def buffered(self, body: bytes, *headers: bytes, status: int = 200) -> bool:
        self.read_body()
        head = HEAD % (status, b"application/json") + b"".join(header + b"\r\n" for header in headers)
        self.send(_length(head, body))
        return True

    def forever(self, piece: bytes, pause: float = 0.0, seconds: float = LONGEST) -> bool:
        """The same bytes, again and again, until the proxy has had enough."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.send(piece)
            if pause:
                self.wait(pause)
        return False

    def wait(self, seconds: float) -> None:
        if select.select([self.sock], [], [], seconds)[0] and not self.sock.recv(1, socket.MSG_PEEK):
            raise Left


Script = Callable[..., bool]
SCRIPTS: dict[str, Script] = {}
_cache: dict[str, bytes] = {}
_lock = threading.Lock()
seen: Counter[str] = Counter()
"""How often each marked request came."""


def script(play: Script) -> Script:
    SCRIPTS[play.__name__] = play
    return play


def _made(name: str, make: Callable[[], bytes]) -> bytes:
    """Made once: an attack must cost its attacker nothing."""
    with _lock:
        if name not in _cache:
            _cache[name] = make()
        return _cache[name]


# -- what a model may write --------------------------------------------------------------------------------------------


@script
def text(conn: Connection, token: str, size: str, way: str = "whole", before: str = "") -> bool:
    """`token` repeated to `size` bytes, whole, streamed in one piece, or token by token."""
    said_by_model, opening = unquote(token), unquote(before)
    times = max(1, int(size) // len(said_by_model.encode()))

    def make() -> bytes:
        if way == "whole":
            return json.dumps(completion(opening + said_by_model * times)).encode()
        if way == "one":
            return b"".join(said(opening + said_by_model * times))
        one = frame(chunk({"content": said_by_model}))
        return OPENED + frame(chunk({"content": opening})) + one * times + frame(chunk({}, "stop")) + DONE

    made = _made(f"text {token} {size} {way} {before}", make)
    if way == "whole":
        return conn.buffered(made)
    conn.read_body()
    conn.send(made if way == "pieces" else SSE + b"Connection: close\r\n\r\n" + made)
    return False


@script
def calls(conn: Connection, count: str, id_size: str = "8", way: str = "streamed") -> bool:
    """Native calls, each with an id of its own of that size."""
    entries = [
        {
            "index": number,
            "id": f"{number:08d}" + "i" * (int(id_size) - 8),
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "x"}'},
        }
        for number in range(int(count))
    ]
    if way == "whole":
        return conn.buffered(
            _made(f"calls {count} {id_size}", lambda: json.dumps(completion(None, tool_calls=entries)).encode())
        )
    conn.read_body()

    def make() -> bytes:
        return OPENED + b"".join(frame(chunk({"tool_calls": [entry]})) for entry in entries)

    conn.send(_made(f"calls streamed {count} {id_size}", make) + frame(chunk({}, "tool_calls")) + DONE)
    return False


@script
def choices(conn: Connection, count: str, first: str = "0") -> bool:
    """A frame for each of many choices, from the index `first` on; 0 is without end."""
    conn.read_body()
    conn.send(OPENED)
    start = int(first)
    number, until = 0, time.monotonic() + LONGEST
    while (not int(count) or number < int(count)) and time.monotonic() < until:
        batch = [frame(chunk({"content": "x"}, index=start + number + each)) for each in range(200)]
        conn.send(b"".join(batch))
        number += 200
    conn.send(DONE)
    return False


@script
def never_closed(conn: Connection, opening: str, piece: str = "x", way: str = "streamed") -> bool:
    """What must be held until it ends, and never does."""
    conn.read_body()
    if way == "whole":
        start = json.dumps(completion("@")).encode().partition(b"@")[0]
        conn.send(JSON + b"Connection: close\r\n\r\n" + start + json.dumps(unquote(opening)).encode()[1:-1])
        return conn.forever(unquote(piece).encode() * (1 << 16))
    conn.send(OPENED + frame(chunk({"content": unquote(opening)})))
    return conn.forever(frame(chunk({"content": unquote(piece) * 200_000})))


# -- JSON, codings -----------------------------------------------------------------------------------------------------


@script
def big(conn: Connection, size: str, unit: str, where: str = "beside") -> bool:
    """A JSON answer of that many bytes."""

    def make() -> bytes:
        filling = unquote(unit) * (int(size) // len(unquote(unit)))
        answer = json.dumps(completion("hi" if where == "beside" else "@"))
        if where == "beside":
            return answer[:-1].encode() + b', "x": [' + filling.encode().rstrip(b",") + b"]}"
        return answer.replace("@", filling).encode()

    return conn.buffered(_made(f"big {size} {unit} {where}", make))


def _bomb(layers: str, megabytes: int, streamed: bool) -> bytes:
    """Zeros, coded so often; the innermost megabytes are as many as said."""
    if streamed:
        data = OPENED.partition(b"\r\n\r\n")[2] + b'data: {"choices": [{"delta": {"content": "'
    else:
        data = json.dumps(completion("@")).encode().partition(b"@")[0]
    first, *others = layers.split(",")
    packer = zlib.compressobj(9, wbits=31 if first == "gzip" else 15)
    data = packer.compress(data) + b"".join(packer.compress(bytes(MIB) * 8) for _ in range(megabytes // 8))
    data += packer.flush()
    for layer in others:
        data = gzip.compress(data, 9) if layer == "gzip" else zlib.compress(data, 9)
    return data


@script
def bomb(conn: Connection, layers: str, megabytes: str, way: str = "whole") -> bool:
    body = _made(f"bomb {layers} {megabytes} {way}", lambda: _bomb(layers, int(megabytes), way != "whole"))
    if way == "whole":
        return conn.buffered(body, b"Content-Encoding: " + layers.replace(",", ", ").encode())
    conn.read_body()
    conn.send(SSE + b"Content-Encoding: " + layers.replace(",", ", ").encode() + b"\r\nConnection: close\r\n\r\n")
    conn.send(body)
    return False


# -- the wire ----------------------------------------------------------------------------------------------------------


@script
def silent(conn: Connection, seconds: str = "10") -> bool:
    conn.read_body()
    conn.wait(float(seconds))
    return conn.buffered(json.dumps(completion("late")).encode())


@script
def early(conn: Connection, status: str = "413") -> bool:
    """An answer before the request has been read."""
    error = json.dumps({"error": {"message": "too much", "type": "x"}}).encode()
    conn.send(_length(HEAD % (int(status), b"application/json"), error))
    time.sleep(3)
    return False


@script
def raw(conn: Connection, answer: str, then: str = "close") -> bool:
    """These bytes for an answer."""
    conn.read_body()
    conn.send(unquote(answer).encode("latin-1"))
    if then == "wait":
        conn.wait(LONGEST)
    return False


@script
def endless(conn: Connection, start: str, piece: str, times: str = "1000", pause: str = "0") -> bool:
    """A start, and then a piece so many times at once, without end."""
    conn.read_body()
    conn.send(unquote(start).encode("latin-1"))
    return conn.forever(unquote(piece).encode("latin-1") * int(times), float(pause))


@script
def flood(conn: Connection, seconds: str, piece: str = "x", way: str = "events") -> bool:
    """A stream whose next bytes are always ready; it ends well."""
    conn.read_body()
    conn.send(OPENED)
    one = frame(chunk({"content": unquote(piece)})) if way == "events" else unquote(piece).encode()
    conn.forever(one * max(1, 65536 // len(one)), seconds=float(seconds))
    conn.send(frame(chunk({}, "stop")) + DONE)
    return False


@script
def die(conn: Connection, mark: str) -> bool:
    """Read the whole request, and break without a word."""
    conn.read_body()
    seen[mark] += 1
    return False


@script
def count(conn: Connection, mark: str) -> bool:
    """How often the request of that mark came."""
    return conn.buffered(json.dumps({"seen": seen[mark]}).encode())
