"""The texts of an exchange as they are stored: bytes with the borders of their pieces, without keys, perhaps compressed.

    request         the client's
    sent.0 …        each attempt's request to the backend
    received.0 …    what the backend answered, its content coding removed
    client          what the client got
    reading         with what the answers were read (JSON)

Borders are pairs of little-endian numbers of eight bytes: the end of a piece, and when it passed, in microseconds since
the request came.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from converters.text.expectations import Expectations
from streaming.tape import LONGEST_TEXT, Blocks, Reading, Tape

Redact = Callable[[bytes], bytes]
"""Removes keys. The length stays."""

_SHORT = 512
"""Bytes that are not worth compressing."""
_SAME = "same:"
"""Begins the encoding of a text that is another, whose kind follows."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """One text of an exchange."""

    kind: str
    body: bytes
    size: int
    """Bytes of the whole text, of which `body` may hold less."""
    truncated: bool = False
    borders: tuple[tuple[int, int], ...] = ()
    """For each piece where it ends in `body`, and when it passed, in microseconds since the request came."""

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
    """Empty, `zlib`, or `same:` and the kind of the text that this one equals."""
    size: int
    truncated: bool
    borders: bytes


def texts_of(tape: Tape, started: float, redact: Redact) -> list[StoredText]:
    """The texts of a tape. `started` is when the request came (`time.monotonic`)."""
    found = [StoredText("request", redact(tape.request), tape.request_size, tape.request_size > LONGEST_TEXT)]
    statuses: list[dict[str, object]] = []
    for number, attempt in enumerate(list(tape.attempts)):
        statuses.append({"status": attempt.status, "whole": attempt.whole, "ended": attempt.ended})
        cut = attempt.size > len(attempt.sent)
        found.append(StoredText(f"sent.{number}", redact(attempt.sent), attempt.size, cut))
        found.append(_joined(f"received.{number}", attempt.received, started, redact))
    found.append(_joined("client", tape.client, started, redact))
    told = {"attempts": statuses, "reading": None if tape.reading is None else _told(tape.reading)}
    body = redact(json.dumps(told, ensure_ascii=False).encode(errors="replace"))
    if len(body) > LONGEST_TEXT:  # half of the tools would read another answer
        body = json.dumps(told | {"reading": None}).encode()
    found.append(StoredText("reading", body, len(body)))
    return found


def _joined(kind: str, blocks: Blocks, started: float, redact: Redact) -> StoredText:
    # a writer may be adding: only whole entries are taken
    times = blocks.times[:]
    pieces = blocks.blocks[: len(times)]
    end = 0
    borders = []
    for piece, at in zip(pieces, times, strict=True):
        end += len(piece)
        borders.append((end, max(int((at - started) * 1e6), 0)))
    return StoredText(kind, redact(b"".join(pieces)), end, blocks.truncated, tuple(borders))


def _told(reading: Reading) -> dict[str, Any]:
    expectations = {each.name: getattr(reading.expectations, each.name) for each in fields(Expectations)}
    allowed = reading.expectations.allowed
    expectations["allowed"] = None if allowed is None else sorted(allowed)
    expectations["tools"] = {name: dict(schema) for name, schema in reading.expectations.tools.items()}
    return {
        "row": reading.row,
        "choices": reading.choices,
        "stream": reading.stream,
        "expectations": expectations,
    }


def reading_of(told: Mapping[str, Any] | None) -> Reading | None:
    """What `_told` was made of; None for a request that was forwarded, or was recorded by another version."""
    if not isinstance(told, Mapping):
        return None
    known = {each.name for each in fields(Expectations)}
    try:
        values = {name: value for name, value in told["expectations"].items() if name in known}
        allowed = values.get("allowed")
        values["allowed"] = None if allowed is None else frozenset(allowed)
        return Reading(told["row"], Expectations(**values), int(told["choices"]), bool(told["stream"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def packed(texts: Sequence[StoredText]) -> list[PackedText]:
    """The texts as they are stored. One that equals another is stored once."""
    first: dict[bytes, str] = {}
    out: list[PackedText] = []
    for text in texts:
        borders = struct.pack(f"<{2 * len(text.borders)}Q", *(number for pair in text.borders for number in pair))
        if len(borders) > _SHORT:
            borders = b"z" + zlib.compress(borders, 1)
        elif borders:
            borders = b"-" + borders
        same = first.setdefault(text.body, text.kind)
        body, encoding = text.body, ""
        if same != text.kind:
            body, encoding = b"", _SAME + same
        elif len(body) > _SHORT:
            body, encoding = zlib.compress(body, 1), "zlib"
        out.append(PackedText(text.kind, body, encoding, text.size, text.truncated, borders))
    return out


def unpacked(rows: Sequence[PackedText]) -> list[StoredText]:
    """The texts that were packed. What cannot be read is left out."""
    found: dict[str, StoredText] = {}
    for row in rows:
        try:
            body = zlib.decompress(row.body) if row.encoding == "zlib" else row.body
            borders = _borders(row.borders)
        except (zlib.error, struct.error):
            continue
        found[row.kind] = StoredText(row.kind, body, row.size, row.truncated, borders)
    for row in rows:
        kind = row.encoding.removeprefix(_SAME)
        if row.encoding.startswith(_SAME) and row.kind in found and kind in found:
            found[row.kind] = replace(found[row.kind], body=found[kind].body)
    return list(found.values())


def _borders(data: bytes) -> tuple[tuple[int, int], ...]:
    if not data:
        return ()
    plain = zlib.decompress(data[1:]) if data[:1] == b"z" else data[1:]
    numbers = struct.unpack(f"<{len(plain) // 8}Q", plain)
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))
