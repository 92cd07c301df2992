"""Server-sent events as bytes: splitting a stream into frames, and reading the data of a frame.

A frame is one event with the blank line that ends it. Splitting is our own code: it keeps the received bytes, and its
time is linear in the length of a frame. sseclient-py reads the data of a frame. May not know: what the events mean.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterator

from sseclient import SSEClient

from errors import BackendError
from turns import Turns
from wire.json_slices import JsonText

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_LOOK_BEHIND = 3
"""Bytes at the end of a searched part that may be the beginning of a blank line."""
_MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Far more than any real frame has. An unfinished frame is held in memory, so there is a limit."""
_LARGE = 1 << 20
"""Bytes of a frame that is read in slices."""
_SLICE = 1 << 17
_MOST_LINES = 64
"""Lines of a frame that sseclient is given: it copies what it has read at each, which is quadratic."""
_BOM = b"\xef\xbb\xbf"


class Frames:
    """Splits a stream of bytes that arrives in pieces into frames."""

    __slots__ = ("_first", "_length", "_parts", "_tail")

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # of an unfinished frame; joined once, so that a long frame takes linear time
        self._length = 0  # bytes in the parts
        self._tail = b""  # held bytes that must be searched again with the next piece
        self._first = True  # a byte order mark may follow

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes. Raises BackendError if an unfinished frame exceeds the limit."""
        return frames_of(self.take(data))

    def take(self, data: bytes) -> bytes:
        """Like `feed`, but the complete frames are one `bytes`."""
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
        """Whether no part of a frame is held."""
        return not (self._tail or self._parts or self._first)

    def _hold(self, text: bytes) -> None:
        keep = max(0, len(text) - _LOOK_BEHIND)
        self._parts.append(text[:keep])
        self._tail = text[keep:]
        self._length += keep
        if self._length > _MAX_FRAME_BYTES:
            raise BackendError(f"One event of the backend's answer is longer than {_MAX_FRAME_BYTES} bytes.")

    def finish(self) -> bytes:
        """At the end of the stream: what is left, a frame without its blank line; `b""` if nothing is."""
        rest = b"".join([*self._parts, self._tail])
        self._parts.clear()
        self._tail = b""
        return rest


def _last_end(text: bytes) -> int:
    """The position behind the last complete frame; 0 if there is none."""
    end = text.rfind(b"\n\n") + 2 if b"\r" not in text else 1
    if end > 1 and text[end - 3 : end - 2] != b"\n":
        return end
    last = deque(_BLANK_LINE.finditer(text), maxlen=1)  # slow path: other line ends, or several blank lines
    return last[0].end() if last else 0


def frames_of(block: bytes) -> list[bytes]:
    """The frames of `block`, which ends with a complete frame."""
    if len(block) > _LARGE:
        return list(_large_frames_of(block))
    if b"\r" not in block:  # fast path for nearly all streams
        return [frame + b"\n\n" for frame in block.split(b"\n\n")[:-1]]
    ends = [match.end() for match in _BLANK_LINE.finditer(block)]
    return [block[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _large_frames_of(block: bytes) -> Iterator[bytes]:
    """The same, in slices."""
    turns = Turns()
    start = at = 0
    while at < len(block):
        found = _BLANK_LINE.search(block, at, at + _SLICE)
        if found:
            yield block[start : found.end()]
            start = found.end()
        at = found.end() if found else at + _SLICE - _LOOK_BEHIND
        turns.take()


def data_of(frame: bytes) -> str | None:
    """The data of a frame, its lines joined by newlines; None for a frame without data, such as a comment.

    Invalid UTF-8 becomes U+FFFD. The usual frame, a single line of data, takes a fast path without the parser.
    """
    if len(frame) > _LARGE:
        return _large_data_of(frame)
    if frame.startswith(b"data: ") and frame.endswith(b"}\n\n") and frame.count(b"\n") == 2 and b"\r" not in frame:
        return frame[6:-2].decode(errors="replace")
    if b"data" not in frame:
        return None
    if frame.count(b"\n") + frame.count(b"\r") > _MOST_LINES:
        return _large_data_of(frame)
    try:
        event = next(iter(SSEClient(iter([frame])).events()), None)
    except UnicodeDecodeError:
        event = next(iter(SSEClient(iter([frame.decode(errors="replace").encode()])).events()), None)
    return None if event is None else event.data


def _large_data_of(frame: bytes) -> str | None:
    """The same of a long frame, or one of many lines, in slices."""
    turns = Turns()
    found: list[str] = []
    lines = 0
    for start, end in _lines_of(frame):
        turns.take()
        if frame[start : min(end, start + 5)] not in (b"data", b"data:"):
            continue
        lines += 1
        found += ["\n"] * (lines > 1)
        start = min(start + 5, end)
        start += frame[start : start + 1] == b" "
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for begin in range(start, end, _SLICE):
            stop = min(begin + _SLICE, end)
            found.append(decoder.decode(frame[begin:stop], stop == end))
            turns.take()
    return "".join(found) if lines else None


def _lines_of(frame: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines of a frame begin and end. Each kind of line end is looked for once."""
    start = 0
    feed = carriage = -1
    while start < len(frame):
        if feed < start:
            feed = frame.find(b"\n", start) % (len(frame) + 1)
        if carriage < start:
            carriage = frame.find(b"\r", start) % (len(frame) + 1)
        end = min(feed, carriage)
        yield start, end
        start = end + (2 if frame[end : end + 2] == b"\r\n" else 1)


def is_torn(frame: bytes) -> bool:
    """Whether the last frame of a stream, which has no blank line, is truncated: its data is not complete JSON."""
    data = data_of(frame + b"\n\n")
    if data is None:
        return any(b"data:".startswith(line) for line in frame.splitlines() if line)
    try:
        if len(data) > _LARGE:
            JsonText(data.encode("utf-8", "surrogatepass")).check()
        else:
            json.loads(data)
    except (ValueError, RecursionError):
        return data.strip() != "[DONE]"
    return False


def comments_of(frame: bytes) -> bytes:
    """The comment lines of a frame, as a frame of their own; `b""` if it has none."""
    lines = [line for line in frame.splitlines() if line.startswith(b":")]
    return b"\n".join(lines) + b"\n\n" if lines else b""


def frame_of(data: str) -> bytes:
    """A frame with `data`, which is one line. A lone surrogate, which UTF-8 cannot encode, becomes `?`."""
    return b"data: " + data.encode(errors="replace") + b"\n\n"
