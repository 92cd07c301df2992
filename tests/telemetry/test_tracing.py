"""Traces: one span for each request to a model, what it says, and what it does not say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import telemetry.tracer
from config import Config
from telemetry.tracer import new_tracing
from tests.answers import TOOLS, ask, chunk, completion, frame, said
from tests.cases import in_one_test
from tests.records.recorded import Recorded, Said, recorded
from tests.records.test_stores import CANARY, assert_no_canary, reachable_from, talk_of_the_canary
from tests.servers import HOST, ROOT, Answer, How, ScriptedBackend, free_port, proxy_process

__all__ = ["recorded"]

ON = {"OTEL_TRACES_EXPORTER": "otlp"}
CONTENTS = {**ON, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Traced = Callable[..., tuple[Recorded, InMemorySpanExporter]]


@pytest.fixture
def traced(recorded: Callable[..., Recorded], monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    """Makes a proxy whose spans are kept in memory."""

    def make(environ: dict[str, str] = ON, **settings: object) -> tuple[Recorded, InMemorySpanExporter]:
        exporter = InMemorySpanExporter()
        monkeypatch.setattr("app.new_tracing", lambda config: new_tracing(config, environ, exporter))
        return recorded(**settings), exporter

    yield make


def the_span(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, dict[str, Any]]:
    (span,) = exporter.get_finished_spans()
    return span, dict(span.attributes or {})


def test_a_stream_is_a_span(traced: Traced) -> None:
    proxy, exporter = traced(RECORD="meta")
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 7}}
    last = frame(chunk({}) | {"choices": [], "usage": usage})
    answer = said("It is cold. ", CALL)
    asked: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "max_tokens": 100, "user": "somebody"}
    proxy.ask(ask(model="qwen3", tools=TOOLS, **asked), Said([*answer[:-1], last, answer[-1]]))
    span, found = the_span(exporter)
    record = proxy.last()["record"]
    assert (span.name, span.kind, span.status.status_code) == ("chat qwen3", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.start_time is not None and span.end_time is not None and span.end_time > span.start_time
    assert abs(span.start_time // 1000 - record["received_us"]) <= 1
    told = chunk({})
    first_byte, first_word = found.pop("gen_ai.response.time_to_first_chunk"), found.pop("dragoman.time_to_first_word")
    assert 0 <= first_byte <= first_word < 10
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "qwen3",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.seed": 7,
        "gen_ai.response.id": told["id"],
        "gen_ai.response.model": told["model"],
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 7,
        "server.address": "127.0.0.1",
        "server.port": 9,
        "http.response.status_code": 200,
        "dragoman.record.id": record["id"],
        "dragoman.request.id": record["request_id"],
        "dragoman.face": "chat",
        "dragoman.outcome": "translated",
        "dragoman.row": "hermes",
        "dragoman.codes": ("whitespace",),
        "dragoman.calls": 1,
        "dragoman.attempts": 1,
    }


def test_a_whole_answer_is_a_span(traced: Traced) -> None:
    proxy, exporter = traced(RECORD="off", BACKEND="ollama", PROXY_API_KEYS="alice:sk-of-alice")
    body = json.dumps(completion("Hi.")).encode()
    proxy.ask(ask(False), Said([body], content_type="application/json"), key="sk-of-alice")
    _, found = the_span(exporter)
    assert found["gen_ai.request.stream"] is False and "gen_ai.response.time_to_first_chunk" not in found
    assert found["gen_ai.provider.name"] == "ollama" and found["dragoman.key.name"] == "alice"
    assert found["gen_ai.response.model"] == completion("")["model"] and "dragoman.record.id" not in found
    assert "sk-of-alice" not in str(found)


@in_one_test(
    ("path", "face", "body"),
    [
        ("/v1/messages", "messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}]}),
        ("/v1/responses", "responses", {"model": "m", "input": "a", "max_output_tokens": 9}),
        ("/api/chat", "ollama", {"model": "m", "messages": [], "options": {"num_predict": 9}}),
    ],
)
def test_every_api_is_traced_alike(traced: Traced, path: str, face: str, body: dict[str, Any]) -> None:
    proxy, exporter = traced()
    if path == "/api/chat":
        body["messages"] = [{"role": "user", "content": "a"}]
    proxy.ask(
        {**body, "stream": False},
        Said([json.dumps(completion("Hi.")).encode()], content_type="application/json"),
        path=path,
    )
    span, found = the_span(exporter)
    assert span.name == "chat m" and found["dragoman.face"] == face and found["gen_ai.request.max_tokens"] == 9


@in_one_test(
    ("path", "name"),
    [("/v1/embeddings", "embeddings"), ("/v1/completions", "text_completion"), ("/v1/audio/speech", None)],
)
def test_what_is_forwarded_is_traced_if_it_is_known(traced: Traced, path: str, name: str | None) -> None:
    proxy, exporter = traced()
    proxy.ask({"input": "a"}, Said([b"{}"], content_type="application/json"), path=path)
    assert [span.name for span in exporter.get_finished_spans()] == ([name] if name else [])


@in_one_test(
    ("answer", "error"),
    [
        (Said([b'{"error": {"message": "no"}}'], 503, "application/json"), "backend_status_503"),
        (Said([frame(chunk({"content": "a"}))]), "backend_interrupted"),
    ],
)
def test_an_error_is_one(traced: Traced, answer: Said, error: str) -> None:
    proxy, exporter = traced(ADAPT="off")
    proxy.ask(ask(), answer)
    span, found = the_span(exporter)
    assert span.status.status_code is StatusCode.ERROR and found["error.type"] == error


def test_a_request_that_cannot_be_read_is_one(traced: Traced) -> None:
    proxy, exporter = traced()
    proxy.ask(b"no JSON")
    span, found = the_span(exporter)
    assert (span.name, found["error.type"], found["http.response.status_code"]) == ("chat", "invalid_request", 400)


# -- the trace of the client and that of the backend -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/audio/speech"])
def test_the_clients_trace_goes_on_at_the_backend(traced: Traced, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, exporter = traced()
    sent: list[list[tuple[str, str]]] = []
    inner = proxy._open

    def note(method: str, target: str, headers: Any, body: bytes, client_fd: int | None = None) -> Any:
        sent.append([(name.lower(), value) for name, value in headers])
        return inner(method, target, headers, body, client_fd)

    monkeypatch.setattr("backends.Backend.open", lambda _self, *args: note(*args))
    proxy.answers[:] = [Said(said("Hi."))]
    headers = {"traceparent": PARENT, "tracestate": "vendor=1", "baggage": "user=7"}
    proxy.client.post(path, json=ask(), headers=headers).get_data()
    (parent,) = [value for name, value in sent[0] if name == "traceparent"]
    assert [value for name, value in sent[0] if name == "tracestate"] == ["vendor=1"]
    assert [value for name, value in sent[0] if name == "baggage"] == ["user=7"]
    spans = exporter.get_finished_spans()
    if not spans:  # nothing of ours: what the client said goes on
        assert parent == PARENT
        return
    context = spans[0].get_span_context()
    assert context is not None and spans[0].parent is not None
    assert parent == f"00-{context.trace_id:032x}-{context.span_id:016x}-01" and parent[:36] == PARENT[:36]
    assert spans[0].parent.span_id == 0xB7AD6B7169203331


def test_a_trace_that_is_not_sampled_is_passed_on_as_such(traced: Traced) -> None:
    proxy, exporter = traced()
    proxy.answers[:] = [Said(said("Hi."))]
    response = proxy.client.post(
        "/v1/chat/completions", json=ask(), headers={"traceparent": PARENT.removesuffix("1") + "0"}
    )
    assert b"Hi." in response.get_data() and not exporter.get_finished_spans()


@in_one_test("parent", ["", "x", "00-0-0-01", "ff-" + PARENT[3:], PARENT + "\u00ff"])
def test_a_broken_parent_begins_a_new_trace(traced: Traced, parent: str) -> None:
    proxy, exporter = traced()
    proxy.answers[:] = [Said(said("Hi."))]
    proxy.client.post("/v1/chat/completions", json=ask(), headers={"traceparent": parent}).get_data()
    span, _ = the_span(exporter)
    assert span.parent is None


# -- texts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["meta", "full"])
def test_no_text_is_in_a_span(traced: Traced, record: str) -> None:
    proxy, exporter = traced(RECORD=record, ADAPT="auto")
    talk_of_the_canary(proxy)
    spans = exporter.get_finished_spans()
    assert len(spans) >= 7
    assert CANARY not in "".join(span.to_json() for span in spans).encode().decode("unicode_escape", "replace")
    assert_no_canary(reachable_from([[span.name, span.attributes, span.status] for span in spans]))


@pytest.mark.parametrize("record", ["off", "meta", "full"])
def test_texts_are_there_where_somebody_asks_for_them(traced: Traced, record: str) -> None:
    proxy, exporter = traced(CONTENTS, RECORD=record, BACKEND_API_KEY="sk-of-the-backend")
    messages = [
        {"role": "system", "content": "Be brief. sk-of-the-backend"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Cold?"}, {"type": "image_url", "image_url": {"url": "x"}}],
        },
        {"role": "assistant", "content": None, "tool_calls": [_call("c1")]},
        {"role": "tool", "tool_call_id": "c1", "content": "3 degrees"},
    ]
    proxy.ask(ask(messages=messages, tools=TOOLS, model="qwen3"), Said(said("Yes. ", CALL)))
    _, found = the_span(exporter)
    sent = json.loads(found["gen_ai.input.messages"])
    assert [(each["role"], [part["type"] for part in each["parts"]]) for each in sent] == [
        ("system", ["text"]),
        ("user", ["text", "image_url"]),
        ("assistant", ["tool_call"]),
        ("tool", ["tool_call_response"]),
    ]
    assert sent[3]["parts"][0]["response"] == "3 degrees" and "sk-of-the-backend" not in found["gen_ai.input.messages"]
    (answer,) = json.loads(found["gen_ai.output.messages"])
    assert [part["type"] for part in answer["parts"]] == ["text", "tool_call"] and answer["parts"][0][
        "content"
    ] == "Yes."
    assert json.loads(answer["parts"][1]["arguments"]) == {"city": "Oslo"}
    recorder = proxy.app.extensions["records"]
    if record == "meta":  # the tape was ours alone
        assert not proxy.listed()[0]["has_text"] and proxy.last()["text"] is None
        assert "Cold?" not in [each for each in reachable_from(recorder.store) if isinstance(each, str)]
    elif record == "full":
        assert proxy.last()["text"] is not None


def _call(name: str) -> dict[str, Any]:
    return {"id": name, "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}


# -- when there is none ------------------------------------------------------------------------------------------------


@in_one_test(
    ("environ", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({**ON, "OTEL_SDK_DISABLED": "true"}, False),
        (ON, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
    ],
)
def test_the_variables_of_opentelemetry_decide(environ: dict[str, str], on: bool) -> None:
    assert (new_tracing(Config(), environ, InMemorySpanExporter()) is not None) is on


def test_without_them_nothing_of_it_is_imported() -> None:
    script = (
        "import app, sys; app.create_app(app.Config()); assert not [m for m in sys.modules if 'opentelemetry' in m]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=60, env={"PATH": ""})


def test_without_the_packages_a_line_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def missing(*_: object) -> None:
        raise ImportError("no", name="opentelemetry.sdk")

    monkeypatch.setattr(telemetry.tracer, "_new_provider", missing)
    assert new_tracing(Config(), ON) is None
    assert "opentelemetry.sdk is missing" in caplog.text and "dragoman[otel]" in caplog.text


@pytest.mark.parametrize("how", ["app", "gunicorn", "gthread"])
def test_spans_arrive_at_a_collector(how: How) -> None:
    """By OTLP over HTTP, under gevent too; the last ones before a stop as well."""
    collected = Answer([b""], 200, [("Content-Type", "application/x-protobuf")], "length")
    with ScriptedBackend(collected) as collector, ScriptedBackend(Answer(said("Hi."))) as backend:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{collector.port}", "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with proxy_process(how, backend, **settings) as proxy:
            for _ in range(3):
                assert b"Hi." in proxy.streamed(ask())
            proxy.signal()
            assert proxy.wait(30) == 0
            assert "Traceback" not in proxy.said(), proxy.said()
        bodies = b"".join(request.body for request in collector.requests if request.target == "/v1/traces")
    assert bodies.count(b"chat m") == 3 and b"dragoman.outcome" in bodies


def test_a_collector_that_is_not_there_costs_spans_only() -> None:
    with ScriptedBackend(Answer(said("Hi."))) as backend:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{free_port()}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        with proxy_process("gunicorn", backend, **settings) as proxy:
            assert all(b"Hi." in proxy.streamed(ask()) for _ in range(3))
            with proxy.get("/health") as client:
                assert client.json()["status"] == "ok"
