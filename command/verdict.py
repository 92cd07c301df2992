"""What a text came to, in a sentence: that of its record, had a server sent it (records/verdict.py)."""

from __future__ import annotations

from collections.abc import Sequence

from command.reading import Converted
from converters.stages.tracing import Decision
from converters.text.reasons import ABSTAINED, LEFT
from records.facts import Facts
from records.verdict import Verdict, verdict

_DELIVERED = "undeclared_name"
"""The one of these codes with which the client got its call."""
_NOT_A_CALL = frozenset({*LEFT, *ABSTAINED, "arguments_unreadable"}) - {_DELIVERED}


def looks_wrong(found: Sequence[Decision]) -> bool:
    """Whether something that looks like a call stayed text."""
    return any(each.code in _NOT_A_CALL for each in found)


def verdict_of(got: Converted, has_tools: bool) -> Verdict:
    """`has_tools`: tools are declared."""
    message = got.message
    calls = len(message.get("tool_calls", ()))
    silent = not calls and not (message.get("content") or "").strip()
    thought = any((message.get(name) or "").strip() for name in ("reasoning_content", "reasoning"))
    return verdict(
        Facts(
            codes=frozenset(got.codes),
            outcome=got.outcome,
            calls=calls,
            row=got.syntax,
            finish=got.finish_reason,
            served=False,
            has_tools=has_tools,
            native=False if calls else None,
            empty=silent and not thought,
            only_reasoning=silent and thought,
        )
    )
