"""What a text came to, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from command.reading import Converted
from converters.stages.tracing import Decision
from converters.text.reasons import ABSTAINED, LEFT

_DELIVERED = "undeclared_name"
"""The one of these codes with which the client got its call."""
_NOT_A_CALL = frozenset({*LEFT, *ABSTAINED, "arguments_unreadable"}) - {_DELIVERED}


def looks_wrong(found: Sequence[Decision]) -> bool:
    """Whether something that looks like a call stayed text."""
    return any(each.code in _NOT_A_CALL for each in found)


def verdict(found: Sequence[Decision], got: Converted) -> str:
    """One or two sentences for people."""
    names = [call["function"]["name"] for call in got.message.get("tool_calls", ())]
    calls = f"{len(names)} call{'s' * (len(names) != 1)} of {', '.join(dict.fromkeys(names))}" if names else "no call"
    said = f"The client gets {calls}."
    why = next((each for each in found if each.code in _NOT_A_CALL), None)
    if why is None:
        return said
    return f"{said} {why.code}: {why.sentence}."
