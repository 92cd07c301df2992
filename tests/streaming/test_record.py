"""The record of one exchange."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from reply import Notes
from streaming.record import ExchangeRecord, exchange_ended


@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({}, "outcome=untouched"),
        ({"changed": True, "syntax": "hermes", "repaired": True}, "outcome=translated syntax=hermes"),
        ({"repaired": True, "abstained": True}, "outcome=repaired"),
        ({"abstained": True, "codes": {"marker", "cut"}}, "outcome=abstained codes=cut,marker"),
    ],
)
def test_the_outcome(fields: dict[str, Any], summary: str) -> None:
    assert ExchangeRecord("id", "/v1", notes=Notes(**fields)).summary() == summary


def test_what_a_thrown_away_attempt_noted_is_not_in_the_record() -> None:
    thrown_away, kept = Notes(), Notes()
    thrown_away.repair("native_id")
    thrown_away.note("marker_left", "somewhere")
    kept.note("cut")
    record = ExchangeRecord("id", "/v1")
    record.keep(thrown_away)
    record.keep(kept)
    assert record.summary() == "outcome=untouched codes=cut" and not record.notes.details


def test_it_ends_once_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman.exchange")
    ended: list[ExchangeRecord] = []
    exchange = ExchangeRecord("id-1", "/v1/x\nforged line", model="a b\x1b[31m", status=200, error="oops")
    with exchange_ended.connected_to(ended.append):
        exchange.touched()
        first = exchange.first_byte
        exchange.touched()
        exchange.end()
        exchange.end()
    assert ended == [exchange]
    assert exchange.first_byte == first
    [record] = caplog.records
    line = record.getMessage()
    assert line.isprintable()
    assert all(part in line for part in ("id-1", "outcome=untouched", "status=200", "error=oops", "model=a?b"))
    assert "key=" not in line and exchange.fields()["key"] is None


def test_defect_d3_the_name_of_the_clients_key_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman.exchange")
    record = ExchangeRecord("id-1", "/v1/models", key_name="alice")
    record.end()
    assert "id-1 /v1/models key=alice model=- " in caplog.text
    assert record.fields()["key"] == "alice"
