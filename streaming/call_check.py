"""Whether the calls of an answer can be run: declared, readable, fitting their schema, and what the choice demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.protocol import WrongAnswer, WrongCall
from converters.text.events import Ending
from converters.text.expectations import Expectations
from converters.values.validate import misfits

_NOT_RUN = "not run: another call was invalid"


@dataclass(slots=True)
class HeldCall:
    """A call that the client has not seen yet."""

    name: str
    id: str
    pieces: list[str] = field(default_factory=list)
    """The JSON text of its arguments, in pieces."""
    raw: list[str] = field(default_factory=list)
    """What the model wrote of it, in pieces."""
    how: Ending = "cut"

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


def wrong_answer(text: str, calls: Sequence[HeldCall], expectations: Expectations) -> WrongAnswer | None:
    """What is wrong with an answer that the model ended by itself; None if nothing is."""
    if not calls:
        demand = _demand(expectations)
        return WrongAnswer(text, (), demand) if demand else None
    faults = [_fault(call, expectations) for call in calls]
    if not any(faults):
        return None
    told = [
        WrongCall(call.id, call.name, call.arguments, f"Error: {fault}" if fault else _NOT_RUN)
        for call, fault in zip(calls, faults, strict=True)
    ]
    return WrongAnswer(text, tuple(told), "")


def _fault(call: HeldCall, expectations: Expectations) -> str:
    """What is wrong with a call, in one line; empty if nothing is."""
    if call.name not in expectations.tools:
        return f"there is no tool {call.name}. The tools are: {', '.join(sorted(expectations.tools))}."
    if call.how != "complete":
        return "the arguments are incomplete, or no valid JSON."
    broken = misfits(call.arguments, expectations.schema(call.name))
    if broken:
        return f"the arguments do not match the schema of {call.name}: {', '.join(broken)}."
    return ""


def _demand(expectations: Expectations) -> str:
    """What the user says to a model that made no call though one is required; empty if none is."""
    if expectations.choice != "required" or not expectations.tools:
        return ""
    names = sorted(expectations.allowed if expectations.allowed is not None else expectations.tools)
    return f"You must call one of these tools now: {', '.join(names)}."
