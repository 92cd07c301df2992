"""The whole body of a request, within its limit and decoded. Imported by the application only, as it imports urllib3.

May not know: what a body means, which server reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Protocol

from backends import CODINGS, Decoder
from errors import BrokenCoding, Interrupted, RequestError, TooLarge, TooSlow, UnknownCoding
from turns import Turns

try:
    from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
except ImportError:  # on Windows there is no gunicorn

    class ParseException(Exception):  # type: ignore[no-redef]
        """Stands for what only gunicorn raises."""


MOST_CODINGS = 3
"""Codings of one body, one around the other."""

_PIECE = 1 << 18
"""Bytes that are asked for at once."""
_DECODED_AT_ONCE = 1 << 14
"""Bytes that are decoded at once. Of many gzip members in one piece, each copies all that follow it."""


class Readable(Protocol):
    """`wsgi.input`."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; `b""` at the end."""


def codings_of(header: str) -> list[str]:
    """The codings that a Content-Encoding names, without `identity`. Raises UnknownCoding for what is not decoded."""
    named = [name for name in (part.strip().lower() for part in header.split(",")) if name and name != "identity"]
    if not set(named) <= set(CODINGS):
        raise UnknownCoding(f"Content-Encoding: {', '.join(CODINGS)} are decoded here, and nothing else.")
    if len(named) > MOST_CODINGS:
        raise UnknownCoding(f"Content-Encoding: at most {MOST_CODINGS} codings are decoded here.")
    return named


def read_body(stream: Readable, length: int | None, limit: int, codings: Sequence[str] = ()) -> bytes:
    """The body, decoded. `length` is what the client announced, None if it comes in chunks.

    `limit` counts bytes as they come, and decoded ones. Raises TooLarge, TooSlow, BrokenCoding, and RequestError for a
    body that breaks off.
    """
    if length is not None and length > limit:
        raise _too_large(limit)
    raw = _pieces(stream, length, limit)
    body = BytesIO()  # joining the pieces of a long body at its end would copy all of it, while everybody waits
    body.writelines(_decoded(raw, codings, limit) if codings else raw)
    return body.getvalue()


def _pieces(stream: Readable, length: int | None, limit: int) -> Iterator[bytes]:
    size = 0
    while length is None or size < length:
        try:
            piece = stream.read(_PIECE if length is None else min(_PIECE, length - size))
        except TimeoutError:
            raise TooSlow("The rest of the request body did not come in time (CLIENT_TIMEOUT).") from None
        except (OSError, ParseException):
            raise RequestError("The request body broke off, or is not framed as HTTP says.") from None
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if not piece:
            break
        yield piece
    if length is not None and size < length:
        raise RequestError("The request body is shorter than its Content-Length says.")


def _decoded(raw: Iterator[bytes], codings: Sequence[str], limit: int) -> Iterator[bytes]:
    turns, size, begun = Turns(), 0, False
    decoder = Decoder(list(codings))
    try:
        for piece in raw:
            for pos in range(0, len(piece), _DECODED_AT_ONCE):
                fed, begun = piece[pos : pos + _DECODED_AT_ONCE], True
                while fed or decoder.waiting:
                    decoded, fed = decoder.feed(fed), b""
                    size += len(decoded)
                    if size > limit:
                        raise _too_large(limit)
                    turns.take()
                    yield decoded
        if begun:
            rest = decoder.finish()
            if size + len(rest) > limit:
                raise _too_large(limit)
            yield rest
    except Interrupted:
        raise BrokenCoding("The request body is not what its Content-Encoding says.") from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {limit} bytes (MAX_REQUEST_BYTES).")
