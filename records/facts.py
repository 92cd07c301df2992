"""What a verdict is made of: the numbers of a record and, where its texts were kept, what they show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.engines import Engine, engine_of
from records.record import State, StoredRecord
from records.repairs import ADAPTED, PROMPTED
from records.replay import AttemptReplay
from records.texts import StoredText, reading_of

_FEW = 6000
"""Characters of a prompt that are too few to tell whether it was truncated."""
_MOST_A_TOKEN = 10
"""Characters a token in the mean, which no prompt has: 3 to 5 are usual, 8 with much white space."""
_LONGEST_CALL = 200_000
"""Characters."""
_HEAD = 20_000
"""Bytes of an answer in which its server is looked for, at each end."""


@dataclass(frozen=True, slots=True)
class Facts:
    """None where nobody knows."""

    codes: frozenset[str] = frozenset()
    outcome: str = "untouched"
    calls: int = 0
    row: str | None = None
    state: State = "ended"
    status: int = 200
    error: str | None = None
    """The code of an error."""
    backend_status: int | None = None
    """Of the last attempt."""
    attempts: int = 0
    seconds: float | None = None
    finish: str | None = None
    tok_in: int | None = None
    forwarded: bool = False
    served: bool = True
    """A server sent it; nobody has pasted it."""
    engine: Engine | None = None
    has_tools: bool | None = None
    native: bool | None = None
    """All calls were sent by the server as such."""
    said: str = ""
    """What the backend said when it refused."""
    empty: bool = False
    only_reasoning: bool = False
    json_answer: bool = False
    """The request asks for an answer in JSON."""
    bare_call: bool = False
    """The whole message is JSON with a name and arguments, and nothing else."""
    truncated: bool = False
    """The prompt is longer than the tokens that the backend counted."""

    @property
    def prompted(self) -> bool:
        return PROMPTED in self.codes

    @property
    def adaptations(self) -> list[str]:
        """The names of what was changed in the request."""
        named = sorted(code.removeprefix(ADAPTED) for code in self.codes if code.startswith(ADAPTED))
        return named or (["in a way that was not told"] if "adapted" in self.codes else [])


def facts_of(record: StoredRecord, texts: Sequence[StoredText], replays: Sequence[AttemptReplay]) -> Facts:
    """The facts of a record. `texts` and `replays` may be empty."""
    last = replays[-1] if replays else None
    messages = [choice.message for choice in last.choices] if last is not None else []
    calls = [call for message in messages for call in message.calls]
    answered = record.status < 400 and record.error is None and bool(messages)
    silent = answered and not calls and not any(message.content.strip() for message in messages)
    thought = any(message.reasoning.strip() for message in messages)
    by_kind = {text.kind: text for text in texts}
    told = _loaded(by_kind.get("reading"))
    reading = reading_of(told.get("reading")) if isinstance(told, Mapping) else None
    return Facts(
        codes=frozenset(code.code for code in record.codes),
        outcome=record.outcome,
        calls=record.calls,
        row=record.row_name,
        state=record.state,
        status=record.status,
        error=record.error,
        backend_status=record.tried[-1].status if record.tried else None,
        attempts=record.attempts,
        seconds=None if record.total_us is None else record.total_us / 1e6,
        finish=record.finish_reason,
        tok_in=record.tok_in,
        forwarded=not record.face,
        engine=engine_of(record.backend, _ends_of(texts)),
        has_tools=None if reading is None else bool(reading.expectations.tools),
        json_answer=reading is not None and reading.expectations.json_answer,
        bare_call=len(messages) == 1 and not calls and is_bare_call(messages[0].content),
        native=all(call.native for call in calls) if calls else None,
        said=(last.error or "") if last is not None else "",
        empty=silent and not thought,
        only_reasoning=silent and thought,
        truncated=_truncated(record, by_kind.get(f"sent.{len(record.tried) - 1}")),
    )


def _ends_of(texts: Sequence[StoredText]) -> str:
    received = [text.body for text in texts if text.kind.startswith("received.")]
    if not received:
        return ""
    return (received[-1][:_HEAD] + received[-1][-_HEAD:]).decode(errors="replace")


def is_bare_call(text: str) -> bool:
    """Whether a text is JSON of a call without markup, of whatever tool."""
    if len(text) > _LONGEST_CALL or not text.lstrip().startswith(("{", "[")):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    calls = value if isinstance(value, list) else [value]
    return bool(calls) and all(map(_is_call, calls))


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= {"name", "arguments", "parameters", "type", "id"}:
        return False
    arguments = value.get("arguments", value.get("parameters"))
    return isinstance(value.get("name"), str) and isinstance(arguments, dict | str)


def _truncated(record: StoredRecord, sent: StoredText | None) -> bool:
    if not record.tok_in or record.tok_in < 0 or sent is None or sent.truncated:
        return False
    body = _loaded(sent)
    if not isinstance(body, Mapping):
        return False
    written = sum(map(len, _strings([body.get("messages"), body.get("tools"), body.get("functions")])))
    return written >= _FEW and written > _MOST_A_TOKEN * record.tok_in


def _strings(values: Iterable[Any]) -> Iterator[str]:
    """All text in a value of JSON, without what stands for a picture or a sound."""
    waiting = list(values)
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if not one.startswith("data:") and not re.match(r"[A-Za-z0-9+/=]{400}", one):
                yield one
        elif isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _loaded(text: StoredText | None) -> Any:
    try:
        return json.loads(text.body) if text is not None else None
    except (ValueError, RecursionError):
        return None
