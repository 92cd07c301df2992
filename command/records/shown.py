"""Records as lines for people: a table, or one record with what the model wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from command.terminal import in_one_line, paint, screen_width, table, visible

_MODEL, _CODES = 24, 30
"""Columns."""
_SPANS = {"content": "content", "reasoning": "reasoning", "call": "call", "removed": "removed", "noted": "dim"}
_LEFT_OUT = frozenset({"codes", "tried", "id", "texts"})


def listed(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The newest first, as they are given."""
    if not records:
        yield "There is no such record."
        return
    head = ["time", "model", "row", "outcome", "status", "first", "total", "tokens", "codes", "id"]
    yield from table(head, (_row(each) for each in records))


def _row(record: Mapping[str, Any]) -> list[str]:
    outcome = str(record["outcome"]) if record["state"] == "ended" else f"…{record['state']}"
    colour = "problem" if record["failed"] else "repaired" if outcome in ("repaired", "abstained") else "content"
    return [
        _time(record["received_us"]),
        in_one_line(record["model"] or "-", _MODEL),
        record["row_name"] or "-",
        paint(outcome, colour),
        paint(str(record["status"] or "-"), colour),
        _seconds(record["first_word_us"]),
        _seconds(record["total_us"]),
        f"{_number(record['tok_in'])}/{_number(record['tok_out'])}",
        in_one_line(",".join(code.split(" ")[0] for code in record["codes"]) or "-", _CODES),
        record["id"],
    ]


def shown(found: Mapping[str, Any]) -> Iterator[str]:
    """One record: its facts, its codes in words, and where texts were recorded, what the model wrote."""
    record, text = found["record"], found["text"]
    yield paint(record["id"], "title")
    for name, value in record.items():
        if name not in _LEFT_OUT and value not in (None, ""):
            told = _time(value) if name == "received_us" else in_one_line(str(value), screen_width() - 18)
            yield f"  {name:<14} {told}"
    for code in record["codes"]:
        yield f"  {code['code']} {code['detail']}".rstrip() + f": {code['meaning']}"
    if text is None:
        yield "  No text was recorded: RECORD=full records it."
        return
    for number, attempt in enumerate(text["attempts"], 1):
        replay = attempt["replay"]
        for choice in replay["choices"] if replay else ():
            yield ""
            yield paint(f"attempt {number}, choice {choice['index']}: the model wrote", "title")
            yield "".join(paint(visible(span["raw"]), _SPANS[span["kind"]]) for span in choice["spans"])
            yield ""
            yield paint("the client got", "title")
            yield visible(json.dumps(_message(choice["message"]), ensure_ascii=False, indent=2))
        if replay and replay["error"]:
            yield f"attempt {number}: the backend said {in_one_line(replay['error'], screen_width())}"


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value not in (None, "", [])}


def _time(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(us: int | None) -> str:
    return "-" if us is None else f"{us / 1e6:.2f}s"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)
