"""A record as something to take away: a command of curl, a case of the corpus, a line of JSON."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from records.query import Query
from records.record import StoredRecord
from records.replay import replay
from records.spans import parsed_arguments
from records.stores import Store, each_of
from records.texts import StoredText, reading_of
from records.views import listed
from streaming.headers import SYNTAX
from streaming.tape import Reading

KEY = "$API_KEY"
"""What stands in a copy for the key, which no record holds."""

_TOLD = ("choice", "json_answer", "parallel", "starts_inside", "stops")
"""Expectations that a case of the corpus tells where they differ from the default."""


class NoText(Exception):
    """The texts of the record were not kept, or not all of them. `str()` says which."""


def curl(record: StoredRecord, texts: Sequence[StoredText], base: str) -> str:
    """A command that sends the same request to `base` (`http://host:port`). Raises NoText."""
    body = request_of(texts).decode(errors="replace")
    words = ["curl", "-N"] if record.stream else ["curl"]
    words.append(shlex.quote(f"{base}{record.path}"))
    if not body:
        return " ".join([*words, "-H", f'"Authorization: Bearer {KEY}"'])
    headers = ["-H", "'Content-Type: application/json'", "-H", f'"Authorization: Bearer {KEY}"']
    for name, value in headers_of(texts):
        headers += ["-H", shlex.quote(f"{name}: {value}")]
    return " ".join([*words, *headers, "--data-binary", shlex.quote(body)])


def request_of(texts: Sequence[StoredText]) -> bytes:
    """The body of the client's request; empty if it had none. Raises NoText."""
    request = next((text for text in texts if text.kind == "request"), None)
    if request is None:
        raise NoText("The text of this request was not recorded. RECORD=full records it.")
    if request.truncated:
        raise NoText("The request was too long to be recorded whole.")
    return request.body


def headers_of(texts: Sequence[StoredText]) -> list[tuple[str, str]]:
    """The headers of the client's request that change how its answer is read, as (name, value)."""
    reading = _reading(texts)
    named = reading.named_row if reading is not None else None
    return [(SYNTAX, named)] if named else []


def _reading(texts: Sequence[StoredText]) -> Reading | None:
    told = next((text for text in texts if text.kind == "reading"), None)
    return reading_of(json.loads(told.body).get("reading")) if told is not None else None


def corpus_case(record: StoredRecord, texts: Sequence[StoredText]) -> dict[str, Any]:
    """What the model wrote and what was read in it, as tests/corpus has them: `text` and `case`. Raises NoText."""
    found = replay(texts, record.model)
    reading = _reading(texts)
    if not found or reading is None or not found[-1].choices:
        raise NoText("The text of this answer was not recorded. RECORD=full records it.")
    if not found[-1].complete:
        raise NoText("The answer was too long to be recorded whole.")
    choice = found[-1].choices[0]
    expectations = reading.expectations
    default = type(expectations)()
    differing = {name: getattr(expectations, name) for name in _TOLD}
    row = found[-1].syntax or reading.row or "unknown"
    case = {
        "model": record.model,
        "tools": [{"name": name, "parameters": schema} for name, schema in expectations.tools.items()],
        "content": choice.message.content,
        "reasoning": choice.message.reasoning,
        "calls": [
            {"name": call.name, "arguments": parsed_arguments(call)} for call in choice.message.calls if not call.native
        ],
        "expectations": {name: value for name, value in differing.items() if value != getattr(default, name)},
    }
    name = re.sub(r"[^a-z0-9]+", "_", f"recorded_{record.id[:13]}".lower())
    return {"row": row, "name": name, "text": choice.raw, "case": case}


def lines(store: Store, query: Query, texts: bool) -> Iterator[bytes]:
    """Each record as one line of JSON, the newest first; with its texts if they are asked for."""
    for record in each_of(store, query):
        told = listed(record)
        if texts and record.has_text:
            told["texts"] = {
                text.kind: text.body.decode(errors="replace")
                for text in store.texts(record.id)
                if text.kind != "reading"
            }
        yield json.dumps(told, ensure_ascii=False).encode(errors="replace") + b"\n"
