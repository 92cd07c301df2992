"""One record as JSON for people: its numbers, its texts, and what the model wrote with what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from records.facts import facts_of
from records.record import StoredRecord
from records.replay import AttemptReplay, ChoiceReplay, replay
from records.spans import Span, meaning
from records.texts import StoredText
from records.verdict import verdict


def listed(record: StoredRecord) -> dict[str, Any]:
    """A record as a line of a list."""
    told = record.as_json()
    told["codes"] = [code.code if not code.detail else f"{code.code} {code.detail}" for code in record.codes]
    told["failed"] = record.failed
    return told


def shown(record: StoredRecord, texts: Sequence[StoredText]) -> dict[str, Any]:
    """A record with all that is known of it, and a sentence about it. Without texts, `text` is null."""
    told = listed(record)
    told["codes"] = [asdict(code) | {"meaning": meaning(code.code)} for code in record.codes]
    replays = replay(texts, record.model)
    return {
        "record": told,
        "text": _texts(record, texts, replays) if texts else None,
        "verdict": asdict(verdict(facts_of(record, texts, replays))),
    }


def _texts(record: StoredRecord, texts: Sequence[StoredText], replays: Sequence[AttemptReplay]) -> dict[str, Any]:
    by_kind = {text.kind: text for text in texts}
    request, client = by_kind.get("request"), by_kind.get("client")
    attempts: list[dict[str, Any]] = []
    for number, tried in enumerate(record.tried):
        sent, received = by_kind.get(f"sent.{number}"), by_kind.get(f"received.{number}")
        attempts.append(
            {
                "sent_us": tried.sent_us,
                "status": tried.status,
                "request": _text(sent),
                "request_unchanged": sent is not None and request is not None and sent.body == request.body,
                "response": _text(received),
                "response_pieces": _pieces(received),
                "replay": _replay(replays[number]) if number < len(replays) else None,
            }
        )
    return {
        "request": _text(request),
        "attempts": attempts,
        "client": _text(client),
        "client_pieces": _pieces(client),
    }


def _text(text: StoredText | None) -> dict[str, Any] | None:
    if text is None:
        return None
    return {"text": text.body.decode(errors="replace"), "bytes": text.size, "truncated": text.truncated}


def _pieces(text: StoredText | None) -> list[Mapping[str, int]]:
    """The time line of what passed: when, and how many bytes until then."""
    return [{"at_us": at, "end": end} for end, at in text.borders] if text is not None else []


def _replay(found: AttemptReplay) -> dict[str, Any]:
    return {
        "syntax": found.syntax,
        "codes": [{"code": code, "meaning": meaning(code)} for code in found.codes],
        "error": found.error,
        "complete": found.complete,
        "choices": [_choice(each) for each in found.choices],
    }


def _choice(found: ChoiceReplay) -> dict[str, Any]:
    return {
        "index": found.index,
        "raw": found.raw,
        "spans": [span_json(span) for span in found.spans],
        "pieces": [asdict(piece) for piece in found.pieces],
        "message": asdict(found.message),
    }


def span_json(span: Span) -> dict[str, Any]:
    """A span as JSON. What is empty is left out."""
    told = {name: value for name, value in asdict(span).items() if value not in (None, "") or name == "raw"}
    told["end"] = span.start + len(span.raw)
    if span.code:
        told["meaning"] = meaning(span.code)
    return told
