"""What is measured is started, found out to be alive, and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import targets, wire
from benchmarks.figures import Figures
from benchmarks.proxies import SUITES, Run

pytestmark = pytest.mark.long


def test_every_case_is_asked_of_targets_that_there_are() -> None:
    for cases in SUITES.values():
        for case in cases:
            assert set(case.who) <= set(targets.NAMES), case.name


def test_the_family_of_a_process_is_all_its_descendants() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "1\n"
        assert len(targets.family(process.pid)) == 2
        assert set(targets.family(process.pid)) < set(targets.family(os.getpid()))
        process.communicate("\n")


def test_the_time_of_processes_is_what_they_spent() -> None:
    before = targets.ticks([os.getpid()])
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert 8 <= targets.ticks([os.getpid()]) - before <= 100


@pytest.mark.skipif(not wire.available(), reason="there is no gcc")
def test_ourselves_beside_the_upstream(tmp_path: Path) -> None:
    """One short case of a whole run, with two targets and in two rounds."""
    case = next(case for case in SUITES["buffered"] if case.name == "buffered-1")
    results = tmp_path / "results.jsonl"
    run = Run([case], ["direct", "dragoman", "before"], 2, results)
    run.measure()
    figures = Figures.read(results)
    assert run.missing == {"before"}  # no commit was named
    assert figures.targets == ["direct", "dragoman"]
    assert figures.of("buffered-1", "dragoman", "wrong") == 0
    assert (figures.of("buffered-1", "dragoman", "us/answer") or 0) > 10
