"""The log: JSON in fields or readable lines, and which exchange a line belongs to, whoever writes it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config import Config
from log_context import exchange_ids, in_exchange
from serving.logs import JsonLines, ReadableLines
from serving.service import logger_of
from tests.answers import ask, completion, said
from tests.records.recorded import Recorded, Said, recorded
from tests.records.test_workers import two_workers
from tests.servers import PATIENCE, Answer, How, Process, ScriptedBackend, proxy_process, started, wait_until_listening

pytestmark = pytest.mark.long

__all__ = ["recorded"]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def lines() -> Iterator[list[tuple[dict[str, Any], str]]]:
    """Each line that is logged: as JSON, and readable."""
    found: list[tuple[dict[str, Any], str]] = []

    class Both(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append((json.loads(JsonLines().format(record)), ReadableLines().format(record)))

    root, both = logging.getLogger("dragoman"), Both()
    level = root.level
    root.addHandler(both)
    root.setLevel(logging.DEBUG)
    in_exchange("")
    yield found
    in_exchange("")
    root.removeHandler(both)
    root.setLevel(level)


def test_the_end_of_an_exchange_is_fields(
    recorded: Callable[..., Recorded], lines: list[tuple[dict[str, Any], str]]
) -> None:
    proxy = recorded(RECORD="meta")
    logging.getLogger("dragoman").setLevel(logging.INFO)
    usage = {"usage": {"prompt_tokens": 11, "completion_tokens": 5}}
    proxy.ask(ask(False), Said([json.dumps(completion("Hi.") | usage).encode()], content_type="application/json"))
    ((line, readable),) = lines
    (record,) = proxy.listed()
    assert UUID.fullmatch(record["id"])
    assert (line["record"], line["request_id"]) == (record["id"], record["request_id"])
    assert (line["message"], line["level"], line["logger"]) == ("exchange ended", "INFO", "dragoman.exchange")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\d\+00:00", line["time"])
    assert (line["face"], line["model"], line["status"], line["outcome"]) == ("chat", "m", 200, "untouched")
    assert (line["tokens_in"], line["tokens_out"], line["attempts"], line["codes"]) == (11, 5, 1, [])
    assert line["bytes_in"] > 0 and line["bytes_out"] > 0 and line["seconds"] >= 0
    assert f"record={record['id']}" in readable and readable.count(record["request_id"]) == 1


def test_decisions_are_fields(recorded: Callable[..., Recorded], lines: list[tuple[dict[str, Any], str]]) -> None:
    proxy = recorded(RECORD="meta")
    proxy.ask(ask(), Said(said("Hi. `<tool_call>`")))
    (record,) = proxy.listed()
    told = [line for line, _ in lines if line["logger"] == "dragoman.decisions"]
    assert told and {line["message"] for line in told} == {"decision"}
    for line in told:
        assert (line["request_id"], line["record"]) == (record["request_id"], record["id"])
        assert line["at"] >= 0 and line["length"] > 0 and line["became"] and "code" in line and line["text"]


def test_what_goes_wrong_on_the_way_names_the_exchange(
    recorded: Callable[..., Recorded], lines: list[tuple[dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error far from whoever knows the record, such as one that nobody has foreseen."""
    proxy = recorded(RECORD="meta")

    def fail(*_: object) -> None:
        raise ValueError("nobody thought of this")

    monkeypatch.setattr("streaming.conversation.TranslatedReply._next", fail)
    proxy.ask(ask(), Said(said("Hi.")))
    (record,) = proxy.listed()
    failures = [both for both in lines if both[0]["level"] == "ERROR"]
    assert failures
    for line, readable in failures:
        assert (line["request_id"], line["record"]) == (record["request_id"], record["id"])
        assert "nobody thought of this" in line["exception"] and "Traceback" not in line["message"]
        assert record["id"] in readable


def test_without_records_there_is_the_request_only(
    recorded: Callable[..., Recorded], lines: list[tuple[dict[str, Any], str]]
) -> None:
    recorded(RECORD="off").ask(ask(), Said(said("Hi.")))
    line, readable = lines[-1]
    assert line["record"] is None and line["request_id"] in readable and "record=" not in readable


def test_a_line_outside_of_exchanges_names_none(lines: list[tuple[dict[str, Any], str]]) -> None:
    logging.getLogger("dragoman.records").warning("Records are %s.", "lost")
    ((line, readable),) = lines
    assert line["message"] == "Records are lost." and "request_id" not in line and "record" not in line
    assert readable.endswith("Records are lost.")


def test_the_next_request_of_a_thread_is_another() -> None:
    in_exchange("one", "record-one")
    in_exchange("two")
    assert exchange_ids() == ("two", "")
    in_exchange("")


def test_a_value_that_json_does_not_know_is_told_as_text() -> None:
    record = logging.LogRecord("dragoman", logging.INFO, "", 0, "m", (), None)
    record.fields = lambda: {"path": Path("/x"), "code": {1}}
    assert json.loads(JsonLines().format(record))["path"] == "/x"


def test_readable_lines_leave_gunicorn_alone() -> None:
    assert logger_of(Config(environment="development")) is Logger
    assert issubclass(logger_of(Config(environment="production")), Logger)


@pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
def test_in_production_every_line_is_json(how: How) -> None:
    with ScriptedBackend(Answer(said("Hi."))) as backend:
        settings = {"FLASK_ENV": "production", "PROXY_API_KEYS": "a:sk-of-alice", "LOG_LEVEL": "DEBUG"}
        with proxy_process(how, backend, **settings) as proxy:
            headers = [("Authorization", "Bearer sk-of-alice")]
            assert b"Hi." in proxy.streamed(ask(), headers=headers)
            with proxy.client(ask()) as client:
                assert client.status == 401
            proxy.signal()
            proxy.wait(20)
            lines = [json.loads(line) for line in proxy.said().splitlines()]
    assert all(line["time"] and line["level"] and line["message"] for line in lines)
    records: dict[str, set[str]] = {}
    for line in lines:
        if line.get("request_id"):
            records.setdefault(line["request_id"], set()).add(line["record"])
    assert len(records) == 2, "the answer, and the refusal"
    assert all(len(found) == 1 and UUID.fullmatch("".join(found)) for found in records.values())


def test_in_production_gunicorns_own_lines_are_json_too(tmp_path: Path) -> None:
    with ScriptedBackend(Answer(said("Hi."))) as backend:
        arguments, environ, port = two_workers(backend, tmp_path, "gevent")
        with started(arguments, environ | {"FLASK_ENV": "production"}, port) as process:
            wait_until_listening(process)
            os.kill(_a_worker(process), signal.SIGKILL)
            until = time.monotonic() + 20
            while "SIGKILL" not in process.said() and time.monotonic() < until:
                time.sleep(0.1)
            lines = [json.loads(line) for line in process.said().splitlines()]
    (killed,) = [line for line in lines if "SIGKILL" in line["message"]]
    assert killed["logger"] == "gunicorn.error" and killed["level"] == "ERROR"


def _a_worker(process: Process) -> int:
    """The last worker. gunicorn listens before it has started any."""
    children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children")
    until = time.monotonic() + PATIENCE
    while not (found := children.read_text().split()):
        assert time.monotonic() < until, "no worker has started"
        time.sleep(0.02)
    return int(found[-1])
