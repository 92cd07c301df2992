"""Which calls the request allows: none, one, those of some functions, or all; whole or as they come. Numbers them.

A call whose arguments cannot be read must not run. If nothing of it has left, it is text.

Held: a call that is not allowed, until it ends; with `whole_calls` each call, and one that max_tokens cut is removed.
"""

from __future__ import annotations

from converters.syntaxes import NO_TOOLS
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, End, Event, LeaseKind, Noted, Removed, Text
from converters.text.expectations import Expectations
from converters.text.reasons import Reason

_OF_CALLS = frozenset({ArgumentsDelta, CallStart, CallEnd})


class ToolChoice:
    """Filters the events of calls."""

    __slots__ = ("_expectations", "_held", "_holds", "_index", "_refusal", "undeclared")

    def __init__(self, expectations: Expectations) -> None:
        self._expectations = expectations
        self._holds = expectations.holds_calls
        self.undeclared = False
        """A call was let through whose name no tool has."""
        self._index = -1
        self._refusal: Reason | None = None
        self._held: list[Event] = []

    def feed(self, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if type(event) in _OF_CALLS:
                self._call(event, out)  # type: ignore[arg-type]
            elif self._held:
                self._held.append(event)
            else:
                out.append(event)
        return out

    def permits(self, kind: LeaseKind) -> bool:
        if kind == "arguments":
            return self._refusal is None and not self._holds
        return not self._held

    @property
    def index(self) -> int:
        """The index of the last call that was let through, as the client is told; -1 before the first."""
        return self._index

    def _call(self, event: CallStart | ArgumentsDelta | CallEnd, out: list[Event]) -> None:
        if isinstance(event, CallStart):
            self._refusal = self._refused(event.name, out)
            self._index += self._refusal is None
        event.index = self._index
        if self._holds or self._refusal is not None:
            self._held.append(event)
            if isinstance(event, CallEnd):
                self._release(event, out)
            return
        if isinstance(event, CallEnd) and event.how == "unreadable":
            out.append(Noted("arguments_unreadable"))
        out.append(event)

    def _refused(self, name: str, out: list[Event]) -> Reason | None:
        if name in NO_TOOLS and name not in self._expectations.tools:
            return "marker"
        refusal = self._expectations.refuses(self._index + 1)
        if refusal is None and not self._expectations.allows(name):
            out.append(Noted("choice_other"))
            return "choice_none"
        if refusal is None and name not in self._expectations.tools:
            self.undeclared = True
        return refusal

    def _release(self, end: CallEnd, out: list[Event]) -> None:
        held, self._held = self._held, []
        raw = "".join(event.raw for event in held)
        reason = self._refusal or ("cut" if end.how == "cut" and self._expectations.whole_calls else None)
        if end.how != "unreadable" and reason is None:
            out += held
            return
        self._index -= self._refusal is None
        if end.how == "unreadable":
            out += [Noted("arguments_unreadable"), Text(raw)]
        elif reason is not None:
            out.append(Removed(raw, reason))

    def finish(self, end: End) -> list[Event]:
        held, self._held = self._held, []
        return [Removed("".join(event.raw for event in held), self._refusal or "cut")] if held else []
