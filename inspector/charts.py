"""Numbers as bars: the histograms of the overview. Places and sizes are percentages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """How many fell between two edges."""

    x: float
    width: float
    height: float
    count: int
    lower: float
    """Seconds."""
    upper: float | None
    """Seconds; None for all that is longer."""


def histogram(edges: Sequence[float], counts: Sequence[int]) -> list[Bar]:
    """Bars of one width each. `edges` are upper edges in seconds; a count more than edges is of what lies above all.

    Empty bins at both ends are left out.
    """
    most = max(counts, default=0)
    if most == 0:
        return []
    filled = [place for place, count in enumerate(counts) if count]
    first, last = max(filled[0] - 1, 0), min(filled[-1] + 1, len(counts) - 1)
    width = 100 / (last - first + 1)
    return [
        Bar(
            round((place - first) * width, 3),
            round(width, 3),
            round(100 * counts[place] / most, 2),
            counts[place],
            edges[place - 1] if place else 0.0,
            edges[place] if place < len(edges) else None,
        )
        for place in range(first, last + 1)
    ]
