"""The one line of a start: what it says, and that nothing waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

import startup
from config import Config
from startup import PROBE_HEADERS, base_url, start_line
from tests.servers import (
    COMMANDS,
    HOST,
    Answer,
    How,
    Process,
    ScriptedBackend,
    ask,
    free_port,
    json_answer,
    message_of,
    proxy_process,
    said,
    started,
    wait_until_listening,
    whole_stream,
)

pytestmark = pytest.mark.long

URL = "http://localhost:5000/v1"
MODELS = {"object": "list", "data": []}
both = pytest.mark.parametrize("how", ["app", "gunicorn"])


@pytest.fixture(autouse=True)
def no_known_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine."""
    monkeypatch.setattr(startup, "KNOWN_SERVERS", ())


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedBackend]:
    """One that gives the start the answer of its script, as it does not know it by its name."""
    monkeypatch.setattr(startup, "PROBE_HEADERS", ())
    with ScriptedBackend(json_answer(MODELS)) as made:
        yield made


def line_for(url: str) -> str:
    reachable, line = start_line(Config(backend_url=url), URL)
    assert line.isprintable()
    assert line.startswith(f"Base URL for clients: {URL}. The backend {url} ")
    assert reachable == (" answers (" in line)
    return line.removeprefix(f"Base URL for clients: {URL}. The backend {url} ")


# -- what it says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:5000/v1"),
        ("::", "http://localhost:5000/v1"),
        ("127.0.0.1", "http://127.0.0.1:5000/v1"),
        ("::1", "http://[::1]:5000/v1"),
        ("box.lan", "http://box.lan:5000/v1"),
    ],
)
def test_the_base_url_can_be_pasted(host: str, url: str) -> None:
    assert base_url(host, 5000) == url


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_backend_that_answers(backend: ScriptedBackend, status: int) -> None:
    backend.answer = json_answer(MODELS, status)
    assert line_for(backend.url) == f"answers (HTTP {status})."
    assert backend.last.target == "/v1/models"


def test_a_backend_that_fails(backend: ScriptedBackend) -> None:
    backend.answer = json_answer({"error": "loading"}, 503)
    assert line_for(backend.url) == "does not answer (HTTP 503)."


def test_a_backend_that_is_not_there() -> None:
    assert line_for(f"http://{HOST}:{free_port()}") == "does not answer (Connection refused)."


def test_a_backend_that_hangs(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "_BACKEND_TIMEOUT", 0.2)
    backend.answer = Answer(before=[threading.Event()])
    assert line_for(backend.url) == "does not answer (no answer within 0.2 s)."


# -- known servers -----------------------------------------------------------------------------------------------------


def known(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    monkeypatch.setattr(startup, "KNOWN_SERVERS", tuple((f"Server {at}", port) for at, port in enumerate(ports)))
    monkeypatch.setattr(startup, "_KNOWN_SERVER_TIMEOUT", 0.3)


def test_a_known_server_that_answers_is_named(backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, free_port(), backend.port)
    line = line_for(f"http://{HOST}:{free_port()}")
    advice = f"to use it, set BACKEND_URL=http://localhost:{backend.port}."
    assert line.endswith(f" A server answers on port {backend.port}, the default of Server 1: {advice}")


def test_known_servers_are_not_asked_while_the_backend_answers(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedBackend(json_answer(MODELS)) as other:
        known(monkeypatch, other.port)
        assert line_for(backend.url) == "answers (HTTP 200)."
        assert not other.connections


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(MODELS, 404),
        json_answer({"hello": "world"}),
        json_answer([]),
        json_answer(b"<html>"),
        json_answer(b"\xff"),
        json_answer(b"[" * 100_000),
        Answer([b"nonsense"], framing="raw"),
        Answer([b"{"], ends="broken"),
        Answer(before=[threading.Event()]),
    ],
    ids=["404", "another object", "a list", "a page", "no text", "too deep", "no HTTP", "half", "silence"],
)
def test_a_program_that_is_no_model_server_is_not_named(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    known(monkeypatch, backend.port)
    backend.answer = answer
    assert line_for(f"http://{HOST}:{free_port()}") == "does not answer (Connection refused)."
    assert backend.requests


def test_neither_the_proxy_nor_the_backend_is_advised(
    backend: ScriptedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, backend.port)
    silent = f"http://{HOST}:{free_port()}"
    _, line = start_line(Config(backend_url=silent, proxy_port=backend.port), URL)
    assert line.endswith("(Connection refused).")
    backend.answer = json_answer(MODELS, 500)
    assert line_for(backend.url) == "does not answer (HTTP 500)."
    assert len(backend.requests) == 1


# -- in a process ------------------------------------------------------------------------------------------------------


def announced(proxy: Process, within: float = 5.0) -> str:
    """The line, once it is there. It must be there once."""
    until = time.monotonic() + within
    while "Base URL for clients" not in proxy.said() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    (line,) = [line for line in proxy.said().splitlines() if "Base URL for clients" in line]
    return line


@both
def test_it_is_said_once(how: How) -> None:
    with ScriptedBackend() as backend, proxy_process(how, backend) as proxy:
        expected = f"Base URL for clients: http://{HOST}:{proxy.port}/v1. The backend {backend.url} answers (HTTP 200)."
        line = announced(proxy)
    assert line.endswith(expected) and " INFO " in line


def test_workers_say_it_once() -> None:
    command = [*COMMANDS["gunicorn"][:-1], "--workers", "3", COMMANDS["gunicorn"][-1]]
    port = free_port()
    settings = {"BACKEND_URL": f"http://{HOST}:{free_port()}", "PROXY_HOST": HOST, "PROXY_PORT": str(port)}
    with started(command, settings, port) as proxy:
        wait_until_listening(proxy)
        assert " WARNING " in announced(proxy, 10)


def test_gunicorn_says_where_it_really_listens() -> None:
    port = free_port()
    command = [*COMMANDS["gunicorn"][:-1], "--bind", f"{HOST}:{port}", COMMANDS["gunicorn"][-1]]
    with started(command, {"BACKEND_URL": f"http://{HOST}:{free_port()}"}, port) as proxy:
        wait_until_listening(proxy)
        assert f"clients: http://{HOST}:{port}/v1. " in announced(proxy)


@pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
def test_nothing_waits_for_a_backend_that_hangs(how: How) -> None:
    """The backend keeps the start waiting and answers everybody else."""
    with HangingAtTheStart(Answer(said("Hello"))) as backend, proxy_process(how, backend) as proxy:
        assert message_of(whole_stream(proxy.streamed(ask())))["content"] == "Hello"
        assert "Base URL for clients" not in proxy.said(), "the line came first"
        assert "does not answer (no answer within 2 s)" in announced(proxy)
        assert "Traceback" not in proxy.said()


class HangingAtTheStart(ScriptedBackend):
    """Gives the requests of a start no answer."""

    start_answer = Answer(before=[threading.Event()])


def test_a_stop_does_not_wait_for_it() -> None:
    with HangingAtTheStart(Answer()) as backend, proxy_process("app", backend) as proxy:
        proxy.signal()
        assert proxy.wait() == 0
        assert "Base URL for clients" not in proxy.said()


@pytest.mark.parametrize("settings", [{"FLASK_ENV": "testing"}, {"LOG_LEVEL": "ERROR"}])
def test_a_quiet_start_asks_nobody(settings: dict[str, str]) -> None:
    with ScriptedBackend() as backend, proxy_process("app", backend, **settings):
        time.sleep(0.5)
        assert not backend.starts


def test_a_backend_can_tell_the_start_from_clients() -> None:
    with ScriptedBackend() as backend, proxy_process("app", backend) as proxy:
        announced(proxy)
        (asked,) = backend.starts
    assert asked.header("User-Agent") == PROBE_HEADERS[0][1]
    assert not asked.all("Authorization")


@both
def test_production_says_it_as_json(how: How) -> None:
    with ScriptedBackend() as backend, proxy_process(how, backend, FLASK_ENV="production") as proxy:
        line = json.loads(announced(proxy))
    assert line["level"] == "INFO" and line["message"].startswith("Base URL for clients: ")
