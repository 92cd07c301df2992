"""Records of several processes: two workers show both workers' records, and nothing of them is left behind."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from config import Config
from records.query import Query
from records.sql import SqlStore, database_of
from serving import private_records
from serving.private_records import forget_records, share_records
from tests.answers import Json, ask, said
from tests.servers import (
    HOST,
    SOON,
    Answer,
    How,
    Process,
    Proxy,
    ScriptedBackend,
    free_port,
    proxy_process,
    started,
    wait_until_listening,
)

pytestmark = pytest.mark.long

ANSWER = Answer(said("Hi."), headers=[("Content-Type", "text/event-stream")])


def listed(proxy: Proxy) -> Json:
    with proxy.get("/dragoman/api/records?limit=500") as client:
        found: Json = client.json()
        assert client.status == 200, found
        return found


def two_workers(backend: ScriptedBackend, folder: Path, kind: str) -> tuple[list[str], dict[str, str], int]:
    port = free_port()
    arguments = ["-m", "gunicorn", "-c", str(Path(__file__).parents[2] / "gunicorn.conf.py")]
    arguments += ["--workers", "2", "--worker-class", kind, "app:app"]
    environ = {"BACKEND_URL": backend.url, "PROXY_HOST": HOST, "PROXY_PORT": str(port), "RECORD": "full"}
    return arguments, environ | {"TMPDIR": str(folder)}, port


@pytest.mark.parametrize("kind", ["gevent", "gthread"])
def test_two_workers_show_the_records_of_both(tmp_path: Path, kind: str) -> None:
    with ScriptedBackend(ANSWER) as backend:
        arguments, environ, port = two_workers(backend, tmp_path, kind)
        with started(arguments, environ, port) as process:
            wait_until_listening(process)
            (folder,) = tmp_path.glob("dragoman-records-*")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            found = _ask_until_both_have_answered(process)
            workers = {each["worker"] for each in found}
            assert len(workers) == 2
            for each in found[:3]:
                with process.get(f"/dragoman/api/records/{each['id']}") as client:
                    shown = client.json()
                assert shown["text"]["attempts"][0]["replay"]["choices"][0]["raw"] == "Hi."
            process.process.terminate()
            process.wait(30)
            assert "Traceback" not in process.said(), process.said()
    assert not list(tmp_path.glob("dragoman-records-*"))


def _ask_until_both_have_answered(process: Process) -> list[Json]:
    until = time.monotonic() + 40
    sent = 0
    while True:
        for _ in range(5):
            assert b"Hi." in process.streamed(ask())
            sent += 1
        time.sleep(0.3)
        first = listed(process)
        time.sleep(0.3)
        second = listed(process)
        assert first["lost"] == second["lost"] == {}
        records: list[Json] = second["records"]
        if len({each["worker"] for each in records}) == 2 and len(records) == sent:
            return records
        assert time.monotonic() < until, f"{len(records)} of {sent}"


@pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
def test_the_last_records_before_a_stop_are_stored(tmp_path: Path, how: How) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    with ScriptedBackend(ANSWER) as backend, proxy_process(how, backend, RECORD="full", RECORD_DB=url) as process:
        for _ in range(3):
            assert b"Hi." in process.streamed(ask())
        process.signal()
        process.wait(30)
    store = SqlStore(database_of(url))
    found = store.find(Query())
    assert [each.state for each in found] == ["ended"] * 3 and store.texts(found[0].id)
    store.database.close()


@pytest.mark.parametrize("how", ["app", "gunicorn"])
def test_a_store_that_is_not_there_costs_records_only(tmp_path: Path, how: How) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    url = f"sqlite:///{folder / 'records.sqlite'}"
    with ScriptedBackend(ANSWER) as backend, proxy_process(how, backend, RECORD="full", RECORD_DB=url) as process:
        assert b"Hi." in process.streamed(ask())
        time.sleep(1)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        for _ in range(3):
            began = time.monotonic()
            assert b"Hi." in process.streamed(ask())
            assert time.monotonic() - began < SOON
            time.sleep(0.5)
        with process.get("/health") as client:
            assert client.json()["status"] == "ok"
        assert "Traceback" not in process.said() and process.said().count("This is said once") <= 1


@pytest.mark.parametrize(
    ("settings", "workers", "shared"),
    [
        ({}, 1, False),
        ({}, 2, True),
        ({"RECORD": "off"}, 2, False),
        ({"RECORD_DB": "postgresql://host/db"}, 2, False),
    ],
)
def test_a_private_file_is_made_where_it_is_needed(
    settings: dict[str, str], workers: int, shared: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("RECORD_DB", private_records._OURS):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    share_records(Config.from_environment(settings), workers)
    try:
        assert bool(list(tmp_path.iterdir())) is shared
        assert ("RECORD_DB" in os.environ) is shared
        if shared:  # a new master beside the old one makes its own
            again = Config.from_environment({"RECORD_DB": os.environ["RECORD_DB"]})
            share_records(again, workers)
            assert len(list(tmp_path.iterdir())) == 2
            assert again.record_db != os.environ["RECORD_DB"]
    finally:
        forget_records()
    assert len(list(tmp_path.iterdir())) == int(shared)


def test_without_a_folder_each_worker_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    share_records(Config.from_environment({}), 2)
    assert "Each worker shows its own records only" in caplog.text and "RECORD_DB" not in os.environ
