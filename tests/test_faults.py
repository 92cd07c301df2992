"""A few of what `make faults` plays: each way to fail once, and a reset at some of the bytes of an answer."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.faults.__main__ import play
from tests.faults.every_byte import resets
from tests.faults.refusals import REFUSALS
from tests.faults.scenarios import FAULTS, scenarios
from tests.faults.service import play_situations
from tests.faults.spoken import SPOKEN, WAYS
from tests.faults.world import world

pytestmark = pytest.mark.long


def test_each_way_to_fail_ends_once_in_form_in_time_and_with_the_truth() -> None:
    every = scenarios()
    # each fault with one syntax and in one way, both going round
    some = [case for number, case in enumerate(every) if number % len(SPOKEN) == (number // len(SPOKEN)) % len(SPOKEN)]
    faults = (*FAULTS, *REFUSALS)
    chosen = [case for case in some if case.way == WAYS[faults.index(case.fault) % 2]]
    assert len(chosen) == len(faults)
    with ExitStack() as stack:
        # nearly all of it is waiting behind one proxy, so there are more of that one
        worlds = [stack.enter_context(world()), *(stack.enter_context(world(places=["calm"])) for _ in range(2))]
        tally = play(worlds, chosen)
        assert not tally.failures, "\n".join(tally.failures)
        assert tally.played == len(faults)
        cut = resets(worlds, step=53)
    assert not cut.failures, "\n".join(cut.failures)
    assert cut.played > 40


def test_the_suite_is_as_large_as_it_says() -> None:
    names = {case.name for case in scenarios()}
    assert len(names) >= 150
    for syntax in ("hermes", "glm45", "harmony"):
        for way in WAYS:
            assert sum(name.endswith(f"/ {way} / {syntax}") for name in names) == len(FAULTS) + len(REFUSALS)


def test_the_service_outlives_a_killed_worker_and_failing_handshakes() -> None:
    for name in ("kill -9", "TLS"):
        tally = play_situations(["gunicorn"], name)
        assert tally.played == 1 and not tally.failures, "\n".join(tally.failures)


def test_no_descriptors_left_is_no_end_and_no_spin() -> None:
    """The accept loop of `python app.py` ran at full speed without descriptors (defect C15)."""
    tally = play_situations(["app"], "descriptors")
    assert tally.played == 1 and not tally.failures, "\n".join(tally.failures)
