"""Decoding of a body's Content-Encoding with urllib3, while the bytes arrive: of answers, and of requests, too.

May not know: how the bytes arrive, what they mean.
"""

from __future__ import annotations

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse, MultiDecoder

from errors import Interrupted

_DECODE_ERRORS: tuple[type[Exception], ...] = (*HTTPResponse.DECODER_ERROR_CLASSES, HTTPError)

CODINGS: tuple[str, ...] = tuple(HTTPResponse.CONTENT_DECODERS)
"""The codings that can be decoded here. `br` and `zstd` are among them if a library for them is installed."""

_MOST = 1 << 17
"""Bytes that one step decodes at most: a few bytes can hold gigabytes, and others wait for whoever reads a step."""


class Decoder:
    """Decodes one body. A body in a coding that urllib3 does not know passes unchanged."""

    def __init__(self, codings: list[str]) -> None:
        """`codings` are the values of Content-Encoding, in order. Raises Interrupted for more than urllib3 allows."""
        self.active = bool(codings) and set(codings) <= set(HTTPResponse.CONTENT_DECODERS)
        try:
            self._decoder = MultiDecoder(",".join(codings)) if self.active else None
        except _DECODE_ERRORS as error:
            raise Interrupted("the backend's answer has too many content codings") from error

    @property
    def waiting(self) -> bool:
        """More can be decoded of what was fed: call `feed` again, with nothing."""
        return self._decoder is not None and self._decoder.has_unconsumed_tail

    def feed(self, data: bytes) -> bytes:
        """The next decoded bytes, possibly none, _MOST at most. Raises Interrupted for invalid data."""
        if self._decoder is None or not (data or self.waiting):
            return data
        try:
            return self._decoder.decompress(data, _MOST)
        except _DECODE_ERRORS as error:
            raise Interrupted("the backend's answer does not match its content coding") from error

    def finish(self) -> bytes:
        """The decoded bytes that are left at the end; later calls return `b""`. Raises Interrupted if truncated."""
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return b""
        if _is_truncated(decoder):
            raise Interrupted("the backend's compressed answer broke off before its end")
        try:
            return decoder.flush()
        except _DECODE_ERRORS as error:
            raise Interrupted("the backend's compressed answer broke off before its end") from error


def _is_truncated(decoder: MultiDecoder) -> bool:
    """Whether a coding has begun and not reached its end, which urllib3 itself does not check.

    Reads private attributes, as pool.py does, because there are no public ones. A decoder without `eof` counts as
    finished. So does one with a `_state`: it ignores garbage behind its end.
    """
    ended = [getattr(getattr(each, "_obj", None), "eof", True) for each in decoder._decoders]
    in_body = [not getattr(each, "_state", 0) for each in decoder._decoders]
    return any(not end and begun for end, begun in zip(ended, in_body, strict=True))
