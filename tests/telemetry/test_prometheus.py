"""A real Prometheus scrapes a real service of two workers. Run by `make stores`, which knows where Prometheus is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.answers import TOOLS, ask, said
from tests.records.test_workers import two_workers
from tests.servers import HOST, ROOT, Answer, Process, ScriptedBackend, free_port, started, wait_until_listening
from tests.telemetry.test_deploy import DASHBOARD, queries

PROGRAM = os.environ.get("DRAGOMAN_TEST_PROMETHEUS", "")
"""The path of Prometheus. Set by tests/stores.py."""
KEY = "sk-of-the-scraper"
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'

pytestmark = pytest.mark.skipif(not PROGRAM, reason="make stores")


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[str]:
    """The base URL of one that scrapes this port each second, by our example."""
    text = (ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
    (folder / "key").write_text(KEY)
    for old, new in {
        "localhost:5000": f"{HOST}:{scraped}",
        "scrape_interval: 15s": "scrape_interval: 1s",
        "# authorization": "authorization",
        "#   credentials_file: /etc/prometheus/dragoman.key": f"  credentials_file: {folder / 'key'}",
        "- rules.yml": f"- {ROOT / 'deploy/prometheus/rules.yml'}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "prometheus.yml").write_text(text)
    port = free_port()
    command = [PROGRAM, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command.append(f"--web.listen-address={HOST}:{port}")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(30)


def answer(base: str, path: str, **parameters: str) -> Any:
    """What its API says. Raises OSError as long as it does not answer."""
    query = urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(f"{base}/api/v1/{path}?{query}", timeout=10) as response:
            told = json.load(response)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{parameters}: {error.read().decode()}") from None
    assert told["status"] == "success", told
    return told["data"]


def sum_of(base: str, query: str) -> float:
    found = answer(base, "query", query=f"sum({query})")["result"]
    return float(found[0]["value"][1]) if found else 0.0


def wait_for(base: str, query: str, value: float) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            if (found := sum_of(base, query)) == value:
                return
        except OSError:
            found = -1
        assert time.monotonic() < until, f"{query}: {found}"
        time.sleep(0.5)


def talk(process: Process, backend: ScriptedBackend) -> int:
    """Some requests of each kind; how many that were."""
    headers = [("Authorization", f"Bearer {KEY}")]
    answers = [Answer(said("It is ", "cold.", CALL)), Answer(said("Hi.")), Answer([b"{}"], 500, [], "length")]
    for number in range(30):
        backend.answer = answers[number % 3]
        with process.client(ask(tools=TOOLS, model=f"model-{number % 2}"), headers=headers) as client:
            client.rest()
    return 30


def test_prometheus_scrapes_both_workers_and_answers_every_query_of_the_dashboard(tmp_path: Path) -> None:
    with ScriptedBackend() as backend:
        arguments, environ, port = two_workers(backend, tmp_path, "gevent")
        environ |= {"PROXY_API_KEYS": f"scraper:{KEY}", "RECORD": "meta", "ADAPT": "off"}
        with started(arguments, environ, port) as process, prometheus(tmp_path, port) as base:
            wait_until_listening(process)
            sent = talk(process, backend)
            wait_for(base, "dragoman_requests_total", sent)
            sent += talk(process, backend)
            wait_for(base, "dragoman_requests_total", sent)
            assert sum_of(base, 'dragoman_requests_total{outcome="translated"}') == sent / 3
            assert sum_of(base, 'dragoman_upstream_errors_total{reason="status_500"}') == sent / 3
            assert sum_of(base, "dragoman_requests_in_flight") == 0
            time.sleep(3)  # a rate needs two scrapes
            answered = [query for query in queries() if _answered(base, query)]
            assert len(answered) > 15
            assert {each["name"] for each in answer(base, "rules")["groups"]} == {"dragoman"}
            (target,) = answer(base, "targets")["activeTargets"]
            assert target["health"] == "up" and target["lastError"] == ""
            kinds = answer(base, "metadata")
            assert kinds["dragoman_time_to_first_token_seconds"][0]["type"] == "histogram"
            assert "Traceback" not in process.said()


def _answered(base: str, query: str) -> bool:
    """Whether a query of the dashboard, which must be a valid one, finds something."""
    assert DASHBOARD["refresh"]
    for name, value in {"$__rate_interval": "10s", "$__range": "1m", "$model": ".*"}.items():
        query = query.replace(name, value)
    if values := re.fullmatch(r"label_values\((\w+), (\w+)\)", query):
        return bool(answer(base, f"label/{values[2]}/values", **{"match[]": values[1]}))
    return bool(answer(base, "query", query=query)["result"])
