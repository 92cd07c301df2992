"""The Content-Encoding of a body, taken off by urllib3 as the bytes come.

May not know: how the bytes came, what they mean.
"""

from __future__ import annotations

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse, MultiDecoder

from errors import Interrupted

_UNDECODABLE: tuple[type[Exception], ...] = (*HTTPResponse.DECODER_ERROR_CLASSES, HTTPError)


class Decoder:
    """For one body. One in a coding that urllib3 does not know passes as it is, with its Content-Encoding."""

    def __init__(self, codings: list[str]) -> None:
        self.active = bool(codings) and set(codings) <= set(HTTPResponse.CONTENT_DECODERS)
        try:
            self._decoder = MultiDecoder(",".join(codings)) if self.active else None
        except _UNDECODABLE as error:  # there is an end to how many it takes off
            raise Interrupted("the backend's answer names too many codings") from error

    def feed(self, data: bytes) -> bytes:
        """What can be told by now; mostly all of it, sometimes `b""`."""
        if self._decoder is None or not data:
            return data
        try:
            return self._decoder.decompress(data)
        except _UNDECODABLE as error:
            raise Interrupted("the backend's answer is not in the coding that it names") from error

    def rest(self) -> bytes:
        """What was held back, once."""
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return b""
        if _unfinished(decoder):
            raise Interrupted("the backend's answer broke off inside its coding")
        try:
            return decoder.flush()
        except _UNDECODABLE as error:
            raise Interrupted("the backend's answer broke off inside its coding") from error


def _unfinished(decoder: MultiDecoder) -> bool:
    """Whether a coding still waits for its end. urllib3 itself takes what came for all there is.

    Private by name only, as what the pool uses; a decoder that cannot say counts as finished, and so does one that
    ignores garbage behind its end (a `_state`).
    """
    ends = [getattr(getattr(each, "_obj", None), "eof", True) for each in decoder._decoders]
    first = [not getattr(each, "_state", 0) for each in decoder._decoders]
    return any(not end and begun for end, begun in zip(ends, first, strict=True))
