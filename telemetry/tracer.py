"""The tracer of the settings: OpenTelemetry's own variables, OTEL_*, say whether and where to.

Its packages are optional. Without such a variable nothing of them is imported. A tracer that `opentelemetry-instrument`
has made is used as it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from config import Config
from streaming.redaction import Redaction
from version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from telemetry.tracing import Tracing

log = logging.getLogger("dragoman.tracing")

_ASKED_BY = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_CONTENTS = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_NAME = "dragoman"


def new_tracing(
    config: Config, environ: Mapping[str, str] = os.environ, exporter: SpanExporter | None = None
) -> Tracing | None:
    """The tracing of the settings; None where none is asked for, or the packages for it are missing.

    `exporter` takes the spans in place of the one that the variables name.
    """
    if not _asked_for(environ):
        return None
    try:
        from opentelemetry import propagate, trace

        from telemetry.tracing import Tracing

        provider: Any = trace.get_tracer_provider()
        if exporter is not None or isinstance(provider, trace.ProxyTracerProvider):
            provider = _new_provider(environ, exporter)
    except ImportError as error:
        log.warning(
            "Nothing is traced: OTEL_* asks for it, but %s is missing (pip install 'dragoman[otel]')", error.name
        )
        return None
    tracer = provider.get_tracer(_NAME, VERSION)
    contents = environ.get(_CONTENTS, "").strip().lower() in ("true", "span_only", "span_and_event")
    return Tracing(tracer, propagate.get_global_textmap(), config.backend, Redaction(config.secrets).of, contents)


def _asked_for(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return environ.get(_ASKED_BY[0]) != "none" and any(environ.get(name) for name in _ASKED_BY)


def _new_provider(environ: Mapping[str, str], exporter: SpanExporter | None) -> Any:
    """A provider with one exporter. Its thread begins with the first span. Raises ImportError."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    name = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": _NAME}
    provider = TracerProvider(resource=Resource.create({**name, "service.version": VERSION}))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(BatchSpanProcessor(_exporter(environ.get(_ASKED_BY[0]) or "otlp")))
    return provider


def _exporter(name: str) -> SpanExporter:
    """The exporter that OTEL_TRACES_EXPORTER names: one of `console` and `otlp` (over HTTP)."""
    if name.strip().lower() == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
