"""The service itself in trouble: TLS, reloads, upgrades, a killed worker, no descriptors left, idle clients.

Each situation is played on a proxy of its own and raises AssertionError for what must not be. Bounded in time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from tests.answers import Answer, ask, broken_stream, completion, json_answer, said, whole_stream
from tests.faults.world import LIMITS, Tally
from tests.load.measure import connected_to
from tests.servers import (
    COMMANDS,
    HOST,
    ROOT,
    Client,
    How,
    Process,
    Received,
    ScriptedBackend,
    free_port,
    started,
    wait_until_listening,
)

STREAMS = 12
"""Streams that are open while something happens to the service."""
SOON = 15.0
"""Seconds in which the service must be itself again, on a busy machine too."""
IDLE = 500
DESCRIPTORS = 64
SPINNING = 0.4
"""Of a processor: what waits uses less."""
_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Situation:
    name: str
    play: Callable[[How], None]
    hows: Sequence[How] = ("gunicorn", "app")


@contextmanager
def service(
    how: How, backend: ScriptedBackend, *options: str, descriptors: int | None = None, **settings: object
) -> Iterator[Process]:
    """The proxy with options for gunicorn, and perhaps with so many descriptors only."""
    port = free_port()
    given = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": port, **LIMITS, **settings}
    arguments = [*COMMANDS[how]]
    if how != "app":  # as it is documented: `python -m gunicorn` cannot start itself again at USR2
        arguments[:2] = [str(Path(sys.executable).parent / "gunicorn")]
    if options:
        arguments[-1:] = [*options, arguments[-1]]
    if descriptors:
        arguments = ["-c", _LIMITED.format(descriptors), *arguments]
    with started(arguments, {name: str(value) for name, value in given.items()}, port) as process:
        wait_until_listening(process)
        yield process
        # gevent writes a traceback for each handshake that fails: it is not ours
        said = process.said()
        assert descriptors or f'File "{ROOT}' not in said, said[-3000:]


def children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def eventually(claim: Callable[[], bool], what: str, within: float = SOON) -> None:
    until = time.monotonic() + within
    while not claim():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def answers(process: Process) -> bool:
    """Whether a request gets its answer."""
    try:
        with process.client(ask(stream=False), patience=3) as client:
            return client.status == 200 and b"Hello" in client.rest()
    except OSError:
        return False


@dataclass
class Open:
    """Streams that have begun, and the gate before their ends."""

    clients: list[Client]
    gate: threading.Event

    def ends(self) -> tuple[int, int]:
        """Let all of them go on: how many came whole, and how many were cut."""
        self.gate.set()
        whole = 0
        for client in self.clients:
            body = client.rest()
            client.leave()
            if client.broken or b"[DONE]" not in body:
                continue
            whole_stream(body)
            whole += 1
        return whole, len(self.clients) - whole


@contextmanager
def streams(process: Process, backend: ScriptedBackend, count: int = STREAMS) -> Iterator[Open]:
    gate = threading.Event()

    def answer(received: Received) -> Answer:
        if not received.json().get("stream"):
            return json_answer(completion("Hello"))
        first, second, *rest = said("Hello", " you")
        return Answer([first, second, gate, *rest])

    backend.answer = answer
    with ExitStack() as stack:
        clients = [stack.enter_context(process.client(ask(), patience=SOON)) for _ in range(count)]
        for client in clients:
            client.until("Hello", SOON)
        yield Open(clients, gate)
        gate.set()


# -- TLS ---------------------------------------------------------------------------------------------------------------


@contextmanager
def certificate() -> Iterator[tuple[str, str]]:
    """The files of a certificate for localhost that nobody signed, and of its key."""
    openssl = shutil.which("openssl")
    assert openssl, "no openssl here to make a certificate with"
    with tempfile.TemporaryDirectory() as folder:
        cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
        yield cert, key


def _tls(how: How) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def asked(process: Process, stream: bool) -> HTTPSConnection:
        connection = stack.enter_context(closing(HTTPSConnection(HOST, process.port, timeout=SOON, context=context)))
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(ask(stream=stream)), headers)
        return connection

    with ExitStack() as stack:
        cert, key = stack.enter_context(certificate())
        backend = stack.enter_context(ScriptedBackend())
        process = stack.enter_context(service(how, backend, "--certfile", cert, "--keyfile", key))
        for _ in range(20):  # clients that stop in their handshake, and one that speaks no TLS
            stack.enter_context(socket.create_connection((HOST, process.port))).sendall(b"\x16")
        stack.enter_context(socket.create_connection((HOST, process.port))).sendall(b"GET / HTTP/1.1\r\n\r\n")
        backend.answer = json_answer(completion("Hello"))
        assert b"Hello" in asked(process, False).getresponse().read()
        backend.answer = Answer(said("Hello", " you"))
        whole_stream(asked(process, True).getresponse().read())
        backend.answer = Answer(said("Hello", " you", finish=None, done=False), ends="reset")
        broken_stream(asked(process, True).getresponse().read())
        backend.forget()
        backend.answer = Answer([*said("Hello")[:2], threading.Event()])
        connection = asked(process, True)
        with connection.getresponse() as response:
            response.read1(4096)
        connection.close()
        assert backend.request().closed.wait(5), "the client left, and the backend was not told"


# -- workers -----------------------------------------------------------------------------------------------------------


def _reload(how: How) -> None:
    """HUP: new workers take what comes, the old ones end what is open."""
    with ScriptedBackend() as backend, service(how, backend, "--workers", "3", REQUEST_TIMEOUT=60) as process:
        eventually(lambda: len(children(process.process.pid)) == 3, "no three workers")
        with streams(process, backend) as some:
            before = set(children(process.process.pid))
            process.signal(signal.SIGHUP)
            eventually(lambda: len(set(children(process.process.pid)) - before) >= 3, "no new workers")
            eventually(lambda: answers(process), "no answer while it reloads")
            assert some.ends() == (STREAMS, 0), "a reload cut streams"
        eventually(lambda: not before & set(children(process.process.pid)), "old workers stay")
        eventually(lambda: answers(process), "no answer after the reload")


def _upgrade(how: How) -> None:
    """USR2 starts a new master; then the old one is told to end."""
    with ScriptedBackend() as backend, service(how, backend, "--workers", "2", REQUEST_TIMEOUT=60) as process:
        eventually(lambda: len(children(process.process.pid)) == 2, "no two workers")
        old = set(children(process.process.pid))
        with streams(process, backend) as some:
            process.signal(signal.SIGUSR2)
            masters: list[int] = []

            def started_anew() -> bool:
                new = set(children(process.process.pid)) - old
                masters[:] = [pid for pid in new if len(children(pid)) == 2]
                return bool(masters)

            eventually(started_anew, f"no new master: {process.said()[-500:]}")
            try:
                eventually(lambda: answers(process), "no answer while there are two masters")
                process.signal(signal.SIGTERM)
                time.sleep(0.5)
                eventually(lambda: answers(process), "no answer from the new master")
                assert some.ends() == (STREAMS, 0), "an upgrade cut streams"
                process.wait(SOON)
                eventually(lambda: answers(process), "no answer after the upgrade")
            finally:
                for pid in masters:
                    _end(pid)


def _end(master: int) -> None:
    workers = children(master)
    os.kill(master, signal.SIGQUIT)
    until = time.monotonic() + 5
    while Path(f"/proc/{master}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    for pid in (master, *workers):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _killed(how: How) -> None:
    """One worker dies: the streams of the others go on, and another takes its place."""
    with ScriptedBackend() as backend, service(how, backend, "--workers", "3", REQUEST_TIMEOUT=60) as process:
        eventually(lambda: len(children(process.process.pid)) == 3, "no three workers")
        with streams(process, backend) as some:
            workers = children(process.process.pid)
            held = {pid: connected_to(backend.port, [pid]) for pid in workers}
            victim = min((pid for pid in workers if held[pid]), key=lambda pid: held[pid])
            os.kill(victim, signal.SIGKILL)
            eventually(lambda: victim not in children(process.process.pid), "the dead worker stays")
            eventually(lambda: answers(process), "no answer after a worker was killed")
            whole, cut = some.ends()
            assert cut <= held[victim], f"{cut} streams were cut, {held[victim]} were its"
            assert whole >= STREAMS - held[victim]
        eventually(lambda: len(children(process.process.pid)) == 3, "nobody takes the place of the dead worker")


# -- descriptors and idle clients --------------------------------------------------------------------------------------


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of processor time."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _calm(process: Process, seconds: float = 2.0) -> None:
    pids = [process.process.pid, *children(process.process.pid)]
    before, began = cpu_of(pids), time.monotonic()
    time.sleep(seconds)
    share = (cpu_of(pids) - before) / (time.monotonic() - began)
    assert share < SPINNING, f"it uses {share:.0%} of a processor for nothing"


def _no_descriptors(how: How) -> None:
    """More clients than descriptors: it neither ends nor spins, and is itself again when they have gone."""
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend(json_answer(completion("Hello"))))
        process = stack.enter_context(service(how, backend, descriptors=DESCRIPTORS))
        eventually(lambda: answers(process), "no answer at first")
        for start in (b"", b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"):
            socks = []
            for _ in range(3 * DESCRIPTORS):
                with suppress(OSError):
                    socks.append(socket.create_connection((HOST, process.port), 2))
                    socks[-1].sendall(start)
            _calm(process)
            for sock in socks:
                sock.close()
            assert process.process.poll() is None, f"it ended: {process.said()[-2000:]}"
            eventually(lambda: answers(process), "it does not recover")


def _idle_clients(how: How) -> None:
    with ScriptedBackend(json_answer(completion("Hello"))) as backend, service(how, backend) as process:
        eventually(lambda: answers(process), "no answer at first")
        socks = [socket.create_connection((HOST, process.port), SOON) for _ in range(IDLE)]
        _calm(process)
        began = time.monotonic()
        for _ in range(10):
            assert answers(process), "no answer beside idle clients"
        assert time.monotonic() - began < 5, "answers wait for idle clients"
        for sock in socks:
            sock.close()

        def threads() -> int:
            pids = [process.process.pid, *children(process.process.pid)]
            return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)

        eventually(lambda: threads() < 60, "threads of idle clients stay")
        eventually(lambda: answers(process), "no answer afterwards")


SITUATIONS = (
    Situation("TLS", _tls, ["gunicorn"]),
    Situation("HUP with three workers", _reload, ["gunicorn"]),
    Situation("USR2 with two workers", _upgrade, ["gunicorn"]),
    Situation("kill -9 of one of three workers", _killed, ["gunicorn"]),
    Situation(f"{DESCRIPTORS} descriptors", _no_descriptors),
    Situation(f"{IDLE} idle clients", _idle_clients),
)


def play_situations(hows: Sequence[How], only: str = "") -> Tally:
    tally = Tally()
    for situation in SITUATIONS:
        for how in situation.hows:
            if how in hows and only in situation.name:
                began, failure = time.monotonic(), ""
                try:
                    situation.play(how)
                except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
                    failure = f"{situation.name} / {how}: {type(error).__name__} {error}"
                tally.add(time.monotonic() - began, failure)
    return tally
