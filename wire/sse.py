"""Server-sent events as bytes: cut into frames exactly as they came, and a frame read when it must be understood.

Splitting is ours because a proxy forwards the bytes it received, and because it must not grow with the square of a
frame's length; reading a frame is sseclient-py's. It may not know what the events mean.
"""

from __future__ import annotations

import json
import re

from sseclient import SSEClient

from errors import BackendError

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LOOK_BACK = 3
"""A blank line may have begun this many bytes before the end of what was searched."""
_LONGEST = 64 * 1024 * 1024
"""Bytes of one frame: far beyond any real one, but not endless, for all of it must be held."""
_BOM = b"\xef\xbb\xbf"


class Frames:
    """Bytes in pieces to whole frames, each with the blank line that ends it."""

    __slots__ = ("_first", "_length", "_parts", "_tail")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # an unfinished frame, in pieces so that a long one is joined once
        self._length = 0  # of the parts
        self._tail = b""
        self._first = True

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now. Raises BackendError for one that does not seem to end."""
        return frames_of(self.take(data))

    def take(self, data: bytes) -> bytes:
        """The frames that are whole now, still in one piece."""
        if self._first and data:
            data = self._tail + data
            self._tail = b""
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._tail = data
                return b""
            data = data.removeprefix(_BOM)
            self._first = False
        text = self._tail + data
        end = _last_end(text)
        if not end:
            self._hold(text)
            return b""
        self._tail = text[end:]
        if not self._parts:
            return text[:end]
        block = b"".join([*self._parts, text[:end]])
        self._parts.clear()
        self._length = 0
        return block

    @property
    def empty(self) -> bool:
        """Nothing of a frame is held."""
        return not (self._tail or self._parts or self._first)

    def _hold(self, text: bytes) -> None:
        keep = max(0, len(text) - _LOOK_BACK)
        self._parts.append(text[:keep])
        self._tail = text[keep:]
        self._length += keep
        if self._length > _LONGEST:
            raise BackendError(f"One event of the backend's answer is longer than {_LONGEST} bytes.")

    def finish(self) -> bytes:
        """A last frame that no blank line ended, or nothing."""
        rest = b"".join([*self._parts, self._tail])
        self._parts.clear()
        self._tail = b""
        return rest


def _last_end(text: bytes) -> int:
    """Where the last frame ends that is whole; 0 if none is."""
    end = text.rfind(b"\n\n") + 2 if b"\r" not in text else 1
    if end > 1 and text[end - 3 : end - 2] != b"\n":
        return end
    end = 0  # other line ends than the usual one, or more blank lines than one
    while match := _BLANK_LINE.search(text, end):
        end = match.end()
    return end


def frames_of(block: bytes) -> list[bytes]:
    """The frames of a block, each with the blank line that ends it."""
    if b"\r" not in block:  # as nearly always
        return [frame + b"\n\n" for frame in block.split(b"\n\n")[:-1]]
    ends = [match.end() for match in _BLANK_LINE.finditer(block)]
    return [block[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def data_of(frame: bytes) -> str | None:
    """The data of a frame, its lines joined; None for a frame that holds none, such as a comment.

    Bytes that are no UTF-8 become U+FFFD. The one line that nearly all frames are needs no parser.
    """
    if frame.startswith(b"data: ") and frame.endswith(b"}\n\n") and frame.count(b"\n") == 2 and b"\r" not in frame:
        return frame[6:-2].decode(errors="replace")
    try:
        event = next(iter(SSEClient(iter([frame])).events()), None)
    except UnicodeDecodeError:
        event = next(iter(SSEClient(iter([frame.decode(errors="replace").encode()])).events()), None)
    return None if event is None else event.data


def is_torn(frame: bytes) -> bool:
    """Whether a last frame, which no blank line ended, stops in the middle of an event."""
    data = data_of(frame + b"\n\n")
    if data is None:
        return any(b"data:".startswith(line) for line in frame.splitlines() if line)
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return data.strip() != "[DONE]"
    return False


def comments_of(frame: bytes) -> bytes:
    """The comment lines of a frame, as a frame of their own; nothing if it has none."""
    lines = [line for line in frame.splitlines() if line.startswith(b":")]
    return b"\n".join(lines) + b"\n\n" if lines else b""


def frame_of(data: str) -> bytes:
    """A frame that holds one line of data. Half a surrogate pair, which UTF-8 cannot write, becomes `?`."""
    return b"data: " + data.encode(errors="replace") + b"\n\n"
