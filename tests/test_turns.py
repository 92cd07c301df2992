"""Long work lets short work run, however much long work there is."""

from __future__ import annotations

import json
import subprocess
import sys
import time

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


def test_of_threads_with_long_work_one_works_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    line = turns._LineOfThreads()
    line._came = 3  # three threads stand in line
    assert line._left(0) == 0, "the first may work at once"
    assert line._left(1) == pytest.approx(turns.TURN), "when the turn of the first is over"
    assert line._left(2) == pytest.approx(2 * turns.TURN)
    now += turns.TURN
    assert line._left(2) > 0, "whoever came later does not overtake"
    assert line._left(1) == 0
    now += turns.TURN
    assert line._left(2) == 0


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
    from threading import Thread

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
