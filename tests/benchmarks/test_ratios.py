"""The arithmetic of paired measurements, with numbers made up."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.ratios import Target, Verdict, geometric_mean, medians, ratio


def test_the_interval_is_that_of_the_mean_logarithm() -> None:
    """Of 1, 1, 4, 4: the mean logarithm is ln 2, its standard error ln 2 / sqrt(3), and t for three is 3.182."""
    interval = geometric_mean([1, 4, 4, 1])
    assert interval is not None
    assert interval.value == pytest.approx(2)
    assert interval.high == pytest.approx(2 * math.exp(3.182 * math.log(2) / math.sqrt(3)))
    assert interval.low * interval.high == pytest.approx(4)  # symmetrical as ratios are


def test_what_slows_both_of_a_pair_down_does_not_count() -> None:
    interval = ratio([(10, 11), (100, 110), (40, 44)])
    assert interval is not None
    assert interval.low == pytest.approx(1.1) == interval.high


def test_a_ratio_and_its_inverse_have_inverse_intervals() -> None:
    pairs = [(10.0, 11.0), (10.0, 9.5), (10.0, 10.2), (10.0, 12.0)]
    there, back = ratio(pairs), ratio([(now, before) for before, now in pairs])
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == pytest.approx((1 / back.high, 1 / back.low))


@pytest.mark.parametrize("pairs", [[], [(10.0, 11.0)]])
def test_without_two_pairs_there_is_no_interval(pairs: list[tuple[float, float]]) -> None:
    assert ratio(pairs) is None
    assert Target(1.0).verdict(pairs) is Verdict.NOT_MEASURED


def test_medians_are_of_each_side() -> None:
    assert medians([(1, 20), (3, 10), (2, 99)]) == (2, 20)


@pytest.mark.parametrize("pairs", [3, 15, 50])
def test_95_of_100_intervals_hold_the_truth(pairs: int) -> None:
    """Two equal commits on a machine whose noise is 10 %, a thousand runs of so many pairs."""
    made = random.Random(12)
    runs = [ratio([(made.lognormvariate(4, 0.1), made.lognormvariate(4, 0.1)) for _ in range(pairs)])
            for _ in range(1000)]  # fmt: skip
    held = sum(run is not None and run.low <= 1 <= run.high for run in runs)
    assert 930 <= held <= 970


@pytest.mark.parametrize(
    ("nows", "verdict"),
    [
        ((101, 101.1, 101.2), Verdict.MISSED),  # all of it above
        ((98, 101, 104), Verdict.NOT_MISSED),  # the middle is above, the interval is on both sides
        ((94, 99, 103), Verdict.NOT_MISSED),
        ((98.8, 98.9, 99), Verdict.HELD),
        ((100, 100, 100), Verdict.HELD),  # at the target
    ],
)
def test_a_target_is_missed_only_if_the_whole_interval_lies_above(nows: tuple[float, ...], verdict: Verdict) -> None:
    assert Target(1.0).verdict([(100, now) for now in nows]) is verdict


def test_an_absolute_target_looks_at_now_alone() -> None:
    target = Target(8.0, absolute=True)
    assert target.verdict([(1, 7.5), (1, 7.6), (1, 7.4)]) is Verdict.HELD
    assert target.verdict([(99, 8.5), (99, 8.4), (99, 8.6)]) is Verdict.MISSED
