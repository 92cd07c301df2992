"""Answers that clients may ask for again, in a database: found at once, by their key only, and deleted in truth."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from config import Config
from errors import RecordsUnavailable, TooLarge
from records.answer_store import AnswerStore, answer_store
from records.databases import Database, Sqlite, Statement
from records.kept_answers import AnswerState, answers_on
from records.query import Query
from records.record import stored
from records.recorder import Recorder, new_recorder
from records.retention import Retention
from records.schema import LOCK, MIGRATIONS, VERSION_TABLE
from records.sql import SqlStore
from records.stores import StoreError
from records.texts import packed, texts_of
from records.writer import Writer
from reply import KeptAnswer
from streaming.record import ExchangeRecord
from tests.records.databases import new_database

__all__ = ["new_database"]

New = Callable[[], Database]
MUCH = 1 << 26


def answer_id(number: int) -> str:
    return f"resp_{number:040x}"


def exchange(
    recorder: Recorder | None,
    number: int,
    previous: int | None = None,
    owner: str | None = None,
    quoted: Sequence[int] = (),
    text: bytes = b"",
) -> ExchangeRecord:
    """An exchange under way, whose answer is written."""
    record = ExchangeRecord("req_1", "/v1/x", "m", key_name=owner)
    if recorder is not None:
        recorder.began(record)
    else:
        from records.record import new_id
        from streaming.tape import Tape

        record.id, record.tape = new_id(), Tape()
    before = None if previous is None else answer_id(previous)
    kept = KeptAnswer(answer_id(number), owner, before, tuple(map(answer_id, quoted)))
    assert record.tape is not None
    record.tape.asked(b"request %d" % number + text)
    record.take(kept)
    assert kept.taken
    record.was_sent(b"sent %d, with all before" % number + text)
    kept.body = b"answer %d" % number + text
    return record


def write(store: SqlStore, records: Iterable[ExchangeRecord]) -> None:
    batch = []
    for record in records:
        record.end()
        assert record.tape is not None
        batch.append((stored(record), packed(texts_of(record.tape, record.started, bytes))))
    store.write(batch)


def numbers(found: Sequence[Any]) -> list[str]:
    return [each.body.decode() for each in found]


def test_a_chain_is_found_and_only_by_its_key(new_database: New) -> None:
    store = SqlStore(new_database())
    write(store, [exchange(None, n, n - 1 if n else None) for n in range(250)])
    write(store, [exchange(None, 1000, None, "alice"), exchange(None, 1001, 1000, "alice")])
    found = store.answers(answer_id(249), None, 2000, MUCH)
    assert numbers(found) == [f"answer {n}" for n in range(249, -1, -1)]
    assert found[0].request == b"request 249" and found[0].previous == answer_id(248)
    assert found[-1].previous is None
    assert numbers(store.answers(answer_id(249), None, 0, MUCH)) == ["answer 249"]
    assert numbers(store.answers(answer_id(1001), "alice", 9, MUCH)) == ["answer 1001", "answer 1000"]
    for owner in (None, "bob"):
        assert not store.answers(answer_id(1001), owner, 9, MUCH)
        assert store.answer_state(answer_id(1001), owner) is None
    assert not store.answers(answer_id(3), "alice", 9, MUCH)
    with pytest.raises(TooLarge):
        store.answers(answer_id(249), None, 2000, 3000)


def test_an_answer_is_found_by_an_index(tmp_path: Path) -> None:
    store = SqlStore(Sqlite(str(tmp_path / "r.sqlite")))
    store.prepare()
    for sql in ("SELECT id FROM record WHERE answer_id = 'x'", "SELECT 1 FROM answer_source WHERE source_id = 'x'"):
        plan = str(store.database.read(f"EXPLAIN QUERY PLAN {sql}", {}))
        assert "SEARCH" in plan and "USING" in plan, plan


def test_a_chain_ends_where_an_answer_is_gone(new_database: New) -> None:
    store = SqlStore(new_database())
    write(store, [exchange(None, n, n - 1 if n else None) for n in range(6)])
    assert store.erase_answer(answer_id(2), None) and not store.erase_answer(answer_id(2), None)
    assert numbers(store.answers(answer_id(5), None, 9, MUCH)) == ["answer 5", "answer 4", "answer 3"]
    assert not store.answers(answer_id(2), None, 9, MUCH)
    assert not store.erase_answer(answer_id(1), "bob")
    records = store.find(Query())
    assert [each.has_text for each in records] == [True, True, True, False, True, True]
    assert records[0].sources == (answer_id(4),) and records[5].sources == ()


def test_what_was_sent_later_goes_with_an_answer(new_database: New) -> None:
    store = SqlStore(new_database())
    write(store, [exchange(None, 0), exchange(None, 1, 0), exchange(None, 2, 1), exchange(None, 3, None, quoted=[1])])
    write(store, [exchange(None, 4)])
    store.erase_answer(answer_id(0), None)
    kinds = [{text.kind for text in store.texts(each.id)} for each in store.find(Query())]
    assert ["sent.0" in each for each in kinds] == [True, False, False, False, False]
    assert ["answer" in each for each in kinds] == [True, True, True, True, False]
    assert store.find(Query())[1].sources == ("", answer_id(1))


def test_deleted_text_is_in_no_file(tmp_path: Path) -> None:
    canary = b"Zaunkoenig-7f3a"
    database = Sqlite(str(tmp_path / "r.sqlite"))
    store = SqlStore(database)
    reader = SqlStore(Sqlite(str(tmp_path / "r.sqlite")))
    write(store, [exchange(None, n, n - 1 if n else None, text=b" %d" % n) for n in range(20)])
    write(store, [exchange(None, 20, text=canary)])
    write(store, [exchange(None, 21, 20)])
    assert reader.answers(answer_id(20), None, 9, MUCH)
    files = list(tmp_path.iterdir())
    assert any(canary in path.read_bytes() for path in files)
    assert store.erase_answer(answer_id(20), None)
    assert not any(canary in path.read_bytes() for path in tmp_path.iterdir())
    assert not reader.answers(answer_id(20), None, 9, MUCH) and reader.answers(answer_id(21), None, 9, MUCH)


def test_tables_without_answers_are_brought_up_to_date(new_database: New) -> None:
    database = new_database()
    database.migrate(VERSION_TABLE, MIGRATIONS[:1], LOCK)
    columns = "id, request_id, received_us, state, status, face, path, backend, model, outcome, stream, attempts, calls"
    database.write(
        [
            (
                f"INSERT INTO record ({columns}, pieces, bytes_in, bytes_out, worker, has_text, tried) VALUES "
                "(:id, 'r', 1, 'ended', 200, 'chat', '/p', 'b', 'old', 'untouched', 0, 1, 0, 1, 1, 1, 'w', 0, '[]')",
                [{"id": "0"}],
            )
        ]
    )
    store = SqlStore(new_database())
    write(store, [exchange(None, 1)])
    assert [each.answer_id for each in store.find(Query())] == [answer_id(1), None]
    assert numbers(store.answers(answer_id(1), None, 9, MUCH)) == ["answer 1"]


def test_sources_go_with_their_records(new_database: New) -> None:
    store = SqlStore(new_database())
    write(store, [exchange(None, n, n - 1 if n else None) for n in range(5)])
    assert Retention(7, 2, 1 << 20).prune(store) == 3
    assert store.database.read("SELECT count(*) FROM answer_source", {}) == [(2,)]
    found = store.answers(answer_id(4), None, 9, MUCH)
    assert numbers(found) == ["answer 4", "answer 3"] and found[-1].previous is not None


# -- what is not written yet -------------------------------------------------------------------------------------------


class Gated(Sqlite):
    """Writes when a test lets it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.gate = threading.Event()

    def write(self, statements: Sequence[Statement]) -> None:
        self.gate.wait(20)
        super().write(statements)


@pytest.fixture
def gated(tmp_path: Path) -> Iterable[tuple[Recorder, AnswerStore, Gated]]:
    database = Gated(str(tmp_path / "r.sqlite"))
    store = SqlStore(database)
    recorder = Recorder(store, Writer(store, Retention(7, 1000, MUCH), bytes), True, MUCH, bytes)
    yield recorder, AnswerStore(recorder, MUCH), database
    database.gate.set()
    recorder.close()


def test_an_answer_is_there_at_once_in_its_process(gated: tuple[Recorder, AnswerStore, Gated]) -> None:
    recorder, answers, database = gated
    first = exchange(recorder, 0)
    began = time.monotonic()
    assert numbers(answers.conversation(answer_id(0), None)) == ["answer 0"]  # before its last byte has left
    first.end()
    second = exchange(recorder, 1, 0)
    second.end()
    for _ in range(5):
        assert numbers(answers.conversation(answer_id(1), None)) == ["answer 0", "answer 1"]
        assert answers.find(answer_id(1), "bob") is None
        time.sleep(0.1)  # waiting, then in the writer's hands
    database.gate.set()
    while time.monotonic() - began < 5:
        assert numbers(answers.conversation(answer_id(1), None)) == ["answer 0", "answer 1"]
        if not recorder.unwritten():
            break
        time.sleep(0.002)
    assert not recorder.unwritten() and not recorder.lost
    third = exchange(recorder, 2, 1)
    assert numbers(answers.conversation(answer_id(2), None)) == ["answer 0", "answer 1", "answer 2"]
    third.end()


def test_what_is_not_written_yet_is_deleted_when_it_is(gated: tuple[Recorder, AnswerStore, Gated]) -> None:
    recorder, answers, database = gated
    exchange(recorder, 0).end()
    with pytest.raises(RecordsUnavailable):
        answers.delete(answer_id(0), None)
    threading.Timer(0.3, database.gate.set).start()
    assert answers.delete(answer_id(0), None) is True
    assert answers.find(answer_id(0), None) is None and answers.delete(answer_id(0), None) is False
    assert database.read("SELECT count(*) FROM record_text", {}) == [(0,)]


def test_an_answer_that_is_under_way_elsewhere_is_waited_for(new_database: New) -> None:
    store = SqlStore(new_database())
    other = SqlStore(new_database())
    recorder = Recorder(store, Writer(store, Retention(7, 1000, MUCH), bytes), True, MUCH, bytes)
    answers = AnswerStore(recorder, MUCH)
    record = exchange(None, 0)
    other.write([(stored(record), ())])
    assert other.answer_state(answer_id(0), None) == "open"
    threading.Timer(0.3, lambda: write(other, [record])).start()
    assert numbers(answers.conversation(answer_id(0), None)) == ["answer 0"]
    # one that is so new that nothing of it is stored yet
    token = answers.new_token()
    young = exchange(None, int(token, 16))
    threading.Timer(0.3, lambda: write(other, [young])).start()
    assert answers.find(f"resp_{token}", None) is not None
    began = time.monotonic()
    assert answers.find(f"resp_{answers.new_token()}", None) is None
    assert 2.5 < time.monotonic() - began < 6
    assert answers.find(f"resp_{answers.new_token()}", None, patient=False) is None
    assert answers.find(answer_id(77), None) is None
    assert time.monotonic() - began < 7
    recorder.close()


def test_a_link_of_a_chain_that_is_under_way_elsewhere_is_waited_for(new_database: New) -> None:
    store, other = SqlStore(new_database()), SqlStore(new_database())
    recorder = Recorder(store, Writer(store, Retention(7, 1000, MUCH), bytes), True, MUCH, bytes)
    first = exchange(None, 0)
    other.write([(stored(first), ())])
    write(store, [exchange(None, 1, 0)])
    threading.Timer(0.3, lambda: write(other, [first])).start()
    answers = AnswerStore(recorder, MUCH)
    assert numbers(answers.conversation(answer_id(1), None)) == ["answer 0", "answer 1"]
    recorder.close()


@pytest.mark.parametrize("under_way", [True, False])
def test_an_answer_that_is_stored_between_two_looks_is_found(new_database: New, under_way: bool) -> None:
    """First the answer itself is looked for, then whether it may yet come."""
    store, other = SqlStore(new_database()), SqlStore(new_database())
    record = exchange(None, 0)
    if under_way:
        other.write([(stored(record), ())])
    recorder = Recorder(store, Writer(store, Retention(7, 1000, MUCH), bytes), True, MUCH, bytes)
    asked_for_state = store.answer_state

    def stored_just_before(answer_id: str, owner: str | None) -> AnswerState:
        if not record.ended:
            write(other, [record])
        return asked_for_state(answer_id, owner)

    store.answer_state = stored_just_before  # type: ignore[method-assign]
    assert numbers(AnswerStore(recorder, MUCH).conversation(answer_id(0), None)) == ["answer 0"]
    recorder.close()


def test_tokens_are_of_one_length_and_differ() -> None:
    recorder = new_recorder(Config.from_environment({"RECORD": "full"}))
    answers = answer_store(recorder, 5)
    assert answers is not None and recorder is not None
    tokens = {answers.new_token() for _ in range(1000)}
    assert len(tokens) == 1000 and {len(each) for each in tokens} == {40}
    assert answer_store(None, 5) is None
    assert answer_store(new_recorder(Config.from_environment({"RECORD": "meta"})), 5) is None


def test_a_store_that_is_broken_is_told(tmp_path: Path) -> None:
    class Gone(Sqlite):
        def read(self, statement: str, values: Any) -> Any:
            raise StoreError("gone")

    store = SqlStore(Gone(str(tmp_path / "r.sqlite")))
    recorder = Recorder(store, Writer(store, Retention(7, 10, MUCH), bytes), True, MUCH, bytes)
    answers = AnswerStore(recorder, MUCH)
    for ask in (answers.find, answers.conversation, answers.delete):
        with pytest.raises(RecordsUnavailable, match="gone"):
            ask(answer_id(0), None)


def test_a_request_that_was_cut_off_and_an_answer_that_did_not_end_are_none() -> None:
    cut = exchange(None, 0)
    assert cut.tape is not None and cut.tape.answer is not None
    kept = KeptAnswer("resp_1", None)
    cut.tape.answer = None
    cut.tape.asked(os.urandom((1 << 20) + 1))
    cut.tape.take(kept)
    assert not kept.taken and cut.tape.answer is None
    under_way = exchange(None, 1)
    assert under_way.tape is not None and under_way.tape.answer is not None
    under_way.tape.answer.body = None
    assert not answers_on([cut.tape, under_way.tape], answer_id(1), None, 9, MUCH, bytes)
    assert "answer" not in {text.kind for text in texts_of(under_way.tape, under_way.started, bytes)}
