"""The file of lessons: shared by processes, locked or broken by others, and never in a request's way."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from backends.learned import Learned, StateFile, TemplateFile, state_file, template_file
from templates import known as known_templates
from templates.known import Answer, KnownTemplates
from tests.documents import ROOT

URL = "http://backend:8080"
WHY = {"prompted": "w"}

WORKER = """
import sys
from backends.learned import Learned, StateFile, TemplateFile, state_file, template_file
from templates import known as known_templates
from templates.known import Answer, KnownTemplates
path, name, count, wait = sys.argv[1:]
state_file._WAIT = float(wait)
sys.stdin.readline()
learned = Learned("http://backend:8080", 24, StateFile(path))
for number in range(int(count)):
    learned.learn(f"{name}-{number}", {"prompted": "w"})
    assert learned.recall(f"{name}-{number}") == {"prompted"}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be used is tried again at once."""
    monkeypatch.setattr(state_file, "_REST", 0.0)


def known(path: Path) -> set[str]:
    """The models in the file, as another process sees them."""
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        return {model for (model,) in connection.execute("SELECT model FROM lessons")}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody has all of the file for himself."""
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("UPDATE lessons SET learned = learned")
        yield
        connection.execute("ROLLBACK")


def play(path: Path, workers: int, count: int, wait: float, program: str = WORKER) -> list[str]:
    """Workers that all begin at once; what each has complained of."""
    command = [sys.executable, "-c", program, str(path)]
    started = [
        subprocess.Popen(
            [*command, f"w{number}", str(count), str(wait)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(workers)
    ]
    time.sleep(0.5)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[1] for process in started]


def test_processes_that_learn_at_once_lose_nothing(path: Path) -> None:
    assert play(path, workers=4, count=25, wait=10) == [""] * 4
    assert known(path) == {f"w{worker}-{number}" for worker in range(4) for number in range(25)}


SAME_MODEL = WORKER.replace('f"{name}-{number}", {"prompted": "w"}', '"m", {f"{name}-{number}": "w"}').replace(
    'learned.recall(f"{name}-{number}") == {"prompted"}', 'f"{name}-{number}" in learned.recall("m")'
)


def test_processes_that_learn_of_one_model_at_once_lose_no_lesson(path: Path) -> None:
    assert play(path, workers=4, count=25, wait=10, program=SAME_MODEL) == [""] * 4
    assert Learned(URL, 24, StateFile(path)).recall("m") == {f"w{one}-{two}" for one in range(4) for two in range(25)}


def test_processes_that_do_not_wait_for_one_another_keep_what_they_learn(path: Path) -> None:
    complaints = play(path, workers=4, count=25, wait=0.0)
    assert all("Error" not in each.replace("STATE_FILE cannot be used", "") for each in complaints), complaints
    assert known(path), "some have reached the file"


def test_what_one_process_learns_and_forgets_the_next_request_of_another_knows(path: Path) -> None:
    first, second = (Learned(URL, 24, StateFile(path)) for _ in range(2))
    first.learn("m", WHY)
    assert second.recall("m") == {"prompted"}
    second.learn("m", {"system_first": "w"})
    assert first.recall("m") == {"prompted", "system_first"}
    first.forget("m")
    assert second.recall("m") == set() and known(path) == set()


def test_a_restart_forgets_nothing(path: Path) -> None:
    Learned(URL, 24, StateFile(path)).learn("m", WHY)
    assert Learned(URL, 24, StateFile(path)).recall("m") == {"prompted"}


def test_a_locked_file_costs_no_time_and_no_lesson(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learned = Learned(URL, 24, StateFile(path))
    with locked(path), caplog.at_level(logging.WARNING):
        began = time.perf_counter()
        learned.learn("m", WHY)
        assert learned.recall("m") == {"prompted"}
        assert learned.forget() == 1
        learned.learn("m", WHY)
        assert time.perf_counter() - began < 2
        assert [each["model"] for each in learned.entries()] == ["m"]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "STATE_FILE cannot be used, so what is learned stays in memory"
    ], "once"
    learned.learn("n", WHY)
    assert known(path) == {"n"} and learned.recall("n") == {"prompted"}, "it is used again"


def test_a_file_that_could_not_be_used_is_left_alone_for_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_file, "_REST", 60.0)
    learned = Learned(URL, 24, StateFile(path))
    with locked(path):
        learned.learn("m", WHY)
        began = time.perf_counter()
        for _ in range(100):
            assert learned.recall("m") == {"prompted"}
        assert time.perf_counter() - began < 1


def _overwritten(path: Path) -> None:
    for file in path.parent.glob("state.db*"):
        file.write_bytes(b"no database " * 1000)


def _cut(path: Path) -> None:
    for file in path.parent.glob("state.db*"):
        os.truncate(file, file.stat().st_size // 2 + 7)


def _emptied(path: Path) -> None:
    for file in path.parent.glob("state.db*"):
        file.write_bytes(b"")


def _table_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE lessons")


def _other_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE lessons")
        connection.execute("CREATE TABLE lessons (something TEXT)")


def _other_values(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE lessons SET lessons = '[[\"prompted\"], 7]'")
        connection.execute("INSERT INTO lessons VALUES (?, 'bytes', 'never', x'ff00')", (URL,))
        connection.execute("INSERT INTO lessons VALUES (?, 'object', 1, '{\"a\": 1}')", (URL,))


DAMAGES = [_overwritten, _cut, _emptied, _table_gone, _other_table, _other_values]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__.strip("_") for damage in DAMAGES])
def test_a_file_that_breaks_while_it_is_used_costs_lessons_and_no_request(
    path: Path, damage: Callable[[Path], None]
) -> None:
    learned = Learned(URL, 24, StateFile(path))
    learned.learn("m", WHY)
    damage(path)
    assert learned.recall("m") <= {"prompted"}
    learned.entries()
    learned.learn("m", WHY)
    learned.recall("m")
    learned.learn("n", {"system_first": "w"})
    assert learned.recall("n") == {"system_first"}
    assert learned.forget() >= 1


@pytest.mark.parametrize("damage", [_overwritten, _other_table])
def test_a_file_that_is_no_file_of_lessons_ends_the_start_in_one_line(
    path: Path, damage: Callable[[Path], None]
) -> None:
    Learned(URL, 24, StateFile(path)).learn("m", WHY)
    damage(path)
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        StateFile(path)


def test_a_file_of_an_earlier_version_keeps_its_lessons(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE lessons (backend TEXT, model TEXT, learned REAL, lessons TEXT)")
        connection.execute(
            "INSERT INTO lessons VALUES (?, 'm', ?, ?)", (URL, time.time(), f'[["prompted", "w", {time.time()}]]')
        )
    file = StateFile(path)
    assert Learned(URL, 24, file).recall("m") == {"prompted"}
    templates = TemplateFile(file)
    templates.keep(URL, "m", Answer("key", "", 1.0))
    templates.tell("key", "told", 1.0)
    again = TemplateFile(StateFile(path))
    assert again.answers(URL) == {"m": Answer("key", "", 1.0)} and again.told("key") == "told"


def test_a_file_of_a_later_version_ends_the_start_in_one_line(path: Path) -> None:
    StateFile(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ValueError, match=r"^a later version[^\n]+$"):
        StateFile(path)


def test_of_too_many_models_and_templates_the_oldest_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (template_file, known_templates):
        monkeypatch.setattr(module, "MOST_MODELS", 3)
        monkeypatch.setattr(module, "MOST_TEMPLATES", 2)
    stores: list[KnownTemplates] = [TemplateFile(StateFile(path)), known_templates.InMemory()]
    for store in stores:
        for number in range(6):
            store.keep(URL, f"m{number}", Answer(f"k{number}", "", float(number)))
            store.tell(f"k{number}", "told", float(number))
        assert list(store.answers(URL)) == ["m3", "m4", "m5"] and store.answers("http://other") == {}
        assert [store.told(f"k{number}") for number in range(6)] == [None] * 4 + ["told"] * 2
        assert store.answer(URL, "m5") == Answer("k5", "", 5.0) and store.answer(URL, "m0") is None


def test_what_templates_told_outlives_a_locked_file_in_memory(path: Path) -> None:
    templates = TemplateFile(StateFile(path))
    with locked(path):
        templates.keep(URL, "m", Answer("key", "", 1.0))
        templates.tell("key", "told", 1.0)
        assert templates.answer(URL, "m") == Answer("key", "", 1.0) and templates.told("key") == "told"
        assert templates.answers(URL) == {"m": Answer("key", "", 1.0)}


def test_a_place_that_cannot_be_written_ends_the_start_in_one_line(tmp_path: Path) -> None:
    for place in (tmp_path / "no" / "folder" / "state.db", tmp_path):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            StateFile(place)


def test_a_deleted_file_is_made_again(path: Path) -> None:
    learned = Learned(URL, 24, StateFile(path))
    learned.learn("m", WHY)
    for file in path.parent.glob("state.db*"):
        file.unlink()
    assert learned.recall("m") <= {"prompted"}
    learned.learn("n", WHY)
    assert learned.recall("n") == {"prompted"}
    assert known(path) == {"n"}


def test_a_forked_process_has_a_connection_of_its_own(path: Path) -> None:
    learned = Learned(URL, 24, StateFile(path))
    learned.learn("parent", WHY)
    child = os.fork()
    if not child:
        try:
            held = learned.recall("parent") == {"prompted"}
            learned.learn("child", WHY)
            os._exit(0 if held and learned.recall("child") == {"prompted"} else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert learned.recall("child") == {"prompted"}
    learned.learn("parent", {"system_first": "w"})
    assert known(path) == {"parent", "child"}
    assert Learned(URL, 24, StateFile(path)).recall("parent") == {"prompted", "system_first"}


def test_threads_take_turns(path: Path) -> None:
    learned = Learned(URL, 24, StateFile(path))
    failures: list[Exception] = []

    def work(name: str) -> None:
        try:
            for number in range(20):
                learned.learn(f"{name}-{number}", WHY)
                assert learned.recall(f"{name}-{number}") == {"prompted"}
        except (AssertionError, sqlite3.Error) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(known(path)) == 160
