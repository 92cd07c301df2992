"""A store that is locked, full, silent or not there: every request is answered, and what is lost is counted.

`python -m benchmarks.recording stores` measures that it costs them nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.answers import ask, said
from tests.records.broken import BROKEN
from tests.servers import SOON, Answer, Process, ScriptedBackend, proxy_process
from tests.telemetry.scraped import Samples

pytestmark = pytest.mark.long

_ASKED = 60

ANSWER = Answer(said("Hi."), headers=[("Content-Type", "text/event-stream")])


def seconds_of(process: Process) -> list[float]:
    """How long requests take, one after the other."""
    found: list[float] = []
    for _ in range(_ASKED):
        began = time.monotonic()
        assert b"Hi." in process.streamed(ask())
        found.append(time.monotonic() - began)
    return found


def dropped(process: Process) -> float:
    with process.get("/metrics") as client:
        return Samples(client.rest().decode())("dragoman_records_dropped_total")


@pytest.mark.parametrize("trouble", BROKEN)
def test_a_store_in_trouble_costs_records_only(
    tmp_path: Path, trouble: Callable[[Path], AbstractContextManager[str]]
) -> None:
    with (
        ScriptedBackend(ANSWER) as backend,
        trouble(tmp_path) as url,
        proxy_process("gunicorn", backend, RECORD="full", RECORD_DB=url) as process,
    ):
        assert max(seconds_of(process)) < SOON
        until = time.monotonic() + 30
        while not dropped(process):
            assert time.monotonic() < until
            time.sleep(0.2)
        assert max(seconds_of(process)) < SOON
        while dropped(process) < 2 * _ASKED:
            assert time.monotonic() < until + 30, dropped(process)
            time.sleep(0.2)
        with process.get("/health") as client:
            assert client.json()["status"] == "ok"
        assert dropped(process) == 2 * _ASKED
        assert process.said().count("This is said once") == 1 and "Traceback" not in process.said()
