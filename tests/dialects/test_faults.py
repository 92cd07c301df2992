"""Backends that fail, as clients of each face but chat see it: a few of what `make faults` plays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.faults.__main__ import play
from tests.faults.faces import CHAT, FACES, Face
from tests.faults.scenarios import FAULTS, scenarios
from tests.faults.spoken import SPOKEN, WAYS
from tests.faults.world import World, world

pytestmark = pytest.mark.long

EACH = 5
"""One of so many faults is played in each face, another one in the next."""
OTHERS = [face for face in FACES.values() if face is not CHAT]


@pytest.fixture(scope="module")
def worlds() -> Iterator[Sequence[World]]:
    with ExitStack() as stack:
        opened = [stack.enter_context(world(places=["calm", "beating"]))]
        opened += [stack.enter_context(world(places=["calm"])) for _ in range(2)]
        yield opened


@pytest.mark.parametrize("face", OTHERS, ids=lambda face: face.name)
def test_ways_to_fail_end_once_in_the_form_of_the_face(worlds: Sequence[World], face: Face) -> None:
    chosen = [
        case
        for case in scenarios()
        if case.fault in FAULTS
        and case.fault.place in ("calm", "beating")
        and FAULTS.index(case.fault) % EACH == OTHERS.index(face)
        and case.spoken is SPOKEN[FAULTS.index(case.fault) // EACH % len(SPOKEN)]
        and case.way == WAYS[FAULTS.index(case.fault) // EACH % 2]
    ]
    tally = play(worlds, chosen, face)
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.played == len(chosen) > 10
