"""Two workers: a live feed tells what both do, and a login and a logout at one of them count at the other."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.answers import ask
from tests.records.test_workers import ANSWER, two_workers
from tests.servers import Process, ScriptedBackend, started, wait_until_listening

EVENTS, RECORDS = "/dragoman/api/events", "/dragoman/api/records?limit=1"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
KEYS = {"PROXY_API_KEYS": "alice:sk-of-alice", "INSPECTOR_KEY": "sk-of-the-owner"}
ALICE = [("Authorization", "Bearer sk-of-alice")]
OFTEN = 12
"""Requests of which surely both workers take some."""


@pytest.mark.parametrize("kind", ["gevent", "gthread"])
def test_two_workers_are_one_inspector(tmp_path: Path, kind: str) -> None:
    with ScriptedBackend(ANSWER) as backend:
        arguments, environ, port = two_workers(backend, tmp_path, kind)
        with started(arguments, environ | KEYS, port) as process:
            wait_until_listening(process)
            login = b"key=sk-of-the-owner"
            with process.client(login, "/dragoman/login", headers=[FORM], patience=60) as client:  # they are starting
                token = client.json()["csrf_token"]
                cookie = ("Cookie", (client.header("set-cookie") or "").partition(";")[0])
            assert statuses(process, cookie) == {200}
            assert len(workers_that_a_feed_tells(process, cookie)) == 2
            with process.client(b"", "/dragoman/logout", headers=[FORM, cookie, ("X-CSRF-Token", token)]) as client:
                assert client.status == 200
            assert statuses(process, cookie) == {401}
            assert "Traceback" not in process.said()


def statuses(process: Process, cookie: tuple[str, str]) -> set[int]:
    found = set()
    for _ in range(OFTEN):
        with process.get(RECORDS, [cookie]) as client:
            found.add(client.status)
    return found


def workers_that_a_feed_tells(process: Process, cookie: tuple[str, str]) -> set[str]:
    workers: set[str] = set()
    until = time.monotonic() + 40
    with process.get(EVENTS, [cookie]) as feed:
        feed.until("retry")
        while len(workers) < 2:
            for _ in range(5):
                process.streamed(ask(), headers=ALICE)
            feed.more()
            for line in feed.body.decode().splitlines():
                if line.startswith("data: ") and line.endswith("}"):
                    workers |= {record["worker"] for record in json.loads(line[6:])["records"]}
            assert time.monotonic() < until, workers
    return workers
