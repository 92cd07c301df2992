"""Metrics of several processes: two workers tell the sums of both, and nothing of them is left behind."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from telemetry import workers
from telemetry.labels import Names
from telemetry.metrics import MODELS
from telemetry.tally import GATHER
from tests.answers import ask, said
from tests.records.test_workers import two_workers
from tests.servers import SOON, Answer, Proxy, ScriptedBackend, started, wait_until_listening
from tests.telemetry.scraped import Samples

pytestmark = pytest.mark.long

ANSWER = Answer(said("Hi.", " There."), headers=[("Content-Type", "text/event-stream")])


def scraped(proxy: Proxy) -> Samples:
    with proxy.get("/metrics") as client:
        assert client.status == 200
        return Samples(client.rest().decode())


def workers_of(folder: Path) -> set[str]:
    return {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}


@pytest.mark.parametrize("kind", ["gevent", "gthread"])
def test_two_workers_tell_the_sums_of_both(tmp_path: Path, kind: str) -> None:
    with ScriptedBackend(ANSWER) as backend:
        arguments, environ, port = two_workers(backend, tmp_path, kind)
        with started(arguments, environ, port) as process:
            wait_until_listening(process)
            (folder,) = tmp_path.glob("dragoman-metrics-*")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            sent = 0
            until = time.monotonic() + 30
            while len(_counting(process, folder)) < 2:
                for _ in range(5):
                    assert b"Hi." in process.streamed(ask())
                    sent += 1
                assert time.monotonic() < until
            time.sleep(2 * GATHER)
            for _ in range(6):  # whichever answers
                found = scraped(process)
                assert found("dragoman_requests_total", status="200") == sent
                assert found("dragoman_request_duration_seconds_count") == sent
                assert found("dragoman_requests_in_flight") == 0
                assert len(found.labels("dragoman_records_dropped_total", "reason")) == 3
            sizes = {path.stat().st_size for path in folder.iterdir()}
            assert sizes == {1 << 20}
            _a_killed_worker_is_under_way_no_more(process, backend, folder)
            process.process.terminate()
            process.wait(30)
            assert "Traceback" not in process.said(), process.said()
    assert not list(tmp_path.glob("dragoman-metrics-*"))


def _counting(proxy: Proxy, folder: Path) -> set[str]:
    """The processes whose files hold a counted request."""
    return {
        path.stem.rpartition("_")[2]
        for path in folder.glob("counter_*.db")
        if b'"dragoman_requests_total"' in path.read_bytes()
    }


def _a_killed_worker_is_under_way_no_more(process: Proxy, backend: ScriptedBackend, folder: Path) -> None:
    before = scraped(process)("dragoman_requests_total")
    backend.answer = Answer([*said("Hi.")[:1], 30.0])
    with process.client(ask()) as client:
        assert client.more(SOON)
        time.sleep(2 * GATHER)
        assert scraped(process)("dragoman_requests_in_flight") == 1
        (worker,) = [path for path in folder.glob("gauge_livesum_*.db") if _in_flight(path)]
        os.kill(int(worker.stem.rpartition("_")[2]), 9)
        until = time.monotonic() + 20
        while worker.exists() or len(list(folder.glob("gauge_livesum_*.db"))) < 2:  # another is there
            assert time.monotonic() < until
            time.sleep(0.05)
    time.sleep(1)  # gunicorn loses a signal to a worker that begins
    backend.answer = ANSWER
    counted = Path(str(worker).replace("gauge_livesum", "counter"))
    assert 8 < counted.stat().st_size < 1 << 16  # what it has not used is free again
    found = scraped(process)
    assert found("dragoman_requests_in_flight") == 0 and found("dragoman_requests_total") == before


def _in_flight(path: Path) -> bool:
    from prometheus_client.mmap_dict import MmapedDict

    values = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
    return any(value for _, value, *_ in values)


def test_the_files_of_a_worker_never_grow(tmp_path: Path) -> None:
    """Where one grew on a full disk, the system would kill the worker. So the labels must fit into what is reserved."""
    import subprocess
    import sys

    script = f"""
import os
from streaming.record import ExchangeRecord, PIECE_GAPS
from telemetry.metrics import Metrics
from converters.text.reasons import NOTED, REMOVED
from backends.adapt.table import BY_NAME
metrics = Metrics()
gaps = [1] * (len(PIECE_GAPS) + 1)
codes = [*REMOVED, *NOTED, *(f"adapted:{{name}}" for name in BY_NAME)]
from reply import Tokens
for number in range(8000):
    record = ExchangeRecord("id", "/v1/chat/completions", model=f"{{number % {MODELS}:080}}", status=100 + number % 500)
    record.face, record.row, record.stream = "responses", f"{{number % 97:060}}", True
    record.gaps, record.pieces, record.first_word = gaps, 25, 1.0
    record.codes = {{codes[number % len(codes)]}}
    record.notes.tokens = Tokens(1, 1, 1, 1)
    metrics.began()
    metrics.ended(record)
metrics.told("")
"""
    environ = {**os.environ, workers.FOLDER: str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environ, cwd=Path(__file__).parents[2], timeout=120)
    sizes = {path.name.rpartition("_")[0]: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == dict.fromkeys(workers._KINDS, 1 << 20)


@pytest.fixture
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (workers.FOLDER, workers._OURS):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_made_and_removed(own_folder: Path) -> None:
    workers.share_metrics()
    (folder,) = own_folder.iterdir()
    assert os.environ[workers.FOLDER] == str(folder) and stat.S_IMODE(folder.stat().st_mode) == 0o700
    workers.share_metrics()  # a new master beside the old one makes its own
    assert len(list(own_folder.iterdir())) == 2 and os.environ[workers.FOLDER] != str(folder)
    workers.forget_metrics()
    assert list(own_folder.iterdir()) == [folder]
    workers.forget_metrics()


def test_a_folder_that_somebody_named_is_used_and_kept(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = own_folder / "theirs"
    theirs.mkdir()
    monkeypatch.setenv(workers.FOLDER, str(theirs))
    workers.share_metrics()
    workers.forget_metrics()
    assert list(own_folder.iterdir()) == [theirs] and os.environ[workers.FOLDER] == str(theirs)


def test_without_a_folder_each_worker_tells_its_own(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(own_folder / "missing"))
    workers.share_metrics()
    assert "Each worker tells its own metrics only" in caplog.text and workers.FOLDER not in os.environ


def test_a_full_disk_at_the_start_is_said(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(workers.FOLDER, str(own_folder))
    monkeypatch.setattr("os.posix_fallocate", full)
    workers.reserve(1)
    assert "No space left on device" in caplog.text


def test_names_are_bounded_when_several_threads_bring_them() -> None:
    import threading

    names = Names(10)
    found: set[str] = set()
    threads = [
        threading.Thread(target=lambda start=start: found.update(names.of(f"m{start + n}") for n in range(200)))
        for start in range(0, 1000, 100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) <= 11
