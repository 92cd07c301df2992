"""Traces: a span for each request to a model, as OpenTelemetry's conventions for generative AI name things.

The conventions are those of November 2026, all of them still in development. What has no name there stands under
`dragoman.`. A client's `traceparent` is taken, and the backend is told the span as its parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context

from records.texts import Redact
from streaming.record import ExchangeRecord
from streaming.tape import Tape
from telemetry.contents import contents_of

_OPERATIONS = (
    ("/embeddings", "embeddings"),
    ("/completions", "text_completion"),
)
"""What a forwarded request is, by the end of its path."""
_ASKED = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "seed": "gen_ai.request.seed",
}
"""Numbers of a chat request, by their names."""
_OF_AN_API = "openai"
"""Who is named as the provider where no preset says who the backend is: the API that it speaks."""
_LONGEST = 200
"""Characters of a client's text that is a name."""

Value = str | bool | int | float | Sequence[str]


class Tracing:
    """Shared by all threads of the process."""

    def __init__(
        self, tracer: Tracer, propagator: TextMapPropagator, provider: str | None, redact: Redact, contents: bool
    ) -> None:
        """`provider` is the preset of the backend. `contents`: spans hold texts; `redact` removes keys from them."""
        self._tracer = tracer
        self._propagator = propagator
        self._provider = provider or _OF_AN_API
        self._redact = redact
        self._contents = contents
        self._open: dict[int, tuple[Span, bool]] = {}
        """By the id of the record: its span, and whether the tape of the record is ours."""

    def began(
        self, record: ExchangeRecord, headers: Sequence[tuple[str, str]], asked: Mapping[str, Any] | None
    ) -> None:
        """A request has come. Its record gets the headers of the trace."""
        operation = "chat" if record.face else next((op for end, op in _OPERATIONS if record.path.endswith(end)), None)
        if operation is None:
            return
        context = self._propagator.extract({name.lower(): value for name, value in headers})
        model = record.model[:_LONGEST]
        span = self._tracer.start_span(
            f"{operation} {model}".rstrip(),
            context,
            SpanKind.CLIENT,
            start_time=int(record.received_at * 1e9),
            attributes=self._first(operation, model, record),
        )
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span, context))
        record.trace_headers = tuple(carrier.items())
        recording = span.is_recording()
        if recording and asked is not None:
            span.set_attributes(_asked(asked))
        taped = recording and self._contents and record.tape is None
        if taped:
            record.tape = Tape()
        self._open[id(record)] = (span, taped)

    def ended(self, record: ExchangeRecord) -> None:
        """Its answer has ended."""
        span, taped = self._open.pop(id(record), (None, False))
        if span is None:
            return
        if not record.dropped and span.is_recording():
            span.set_attributes(_last(record))
            if self._contents and record.tape is not None:
                span.set_attributes(contents_of(record, self._redact))
            if record.error is not None and record.error != "client_left":
                span.set_status(StatusCode.ERROR, record.error)
            span.end(int((record.received_at + record.seconds) * 1e9))
        if taped:
            record.tape = None

    def _first(self, operation: str, model: str, record: ExchangeRecord) -> Mapping[str, Value]:
        backend = urlsplit(record.backend)
        found: dict[str, Value] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": self._provider,
            "gen_ai.request.stream": record.stream,
            "server.address": backend.hostname or "",
            "server.port": backend.port or {"https": 443}.get(backend.scheme, 80),
            "dragoman.request.id": record.request_id,
            "dragoman.face": record.face,
        }
        if model:
            found["gen_ai.request.model"] = model
        if record.id:
            found["dragoman.record.id"] = record.id
        if record.key_name:
            found["dragoman.key.name"] = record.key_name
        return found


def _asked(request: Mapping[str, Any]) -> Mapping[str, Value]:
    return {
        attribute: value
        for name, attribute in _ASKED.items()
        if isinstance(value := request.get(name), int | float) and not isinstance(value, bool)
    }


def _last(record: ExchangeRecord) -> Mapping[str, Value]:
    notes, tokens = record.notes, record.notes.tokens
    found: dict[str, Value | None] = {
        "gen_ai.response.id": notes.reply_id,
        "gen_ai.response.model": notes.reply_model,
        "gen_ai.response.finish_reasons": [notes.finish] if notes.finish else None,
        "gen_ai.response.time_to_first_chunk": record.first_byte if record.stream else None,
        "gen_ai.usage.input_tokens": tokens.prompt,
        "gen_ai.usage.output_tokens": tokens.answer,
        "gen_ai.usage.cache_read.input_tokens": tokens.cached,
        "gen_ai.usage.reasoning.output_tokens": tokens.reasoning,
        "error.type": record.error,
        "http.response.status_code": record.status or None,
        "dragoman.outcome": record.outcome,
        "dragoman.row": notes.syntax or record.row,
        "dragoman.codes": sorted(record.codes | notes.codes) or None,
        "dragoman.calls": notes.calls,
        "dragoman.attempts": len(record.tried),
        "dragoman.time_to_first_word": record.first_word,
    }
    return {name: value for name, value in found.items() if value is not None}
