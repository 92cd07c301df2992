"""What is told of each exchange: the records, the metrics, and the tracing. The engine knows none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from records.recorder import Recorder
from streaming import ClientRequest, ExchangeRecord
from telemetry.metrics import Metrics

if TYPE_CHECKING:
    from telemetry.tracing import Tracing


class Watch:
    """Each of the three may be missing."""

    def __init__(self, recorder: Recorder | None, metrics: Metrics | None, tracing: Tracing | None) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._tracing = tracing
        if recorder is not None and metrics is not None:
            recorder.when_lost = metrics.lost

    def began(self, record: ExchangeRecord, request: ClientRequest, asked: Mapping[str, Any] | None) -> None:
        """The engine calls this when a request has come, and then `record.when_ended`."""
        if self._recorder is not None:
            self._recorder.began(record)
        if self._tracing is not None:
            self._tracing.began(record, request.headers, asked)
        if self._metrics is not None:
            self._metrics.began()
        record.when_ended = self._ended

    def _ended(self, record: ExchangeRecord) -> None:
        record.when_ended = None
        if self._tracing is not None:  # first: it may have brought a tape of its own
            self._tracing.ended(record)
        if self._recorder is not None:
            self._recorder.ended(record)
        if self._metrics is not None:
            self._metrics.ended(record)
