"""`wsgi.input` in both ways of serving: the body of one request, which is asked for when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol


class Source(Protocol):
    """Where a body comes from."""

    def read(self, size: int, /) -> bytes | None:
        """The next bytes, fewer than `size` at the end only. Raises OSError and the server's own errors."""


class Body:
    """The body of one request. It knows whether all of it was read, and so whether the connection can be used again."""

    def __init__(self, source: Source, length: int | None, ask: Callable[[], None] | None = None) -> None:
        """`length` is None for a body in chunks. `ask` tells a client that waits for `100 Continue` to go on."""
        self._source = source
        self._left = length
        self._ask = ask if length != 0 else None
        self.length = length
        self.finished = length == 0
        self.failed = False
        """A read has raised an error. Where the next request would begin is not known. gunicorn reads this, too."""

    @property
    def waits(self) -> bool:
        """The client was not told to go on, so it may never send the body."""
        return self._ask is not None and not self.finished

    def read(self, size: int | None = -1) -> bytes:
        """The next `size` bytes, fewer at the end only; without a size, all. Raises what the source raises."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(65536), b""))
        if self.finished or not size:
            return b""
        self.failed = True  # until it is known better
        if self._ask is not None:
            ask, self._ask = self._ask, None
            ask()
        data = self._source.read(size if self._left is None else min(size, self._left)) or b""
        self.failed = False
        if self._left is not None:
            self._left -= len(data)
        self.finished = not data or self._left == 0
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """A line, byte by byte: WSGI wants it, and nobody here uses it."""
        line = bytearray()
        while not line.endswith(b"\n") and (size is None or size < 0 or len(line) < size) and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """All lines that are left."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")
