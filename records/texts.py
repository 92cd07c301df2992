"""The texts of an exchange as they are stored: bytes with the borders of their pieces, without keys, often compressed.

    request         the client's
    answer          the answer as its API tells it when it is asked for again (`reply.KeptAnswer`)
    sent.0 …        each attempt's request to the backend
    received.0 …    what the backend answered, its content coding removed
    client          what the client got
    reading         with what the answers were read (JSON)

Borders are two little-endian arrays: four bytes for the length of each piece, then four for when it passed, as a
floating-point number of seconds since the request came (so to some microseconds in the first minute). They are not
compressed: they hardly become smaller.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any

from converters.text.expectations import Expectations
from streaming.tape import LONGEST_TEXT, Blocks, Reading, Tape

Redact = Callable[[bytes], bytes]
"""Removes keys. The length stays."""

REQUEST = "request"
ANSWER = "answer"
"""Kinds of the texts that answers are made of. They come first, so that they begin as no other text but each other."""

_SHORT = 4096
"""Bytes that are not worth compressing: it would take longer than to write them."""
_WORTH = 64
"""Bytes that two texts must have in common, if that is to be looked at."""
_JSON = json.JSONEncoder(default=dict)
_DEFAULT = Expectations()
_PLAIN = tuple(each.name for each in fields(Expectations) if each.name not in ("tools", "allowed"))
_SAME = "same:"
"""Begins the encoding of a text that starts as another, whose kind and the number of these bytes follow."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """One text of an exchange."""

    kind: str
    body: bytes
    size: int
    """Bytes of the whole text, of which `body` may hold less."""
    truncated: bool = False
    packed_borders: bytes = b""

    @property
    def borders(self) -> tuple[tuple[int, int], ...]:
        """For each piece where it ends in `body`, and when it passed, in microseconds since the request came."""
        lengths, times = _borders(self.packed_borders)
        return tuple(zip(accumulate(lengths), (max(int(at * 1e6), 0) for at in times), strict=True))

    @property
    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """(microseconds, bytes) of each piece."""
        start = 0
        for end, at in self.borders:
            yield at, self.body[start:end]
            start = end


@dataclass(frozen=True, slots=True)
class PackedText:
    """A row of the table of texts."""

    kind: str
    body: bytes
    encoding: str
    """Empty, `zlib`; or `same:kind:n`, where the text begins with so many bytes of another, and `body` follows."""
    size: int
    truncated: bool
    borders: bytes


def texts_of(tape: Tape, started: float, redact: Redact) -> list[StoredText]:
    """The texts of a tape. `started` is when the request came (`time.monotonic`)."""
    found = [StoredText(REQUEST, redact(tape.request), tape.request_size, tape.request_size > LONGEST_TEXT)]
    if tape.answer is not None and tape.answer.body is not None:
        found.append(StoredText(ANSWER, redact(tape.answer.body), len(tape.answer.body)))
    statuses: list[dict[str, object]] = []
    for number, attempt in enumerate(list(tape.attempts)):
        statuses.append({"status": attempt.status, "whole": attempt.whole, "ended": attempt.ended})
        cut = attempt.size > len(attempt.sent)
        found.append(StoredText(f"sent.{number}", redact(attempt.sent), attempt.size, cut))
        found.append(_joined(f"received.{number}", attempt.received, started, redact))
    found.append(_joined("client", tape.client, started, redact))
    told = {"attempts": statuses, "reading": None if tape.reading is None else _told(tape.reading)}
    body = redact(_JSON.encode(told).encode())
    if len(body) > LONGEST_TEXT:  # half of the tools would read another answer
        body = json.dumps(told | {"reading": None}).encode()
    found.append(StoredText("reading", body, len(body)))
    return found


def _joined(kind: str, blocks: Blocks, started: float, redact: Redact) -> StoredText:
    # a writer may be adding: only whole entries are taken
    times = blocks.times[:]
    pieces = blocks.blocks[: len(times)]
    body = b"".join(pieces)
    since = array("f", [at - started for at in times])
    lengths = array("I", map(len, pieces))
    if sys.byteorder == "big":
        since.byteswap()
        lengths.byteswap()
    return StoredText(kind, redact(body), len(body), blocks.truncated, lengths.tobytes() + since.tobytes())


def _told(reading: Reading) -> dict[str, Any]:
    given = reading.expectations
    told: dict[str, Any] = {"tools": given.tools}
    for name in _PLAIN:
        if (value := getattr(given, name)) != getattr(_DEFAULT, name):
            told[name] = value
    if given.allowed is not None:
        told["allowed"] = sorted(given.allowed)
    own = {"row": reading.row, "choices": reading.choices, "stream": reading.stream, "named_row": reading.named_row}
    return {**own, "expectations": told}


def reading_of(told: Mapping[str, Any] | None) -> Reading | None:
    """What `_told` was made of; None for a request that was forwarded, or was recorded by another version."""
    if not isinstance(told, Mapping):
        return None
    known = {each.name for each in fields(Expectations)}
    try:
        values = {name: value for name, value in told["expectations"].items() if name in known}
        allowed = values.get("allowed")
        values["allowed"] = None if allowed is None else frozenset(allowed)
        expectations, choices, stream = Expectations(**values), int(told["choices"]), bool(told["stream"])
        return Reading(told["row"], expectations, choices, stream, told.get("named_row"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def packed(texts: Sequence[StoredText]) -> list[PackedText]:
    """The texts as they are stored. What one has in common with the beginning of another is stored once."""
    out: list[PackedText] = []
    earlier: list[StoredText] = []
    for text in texts:
        body, encoding = text.body, ""
        common, like = max(((_common(each.body, body), each.kind) for each in earlier), default=(0, ""))
        if common:
            body, encoding = body[common:], f"{_SAME}{like}:{common}"
        elif len(body) > _SHORT:
            body, encoding = zlib.compress(body, 1), "zlib"
        if not encoding.startswith(_SAME):
            earlier.append(text)
        out.append(PackedText(text.kind, body, encoding, text.size, text.truncated, text.packed_borders))
    return out


def _common(one: bytes, other: bytes) -> int:
    """How many bytes of `other` stand at the beginning of `one`; 0 if they are too few, or too much would be left."""
    high = min(len(one), len(other))
    low = max(len(other) - _SHORT, _WORTH)
    if low > high or one[:low] != other[:low]:
        return 0
    if one[:high] == other[:high]:
        return high
    while high - low > 1:  # the first `low` are equal, the first `high` are not
        middle = (low + high) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle)
    return low


def unpacked(rows: Sequence[PackedText]) -> list[StoredText]:
    """The texts that were packed. What cannot be read is left out."""
    found: dict[str, StoredText] = {}
    for row in sorted(rows, key=lambda each: each.encoding.startswith(_SAME)):
        try:
            body = zlib.decompress(row.body) if row.encoding == "zlib" else row.body
        except zlib.error:
            continue
        if row.encoding.startswith(_SAME):
            _, kind, common = row.encoding.split(":")
            if kind not in found:
                continue
            body = found[kind].body[: int(common)] + body
        found[row.kind] = StoredText(row.kind, body, row.size, row.truncated, row.borders)
    return list(found.values())


def _borders(data: bytes) -> tuple[array[int], array[float]]:
    """(the length of each piece in bytes, when it passed in seconds since the request came)"""
    count = len(data) // 8
    lengths, since = array("I", data[: 4 * count]), array("f", data[4 * count : 8 * count])
    if sys.byteorder == "big":
        lengths.byteswap()
        since.byteswap()
    return lengths, since
