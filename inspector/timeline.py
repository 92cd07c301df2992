"""The time line of one exchange as places on a line: what was waited for, what came when, what was sent when.

Places and widths are percentages of the line. Times are microseconds since the client's request.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

MOST_TICKS = 500
"""Above this, ticks are counted in so many bins."""
_MOST_PHASES = 200
_MOST_GAPS = 12
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Phase:
    """A time in which one kind of text came. `waiting`: nothing had come yet; `earlier`: other attempts."""

    kind: str
    x: float
    width: float
    us: int


@dataclass(frozen=True, slots=True)
class Tick:
    """One delta, or several of them that are too near to be told apart."""

    x: float
    count: int
    height: float = 1.0
    """Up to 1, for the bin that holds most."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a delta that is much longer than the others."""

    x: float
    us: int


@dataclass(frozen=True, slots=True)
class Label:
    """A time on the axis."""

    x: float
    us: int


@dataclass(frozen=True, slots=True)
class TimeLine:
    """All that is drawn."""

    total_us: int
    phases: Sequence[Phase]
    came: Sequence[Tick]
    sent: Sequence[Tick]
    gaps: Sequence[Gap]
    labels: Sequence[Label]
    longest_gap_us: int


def time_line(
    record: Mapping[str, Any], attempt: Mapping[str, Any] | None, choice: Mapping[str, Any] | None, sent: Sequence[int]
) -> TimeLine | None:
    """The time line of a record as `records.views` shows it; None for an exchange that took no time yet.

    `choice` is the choice of the attempt that is looked at. `sent` is when pieces went to the client.
    """
    pieces = choice["pieces"] if choice is not None else []
    came = [piece["at_us"] for piece in pieces] or [
        piece["at_us"] for piece in (attempt or {}).get("response_pieces", ())
    ]
    total = max([record["total_us"] or 0, record["first_byte_us"] or 0, *came[-1:], *sent[-1:]])
    if total <= 0:
        return None
    waited_from = attempt["sent_us"] if attempt is not None else record["sent_us"] or 0
    first = came[0] if came else record["first_byte_us"]
    waiting = _phase("waiting", waited_from, total if first is None else max(first, waited_from), total)
    earlier = record["sent_us"] or 0
    phases = [_phase("earlier", earlier, waited_from, total)] if waited_from > earlier > 0 else []
    phases.append(waiting)
    if choice is not None and pieces:
        phases += _phases(pieces, choice["spans"], total)
    if not pieces and first is not None and total > first:
        phases.append(_phase("unknown", first, total, total))
    return TimeLine(
        total,
        phases[:_MOST_PHASES],
        _ticks(came, total),
        _ticks(sent, total),
        _gaps(came, total),
        _labels(total),
        max((after - before for before, after in pairwise(came)), default=0),
    )


def _x(us: float, total: int) -> float:
    return round(100 * min(max(us / total, 0), 1), 3)


def _phase(kind: str, start: int, end: int, total: int) -> Phase:
    return Phase(kind, _x(start, total), round(_x(end, total) - _x(start, total), 3), end - start)


def _phases(pieces: Sequence[Mapping[str, Any]], spans: Sequence[Mapping[str, Any]], total: int) -> list[Phase]:
    """Each piece lasts from the one before it; neighbours of one kind are joined."""
    shown = [span for span in spans if span["raw"]]
    ends = [span["end"] for span in shown]
    found: list[tuple[str, int, int]] = []
    before, pos = pieces[0]["at_us"], 0
    for piece in pieces:
        kind = _kind(shown, ends, pos, piece["end"])
        if kind == "removed" and found:
            kind = found[-1][0]
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1], piece["at_us"])
        else:
            found.append((kind, before, piece["at_us"]))
        before, pos = piece["at_us"], piece["end"]
    return [_phase(kind, start, end, total) for kind, start, end in found if end > start or len(found) == 1]


def _kind(spans: Sequence[Mapping[str, Any]], ends: Sequence[int], start: int, end: int) -> str:
    """What most of these characters became."""
    counts: dict[str, int] = {}
    place = bisect_right(ends, start)
    while place < len(spans) and spans[place]["start"] < end:
        span = spans[place]
        counts[span["kind"]] = counts.get(span["kind"], 0) + min(span["end"], end) - max(span["start"], start)
        place += 1
    return max(counts, key=counts.__getitem__, default="content")


def _ticks(times: Sequence[int], total: int) -> list[Tick]:
    if len(times) <= MOST_TICKS:
        return [Tick(_x(at, total), 1) for at in times]
    counts = [0] * MOST_TICKS
    for at in times:
        counts[min(at * MOST_TICKS // total, MOST_TICKS - 1)] += 1
    most = max(counts)
    width = 100 / MOST_TICKS
    return [
        Tick(round((place + 0.5) * width, 3), count, round(0.25 + 0.75 * count / most, 3))
        for place, count in enumerate(counts)
        if count
    ]


def _gaps(times: Sequence[int], total: int) -> list[Gap]:
    """The longest gaps that are over both a second and five times the usual one, in the order of time."""
    between = [(after - before, (before + after) / 2) for before, after in pairwise(times)]
    if not between:
        return []
    least = max(1_000_000.0, 5 * median(length for length, _ in between))
    found = sorted((each for each in between if each[0] > least), reverse=True)[:_MOST_GAPS]
    return [Gap(_x(middle, total), length) for length, middle in sorted(found, key=lambda each: each[1])]


def _labels(total: int) -> list[Label]:
    """Round times, at most five, and zero."""
    step = next(factor * 10**power for power in range(12) for factor in _STEPS if total / (factor * 10**power) <= 5)
    return [Label(_x(us, total), us) for us in range(0, total + 1, step)]
