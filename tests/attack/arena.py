"""Where attacks are played: the hostile backend, a proxy in a process of its own, a victim, and what they measure."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config import VARIABLES
from tests.answers import Json, ask
from tests.attack.victim import Victim, p99, victim_of
from tests.servers import HOST, How, Process, free_port, proxy_process, started, wait_until_listening

QUIET = 1.5
"""Seconds of the victim alone before each attack."""
SLOWER = 0.05
"""Seconds that the victim's p99 may be above its quiet one (CONTRACT 13)."""
LONGEST = 40.0
"""Seconds after which an answer never comes."""
NICE = 10
MIB = 1 << 20
KEY = "sk-attack-1234567890abcdef"
"""What the proxy sends to the backend, and nobody else may see."""
LIMITS: dict[str, object] = {
    "BACKEND_API_KEY": KEY,
    "CONNECT_TIMEOUT": 2,
    "FIRST_BYTE_TIMEOUT": 15,
    "REQUEST_TIMEOUT": 15,
    "KEEPALIVE_SECONDS": 5,
    **({"CLIENT_TIMEOUT": 5} if any(variable.name == "CLIENT_TIMEOUT" for variable in VARIABLES) else {}),
}
Headers = Sequence[tuple[str, str]]


@dataclass
class Told:
    """What came back. Status 0: the connection was closed without an answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float
    broken: bool = False
    """It ended although more was announced."""

    @property
    def code(self) -> str:
        """The code of an error, as a reply or in a stream."""
        for line in self.body.splitlines():
            with suppress(ValueError, KeyError, TypeError, IndexError):
                return str(json.loads(line[6:] if line.startswith(b"data: ") else line)["error"]["code"])
        return ""

    @property
    def ended(self) -> bool:
        """A stream that ended as it must: with [DONE], behind a finish reason or an error."""
        return self.body.rstrip().endswith(b"data: [DONE]")


@dataclass
class Arena:
    """One proxy with the backend behind it."""

    how: How
    proxy: Process
    backend_port: int
    victim: Victim
    quick: bool = False
    control: Victim = field(default_factory=Victim)
    """The same requests through another proxy that nobody attacks: what the machine and the backend make them wait."""
    quiet: list[float] = field(default_factory=list)
    """Seconds of the victim's requests in all quiet times so far."""

    # -- attackers -----------------------------------------------------------------------------------------------------

    def open(self, data: bytes = b"", port: int | None = None) -> socket.socket:
        sock = socket.create_connection((HOST, port or self.proxy.port), 10)
        sock.settimeout(LONGEST)
        sock.sendall(data)
        return sock

    def post(
        self,
        body: Json | bytes | None = None,
        attack: str = "",
        headers: Headers = (),
        target: str = "/v1/chat/completions",
        method: str = "POST",
    ) -> Told:
        """One request, sent whole, and its whole answer."""
        data = head_of(body, attack, headers, target, method)
        with self.open() as sock:
            began = time.monotonic()
            with suppress(ConnectionError):
                sock.sendall(data)
            return read_answer(sock, began)

    def raw(self, data: bytes) -> Told:
        """Any bytes, and the answer to them."""
        with self.open() as sock:
            began = time.monotonic()
            with suppress(ConnectionError):
                sock.sendall(data)
            return read_answer(sock, began)

    def seen(self, mark: str) -> int:
        """How often a marked request came to the backend."""
        with self.open(head_of(None, f"count {mark}", (), "/v1/x", "GET"), self.backend_port) as sock:
            return int(json.loads(read_answer(sock, time.monotonic()).body)["seen"])

    def many(self, count: int, attacker: Callable[[int], None]) -> None:
        """So many attackers at once, until all have ended. The first failure of one is raised."""
        failures: list[BaseException] = []

        def run(number: int) -> None:
            _give_way()
            try:
                attacker(number)
            except OSError:
                pass  # closed upon: that is what an attacker gets
            except (AssertionError, ValueError, LookupError) as failure:
                failures.append(failure)

        threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONGEST + 20)
        if failures:
            raise failures[0]

    # -- what the proxy uses -------------------------------------------------------------------------------------------

    @property
    def pids(self) -> list[int]:
        pid = self.proxy.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu(self) -> float:
        """Seconds of processor time that it has had."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def forget_peak(self) -> None:
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def memory(self, name: str) -> float:
        """MiB in all its processes: VmRSS now, or VmHWM, the peak since it was forgotten."""
        found = 0
        for pid in self.pids:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            found += next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)
        return found / 1024


def head_of(
    body: Json | bytes | None, attack: str = "", headers: Headers = (), target: str = "/v1/x", method: str = "POST"
) -> bytes:
    """A whole request; `body` None is none."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", "Content-Type: application/json"]
    lines += [f"X-Attack: {attack}"] if attack else []
    if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        lines.append(f"Content-Length: {len(data)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def read_answer(sock: socket.socket, began: float) -> Told:
    response = HTTPResponse(sock)
    try:
        response.begin()
    except (HTTPException, ConnectionError):
        return Told(0, [], b"", time.monotonic() - began, broken=True)
    pieces: list[bytes] = []
    broken = False
    try:
        while piece := response.read1(1 << 20):
            pieces.append(piece)
            if len(pieces) > 200:  # of what floods us only the start and the end are kept
                del pieces[100]
    except TimeoutError:
        raise AssertionError(f"no end of the answer in {LONGEST:.0f} s") from None
    except (HTTPException, ConnectionError):
        broken = True
    return Told(response.status, response.getheaders(), b"".join(pieces), time.monotonic() - began, broken)


def asking(stream: bool = False, **more: Any) -> Json:
    return ask(stream=stream, **more)


def coded(*arguments: object) -> str:
    """The arguments of a script, as a header can hold them."""
    return " ".join(quote(str(argument), safe="") for argument in arguments)


def _give_way() -> None:
    """This thread has less right to a processor than the proxy and the victim."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _favour(pid: int) -> None:
    """Where we may: what else a busy machine does shall not count as the attack's."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, -NICE)


# -- measuring ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attack:
    """`play` raises AssertionError for an answer that must not be. It is repeated until `seconds` have passed."""

    number: str
    name: str
    play: Callable[[Arena], None]
    memory: float = 48.0
    """MiB that the process may grow by meanwhile."""
    cpu: float | None = None
    """The share of a processor that it may use, the victim's part left out; None: any."""
    within: float | None = None
    """Seconds that one play may take; None: any."""
    seconds: float = 2.0
    quick: bool = True
    only: How | None = None
    victim: bool = True
    """Whether the victim's time counts: not where the proxy is stopped on purpose."""


@dataclass
class Measured:
    """What one attack did. Times in seconds, memory in MiB."""

    attack: Attack
    how: How
    slower: float = 0.0
    memory: float = 0.0
    cpu: float = 0.0
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def failures(self) -> list[str]:
        found = list(self.wrong)
        if self.attack.victim and self.slower > SLOWER:
            found.append("the victim waited")
        if self.memory > self.attack.memory:
            found.append("memory")
        if self.attack.cpu is not None and self.cpu > self.attack.cpu:
            found.append("processor")
        if self.attack.within is not None and self.longest > self.attack.within:
            found.append("too long")
        return found

    @property
    def bound(self) -> str:
        attack = self.attack
        parts = [f"victim +{SLOWER * 1000:.0f} ms"] if attack.victim else []
        parts += [f"{attack.memory:.0f} MiB"]
        parts += [f"CPU {attack.cpu:.0%}"] if attack.cpu is not None else []
        return ", ".join(parts + ([f"{attack.within:.1f} s"] if attack.within is not None else []))

    @property
    def told(self) -> str:
        parts = [f"+{max(0.0, self.slower) * 1000:.0f} ms"] if self.attack.victim else []
        parts += [f"{self.memory:.0f} MiB"]
        parts += [f"CPU {self.cpu:.0%}"] if self.attack.cpu is not None else []
        return ", ".join(parts + ([f"{self.longest:.1f} s"] if self.attack.within is not None else []))


def measure(arena: Arena, attack: Attack) -> Measured:
    found = Measured(attack, arena.how)
    log_before = len(arena.proxy.said())
    start, cpu_before = time.monotonic(), arena.cpu()
    time.sleep(QUIET)
    arena.forget_peak()
    began, cpu_at, memory = time.monotonic(), arena.cpu(), arena.memory("VmRSS")
    usual = (cpu_at - cpu_before) / (began - start)
    arena.many(1, lambda _: _played(arena, attack, found))
    ended = time.monotonic()
    found.cpu = max(0.0, (arena.cpu() - cpu_at) / (ended - began) - usual)
    found.memory = max(0.0, arena.memory("VmHWM") - memory)
    time.sleep(0.3)
    until = time.monotonic() + 20  # those that began meanwhile end, too
    while time.monotonic() < until and len(arena.victim.between(began, ended)) < (ended - began) * 40:
        time.sleep(0.05)
    quiet = arena.victim.between(start, began)
    arena.quiet += quiet
    usual_wait = max(p99(quiet), p99(arena.quiet), p99(arena.control.between(began, ended)))
    found.slower = p99(arena.victim.between(began, ended)) - usual_wait
    if attack.victim:
        found.wrong += [f"victim: {wrong}" for wrong in arena.victim.wrong(began, ended)[:2]]
    _, traceback, log = arena.proxy.said()[log_before:].partition("Traceback")
    found.wrong += [f"a traceback in the log: {log[-600:]}"] if traceback else []
    if arena.proxy.process.poll() is not None:
        found.wrong.append("the proxy ended")
    return found


def _played(arena: Arena, attack: Attack, found: Measured) -> None:
    _give_way()
    until = time.monotonic() + attack.seconds
    try:
        while True:
            began = time.monotonic()
            attack.play(arena)
            found.longest = max(found.longest, time.monotonic() - began)
            if time.monotonic() >= until:
                return
            time.sleep(0.05)
    except (AssertionError, OSError, ValueError, LookupError) as failure:
        found.longest = max(found.longest, time.monotonic() - began)
        found.wrong.append(
            f"{type(failure).__name__ if not isinstance(failure, AssertionError) else ''} {failure}"[:500]
        )


@contextmanager
def backend_process() -> Iterator[Process]:
    port = free_port()
    with started(["-m", "tests.attack.backend", "--port", str(port)], {}, port) as process:
        wait_until_listening(process)
        yield process


@contextmanager
def arena_of(how: How, backend: Process, quick: bool = False, **settings: object) -> Iterator[Arena]:
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_process(how, backend.url, **LIMITS, **settings))
        made = Arena(how, proxy, backend.port, Victim(), quick)
        for pid in [backend.process.pid, *made.pids]:
            _favour(pid)
        for _ in range(5):
            made.post(asking(), target="/v1/chat/completions")
            made.post(asking(stream=True), target="/v1/chat/completions")
        calm = stack.enter_context(proxy_process(how, backend.url, **LIMITS, **settings))
        made.victim = stack.enter_context(victim_of(proxy.port))
        made.control = stack.enter_context(victim_of(calm.port))
        for pid in [made.victim.pid, made.control.pid, *Arena(how, calm, backend.port, Victim()).pids]:
            _favour(pid)
        until = time.monotonic() + 15
        while min(len(made.victim.samples), len(made.control.samples)) < 20:
            assert time.monotonic() < until, f"no victim: {backend.said()} {proxy.said()}"
            time.sleep(0.05)
        yield made
