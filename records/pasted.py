"""A text that somebody pastes, read as the answer of a model: the same shapes as those of a record's replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from converters.explain import explained
from converters.text.events import Noted, Removed
from converters.text.expectations import Schema
from records.facts import Facts, is_bare_call
from records.spans import marked, meaning, message_of, spans_of
from records.verdict import verdict
from records.views import span_json
from reply import CALLED, Finish

MOST_CHARACTERS = 100_000
"""Of a text that is read: a second of work at most."""


def pasted(text: str, tools: Mapping[str, Schema], model: str) -> dict[str, Any]:
    """What becomes of a text, and why. `tools` maps each declared name to its schema; `model` may be empty."""
    found = explained(text, tools, model or None)
    codes = {str(event.code) for event in found.events if isinstance(event, Noted)}
    codes |= {str(event.reason) for event in found.events if isinstance(event, Removed)}
    codes |= {str(code) for code in found.left}
    message = message_of(found.events)
    finish = CALLED if message.calls else "stop"
    message = message_of([*found.events, Finish(finish)])
    facts = Facts(
        codes=frozenset(codes),
        outcome="translated" if codes or message.calls else "untouched",
        calls=len(message.calls),
        row=found.syntax,
        served=False,
        has_tools=bool(tools),
        native=False if message.calls else None,
        empty=not (message.calls or message.content.strip() or message.reasoning.strip()),
        bare_call=not message.calls and is_bare_call(message.content),
        only_reasoning=not (message.calls or message.content.strip()) and bool(message.reasoning.strip()),
    )
    return {
        "syntax": found.syntax,
        "spans": [span_json(span) for span in marked(spans_of(found.events), found.decisions)],
        "message": asdict(message),
        "codes": [{"code": code, "meaning": meaning(code)} for code in sorted(codes)],
        "verdict": asdict(verdict(facts)),
    }
