"""The metrics of `/metrics`: what is counted and timed of exchanges when they end. docs/METRICS.md is for people.

Under gunicorn the workers count in files of one folder (telemetry/workers.py), and each of them tells the sums.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from records.threads import away_from_streams, new_lock
from reply import NO_TOKENS
from streaming.record import PIECE_GAPS, ExchangeRecord
from telemetry.labels import NONE, OTHER, Names, code_label, status_label, upstream_reason
from telemetry.tally import Tally, Value
from telemetry.workers import FOLDER, reserve

vars(values)["Lock"] = new_lock  # real ones: threads of the system count, too, also where gevent is
if os.environ.get(FOLDER):
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]

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
_TOKENS = ("input", "output", "reasoning", "cache_read")
_LOST = ("queue_full", "store", "text")


class _Counted(dict[Any, Value]):
    """The values of a family of counters by their labels: a tuple, or the only one."""

    def __init__(self, family: Counter) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, labels: Any) -> Value:
        child: Any = self._family.labels(*(labels if isinstance(labels, tuple) else (labels,)))
        value: Value = child._value
        self[labels] = value
        return value


class _Timed(dict[str, tuple[Value, Sequence[Value]]]):
    """The values of a family of histograms by their label: the sum, and the count of each bucket."""

    def __init__(self, family: Histogram, bounds: Sequence[float]) -> None:
        super().__init__()
        self._family = family
        self._bounds = bounds

    def __missing__(self, label: str) -> tuple[Value, Sequence[Value]]:
        child: Any = self._family.labels(label)
        self[label] = found = (child._sum, child._buckets)
        return found

    def observed(self, label: str, seconds: float) -> tuple[tuple[Value, float], tuple[Value, float]]:
        """What one observation adds."""
        total, buckets = self[label]
        return (total, seconds), (buckets[bisect_left(self._bounds, seconds)], 1)


class Metrics:
    """Shared by all threads of the process.

    The library has no function for many observations at once, nor for amounts that were added up elsewhere. So values
    are added to as its own counters and histograms do that, by attributes that it does not document.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # there are none where several workers count
        self._shared = bool(getattr(values.ValueClass, "_multiprocess", False))
        if self._shared:
            reserve(os.getpid())
        self.registry = CollectorRegistry(auto_describe=False)
        self._tally = Tally()
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
        in_flight: Any = Gauge(
            "dragoman_requests_in_flight",
            "Requests that are being answered, streams too.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._in_flight: Value = in_flight._value
        self._upstream = self._counted("dragoman_upstream_errors", "Answers that a backend failed to give.", "reason")
        self._dropped = self._counted("dragoman_records_dropped", "Records that were not stored.", "reason")
        for reason in _LOST:
            self._dropped[reason]  # so that there is a zero to rise from

    def _counted(self, name: str, help_text: str, *labels: str) -> _Counted:
        return _Counted(Counter(name, help_text, labels, registry=self.registry))

    def _timed(self, name: str, help_text: str, bounds: Sequence[float]) -> _Timed:
        family = Histogram(f"{name}_seconds", help_text, ("model",), registry=self.registry, buckets=bounds)
        return _Timed(family, bounds)

    # -- counting ----------------------------------------------------------------------------------------------------

    def began(self) -> None:
        """A request has come."""
        self._tally.add(((self._in_flight, 1),))

    def ended(self, record: ExchangeRecord) -> None:
        """Its answer has ended."""
        found: list[tuple[Value, float]] = [(self._in_flight, -1)]
        if not record.dropped:
            self._of(record, found)
        self._tally.add(found)

    def _of(self, record: ExchangeRecord, found: list[tuple[Value, float]]) -> None:
        notes, status = record.notes, status_label(record.status)
        model = self._models.of(record.model, proved=record.status < 400)
        row = self._rows.of(notes.syntax or record.row or "")
        found.append((self._request(record.face or NONE, model, row, record.outcome, status), 1))
        found.append((self._bytes_in, record.bytes_in))
        found.append((self._bytes_out, record.bytes_out))
        for each in record.tried:
            found.append((self._attempts[NONE if each.status is None else status_label(each.status)], 1))
        for code in record.codes | notes.codes:
            found.append((self._codes[code_label(code)], 1))
        found += self._duration.observed(model, record.seconds)
        if record.stream:  # a whole answer has all of its words at its end
            if record.first_word is not None:
                found += self._first_token.observed(model, record.first_word)
            if record.pieces > 1 and record.gaps:
                total, buckets = self._gaps[model]
                found.append((total, record.gap_seconds))
                found += zip(buckets, record.gaps, strict=True)
        if notes.tokens is not NO_TOKENS:
            for kind, count in zip(_TOKENS, notes.tokens, strict=True):
                if count:
                    found.append((self._tokens[model, kind], count))
        if (reason := upstream_reason(record.error)) is not None:
            found.append((self._upstream[reason], 1))

    def lost(self, count: int, reason: str) -> None:
        """Records were not stored. Called in the thread that stores them, too."""
        self._dropped[reason if reason in _LOST else OTHER].inc(count)

    def _request(self, face: str, model: str, row: str, outcome: str, status: str) -> Value:
        key = (face, model, row, outcome, status)
        if len(self._requests) >= _SERIES and key not in self._requests:
            key = (face, OTHER, OTHER, outcome, status)
        return self._requests[key]

    # -- telling -----------------------------------------------------------------------------------------------------

    def told(self, accept: str) -> tuple[bytes, str]:
        """(all of it as text, its media type), in the format that a scraper asks for."""
        self._tally.tell()
        encoder, media_type = choose_encoder(accept)
        write: Callable[[CollectorRegistry], bytes] = encoder
        if not self._shared:
            return write(self.registry), media_type
        return away_from_streams(lambda: write(_of_all_workers())), media_type


def _of_all_workers() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, os.environ[FOLDER])  # type: ignore[no-untyped-call]
    return registry
