"""Paired measurements: the mean ratio, its 95 % interval, and whether a target is missed. Arithmetic only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import mean, median, stdev

_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
      2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
      2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)  # fmt: skip
"""Student's t, two-sided 95 %, for 1 to 30 degrees of freedom."""


class Verdict(Enum):
    """What a run says of a target."""

    HELD = "held"
    NOT_MISSED = "not missed"
    """The interval reaches both below and above the target: more pairs, or a quieter machine, would tell."""
    MISSED = "MISSED"
    NOT_MEASURED = "not measured"
    NO_TARGET = ""


@dataclass(frozen=True)
class Interval:
    """A geometric mean, and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """The highest value allowed: of the ratio of now to before, or of the figure itself."""

    most: float
    absolute: bool = False

    def verdict(self, pairs: Sequence[tuple[float, float]]) -> Verdict:
        """MISSED only if the whole interval lies above, HELD only if all of it does not. `pairs` are (before, now)."""
        interval = self.judged(pairs)
        if interval is None:
            return Verdict.NOT_MEASURED
        if interval.low > self.most:
            return Verdict.MISSED
        return Verdict.HELD if interval.high <= self.most else Verdict.NOT_MISSED

    def judged(self, pairs: Sequence[tuple[float, float]]) -> Interval | None:
        """The interval that is compared with the target."""
        return geometric_mean([now for _, now in pairs]) if self.absolute else ratio(pairs)


def ratio(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """Of now to before, within each pair. `pairs` are (before, now), all above zero."""
    return geometric_mean([now / before for before, now in pairs])


def medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Of before and of now; there is at least one pair."""
    return median(before for before, _ in pairs), median(now for _, now in pairs)


def geometric_mean(values: Sequence[float]) -> Interval | None:
    """With the t-interval of the mean logarithm. None for fewer than two values: they have no spread."""
    if len(values) < 2:
        return None
    logarithms = [math.log(value) for value in values]
    middle = mean(logarithms)
    half = _t(len(values) - 1) * stdev(logarithms) / math.sqrt(len(values))
    return Interval(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _t(freedom: int) -> float:
    """Beyond the table, 1.96 + 2.5 / n is right to 0.005."""
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.5 / freedom
