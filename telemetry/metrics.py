"""The metrics of `/metrics`: what is counted and timed of exchanges when they end. docs/METRICS.md is for people.

Under gunicorn the workers count in files of one folder (telemetry/workers.py), and each of them tells the sums.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from records.threads import away_from_streams
from streaming.record import PIECE_GAPS, ExchangeRecord
from telemetry.labels import NONE, OTHER, Names, code_label, status_label, upstream_reason
from telemetry.workers import FOLDER, reserve

FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
DURATION = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0),
    *(30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
"""Bounds in seconds, as vLLM has them, so that both can be seen in one picture."""

MODELS = 40
"""Models that have a label of their own, in each process."""
_ROWS = 100
_SERIES = 1000
"""Of requests: of each combination of labels one. Behind that, models and rows have no place in a new one."""
_LOST = ("queue_full", "store", "text")


class _Children(dict[Any, Any]):
    """The series of a family by the values of its labels. The library's own way to them takes four times as long."""

    def __init__(self, family: Counter | Histogram) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, values: Any) -> Any:
        labels = values if isinstance(values, tuple) else (values,)
        child = self[values] = self._family.labels(*labels)
        return child


class Metrics:
    """Shared by all threads of the process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # there are none where several workers count
        self._shared = bool(getattr(values.ValueClass, "_multiprocess", False))
        if self._shared:
            reserve(os.getpid())
        self.registry = CollectorRegistry(auto_describe=False)
        self._models, self._rows = Names(MODELS), Names(_ROWS)
        self._requests = self._counted(
            "dragoman_requests", "Requests that have ended.", "face", "model", "row", "outcome", "status"
        )
        self._codes = self._counted("dragoman_codes", "Codes of exchanges, as docs/OUTCOMES.md lists them.", "code")
        self._attempts = self._counted("dragoman_attempts", "Requests sent to the backend, by its status.", "status")
        self._tokens = self._counted("dragoman_tokens", "Tokens, as backends count them.", "model", "type")
        bytes_passed = self._counted("dragoman_bytes", "Bytes of bodies: of requests, of answers.", "direction")
        self._bytes_in, self._bytes_out = bytes_passed["in"], bytes_passed["out"]
        self._first_token = self._timed(
            "dragoman_time_to_first_token", "Seconds to the first text, reasoning or call of a stream.", FIRST_TOKEN
        )
        self._gaps = self._timed("dragoman_inter_chunk", "Seconds between two pieces of a stream.", PIECE_GAPS)
        self._duration = self._timed("dragoman_request_duration", "Seconds from a request to its end.", DURATION)
        self._in_flight = Gauge(
            "dragoman_requests_in_flight",
            "Requests that are being answered, streams too.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._upstream = self._counted("dragoman_upstream_errors", "Answers that a backend failed to give.", "reason")
        self._dropped = self._counted("dragoman_records_dropped", "Records that were not stored.", "reason")
        for reason in _LOST:
            self._dropped[reason]  # so that there is a zero to rise from

    def _counted(self, name: str, help_text: str, *labels: str) -> _Children:
        return _Children(Counter(name, help_text, labels, registry=self.registry))

    def _timed(self, name: str, help_text: str, bounds: tuple[float, ...]) -> _Children:
        return _Children(Histogram(f"{name}_seconds", help_text, ("model",), registry=self.registry, buckets=bounds))

    # -- counting ----------------------------------------------------------------------------------------------------

    def began(self) -> None:
        """A request has come."""
        self._in_flight.inc()

    def ended(self, record: ExchangeRecord) -> None:
        """Its answer has ended."""
        self._in_flight.dec()
        if record.dropped:
            return
        notes = record.notes
        model = self._models.of(record.model, proved=record.status < 400)
        row = self._rows.of(notes.syntax or record.row or "")
        self._request(record.face or NONE, model, row, record.outcome, status_label(record.status)).inc()
        for each in record.tried:
            self._attempts[NONE if each.status is None else status_label(each.status)].inc()
        for code in record.codes | notes.codes:
            self._codes[code_label(code)].inc()
        if record.bytes_in:
            self._bytes_in.inc(record.bytes_in)
        if record.bytes_out:
            self._bytes_out.inc(record.bytes_out)
        self._duration[model].observe(record.seconds)
        if record.stream and record.first_word is not None:  # a whole answer has all of its words at its end
            self._first_token[model].observe(record.first_word)
        if record.pieces > 1 and record.gaps:
            self._paced(self._gaps[model], record)
        for kind, count in zip(("input", "output", "reasoning", "cache_read"), notes.tokens, strict=True):
            if count:
                self._tokens[model, kind].inc(count)
        if (reason := upstream_reason(record.error)) is not None:
            self._upstream[reason].inc()

    def lost(self, count: int, reason: str) -> None:
        """Records were not stored. Called in the thread that stores them, too."""
        self._dropped[reason if reason in _LOST else OTHER].inc(count)

    def _request(self, face: str, model: str, row: str, outcome: str, status: str) -> Any:
        key = (face, model, row, outcome, status)
        if key not in self._requests and len(self._requests) >= _SERIES:
            key = (face, OTHER, OTHER, outcome, status)
        return self._requests[key]

    @staticmethod
    def _paced(child: Any, record: ExchangeRecord) -> None:
        """Many observations at once, for which the library has no function of its own."""
        for bucket, count in zip(child._buckets, record.gaps, strict=True):
            if count:
                bucket.inc(count)
        child._sum.inc(record.gap_seconds)

    # -- telling -----------------------------------------------------------------------------------------------------

    def told(self, accept: str) -> tuple[bytes, str]:
        """(all of it as text, its media type), in the format that a scraper asks for."""
        encoder, media_type = choose_encoder(accept)
        write: Callable[[CollectorRegistry], bytes] = encoder
        if not self._shared:
            return write(self.registry), media_type
        return away_from_streams(lambda: write(_of_all_workers())), media_type


def _of_all_workers() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, os.environ[FOLDER])  # type: ignore[no-untyped-call]
    return registry
