"""Real servers and clients on the loopback: a backend that plays scripts, the proxy before it, a client that watches.

Nothing is mocked. What is started here is ended here, by its own process id, and every wait is bounded.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Literal

from app import create_app
from config import VARIABLES, Config
from serving import Server, listen
from startup import PROBE_HEADERS
from streaming.template_question import TEMPLATE_HEADERS
from tests.answers import (
    DONE,
    KEEP_ALIVE,
    TOOLS,
    TOP,
    Answer,
    Headers,
    Json,
    Piece,
    Streamed,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    read_stream,
    said,
    tool,
    whole_stream,
)

__all__ = [
    "COMMANDS",
    "DONE",
    "HOST",
    "KEEP_ALIVE",
    "PATIENCE",
    "ROOT",
    "SOON",
    "TOOLS",
    "TOP",
    "Answer",
    "Client",
    "Headers",
    "How",
    "Json",
    "Piece",
    "Process",
    "Proxy",
    "Received",
    "ScriptedBackend",
    "Streamed",
    "ask",
    "broken_stream",
    "chunk",
    "completion",
    "demo_backend",
    "frame",
    "free_port",
    "json_answer",
    "message_in",
    "message_of",
    "proxy_process",
    "proxy_starting",
    "read_stream",
    "running_proxy",
    "said",
    "started",
    "tool",
    "wait_until_listening",
    "whole_stream",
]

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds after which anything that has not happened never will."""
SOON = 6.0
"""Seconds within which what has been sent is there, on a busy machine too. Less than a silent backend waits."""
STARTING = 60.0
"""Seconds that a process may take to listen: it imports everything first, which a busy machine makes slow."""

# -- a backend that plays scripts --------------------------------------------------------------------------------------


@dataclass
class Received:
    """A request as the backend got it, and what became of its connection."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    """The number of the connection that it came over."""
    answered: bool = False
    """All of the answer was sent."""
    closed: threading.Event = field(default_factory=threading.Event)
    closed_at: float = 0.0

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def json(self) -> Any:
        return json.loads(self.body)

    def client_closed(self) -> None:
        if not self.closed.is_set():
            self.closed_at = time.monotonic()
            self.closed.set()


class _Left(Exception):
    """The client closed in mid-answer."""


class ScriptedBackend:
    """Serves `answer`: one answer for all requests, or a function that makes one of each."""

    start_answer = Answer([b'{"data": []}'], headers=[("Content-Type", "application/json")], framing="length")
    template_answer = Answer([b"{}"], 404)

    def __init__(self, answer: Answer | Callable[[Received], Answer] | None = None) -> None:
        self.answer: Answer | Callable[[Received], Answer] = answer or Answer()
        self.requests: list[Received] = []
        self.starts: list[Received] = []
        self.template_questions: list[Received] = []
        """What a proxy asked by itself, at its start and of templates: apart, as it is in the way of most tests."""
        self.connections = 0
        self._arrived = threading.Condition()
        self._socks: list[socket.socket] = []
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> ScriptedBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def last(self) -> Received:
        return self.requests[-1]

    def request(self, number: int = 0, within: float = PATIENCE) -> Received:
        """The request of that number, once it is there."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) > number, within), "no request came"
            return self.requests[number]

    def forget(self) -> None:
        """Forget the requests that came, so that the next one is number 0."""
        with self._arrived:
            self.requests.clear()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a script of the backend never ended"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._socks.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock, self.connections)))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        received: Received | None = None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                following = _read_request(sock, number)
                if following is None:
                    break
                if (agent := following.header("User-Agent")) in (PROBE_HEADERS[0][1], TEMPLATE_HEADERS[0][1]):
                    self.connections -= 1
                    first = agent == PROBE_HEADERS[0][1]
                    (self.starts if first else self.template_questions).append(following)
                    last = self.start_answer if first else self.template_answer
                    _play(sock, dataclasses.replace(last, headers=[*last.headers, ("Connection", "close")]), following)
                    break
                received = following
                with self._arrived:
                    self.requests.append(received)
                    self._arrived.notify_all()
                answer = self.answer(received) if callable(self.answer) else self.answer
                _play(sock, answer, received)
                received.answered = answer.ends == "well"
                if answer.ends != "well" or answer.framing in ("close", "raw"):
                    break
        except (_Left, OSError):
            pass
        finally:
            if received is not None:
                received.client_closed()
            sock.close()


def _read_request(sock: socket.socket, connection: int) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return Received(method, target, headers, body, connection)


def _play(sock: socket.socket, answer: Answer, received: Received) -> None:
    for piece in answer.before:
        _do(sock, piece, bytes, received)
    if answer.framing != "raw":
        sock.sendall(_head(answer))
    frame = _chunk if answer.framing == "chunked" else bytes
    bare = received.method == "HEAD" or answer.status in (204, 304)
    for piece in () if bare else answer.pieces:
        _do(sock, piece, frame, received)
    if answer.ends == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif answer.ends == "well" and answer.framing == "chunked" and not bare:
        sock.sendall(b"0\r\n\r\n")


def _head(answer: Answer) -> bytes:
    lines = [f"HTTP/1.{0 if answer.framing == 'close' else 1} {answer.status} Whatever"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.framing == "chunked" and answer.status not in (204, 304):
        lines.append("Transfer-Encoding: chunked")
    elif answer.framing == "length":
        length = sum(len(piece) for piece in answer.pieces if isinstance(piece, bytes))
        lines.append(f"Content-Length: {length + (answer.ends != 'well')}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _do(sock: socket.socket, piece: Piece, frame: Callable[[bytes], bytes], received: Received) -> None:
    if isinstance(piece, bytes):
        try:
            sock.sendall(frame(piece))
        except OSError:
            received.client_closed()
            raise _Left from None
        return
    until, pause = time.monotonic() + (PATIENCE if isinstance(piece, threading.Event) else piece), 0.005
    while (left := until - time.monotonic()) > 0:
        if isinstance(piece, threading.Event) and piece.is_set():
            return
        pause = min(pause * 1.2, 0.05)  # a hundred that look every few milliseconds leave no time for others
        if select.select([sock], [], [], min(left, pause) if isinstance(piece, threading.Event) else left)[0]:
            try:
                gone = sock.recv(1, socket.MSG_PEEK) == b""
            except OSError:
                gone = True
            if gone:
                received.client_closed()
                raise _Left


# -- a client that watches ---------------------------------------------------------------------------------------------


class Client:
    """One request over one connection, byte by byte as it is told, and the answer as it arrives."""

    def __init__(
        self,
        port: int,
        target: str = "/v1/chat/completions",
        body: object = None,
        headers: Headers = (),
        method: str = "POST",
        patience: float = PATIENCE,
    ) -> None:
        """`body` is bytes as they are, or what becomes JSON; `headers` may hold anything, Content-Length included."""
        self._sock = socket.create_connection((HOST, port), patience)
        self._patience = patience
        self._method = method
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.lower() for name, _ in headers}
        lines = [f"{method} {target} HTTP/1.1"]
        if "host" not in named:
            lines.append(f"Host: {HOST}:{port}")
        lines += [f"{name}: {value}" for name, value in headers]
        if data and "content-type" not in named:
            lines.append("Content-Type: application/json")
        if "content-length" not in named and "transfer-encoding" not in named and (data or method == "POST"):
            lines.append(f"Content-Length: {len(data)}")
        self.sent_at = time.monotonic()
        self._sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + data)
        self._response: HTTPResponse | None = None
        self.arrivals: list[tuple[float, bytes]] = []
        """When what came, from the first byte of the body on."""
        self.broken = False
        """The answer ended although more of it was announced."""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @property
    def response(self) -> HTTPResponse:
        """The head, waited for at the first look."""
        if self._response is None:
            self._response = HTTPResponse(self._sock, method=self._method)
            self._response.begin()
        return self._response

    @property
    def status(self) -> int:
        return self.response.status

    def header(self, name: str) -> str | None:
        return self.response.getheader(name)

    @property
    def body(self) -> bytes:
        """What of the body has come so far."""
        return b"".join(data for _, data in self.arrivals)

    def more(self, within: float | None = None) -> bytes:
        """What comes next, at once; `b""` at the end. TimeoutError if nothing comes."""
        response = self.response
        self._sock.settimeout(self._patience if within is None else within)
        try:
            data = response.read1(65536)
        except (HTTPException, ConnectionError):
            self.broken, data = True, b""
        if data:
            self.arrivals.append((time.monotonic(), data))
        return data

    def until(self, text: str | bytes, within: float = SOON) -> None:
        """Read until the body so far holds this; it must be there in time."""
        wanted = text.encode() if isinstance(text, str) else text
        end = time.monotonic() + within
        while wanted not in self.body:
            left = end - time.monotonic()
            assert left > 0, f"{wanted!r} did not come within {within} s; there is {self.body[-400:]!r}"
            try:
                more = self.more(left)
            except TimeoutError:
                continue
            assert more, f"the answer ended without {wanted!r}: {self.body[-400:]!r}"

    def rest(self) -> bytes:
        """The whole body, its end waited for."""
        while self.more():
            pass
        return self.body

    def json(self) -> Any:
        return json.loads(self.rest())

    def leave(self, reset: bool = False) -> None:
        """Go away at once, whatever is still coming."""
        if reset:
            with suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self._sock.fileno() >= 0:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
        if self._response is not None:
            self._response.close()
        self._sock.close()


# -- the proxy ---------------------------------------------------------------------------------------------------------


@dataclass
class Proxy:
    """The proxy, wherever it runs."""

    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def client(self, body: object = None, target: str = "/v1/chat/completions", **more: Any) -> Client:
        return Client(self.port, target, body, **more)

    def get(self, target: str, headers: Headers = (), method: str = "GET") -> Client:
        return Client(self.port, target, None, headers, method)

    def streamed(self, body: object, **more: Any) -> bytes:
        """The body of an answer that is a stream."""
        with self.client(body, **more) as client:
            raw = client.rest()
            assert client.status == 200, raw
            assert (client.header("content-type") or "").startswith("text/event-stream")
            return raw

    def buffered(self, body: object, **more: Any) -> Json:
        with self.client(body, **more) as client:
            reply: Json = client.json()
            assert client.status == 200, reply
            return reply


def _settings(backend: ScriptedBackend | str, settings: Mapping[str, object]) -> dict[str, str]:
    url = backend.url if isinstance(backend, ScriptedBackend) else backend
    given = {"BACKEND_URL": url, "PROXY_HOST": HOST, "FLASK_ENV": "development", **settings}
    return {name: str(value) for name, value in given.items()}


@contextmanager
def running_proxy(backend: ScriptedBackend | str, **settings: object) -> Iterator[Proxy]:
    """The proxy in a thread, behind the server of `python app.py`. `settings` are its variables."""
    config = Config.from_environment(_settings(backend, settings))
    server = Server(listen(dataclasses.replace(config, proxy_host=HOST, proxy_port=0)), create_app(config))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Proxy(server.server_port)
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()
        until = time.monotonic() + 2
        while server.busy and time.monotonic() < until:
            time.sleep(0.005)


How = Literal["app", "gunicorn", "gthread"]
_GUNICORN = ["-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py")]
COMMANDS: Mapping[How, Sequence[str]] = {
    "app": [str(ROOT / "app.py")],
    "gunicorn": [*_GUNICORN, "app:app"],
    "gthread": [*_GUNICORN, "-k", "gthread", "app:app"],
}


@dataclass
class Process(Proxy):
    """The proxy in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """All that it wrote to stdout and stderr."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self, within: float = PATIENCE) -> int:
        return self.process.wait(within)


@contextmanager
def started(
    arguments: Sequence[str], environ: Mapping[str, str], port: int, dotenv: str | None = None
) -> Iterator[Process]:
    """A program of ours, with these of our variables only and in a folder that holds nothing but perhaps a `.env`."""
    ours = {variable.name for variable in VARIABLES}
    kept = {name: value for name, value in os.environ.items() if name not in ours and "proxy" not in name.lower()}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        if dotenv is not None:
            (Path(folder) / ".env").write_text(dotenv)
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        try:
            yield Process(port, process, log)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Politely, then at once (which is SIGQUIT to gunicorn, and a second SIGTERM to `python app.py`), then by force."""
    for number, patience in ((signal.SIGTERM, 0.5), (signal.SIGQUIT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, 5)):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def proxy_starting(
    how: How, backend: ScriptedBackend | str, dotenv: str | None = None, **settings: object
) -> AbstractContextManager[Process]:
    """`python app.py` or gunicorn, just started: it may not answer yet, or never."""
    port = free_port()
    return started(COMMANDS[how], _settings(backend, {"PROXY_PORT": port, **settings}), port, dotenv)


@contextmanager
def proxy_process(how: How, backend: ScriptedBackend | str, **settings: object) -> Iterator[Process]:
    """`python app.py` or gunicorn, answering."""
    with proxy_starting(how, backend, None, **settings) as process:
        wait_until_listening(process)
        yield process


@contextmanager
def demo_backend(delay: float = 0.0) -> Iterator[Process]:
    port = free_port()
    arguments = ["-m", "demo.backend", "--port", str(port), "--delay", str(delay)]
    with started(arguments, {}, port) as process:
        wait_until_listening(process)
        yield process


def wait_until_listening(process: Process) -> None:
    """Wait until it serves. gunicorn listens before it has a worker, which then ends a connection that says nothing."""
    until = time.monotonic() + STARTING
    while True:
        assert process.process.poll() is None, f"it ended: {process.said()}"
        with suppress(OSError), socket.create_connection((HOST, process.port), STARTING) as silent:
            if "--certfile" in str(process.process.args):
                _shake_hands(silent)
            else:
                silent.shutdown(socket.SHUT_WR)
                silent.recv(1)
            return
        assert time.monotonic() < until, f"it does not listen: {process.said()}"
        time.sleep(0.02)


def _shake_hands(sock: socket.socket) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.wrap_socket(sock).close()


def free_port() -> int:
    """A port below those that the system gives to clients, so that none of them takes it before its server starts."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
