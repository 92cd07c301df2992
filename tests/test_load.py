"""A little of what `make load` and `make soak` do, so that both keep working; and the limit that they need raised."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.load.__main__ import load, report
from tests.load.client import Result
from tests.load.measure import Held
from tests.load.mixed import Mixed, mixed
from tests.load.soak import Soaked, soak
from tests.load.speech import KINDS, Speech
from tests.servers import ROOT

pytestmark = pytest.mark.long


def test_streams_that_are_open_at_once_are_right_to_the_byte() -> None:
    run = load(48, events=10, pause=0.02)
    assert run.held, report(run)
    assert run.at_once == 48 and run.result.events > 48 * 10


def test_clients_that_come_and_go_leave_nothing_behind() -> None:
    soaked = soak(3, clients=12, start=2)
    assert not list(soaked.failures())


def test_hostile_clients_cost_no_honest_answer() -> None:
    run = mixed(6, clients=20, pause=0.15, settling=0.5)
    assert not run.alone.wrong and not run.beside.wrong, run.report()
    assert run.beside.whole and "Traceback" not in run.log, run.report()


def test_what_hostile_clients_cost_is_told() -> None:
    quiet, held = Result(whole=1, left=1, heads=[0.1] * 100), Held(100, 50, 20)
    assert not list(Mixed(quiet, quiet, held, held, "").failures())
    slow = Result(whole=1, left=1, heads=[0.1] * 90 + [0.2] * 10)
    for run in (
        Mixed(quiet, slow, held, held, ""),
        Mixed(quiet, quiet, held, Held(111, 50, 20), ""),
        Mixed(quiet, quiet, held, held, "Traceback"),
        Mixed(quiet, Result(whole=1, left=1, wrong=["lost"]), held, held, ""),
        Mixed(quiet, Result(), held, held, ""),
    ):
        assert len(list(run.failures())) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_wrong_byte_is_seen(kind: str) -> None:
    """A check that lets everything pass proves nothing."""
    speech = Speech.of(f"{kind} 7 12")
    right = b"".join(speech.frames()) if kind in ("text", "forwarded") else speech.whole()
    if kind in ("call", "reasoning"):
        assert speech.check(200, b"".join(speech.frames())), "markup that was not translated is right"
        return
    assert not speech.check(200, right)
    assert speech.check(500, right)
    place = right.index(list(speech.words())[3].encode())
    assert speech.check(200, right[:place] + b"x" + right[place + 1 :])
    assert Speech.of(speech.name) == speech and list(speech.words()) != list(replace(speech, number=8).words())


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (Held(99, 50, 20), []),
        (Held(200, 50, 20), ["memory"]),
        (Held(100, 99, 20), ["threads"]),
        (Held(100, 50, 90), ["descriptors"]),
    ],
)
def test_what_is_left_is_told(end: Held, words: list[str]) -> None:
    failures = list(Soaked(1, 10, Result(whole=1, left=1), Held(100, 50, 20), end, "").failures())
    assert [failure.split(" ")[0] for failure in failures] == words


def test_as_many_descriptors_as_the_system_grants() -> None:
    program = (
        "import resource, serving\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))\n"
        "serving.allow_many_connections()\n"
        "soft, now = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "assert now == hard and soft == min(16384, hard), (soft, now, hard)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)
