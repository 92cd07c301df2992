"""The proxies that the failing backends stand behind, and what must not be left of a scenario in them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import get_args

from streaming.attempts import MOST_ATTEMPTS
from tests.faults.faces import CHAT, Face
from tests.faults.fault import Place
from tests.faults.scenarios import Scenario
from tests.nobody import nobody
from tests.servers import HOST, Answer, How, Process, Received, ScriptedBackend, ask, proxy_process

LIMITS = {"CONNECT_TIMEOUT": 0.4, "FIRST_BYTE_TIMEOUT": 1.2, "REQUEST_TIMEOUT": 1.2, "LOG_LEVEL": "INFO"}
LONGEST = 6.0
"""Seconds after which a scenario hangs: its limits many times over, for a busy machine."""
STARTED = 20.0
"""Seconds in which a proxy must have started, on a busy machine too."""
SETTLED = 4.0
"""Seconds in which nothing may be left of it."""


@dataclass
class Left:
    """What a process holds: its threads, and its descriptors."""

    threads: int
    descriptors: int


def left_in(process: Process) -> Left:
    pid = process.process.pid
    return Left(len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd")))


@dataclass
class Tally:
    """What was played, and what of it failed."""

    played: int = 0
    longest: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, took: float, failure: str = "") -> None:
        self.played += 1
        self.longest = max(self.longest, took)
        if failure:
            self.failures.append(failure)

    def check(self, claim: Callable[[], None]) -> None:
        try:
            claim()
        except AssertionError as failure:
            self.failures.append(str(failure))


@dataclass
class World:
    """A backend that fails on demand, and the proxies before it."""

    backend: ScriptedBackend
    proxies: Mapping[Place, Process]
    usual: dict[Place, Left] = field(default_factory=dict)

    def play(self, scenario: Scenario, face: Face = CHAT) -> float:
        """Seconds it took. AssertionError for anything but the one end that it should have, or if something stays."""
        place = scenario.fault.place
        proxy = self.proxies[place]
        self.backend.answer = scenario.answer
        before = len(self.backend.requests)
        began = time.monotonic()
        more = scenario.fault.asks if face is CHAT else {}  # fields of chat
        body = face.asks(scenario.way == "streamed", scenario.model) | more
        with proxy.client(body, face.target, patience=LONGEST) as client:
            try:
                scenario.end(scenario.reply, face.read(client))
            except TimeoutError:
                raise AssertionError(f"nothing came for {LONGEST} s; there is {client.body[-300:]!r}") from None
            except (ValueError, LookupError, TypeError, RecursionError, HTTPException, OSError) as error:
                raise AssertionError(f"{type(error).__name__} {error} at {client.body[-300:]!r}") from error
        took = time.monotonic() - began
        sent = self.backend.requests[before:]
        for received in sent:
            self._let_go(received)
        self.nothing_left(place)
        wanted = scenario.fault.requests
        assert len(sent) <= MOST_ATTEMPTS, f"{len(sent)} requests reached the backend"
        assert wanted in (None, len(sent)), f"{len(sent)} requests reached the backend, not {wanted}"
        return took

    def all_let_go(self) -> None:
        for received in self.backend.requests:
            self._let_go(received)

    def _let_go(self, received: Received) -> None:
        """Its connection is closed, unless it can carry another answer."""
        until = time.monotonic() + SETTLED
        while not (received.answered or received.closed.is_set()):
            assert time.monotonic() < until, "the connection to the backend is still open"
            time.sleep(0.005)

    def nothing_left(self, place: Place) -> None:
        proxy, usual = self.proxies[place], self.usual[place]
        until = time.monotonic() + SETTLED
        while True:
            left = left_in(proxy)
            # One connection may lie in the pool for the next request, or have been closed while it lay there.
            if left.threads <= usual.threads and left.descriptors <= usual.descriptors + 1:
                return
            assert time.monotonic() < until, f"{left} of usually {usual}"
            time.sleep(0.005)

    def logs(self) -> str:
        return "".join(proxy.said() for proxy in self.proxies.values())


def _end(proxies: Iterable[Process]) -> None:
    """Tell all of them at once, so that they end together."""
    for proxy in proxies:
        proxy.signal()


@contextmanager
def world(how: How = "app", places: Collection[Place] = get_args(Place)) -> Iterator[World]:
    """One with the proxies of these places."""
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend(Answer()))
        urls: dict[Place, str] = {
            "calm": backend.url,
            "beating": backend.url,
            "asking": backend.url,
            "refusing": stack.enter_context(nobody()),
            "deaf": f"http://{HOST}:{stack.enter_context(_deaf()).getsockname()[1]}",
            "nameless": "http://nobody.invalid:80",
            "plain": backend.url.replace("http:", "https:"),
        }
        proxies = {
            place: stack.enter_context(
                proxy_process(
                    how,
                    url,
                    KEEPALIVE_SECONDS=0.1 if place in ("beating", "asking") else 30,
                    HEAL="retry" if place == "asking" else "repair",
                    **LIMITS,
                )
            )
            for place, url in urls.items()
            if place in places
        }
        stack.callback(_end, proxies.values())
        made = World(backend, proxies)
        with ThreadPoolExecutor(len(proxies)) as pool:
            made.usual.update(zip(proxies, pool.map(_warm, proxies.values()), strict=True))
        yield made


def _warm(proxy: Process) -> Left:
    """What it holds at rest, once it has all it will need and has said the line of its start."""
    until = time.monotonic() + STARTED
    while "Base URL for clients" not in proxy.said():
        assert time.monotonic() < until, f"it did not say where it serves: {proxy.said()}"
        time.sleep(0.02)
    for target in ("/v1/models", "/v1/chat/completions"):
        with proxy.client(ask(), target, patience=LONGEST) as client:
            client.rest()
    until, last, since = time.monotonic() + SETTLED, left_in(proxy), time.monotonic()
    while time.monotonic() < until and time.monotonic() - since < 0.3:
        time.sleep(0.02)
        if (now := left_in(proxy)) != last:
            last, since = now, time.monotonic()
    return last


@contextmanager
def _deaf() -> Iterator[socket.socket]:
    """A port that listens but never accepts, its queue full: connecting to it never ends."""
    with socket.create_server((HOST, 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.1)
        yield listener
