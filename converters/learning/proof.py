"""The proof of a row: calls that it was not made of, rendered by the template, read by the ordinary parser.

Each call is read whole and by character, alone, in a whole turn with its end, in a second round, and behind text. What
is read must be the calls, and nothing may be left of them but end-of-turn tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from converters.learning.conversations import SAY, Call, Conversation, NotRendered, Turn
from converters.learning.written import Written
from converters.stages.pipeline import new_parser
from converters.syntaxes import Syntax
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Reasoning, Text
from converters.text.expectations import Expectations

_STRING: Mapping[str, Any] = {"type": "string"}
TOOLS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("zqp_weather", {"city": _STRING, "unit": _STRING}),
    ("zqp-search", {"query": _STRING, "limit": {"type": "integer"}, "exact": {"type": "boolean"}}),
    (
        "zqp_write",
        {
            "path": _STRING,
            "text": _STRING,
            "lines": {"type": "array", "items": {"type": "integer"}},
            "options": {"type": "object", "properties": {"mode": _STRING, "depth": {"type": "number"}}},
        },
    ),
    ("zqp_now", {}),
)
STRINGS_ONLY = tuple((name, dict.fromkeys(properties, _STRING)) for name, properties in TOOLS)
"""What is declared to templates that take string parameters only."""

CALLS: Mapping[str, tuple[Call, ...]] = {
    "plain": (Call("zqp_weather", {"city": "Seoul", "unit": "celsius"}),),
    "quotes": (Call("zqp_weather", {"city": 'the "old" town\'s \\ end', "unit": "C"}),),
    "lines": (Call("zqp_write", {"path": "a.py", "text": "def f():\n    return 1\n\n# end"}),),
    "unicode": (Call("zqp_weather", {"city": "서울 🌧 Zürich ｜ «x»", "unit": "°"}),),
    "markup": (Call("zqp_write", {"path": "a.html", "text": '<b class="x">1 < 2 && 3</b> [x] {y} </tool_call>!'}),),
    "types": (Call("zqp-search", {"query": "12", "limit": 7, "exact": True}),),
    "nested": (Call("zqp_write", {"path": "a", "lines": [1, 2, 3], "options": {"mode": "w", "depth": 1.5}}),),
    "empty": (Call("zqp_now", {}),),
    "two": (Call("zqp_weather", {"city": "Oslo"}), Call("zqp-search", {"query": "rain", "limit": 3})),
    "three": (
        Call("zqp_weather", {"city": "Bern", "unit": "F"}),
        Call("zqp_now", {}),
        Call("zqp_weather", {"city": "Rome", "unit": "K"}),
    ),
}
_TYPED = frozenset({"types", "nested"})
_FEW = ("plain", "lines", "two")
"""What is read in turns, in a second round and behind text."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried, by the names of the cases, and which of it was not read right, with the reason."""

    tried: tuple[str, ...]
    failed: Mapping[str, str]
    not_rendered: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether a row may be used."""
        return not self.failed and any(name in self.tried for name in CALLS)

    @property
    def first(self) -> str:
        """The first failure, in one line."""
        return ": ".join(next(iter(self.failed.items()), ("no call is rendered",)))


@dataclass(frozen=True, slots=True)
class Case:
    """One text to be read, and what it means."""

    name: str
    text: str
    calls: tuple[Call, ...]
    says: str = ""
    starts_inside: bool = False


class Prover:
    """The texts of a template's proof, rendered once, and read by any row."""

    def __init__(self, written: Written, is_open: Callable[[str], bool]) -> None:
        """`is_open` says whether a prompt has opened the reasoning."""
        self._written = written
        self.is_open = is_open
        self._plain = written.history.plain_tools
        self._tools = Conversation(tools=STRINGS_ONLY if self._plain else TOOLS)
        self.not_rendered: list[str] = []
        self.cases = list(self._cases())

    def prove(self, row: Syntax, *, sole: bool = False) -> Proof:
        """Read every text with a row before the table, or with it alone."""
        failed = {}
        for case in self.cases:
            why = self._fault(case, row, sole=sole)
            if why:
                failed[case.name] = why
        return Proof(tuple(case.name for case in self.cases), failed, tuple(self.not_rendered))

    def syntax(self, prior: Syntax | None = None) -> str:
        """The name of the listed row that reads the first text, `prior` before the others; empty if none does."""
        case = self.cases[0] if self.cases else None
        return (
            _read(case, replace(self.expected, starts_inside=case.starts_inside), prior, whole=True)[1] if case else ""
        )

    @property
    def expected(self) -> Expectations:
        """The tools that were declared."""
        tools = {
            name: {"type": "object", "properties": properties, "additionalProperties": False}
            for name, properties in self._tools.tools or ()
        }
        return Expectations(tools=tools)

    def _cases(self) -> Iterator[Case]:
        for name, calls in CALLS.items():
            if self._plain and name in _TYPED:
                continue
            try:
                yield Case(name, self._written.calls(calls), calls)
            except NotRendered:
                self.not_rendered.append(name)
                continue
            if name in _FEW:
                yield from self._in_turns(name, calls)

    def _in_turns(self, name: str, calls: tuple[Call, ...]) -> Iterator[Case]:
        before = Turn((Call("zqp_weather", {"city": "Bonn"}),), results=True)
        for kind, turn, earlier in (
            ("whole turn", Turn(calls), ()),
            ("second round", Turn(calls), (before,)),
            ("behind text", Turn(calls, content=f"{SAY} so."), ()),
        ):
            try:
                prompt, text = self._written.turn(turn, earlier, self._tools)
            except NotRendered:
                self.not_rendered.append(f"{name}, {kind}")
                continue
            says = f"{SAY} so." if turn.content and turn.content in text else ""
            if all(self._written.shows(text, call, 0) for call in calls):
                yield Case(f"{name}, {kind}", text, calls, says, self.is_open(prompt))
            else:
                self.not_rendered.append(f"{name}, {kind}")

    def _fault(self, case: Case, row: Syntax, *, sole: bool) -> str:
        """What is wrong with what a row reads; empty if nothing is."""
        expectations = replace(self.expected, starts_inside=case.starts_inside)
        for whole in (True, False):
            found, _ = _read(case, expectations, row, whole=whole, sole=sole)
            if found.calls != [(call.name, dict(call.arguments)) for call in case.calls]:
                return f"read as {_short(found.calls)}"
            said = (found.text.strip(), found.reasoning.strip())
            if said not in ((case.says, ""), ("", case.says)):  # some templates write text beside calls as reasoning
                return f"{_short(said[0] or said[1] or case.says)} is left"
        return ""


@dataclass(slots=True)
class _Found:
    calls: list[tuple[str, Any]]
    text: str = ""
    reasoning: str = ""


def _read(
    case: Case, expectations: Expectations, row: Syntax | None, *, whole: bool, sole: bool = False
) -> tuple[_Found, str]:
    """(what the parser makes of a text, the name of the row that its first call was written in)"""
    parser = new_parser(expectations, row, sole=sole)
    events: list[Event] = []
    for piece in [case.text] if whole else case.text:
        events += parser.feed(piece)
    events += parser.finish()
    return _assembled(events), parser.syntax or ""


def _assembled(events: Sequence[Event]) -> _Found:
    found = _Found([])
    arguments: list[str] = []
    names: list[str] = []
    for event in events:
        if isinstance(event, CallStart):
            names.append(event.name)
            arguments.append("")
        elif isinstance(event, ArgumentsDelta):
            arguments[event.index] += event.delta
        elif isinstance(event, CallEnd) and event.how != "complete":
            names[event.index] = f"{names[event.index]} ({event.how})"
        elif isinstance(event, Text):
            found.text += event.text
        elif isinstance(event, Reasoning):
            found.reasoning += event.text
    found.calls = [(name, _value(text)) for name, text in zip(names, arguments, strict=True)]
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return repr(text if len(text) <= 160 else f"{text[:160]}…")
