"""Backends that fail, as clients of this face see it: a few of what `make faults` plays."""

from __future__ import annotations

from contextlib import ExitStack

from tests.faults.__main__ import play
from tests.faults.faces import RESPONSES
from tests.faults.scenarios import FAULTS, scenarios
from tests.faults.spoken import SPOKEN, WAYS
from tests.faults.world import world

EACH = 5
"""One of so many faults is played here."""


def test_ways_to_fail_end_once_in_the_form_of_this_face() -> None:
    chosen = [
        case
        for case in scenarios()
        if case.fault.place in ("calm", "beating")
        and FAULTS.index(case.fault) % EACH == 0
        and case.spoken is SPOKEN[FAULTS.index(case.fault) // EACH % len(SPOKEN)]
        and case.way == WAYS[FAULTS.index(case.fault) // EACH % 2]
    ]
    with ExitStack() as stack:
        worlds = [stack.enter_context(world(places=["calm", "beating"]))]
        worlds += [stack.enter_context(world(places=["calm"])) for _ in range(2)]
        tally = play(worlds, chosen, RESPONSES)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.played == len(chosen) > 10
