"""A little of what `make attack` plays, and that its table tells what does not hold (defects C1 to C15)."""

from __future__ import annotations

import pytest

from tests.attack.__main__ import attacks, chosen, play, row
from tests.attack.arena import Attack, Measured, backend_process
from tests.attack.victim import PATIENCE, Victim, p99

pytestmark = pytest.mark.long


def test_some_attacks_hold() -> None:
    cases = chosen(True, ["odd statuses", "echoes the key", "two lengths", "dies behind a request"])
    assert len(cases) == 4
    with backend_process() as backend:
        for found in play("gunicorn", backend, cases, quick=True):
            assert not found.failures(), row(found)


def test_every_defect_has_an_attack() -> None:
    numbers = {attack.number for attack in attacks()}
    assert numbers == {*(f"C{number}" for number in range(1, 16)), "13"}
    assert len({attack.name for attack in attacks()}) == len(attacks())
    assert {attack.number for attack in chosen(True, [])} == numbers
    assert {attack.number for attack in chosen(False, ["C4"])} == {"C4"}


def never(_: object) -> None:
    raise AssertionError("it is not played here")


ATTACK = Attack("C4", "heads", never, memory=10, cpu=0.5, within=2)


@pytest.mark.parametrize(
    ("found", "failures"),
    [
        (Measured(ATTACK, "app", 0.04, 9, 0.4, 1.9), []),
        (Measured(ATTACK, "app", 0.06, 9, 0.4, 1.9), ["the victim waited"]),
        (Measured(ATTACK, "app", 0.04, 11, 0.4, 1.9), ["memory"]),
        (Measured(ATTACK, "app", 0.04, 9, 0.6, 1.9), ["processor"]),
        (Measured(ATTACK, "app", 0.04, 9, 0.4, 2.1), ["too long"]),
        (Measured(ATTACK, "app", wrong=["a 500"]), ["a 500"]),
    ],
)
def test_what_does_not_hold_is_told(found: Measured, failures: list[str]) -> None:
    assert found.failures() == failures
    assert ("NOT HELD" in row(found)) == bool(failures)


def test_the_victim_counts_the_slowest_of_a_hundred_and_those_that_fail() -> None:
    assert p99([]) == 0 and p99([1.0]) == 1 and p99([0.1] * 98 + [5.0] * 2) == 5 and p99([0.1] * 99 + [5.0]) == 0.1
    victim = Victim([(1.0, 0.1, ""), (2.0, 0.2, "status 500"), (3.0, 0.3, "")])
    assert victim.between(1, 2) == [0.1, PATIENCE] and victim.wrong(1, 3) == ["status 500"]
