"""The threads and the waiting connections of `python app.py`."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from contextvars import ContextVar

import pytest

from serving import lobby as lobbies
from serving import threads as pools
from serving.lobby import Accepted, Lobby
from serving.threads import Threads
from tests.servers import HOST

pytestmark = pytest.mark.long

KEPT: ContextVar[str] = ContextVar("KEPT", default="nothing")


def _ran_in(threads: Threads, tasks: int) -> set[threading.Thread]:
    """The threads that run so many tasks one after the other."""
    found: list[threading.Thread] = []
    for count in range(tasks):
        threads.run(lambda: found.append(threading.current_thread()))
        until = time.monotonic() + 5
        while len(found) == count and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.01)  # until it waits for the next
    assert len(found) == tasks
    return set(found)


def test_one_thread_runs_tasks_that_follow_each_other_and_ends_when_no_more_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "KEPT", 0.1)
    (thread,) = _ran_in(Threads(), 20)
    thread.join(5)
    assert not thread.is_alive()


def test_tasks_at_the_same_time_run_each_in_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "KEPT", 0.1)
    threads, barrier = Threads(), threading.Barrier(33)

    def task() -> None:
        barrier.wait(5)

    for _ in range(32):
        threads.run(task)
    barrier.wait(5)


def test_a_task_that_comes_when_its_thread_would_end_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "KEPT", 0.001)
    threads, done = Threads(), threading.Semaphore(0)
    for number in range(400):
        threads.run(done.release)
        time.sleep(0.0008 + number % 5 * 0.0001)
    for _ in range(400):
        assert done.acquire(timeout=5)


def test_context_variables_of_a_task_do_not_reach_the_next() -> None:
    found: list[str] = []
    threads = Threads()

    def task() -> None:
        found.append(KEPT.get())
        KEPT.set("something")

    for _ in range(3):
        threads.run(task)
        time.sleep(0.01)
    assert found == ["nothing"] * 3


class _Host:
    """Counts the connections that its lobby ends."""

    def __init__(self) -> None:
        self.socket = socket.create_server((HOST, 0))
        self.ended = 0

    def lobby(self, seconds: float = 60.0) -> closing[Lobby]:
        return closing(Lobby(self.socket, self.socket.accept, self._end, seconds))

    def _end(self, connection: socket.socket) -> None:
        self.ended += 1
        connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.socket.getsockname())


@pytest.fixture
def host() -> Iterator[_Host]:
    host = _Host()
    with closing(host.socket):
        yield host


def _all(lobby: Lobby, rounds: int) -> list[Accepted]:
    return [each for _ in range(rounds) for each in lobby.spoken(0.05)]


def test_a_connection_leaves_the_lobby_with_its_first_byte(host: _Host) -> None:
    with host.lobby() as lobby, closing(host.connect()) as client:
        assert _all(lobby, 2) == []
        client.sendall(b"GET")
        ((connection, address),) = _all(lobby, 1)
        with closing(connection):
            assert (connection.recv(9), address) == (b"GET", client.getsockname())
        assert _all(lobby, 2) == [] and host.ended == 0


def test_a_client_that_leaves_without_a_word_is_let_go(host: _Host) -> None:
    with host.lobby() as lobby:
        for linger in (False, True):
            client = host.connect()
            assert _all(lobby, 2) == []
            if linger:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
            client.close()
            assert _all(lobby, 1) == []
        assert host.ended == 2


def test_silence_ends_after_its_time_and_with_the_lobby(host: _Host) -> None:
    with host.lobby(0.2) as lobby, closing(host.connect()):
        until = time.monotonic() + 5
        while not host.ended and time.monotonic() < until:
            assert _all(lobby, 1) == []
        assert host.ended == 1
    with host.lobby() as lobby, closing(host.connect()):
        assert _all(lobby, 2) == []
        assert host.ended == 1
    assert host.ended == 2


def test_the_oldest_goes_where_there_are_too_many(host: _Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobbies, "MOST", 2)
    with host.lobby() as lobby:
        clients = [host.connect() for _ in range(3)]
        assert _all(lobby, 6) == []
        assert host.ended == 1
        clients[0].settimeout(5)
        assert clients[0].recv(1) == b""
        for client in clients:
            client.close()
