"""The filter language: what it finds, what it refuses, and that memory and databases say the same of every filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings, strategies

from converters.text.reasons import Reason
from records.databases import Database, Sqlite
from records.filters import FIELDS, KNOWN, MOST_TERMS, BadTerm, parse
from records.query import Query
from records.record import StoredRecord, new_id, stored
from records.sql import SqlStore
from streaming.record import ExchangeRecord, Tried
from tests.cases import in_one_test
from tests.records.databases import new_database
from tests.records.recorded import Recorded, recorded

__all__ = ["new_database", "recorded"]

NOW = 1_800_000_000.0


def record(model: str, ago: float, *codes: Reason, ended: bool = True, **more: object) -> StoredRecord:
    """An exchange that began so many seconds before NOW."""
    made = ExchangeRecord(f"req-{model}", "/v1/chat/completions", model, received_at=NOW - ago)
    made.id = new_id(made.received_at)
    made.face, made.backend = "chat", "http://b:8000"
    made.notes.codes |= set(codes)
    made.notes.changed = "marker" in codes
    for name, value in more.items():
        setattr(made, name, value)
    if ended:
        made.end()
        made.seconds = float(str(more.get("seconds", 1.0)))
    return stored(made)


RECORDS = [
    record("glm-4.5-Air", 10, "marker", first_word=0.5, key_name="alice", row="glm45", status=200),
    record("GLM-5", 4000, "quoted", "no_tools", first_word=3.0, key_name="ci", stream=True, status=200),
    record("qwen[3]_x%", 20, status=404, error="not_found", tried=[Tried(0.1, 404)], bytes_out=70, seconds=12.0),
    record("Ärger,ÄR ger", 30, "arguments_repaired", status=200, codes={"adapted:system_first"}, key_name="*"),
    record("open", 5, ended=False, status=0),
    record("slow_one", 90000, status=502, error="backend_idle_timeout", seconds=60.0, first_word=0.0),
]


def found(text: str) -> set[str]:
    query = Query(terms=parse(text, NOW))
    return {each.model for each in RECORDS if query.fits(each)}


GLM, FAILED = {"glm-4.5-Air", "GLM-5"}, {"qwen[3]_x%", "slow_one"}
ALL = {each.model for each in RECORDS}
FOUND: dict[str, set[str]] = {
    "": ALL,
    "  ": ALL,
    "model:glm*": GLM,
    "MODEL:GLM*": GLM,
    "model=glm*": GLM,
    "-model:glm*": ALL - GLM,
    "model:glm-5": {"GLM-5"},
    "model:glm": set(),
    "model:glm-5,open": {"GLM-5", "open"},
    "-model:glm-5,open": ALL - {"GLM-5", "open"},
    "model:*": ALL,
    "model:*4*air": {"glm-4.5-Air"},
    "model:*_x%": {"qwen[3]_x%"},
    "model:?lm-5": set(),
    'model:"Ärger,ÄR ger"': {"Ärger,ÄR ger"},
    'model:"ärger,äR ger"': set(),
    'model:"Ärger,är ger"': set(),
    'model:"Ärger,Är GER"': {"Ärger,ÄR ger"},
    "model:Ärger*,glm-5": {"Ärger,ÄR ger", "GLM-5"},
    "outcome:translated": {"glm-4.5-Air"},
    "outcome:trans*": {"glm-4.5-Air"},
    "code:quoted": {"GLM-5"},
    "code:quoted,marker": GLM,
    "code:adapted": {"Ärger,ÄR ger"},
    "code:adapted:system_first": {"Ärger,ÄR ger"},
    "-code:quoted": ALL - {"GLM-5"},
    "-key:ci": ALL - {"GLM-5"},
    "key:*": {"glm-4.5-Air", "GLM-5", "Ärger,ÄR ger"},
    "-key:*": {"open", *FAILED},
    "row:glm45": {"glm-4.5-Air"},
    "ttft>2s": {"GLM-5"},
    "-ttft>2s": ALL - {"GLM-5"},
    "ttft<=500ms": {"glm-4.5-Air", "slow_one"},
    "total>=1m": {"slow_one"},
    "total<0.5m": ALL - {"slow_one", "open"},
    "status>=400": FAILED,
    "status:200,404": {*GLM, "qwen[3]_x%", "Ärger,ÄR ger"},
    "bytes:70": {"qwen[3]_x%"},
    "attempts=0": ALL - {"qwen[3]_x%"},
    "is:failed": FAILED,
    "is:slow": FAILED,
    "is:open": {"open"},
    "is:stream,open": {"open", "GLM-5"},
    "-is:failed -is:open": {*GLM, "Ärger,ÄR ger"},
    "state:open": {"open"},
    "state:ended is:failed": FAILED,
    "since:1h": ALL - {"GLM-5", "slow_one"},
    "-since:1h": {"GLM-5", "slow_one"},
    "until:1h": {"GLM-5", "slow_one"},
    "since:2h until:1h": {"GLM-5"},
    "since:2027-01-15T07:59": {"open", "glm-4.5-Air", "qwen[3]_x%", "Ärger,ÄR ger"},
    "glm": GLM,
    "GLM -air": {"GLM-5"},
    "timeout": {"slow_one"},
    "req-open": {"open"},
    "-timeout": ALL - {"slow_one"},
    "error:*": FAILED,
    "-error:*": ALL - FAILED,
    "error:backend_*_timeout": {"slow_one"},
    "face:chat path:*completions backend:*8000": ALL,
    "finish:stop": set(),
    '"is:failed"': set(),
    "nothing": set(),
}


@in_one_test("text", FOUND)
def test_what_a_filter_finds(text: str) -> None:
    assert found(text) == FOUND[text]


def test_a_database_finds_the_same(new_database: Callable[[], Database]) -> None:
    store = SqlStore(new_database())
    store.write([(each, ()) for each in RECORDS])
    for text, expected in FOUND.items():
        query = Query(terms=parse(text, NOW))
        assert {each.model for each in store.find(query)} == expected, text


BAD: dict[str, tuple[int, str]] = {
    "colour:red": (0, "Fields are id"),
    "glm colour:red": (1, "Fields are id"),
    "model:": (0, "needs a value"),
    "model:a,": (0, "needs a value"),
    "model:,a": (0, "needs a value"),
    "a b -": (2, "-"),
    "status:x": (0, "whole number"),
    "status:4*": (0, "whole number"),
    "status>=": (0, "needs a value"),
    "ttft>fast": (0, "duration"),
    "ttft>1y": (0, "duration"),
    "since:yesterday": (0, "UTC"),
    "model>a": (0, "no number"),
    "since>1h": (0, "no number"),
    "outcome:good": (0, "untouched, translated"),
    "state:running": (0, "open, ended, lost"),
    "a is:red": (1, "failed, slow"),
    "is:*": (0, "failed, slow"),
    'model:"a': (0, "quotation mark"),
    'a "': (1, "quotation mark"),
    "a " * (MOST_TERMS + 1): (MOST_TERMS, "terms"),
    "x model:" + "*a" * 9: (1, "at most 8"),
    "*a" * 9: (0, "at most 8"),
    "a" * 1001: (0, "characters"),
}


@in_one_test("text", BAD)
def test_a_bad_term_is_named(text: str) -> None:
    said = BAD[text]
    with pytest.raises(BadTerm) as caught:
        parse(text)
    assert caught.value.at == said[0] and said[1] in str(caught.value)


def test_over_http_a_bad_term_is_a_400(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    for path in ("records", "records/export", "usage"):
        error = proxy.get(f"{path}?q=glm+colour:red", status=400)["error"]
        assert (error["param"], error["at"], error["code"]) == ("q", 1, "invalid_filter")
        assert "model" in error["message"]


# -- memory and databases say the same ---------------------------------------------------------------------------------

_words = strategies.sampled_from(
    [*sorted(ALL), "glm", "4", "é", "É", "%", "_", "[3]", "x*", "*", "a!b", "alice", "timeout"]
)
_values = strategies.one_of(
    _words,
    strategies.text(alphabet='aAxG*%_!ÄäſK"-. ', max_size=6),
    strategies.sampled_from([value for values in KNOWN.values() for value in values]),
    strategies.sampled_from(["quoted", "marker", "adapted", "200", "404", "0", "2s", "500ms", "1h", "1d", "30s"]),
)
_operators = strategies.sampled_from([":", ":", ":", "=", ">", ">=", "<", "<="])
_terms = strategies.builds(
    lambda minus, field, operator, values: f"{minus}{field}{operator if field else ''}{','.join(values)}",
    strategies.sampled_from(["", "-"]),
    strategies.sampled_from(["", *FIELDS]),
    _operators,
    strategies.lists(_values, min_size=1, max_size=3),
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = SqlStore(Sqlite(str(tmp_path_factory.mktemp("filters") / "records.sqlite")))
    store.write([(each, ()) for each in RECORDS])
    yield store
    store.database.close()


def test_a_duration_beyond_any_integer_finds_nothing(filled: SqlStore) -> None:
    """SQLite could not take the number: the list was a 503 (defect C6)."""
    for text in ("ttft>999999999.999999d", "total>999999999d", "until:999999999d"):
        assert not filled.find(Query(own=None, terms=parse(text, NOW), limit=9))
    assert filled.find(Query(own=None, terms=parse("since:999999999d", NOW), limit=9))


@given(terms=strategies.lists(_terms, max_size=4))
@settings(max_examples=400, deadline=None)
def test_memory_and_sqlite_agree(filled: SqlStore, terms: list[str]) -> None:
    text = " ".join(terms)
    try:
        query = Query(terms=parse(text, NOW), limit=100)
    except BadTerm:
        return
    expected = {each.id for each in RECORDS if query.fits(each)}
    assert {each.id for each in filled.find(query)} == expected, text


@given(text=strategies.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_filter_raises_anything_else(text: str) -> None:
    try:
        terms = parse(text)
    except BadTerm as error:
        assert 0 <= error.at < MOST_TERMS + 1 and str(error)
    else:
        assert all(not term.fits(each) or True for term in terms for each in RECORDS)
