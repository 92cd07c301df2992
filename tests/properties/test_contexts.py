"""Defects A4 and A5 for every row: no call runs that is quoted, or stands behind another speaker's header."""

from __future__ import annotations

from tests.fuzz_contexts import faults
from tests.scale import of


def test_no_call_runs_that_is_quoted_or_somebody_elses() -> None:
    assert faults(range(of(2_000, 700))) == []
