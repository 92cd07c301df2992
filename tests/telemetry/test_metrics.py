"""`/metrics`: what each exchange adds to it, how many series there can be, and who may look."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app import create_app
from backends.adapt.table import BY_NAME
from config import Config
from converters.syntaxes import SYNTAXES
from converters.text.reasons import NOTED, REMOVED
from errors import BackendError, Unreachable
from streaming.record import PIECE_GAPS, REQUEST_CODES, ExchangeRecord, Tried
from telemetry.labels import NONE, OTHER, Names, code_label, status_label, upstream_reason
from telemetry.metrics import DURATION, FIRST_TOKEN, MODELS, Metrics
from tests.answers import TOOLS, ask, chunk, completion, frame, said
from tests.cases import in_one_test
from tests.records.recorded import Recorded, Said, bearer, recorded
from tests.records.test_stores import CANARY, assert_no_canary, reachable_from, talk_of_the_canary
from tests.telemetry.scraped import Samples

__all__ = ["recorded"]

JSON = "application/json"
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'


def scraped(proxy: Recorded, key: str = "") -> Samples:
    response = proxy.client.get("/metrics", headers=bearer(key))
    assert response.status_code == 200 and response.content_type.startswith("text/plain; version=")
    return Samples(response.get_data(as_text=True))


def whole(text: str, **usage: Any) -> Said:
    return Said([json.dumps(completion(text) | {"usage": usage}).encode()], content_type=JSON)


# -- what is counted ---------------------------------------------------------------------------------------------------


def test_a_stream_is_counted_and_timed(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(RECORD="off")
    answer = proxy.ask(ask(model="qwen3", tools=TOOLS), Said(said("It ", "is ", "cold. ", CALL)))
    found = scraped(proxy)
    labels = {"face": "chat", "model": "qwen3", "row": "hermes", "outcome": "translated", "status": "200"}
    assert found("dragoman_requests_total", **labels) == found("dragoman_requests_total") == 1
    assert found("dragoman_attempts_total", status="200") == 1
    assert b"codes=whitespace\n" in answer and found("dragoman_codes_total", code="whitespace") == 1
    assert found("dragoman_bytes_total", direction="in") > 100
    told = found("dragoman_bytes_total", direction="out")
    assert 0 < told <= len(answer)  # without the comment and the end
    for name in ("time_to_first_token", "request_duration"):
        assert found(f"dragoman_{name}_seconds_count", model="qwen3") == 1
        assert 0 < found(f"dragoman_{name}_seconds_sum") < 10
    assert found("dragoman_inter_chunk_seconds_count", model="qwen3") >= 2
    assert found("dragoman_requests_in_flight") == 0


def test_a_whole_answer_has_no_first_word_and_its_tokens_are_counted(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    details = {"prompt_tokens_details": {"cached_tokens": 7}, "completion_tokens_details": {"reasoning_tokens": 2}}
    proxy.ask(ask(False), whole("Hi.", prompt_tokens=11, completion_tokens=5, total_tokens=16, **details))
    found = scraped(proxy)
    counts = {kind: found("dragoman_tokens_total", model="m", type=kind) for kind in ("input", "output")}
    assert counts == {"input": 11, "output": 5}
    assert (
        found("dragoman_tokens_total", type="reasoning") == 2 and found("dragoman_tokens_total", type="cache_read") == 7
    )
    assert found("dragoman_time_to_first_token_seconds_count") == 0
    assert found("dragoman_requests_total", outcome="untouched", row=NONE) == 1


def test_gaps_between_pieces_fall_into_their_buckets() -> None:
    metrics = Metrics()
    record = ExchangeRecord("id", "/v1/chat/completions", "m", stream=True, pieces=6)
    record.gaps = [0] * (len(PIECE_GAPS) + 1)
    record.gaps[0], record.gaps[5], record.gaps[-1], record.gap_seconds = 3, 1, 1, 12.5
    metrics.began()
    metrics.ended(record)
    found = Samples(metrics.told("")[0].decode())
    name = "dragoman_inter_chunk_seconds"
    assert [found(f"{name}_bucket", le=le) for le in ("0.002", "0.01", "0.015", "8.0", "+Inf")] == [3, 3, 4, 4, 5]
    assert (found(f"{name}_count"), found(f"{name}_sum")) == (5, 12.5)


def test_each_attempt_and_what_it_taught_is_counted(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    refusal = json.dumps({"error": {"message": "System message must be at the beginning."}}).encode()
    messages = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]
    proxy.ask(ask(messages=messages), Said([refusal], 400, JSON), Said(said("Hi.")))
    found = scraped(proxy)
    assert [found("dragoman_attempts_total", status=status) for status in ("400", "200")] == [1, 1]
    (code,) = [code for code in found.labels("dragoman_codes_total", "code") if code.startswith("adapted:")]
    assert code.removeprefix("adapted:") in BY_NAME
    assert found("dragoman_upstream_errors_total") == 0  # the client never saw it


@in_one_test(
    ("answer", "reason", "status"),
    [
        (Said([b'{"error": {"message": "no"}}'], 503, JSON), "status_503", "503"),
        (Said([b'{"error": {"message": "no"}}'], 444, JSON), "status_400", "400"),
        (Said([frame(chunk({"content": "a"}))]), "interrupted", "200"),
        (Said([], error=Unreachable("gone")), "unreachable", "502"),
        (Said([b"<html>"], content_type="text/html"), "not_api", "502"),
    ],
)
def test_what_the_backend_failed_to_do_is_counted(
    recorded: Callable[..., Recorded], answer: Said, reason: str, status: str
) -> None:
    proxy = recorded(ADAPT="off")
    proxy.ask(ask(), answer)
    found = scraped(proxy)
    assert found("dragoman_upstream_errors_total", reason=reason) == found("dragoman_upstream_errors_total") == 1
    assert found("dragoman_requests_total", status=status) == 1


def test_what_a_client_did_wrong_is_no_failure_of_the_backend(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    proxy.ask(b"no JSON")
    found = scraped(proxy)
    assert found("dragoman_requests_total", face="chat", model=NONE, status="400") == 1
    assert found("dragoman_upstream_errors_total") == found("dragoman_attempts_total") == 0


def test_a_forwarded_request_is_counted_without_face_and_model(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    proxy.ask({"input": "a"}, Said([b"{}"], content_type=JSON), path="/v1/embeddings")
    found = scraped(proxy)
    assert found("dragoman_requests_total", face=NONE, model=NONE, row=NONE, status="200") == 1
    assert found("dragoman_bytes_total", direction="out") == 2


def test_a_request_under_way_is_in_flight(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded()
    proxy.answers[:] = [Said(said("a", "b"))]
    response = proxy.client.post("/v1/chat/completions", json=ask(), buffered=False)
    next(response.response)  # type: ignore[call-overload]
    assert scraped(proxy)("dragoman_requests_in_flight") == 1
    response.close()
    assert scraped(proxy)("dragoman_requests_in_flight") == 0


def test_records_that_are_lost_are_counted(recorded: Callable[..., Recorded], tmp_path: Any) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    proxy = recorded(RECORD_DB=f"sqlite:///{folder / 'r.sqlite'}")
    folder.rmdir()
    assert scraped(proxy)("dragoman_records_dropped_total") == 0
    assert scraped(proxy).labels("dragoman_records_dropped_total", "reason") == {"queue_full", "store", "text"}
    proxy.ask(ask(), Said(said("Hi.")))
    proxy.close()
    assert scraped(proxy)("dragoman_records_dropped_total", reason="store") == 1


def test_names_and_buckets_are_those_that_other_servers_have() -> None:
    assert (FIRST_TOKEN[0], FIRST_TOKEN[8], FIRST_TOKEN[-1], len(FIRST_TOKEN)) == (0.001, 0.25, 2560.0, 22)
    assert (DURATION[0], DURATION[6], DURATION[-1], len(DURATION)) == (0.3, 2.5, 7680.0, 21)
    assert (PIECE_GAPS[0], PIECE_GAPS[12], PIECE_GAPS[-1], len(PIECE_GAPS)) == (0.002, 0.08, 8.0, 23)
    for bounds in (FIRST_TOKEN, DURATION, PIECE_GAPS):
        assert sorted(set(bounds)) == list(bounds)


def test_a_scraper_of_openmetrics_gets_that(recorded: Callable[..., Recorded]) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    response = recorded().client.get("/metrics", headers={"Accept": accept})
    assert response.content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert response.get_data(as_text=True).endswith("# EOF\n")


def test_there_are_no_times_of_creation() -> None:
    """They are missing where several workers count."""
    assert "_created" not in Metrics().told("")[0].decode()


# -- how many series there can be --------------------------------------------------------------------------------------


def ended(metrics: Metrics, **fields: Any) -> None:
    metrics.began()
    metrics.ended(ExchangeRecord("id", "/v1/chat/completions", **fields))


def test_made_up_names_are_one_series() -> None:
    metrics = Metrics()
    for number in range(500):
        ended(metrics, model=f"model-{number}", status=200, face="chat", row=f"row-{number}")
    found = Samples(metrics.told("")[0].decode())
    models = found.labels("dragoman_requests_total", "model")
    assert len(models) <= MODELS + 1 and OTHER in models and "model-0" in models
    assert len(found.labels("dragoman_requests_total", "row")) <= 101
    assert found("dragoman_requests_total") == found("dragoman_request_duration_seconds_count") == 500


def test_models_that_nobody_has_cannot_take_all_places() -> None:
    metrics = Metrics()
    for number in range(500):
        ended(metrics, model=f"junk-{number}", status=404)
    ended(metrics, model="qwen3", status=200)
    models = Samples(metrics.told("")[0].decode()).labels("dragoman_requests_total", "model")
    assert "qwen3" in models and len(models) <= MODELS // 2 + 3


def test_a_backend_cannot_make_series_without_end() -> None:
    metrics = Metrics()
    for number in range(6000):
        fields = {"model": f"m{number % 40}", "row": f"r{number % 97}", "status": 100 + number % 500}
        ended(metrics, face="chat", tried=[Tried(0.0, number)], error=f"backend_status_{number}", **fields)
    count = sum(1 for name, _, _ in Samples(metrics.told("")[0].decode()) if name == "dragoman_requests_total")
    assert 1000 <= count <= 1150


@in_one_test(
    ("name", "label"),
    [("", NONE), ("qwen3", "qwen3"), ("a\nb\x00", "a?b?"), ("x" * 5000, "x" * 80), ('"}\\', '"}\\'), ("한글", "한글")],
)
def test_a_name_is_printable_and_short(name: str, label: str) -> None:
    names = Names(3)
    assert names.of(name) == names.of(name) == label
    metrics = Metrics()
    ended(metrics, model=name, status=200)
    assert Samples(metrics.told("")[0].decode()).labels("dragoman_requests_total", "model") == {label}


@in_one_test(
    ("status", "label"), [(200, "200"), (499, "499"), (529, "529"), (477, "400"), (0, "0"), (-1, "0"), (7000, "0")]
)
def test_statuses_are_those_that_somebody_defined(status: int, label: str) -> None:
    assert status_label(status) == label


def test_codes_are_those_of_the_table() -> None:
    for code in (*REMOVED, *NOTED, *REQUEST_CODES, *(f"adapted:{name}" for name in BY_NAME)):
        assert code_label(code) == code
    for code in ("", "made_up", "marker:a b", "adapted:" + "x" * 99, "adapted:\n"):
        assert code_label(code) == OTHER


def test_every_error_of_a_backend_has_a_reason() -> None:
    def all_of(kind: type[BackendError]) -> set[type[BackendError]]:
        return {kind, *(each for sub in kind.__subclasses__() for each in all_of(sub))}

    codes = {each.code for each in all_of(BackendError)} - {"backend_timeout"}  # of which there are four
    assert all(upstream_reason(code) for code in codes)
    assert upstream_reason("backend_idle_timeout") == "idle_timeout"
    for code in (None, "client_left", "arguments_unreadable", "invalid_request", "proxy_error", "proxy_stopping"):
        assert upstream_reason(code) is None


def test_rows_of_the_table_all_have_a_place() -> None:
    names = Names(100)
    assert [names.of(row.name) for row in SYNTAXES] == [row.name for row in SYNTAXES]


# -- who may look, and what can be seen --------------------------------------------------------------------------------


def test_nothing_is_readable_without_a_key_where_keys_are_set() -> None:
    for settings in ({"PROXY_API_KEYS": "alice:sk-of-alice"}, {"INSPECTOR_KEY": "sk-of-the-owner"}):
        client = create_app(Config.from_environment(settings)).test_client()
        for path in ("/metrics", "/metrics/"):
            for headers in ({}, bearer("wrong"), {"Cookie": "key=sk-of-alice"}):
                response = client.get(path, headers=headers)
                assert response.status_code == 401 and b"dragoman_" not in response.data
                assert client.head(path, headers=headers).status_code == 401
            assert b"dragoman_" not in client.get(f"{path}?key={settings.popitem}").data
    client = create_app(Config.from_environment({"PROXY_API_KEYS": "alice:sk-of-alice"})).test_client()
    assert b"dragoman_requests" in client.get("/metrics", headers=bearer("sk-of-alice")).data


def test_without_keys_only_this_machine_may_look() -> None:
    client = create_app(Config.from_environment({})).test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.168.1.9"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    assert client.get("/metrics", headers={"Host": "evil.example"}).status_code == 421


def test_without_the_inspector_it_is_there() -> None:
    client = create_app(Config.from_environment({"INSPECTOR": "off"})).test_client()
    assert client.get("/metrics").status_code == 200 and client.get("/dragoman/").status_code == 404


def test_with_meta_no_text_is_in_the_metrics(recorded: Callable[..., Recorded]) -> None:
    proxy = recorded(RECORD="meta", ADAPT="auto")
    talk_of_the_canary(proxy)
    found = scraped(proxy)
    assert found("dragoman_requests_total") >= 7
    assert CANARY not in found.text
    proxy.sent.clear()
    assert_no_canary(reachable_from(proxy.app.extensions["metrics"]))
