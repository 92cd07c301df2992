"""Long work lets short work run, however much long work there is."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Thread

import pytest

import turns
from tests.cases import in_one_test
from tests.servers import ROOT

_GREENLETS = """
from gevent import monkey; monkey.patch_all()
import json, gevent, turns

turns.TURN = 0.0
order = []

def long_work(name):
    pause = turns.Turns()
    for _ in range(5):
        order.append(name)
        pause.take()

def short_work():
    for _ in range(40):
        order.append("short")
        gevent.sleep(0)

def ended_while_it_waits():
    turns.Turns().take()

work = [gevent.spawn(long_work, str(number)) for number in range(4)]
gevent.sleep(0)
order.clear()
ended = gevent.spawn(ended_while_it_waits)
work.append(gevent.spawn(short_work))
gevent.sleep(0)
ended.kill()
gevent.joinall(work, timeout=5)
print(json.dumps(order))
"""


def test_each_time_the_loop_goes_round_one_greenlet_with_long_work_has_its_turn() -> None:
    told = subprocess.run([sys.executable, "-c", _GREENLETS], cwd=ROOT, capture_output=True, timeout=60, check=True)
    order = json.loads(told.stdout)
    long_turns = [name for name in order if name != "short"]
    assert long_turns == [str(number) for number in range(4)] * 4, "one after the other"
    between = "".join("s" if name == "short" else "L" for name in order)
    assert "LL" not in between[: between.rindex("s")], f"short work waits for one turn: {between}"


def _in_a_line(line: turns._LineOfThreads, work: Callable[[int], None]) -> None:
    """Six threads do the work, each begun when the one before it stands in the line, until all have ended."""
    threads = [Thread(target=work, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(line._waiting) <= number and thread.is_alive():
            time.sleep(0.001)
    for thread in threads:
        thread.join(10)


def test_of_threads_with_long_work_one_works_at_a_time() -> None:
    begun: list[float] = []

    class Noted(turns._LineOfThreads):
        def __setattr__(self, name: str, value: float) -> None:
            super().__setattr__(name, value)
            if name == "_free":  # it is set when a turn begins, to when that turn is over
                begun.append(value - turns.TURN)

    line = Noted()
    line._free = time.monotonic() + 0.5  # until all of them stand in line
    begun.clear()
    went: list[int] = []

    def work(number: int) -> None:
        line.wait()
        went.append(number)
        time.sleep(turns.TURN / 2)

    _in_a_line(line, work)
    assert sorted(went) == list(range(6)) and not line._waiting
    assert len(begun) == 6
    assert all(after - before >= turns.TURN * 0.999 for before, after in itertools.pairwise(begun)), "one at a time"


def test_whoever_came_later_does_not_overtake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 0.05)
    line = turns._LineOfThreads()
    line._free = time.monotonic() + 0.5
    went: list[int] = []

    def work(number: int) -> None:
        line.wait()
        went.append(number)

    _in_a_line(line, work)
    assert went == list(range(6))


def test_a_thread_whose_wait_is_ended_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    line = turns._LineOfThreads()
    line._free = time.monotonic() + 3600
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(time, "sleep", lambda seconds: _interrupted() if seconds else None)
        line.wait()
    line.wait()
    assert not line._waiting


def _interrupted() -> None:
    raise KeyboardInterrupt


_WAITING = """
from gevent import monkey; monkey.patch_all()
import gevent, turns

def short_work():
    pause = turns.Turns()
    for _ in range(20):
        gevent.sleep(0.003)  # longer than a turn, but it is no work
        pause.take()

line = turns._line()
line.wait = lambda: print("waited in line")
gevent.joinall([gevent.spawn(short_work) for _ in range(50)], timeout=20)
"""


def test_who_has_waited_for_something_else_does_not_stand_in_line() -> None:
    told = subprocess.run([sys.executable, "-c", _WAITING], cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert told.stdout == b""


def test_a_thread_that_slept_does_not_stand_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns._LineOfThreads, "wait", lambda _: pytest.fail("it waited"))
    pause = turns.Turns()
    for _ in range(5):
        time.sleep(2 * turns.TURN)
        pause.take()


def test_threads_that_take_turns_end() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        pause = turns.Turns()
        for _ in range(20):
            until = time.thread_time() + turns.TURN
            while time.thread_time() < until:
                pass
            pause.take()
        done.append(number)

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == list(range(8))


@in_one_test("size", [0, 1, turns.PIECE, turns.PIECE + 1, 3 * turns.PIECE])
def test_pieces_are_what_they_were_cut_from(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    pieces = list(turns.in_pieces(data[:size]))
    assert b"".join(pieces) == data[:size]
    assert all(0 < len(piece) <= turns.PIECE for piece in pieces)
