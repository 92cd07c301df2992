"""`python app.py` and gunicorn as people start and stop them: in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.servers import (
    COMMANDS,
    HOST,
    ROOT,
    Answer,
    Client,
    How,
    Piece,
    Process,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    free_port,
    json_answer,
    message_in,
    message_of,
    proxy_process,
    proxy_starting,
    running_proxy,
    said,
    started,
    wait_until_listening,
    whole_stream,
)

pytestmark = pytest.mark.long

HELLO = frame(chunk({"role": "assistant", "content": "Hello"}))
REST = [frame(chunk({"content": " world"})), frame(chunk({}, "stop")), b"data: [DONE]\n\n"]
SPOKEN = {"role": "assistant", "content": "Hello world", "calls": [], "reasons": ["stop"]}

both = pytest.mark.parametrize("how", ["app", "gunicorn"])


@contextmanager
def proxy_with_grace(how: How, grace: float, backend: ScriptedBackend, **settings: object) -> Iterator[Process]:
    """The proxy in a process, with another grace for what is open at a stop."""
    if how == "app":
        program = f"import sys, serving, app; serving.GRACE = {grace}; settings = app.load_config(); "
        arguments = ["-c", program + "sys.exit(serving.serve(app.create_app(settings), settings))"]
    else:
        arguments = [*COMMANDS[how][:-1], "--graceful-timeout", str(int(grace)), COMMANDS[how][-1]]
    port = free_port()
    given = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": port, **settings}
    environ = {name: str(value) for name, value in given.items()}
    with started(arguments, environ, port) as process:
        wait_until_listening(process)
        yield process


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(Answer(said("Hello", " world"))) as scripted:
        yield scripted


@pytest.fixture(scope="module", params=["app", "gunicorn"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedBackend, Process]]:
    """A proxy that is shared by tests which leave it running."""
    settings = {"FLASK_DEBUG": "1", "FLASK_RUN_RELOAD": "1"}  # of which nothing may come
    with ScriptedBackend() as backend, proxy_process(request.param, backend, **settings) as proxy:
        yield backend, proxy


# -- starting and stopping ---------------------------------------------------------------------------------------------


@both
def test_it_starts_answers_and_stops(backend: ScriptedBackend, how: How) -> None:
    with proxy_process(how, backend) as proxy:
        assert message_of(whole_stream(proxy.streamed(ask()))) == SPOKEN
        with proxy.get("/health") as client:
            assert client.json()["backend"] == {"url": backend.url, "reachable": True, "detail": "HTTP 200"}
        proxy.signal()
        assert proxy.wait(5) == 0
        assert "Traceback" not in proxy.said()


@both
@pytest.mark.parametrize("moment", ["mid-stream", "prefill", "buffered", "forwarded"])
def test_a_stop_lets_what_is_open_end(backend: ScriptedBackend, how: How, moment: str) -> None:
    more = threading.Event()
    body, target = ask(stream=moment != "buffered"), "/v1/chat/completions"
    if moment == "buffered":
        backend.answer = json_answer(completion("Hello world"), before=[more])
    elif moment == "prefill":
        backend.answer = Answer([HELLO, *REST], before=[more])
    else:
        backend.answer = Answer([HELLO, more, *REST])
    if moment == "forwarded":
        target = "/v1/completions"
    with proxy_process(how, backend) as proxy, proxy.client(body, target) as client:
        backend.request()
        if moment in ("mid-stream", "forwarded"):
            client.until(b"Hello")
        proxy.signal()
        with pytest.raises(subprocess.TimeoutExpired):
            proxy.wait(0.6)
        assert not backend.last.closed.is_set()
        more.set()
        raw = client.rest()
        assert not client.broken
        client.leave()
        assert proxy.wait(5) == 0
        assert "Traceback" not in proxy.said()
    if moment == "buffered":
        assert message_in(json.loads(raw)) == SPOKEN
    elif moment == "forwarded":
        assert raw == HELLO + b"".join(REST)
    else:
        assert message_of(whole_stream(raw)) == SPOKEN


@both
def test_a_proxy_that_is_stopping_takes_no_new_work(backend: ScriptedBackend, how: How) -> None:
    more = threading.Event()
    backend.answer = Answer([HELLO, more, *REST])
    with proxy_process(how, backend) as proxy, proxy.client(ask()) as client:
        client.until(b"Hello")
        proxy.signal()
        until = time.monotonic() + 3
        while taken(proxy) and time.monotonic() < until:
            time.sleep(0.05)
        assert not taken(proxy)
        more.set()
        assert message_of(whole_stream(client.rest())) == SPOKEN
        client.leave()
        assert proxy.wait(5) == 0


def taken(proxy: Process) -> bool:
    """Whether somebody answers there."""
    try:
        with Client(proxy.port, "/health", method="GET", patience=0.3) as client:
            return client.status == 200
    except OSError:
        return False


GRACE = 2
each_way = pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])


NEVER = threading.Event()
MORE: list[Piece] = [frame(chunk({"content": "more "})), 0.001]
MOMENTS = {
    "mid-stream": Answer([HELLO, NEVER]),
    "prefill": Answer(before=[NEVER]),
    "buffered": Answer([HELLO, NEVER]),
    "forwarded": Answer([HELLO, NEVER]),
    "flood": Answer([HELLO, *MORE * 8000]),
}
"""What is open at a stop and will not end by itself."""


@each_way
def test_what_outlasts_the_grace_of_a_stop_is_told_so(backend: ScriptedBackend, how: How) -> None:
    backend.answer = lambda received: MOMENTS[received.json()["user"]]
    with proxy_with_grace(how, GRACE, backend, KEEPALIVE_SECONDS=0) as proxy, ExitStack() as stack:
        clients = {moment: stack.enter_context(opened(proxy, moment)) for moment in MOMENTS}
        backend.request(len(MOMENTS) - 1)
        for moment in ("mid-stream", "flood", "forwarded"):
            clients[moment].until(b"Hello")
        proxy.signal()
        began = time.monotonic()
        with ThreadPoolExecutor(len(MOMENTS)) as pool:
            list(pool.map(lambda moment: assert_told_of_the_stop(clients[moment], moment, began), MOMENTS))
        for received in backend.requests:
            assert received.closed.wait(5) and not received.answered
        assert proxy.wait(5) == 0
        assert "Traceback" not in proxy.said(), proxy.said()


def opened(proxy: Process, moment: str) -> Client:
    target = "/v1/completions" if moment == "forwarded" else "/v1/chat/completions"
    return proxy.client(ask(stream=moment != "buffered", user=moment), target)


def assert_told_of_the_stop(client: Client, moment: str, began: float) -> None:
    raw = client.rest()
    assert 0.7 * GRACE < time.monotonic() - began < GRACE + 1, moment
    if moment == "forwarded":
        assert client.broken, "half an answer was passed off as a whole one"
    else:
        assert client.broken is False, moment
    if moment in ("buffered", "prefill"):
        assert client.status == 503 and json.loads(raw)["error"]["code"] == "proxy_stopping", moment
    elif moment != "forwarded":
        assert broken_stream(raw).errors[0]["code"] == "proxy_stopping", moment
    client.leave()


@pytest.mark.parametrize("how", ["gunicorn", "gthread"])
def test_a_reload_lets_what_is_open_end_and_tells_what_outlasts_it(backend: ScriptedBackend, how: How) -> None:
    more, never = threading.Event(), threading.Event()
    backend.answer = lambda received: Answer([HELLO, more if received.json().get("user") == "brief" else never, *REST])
    with (
        proxy_with_grace(how, GRACE, backend) as proxy,
        proxy.client(ask(user="brief")) as brief,
        proxy.client(ask()) as endless,
    ):
        brief.until(b"Hello")
        endless.until(b"Hello")
        proxy.signal(signal.SIGHUP)
        time.sleep(GRACE / 2)
        more.set()
        assert message_of(whole_stream(brief.rest())) == SPOKEN
        assert broken_stream(endless.rest()).errors[0]["code"] == "proxy_stopping"
        (asked,) = [received for received in backend.requests if b"brief" not in received.body]
        assert asked.closed.wait(5)
        backend.answer = Answer([HELLO, *REST])
        assert message_of(whole_stream(proxy.streamed(ask()))) == SPOKEN, "the reloaded worker does not answer"
        assert "Traceback" not in proxy.said(), proxy.said()


def test_a_client_that_holds_its_connection_does_not_hold_up_a_stop(backend: ScriptedBackend) -> None:
    with (
        proxy_process("app", backend) as proxy,
        socket.create_connection((HOST, proxy.port)),
        proxy.client(ask()) as client,
    ):
        client.rest()
        proxy.signal()
        assert proxy.wait(5) == 0


def test_a_second_signal_ends_at_once(backend: ScriptedBackend) -> None:
    backend.answer = Answer([HELLO, threading.Event()])
    with proxy_process("app", backend) as proxy, proxy.client(ask()) as client:
        client.until(b"Hello")
        proxy.signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            proxy.wait(0.4)
        proxy.signal(signal.SIGINT)
        assert proxy.wait(2) != 0
        assert backend.last.closed.wait(5)


def test_ctrl_c_without_work_is_a_clean_end(backend: ScriptedBackend) -> None:
    with proxy_process("app", backend) as proxy:
        proxy.streamed(ask())
        proxy.signal(signal.SIGINT)
        assert proxy.wait(3) == 0
        assert "Traceback" not in proxy.said()


# -- many at once ------------------------------------------------------------------------------------------------------


def test_many_streams_are_open_at_once(place: tuple[ScriptedBackend, Process]) -> None:
    backend, proxy = place
    more = threading.Event()
    backend.answer = Answer([HELLO, more, *REST])
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.client(ask())) for _ in range(120)]
        for client in clients:
            client.until(b"Hello", within=8)
        more.set()
        for client in clients:
            assert message_of(whole_stream(client.rest())) == SPOKEN


def test_gunicorn_keeps_a_connection_for_the_next_request(place: tuple[ScriptedBackend, Process]) -> None:
    """The server of `python app.py` keeps none; there the second request needs a connection of its own."""
    backend, proxy = place
    backend.answer = Answer(said("Hello", " world"))
    body = json.dumps(ask()).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((HOST, proxy.port), 5) as sock:
        for _ in range(2):
            sock.sendall(head.encode() + body)
            data = b""
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += sock.recv(65536)
            assert data.startswith(b"HTTP/1.1 200 OK\r\n") and data.count(b"[DONE]") == 1
            if b"connection: close" in data.lower():
                return


def test_a_client_of_http_1_0_gets_what_it_can_read(place: tuple[ScriptedBackend, Process]) -> None:
    """nginx speaks 1.0 to what stands behind it unless it is told otherwise. There are no chunks in 1.0."""
    backend, proxy = place
    backend.answer = Answer(said("Hello", " world"))
    body = json.dumps(ask()).encode()
    with socket.create_connection((HOST, proxy.port), 5) as sock:
        sock.sendall(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, raw = data.partition(b"\r\n\r\n")
    assert b" 200 OK" in head and b"chunked" not in head.lower()
    assert message_of(whole_stream(raw)) == SPOKEN


def test_no_setting_opens_a_debugger(place: tuple[ScriptedBackend, Process]) -> None:
    _, proxy = place
    with proxy.get("/console") as client:
        assert client.status == 404
        assert client.json()["error"]["message"]
    with proxy.get("/?__debugger__=yes&cmd=resource&f=debugger.js") as client:
        assert client.json()["name"] == "Dragoman", "the front page, whatever the query"


def test_development_logs_readable_lines(place: tuple[ScriptedBackend, Process]) -> None:
    backend, proxy = place
    backend.answer = Answer(said("Hello", " world"))
    proxy.streamed(ask(), headers=[("X-Request-Id", "this-one")])
    line = logged(proxy, "this-one")
    assert re.match(r"\d{4}-\d\d-\d\d .* INFO .*this-one /v1/chat/completions model=m .*status=200", line)


# -- starts that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "name", "value", "takes"),
    [
        ("app", "PROXY_PORT", "http", "whole number"),
        ("app", "BACKEND_URL", "localhost:1234", "http://"),
        ("app", "TOOL_CALL_STREAMING", "maybe", "incremental"),
        ("app", "MODEL_SYNTAX", "my-model=klingon", "hermes"),
        ("gunicorn", "PROXY_PORT", "70000", "65535"),
        ("gunicorn", "MODEL_SYNTAX", "my-model=klingon", "hermes"),
    ],
)
def test_a_wrong_variable_ends_the_start_in_one_line(
    backend: ScriptedBackend, how: How, name: str, value: str, takes: str
) -> None:
    with proxy_starting(how, backend, None, **{name: value}) as proxy:
        assert proxy.wait() not in (0, None)
        lines = proxy.said().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(name) and takes in lines[0] and value in lines[0]


@both
def test_a_wrong_secret_is_not_shown(backend: ScriptedBackend, how: How) -> None:
    with proxy_starting(how, backend, None, BACKEND_API_KEY="sk secret") as proxy:
        assert proxy.wait() != 0
        said_ = proxy.said()
    assert len(said_.splitlines()) == 1
    assert said_.startswith("BACKEND_API_KEY") and "secret" not in said_


@both
def test_a_port_that_is_taken_is_named(backend: ScriptedBackend, how: How) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with proxy_starting(how, backend, None, PROXY_PORT=port) as proxy:
            assert proxy.wait(20) != 0
            told = proxy.said()
    assert str(port) in told
    assert re.search("in use|cannot listen", told, re.IGNORECASE)
    assert "Traceback" not in told


def test_an_address_that_is_not_ours_is_named(backend: ScriptedBackend) -> None:
    with proxy_starting("app", backend, None, PROXY_HOST="192.0.2.1") as proxy:
        assert proxy.wait() != 0
        assert "192.0.2.1" in proxy.said() and "Traceback" not in proxy.said()


def test_importing_the_application_reads_nothing(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PROXY_PORT": "nonsense"}
    command = [sys.executable, "-c", "import app; app.create_app; app.VERSION"]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True, timeout=10)


# -- configuration -----------------------------------------------------------------------------------------------------


@both
def test_a_dotenv_of_the_working_directory_counts(backend: ScriptedBackend, how: How) -> None:
    dotenv = "PROXY_API_KEYS=from-the-file\nREASONING_FIELD=reasoning\nBACKEND_URL=http://127.0.0.1:1\n"
    backend.answer = Answer(said("<think>Hm.</think>ok"))
    with proxy_starting(how, backend, dotenv) as proxy:
        wait_until_listening(proxy)
        with proxy.client(ask()) as client:
            assert client.status == 401
        raw = proxy.streamed(ask(), headers=[("Authorization", "Bearer from-the-file")])
    assert message_of(whole_stream(raw))["reasoning"] == "Hm."


@both
def test_production_logs_json_lines_and_warns_of_a_bind_to_the_world(backend: ScriptedBackend, how: How) -> None:
    with proxy_process(how, backend, FLASK_ENV="production", PROXY_HOST="0.0.0.0") as proxy:
        proxy.streamed(ask(), headers=[("X-Request-Id", "this-one")])
        logged(proxy, "this-one")
        lines = [json.loads(line) for line in proxy.said().splitlines()]
    assert all(line["time"] and line["message"] for line in lines)
    assert any(line["level"] == "WARNING" and "PROXY_API_KEYS" in line["message"] for line in lines)
    (ended,) = [line for line in lines if line.get("request_id") == "this-one"]
    assert (ended["level"], ended["message"]) == ("INFO", "exchange ended") and ended["record"]
    assert (ended["path"], ended["model"], ended["stream"]) == ("/v1/chat/completions", "m", True)
    assert (ended["status"], ended["calls"], ended["outcome"]) == (200, 0, "untouched")
    assert (ended["syntax"], ended["codes"], ended["error"]) == (None, [], None) and ended["seconds"] > 0


@pytest.mark.parametrize(
    ("how", "settings"),
    [("app", {"FLASK_ENV": "testing"}), ("gunicorn", {"FLASK_ENV": "testing"}), ("app", {"LOG_LEVEL": "ERROR"})],
)
def test_a_quiet_log_is_quiet(backend: ScriptedBackend, how: How, settings: dict[str, str]) -> None:
    with proxy_process(how, backend, **settings) as proxy:
        proxy.streamed(ask())
        proxy.signal()
        assert proxy.wait(5) == 0
        assert proxy.said() == ""


def logged(proxy: Process, words: str) -> str:
    """The one line that holds this, once it is there."""
    until = time.monotonic() + 2
    while words not in proxy.said() and time.monotonic() < until:
        time.sleep(0.02)
    (line,) = [line for line in proxy.said().splitlines() if words in line]
    return line


@both
def test_a_real_log_holds_neither_secrets_nor_texts(backend: ScriptedBackend, how: How) -> None:
    keys = {"PROXY_API_KEYS": "sk-ours", "BACKEND_API_KEY": "sk-theirs"}
    headers = [("Authorization", "Bearer sk-ours"), ("Cookie", "secret=1")]
    broken = [
        Answer(said("secret answer")),
        Answer([frame(chunk({"content": "secret answer"}))], ends="broken"),
        json_answer({"error": {"message": "secret refusal"}}, 500),
        Answer([b"secret garbage"], framing="raw"),
    ]
    with proxy_process(how, backend, LOG_LEVEL="INFO", PROXY_HOST="0.0.0.0", **keys) as proxy:
        for number, answer in enumerate(broken):
            backend.answer = answer
            for target in ("/v1/chat/completions?key=secret", "/v1/completions?key=secret"):
                named = [*headers, ("X-Request-Id", f"number-{number}")]
                with proxy.client(ask(user="secret user"), target, headers=named) as client:
                    client.rest()
        with proxy.client(b'{"secret": nonsense', headers=headers) as client:
            assert client.status == 400
        proxy.signal()
        assert proxy.wait(5) == 0
        told = proxy.said()
    assert all(f"number-{number}" in told for number in range(len(broken)))
    assert "without PROXY_API_KEYS" not in told
    for secret in ("sk-ours", "sk-theirs", "secret", "Bearer"):
        assert secret not in told, re.findall(f".*{secret}.*", told)[:3]


def test_ipv6_is_served_too(backend: ScriptedBackend) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 here")
    for how in ("app", "gunicorn"):
        with proxy_starting(how, backend, None, PROXY_HOST="::1") as proxy:
            until = time.monotonic() + 8
            while True:
                try:
                    with socket.create_connection(("::1", proxy.port), 1) as sock:
                        sock.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                        sock.settimeout(5)
                        assert b" 200 OK" in sock.recv(65536)
                    break
                except OSError:
                    assert time.monotonic() < until and proxy.process.poll() is None, proxy.said()
                    time.sleep(0.05)


def test_two_proxies_in_one_process_do_not_share(backend: ScriptedBackend) -> None:
    with running_proxy(backend, REASONING_FIELD="reasoning") as one, running_proxy(backend) as other:
        backend.answer = Answer(said("<think>Hm.</think>ok"))
        assert message_of(whole_stream(one.streamed(ask())))["reasoning"] == "Hm."
        assert message_of(whole_stream(other.streamed(ask())))["reasoning_content"] == "Hm."
