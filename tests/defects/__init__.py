"""What was once found wrong, by the number that it was found under: texts that models write, and what each must mean.

Each text is read whole and in pieces, for a client that streams and for one that does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.helpers import Message, assemble, cuts, meaning, parse, same_json, spans

STRING: dict[str, Any] = {"type": "string"}

TOOLS: dict[str, Any] = {
    "get_weather": {
        "type": "object",
        "properties": {"city": STRING, "days": {"type": "integer"}},
        "required": ["city"],
    },
    "ping": {"type": "object", "properties": {}},
    "delete_path": {"type": "object", "properties": {"path": STRING}, "required": ["path"]},
    "run_shell": {"type": "object", "properties": {"command": STRING, "timeout": {"type": "integer"}}},
    "write_file": {"type": "object", "properties": {"path": STRING, "content": STRING}},
    "search": {
        "type": "object",
        "properties": {"q": STRING, "tags": {"type": "array", "items": STRING}, "opts": {"type": "object"}},
    },
}

SEOUL = ("get_weather", {"city": "Seoul"})
PARIS = ("get_weather", {"city": "Paris"})
PING: tuple[str, dict[str, Any]] = ("ping", {})
TEXT = object()
"""All of it is content."""


@dataclass(frozen=True)
class Case:
    """A text and its meaning. `content` is compared without the blanks at its ends."""

    number: str
    what: str
    row: str | None
    text: str
    calls: tuple[tuple[str, Any], ...] = ()
    content: Any = ""
    reasoning: str = ""
    unreadable: bool = False
    """Where its calls have left already, the stream ends with an error."""
    expectations: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.number} {self.what}"


def each(cases: Iterable[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=str)


def read(case: Case, *, buffered: bool) -> Message:
    """Fails if the meaning depends on how the text comes, or if a character is lost."""
    told = {"tools": TOOLS, "row": case.row, "buffered": buffered} | case.expectations
    whole = parse(case.text, **told)
    for pieces in cuts(case.text, pairs=100, randoms=2):
        again = parse(case.text, **(told | {"pieces": pieces}))
        assert spans(again) == case.text, pieces
        assert meaning(again) == meaning(whole), pieces
    return assemble(whole)


def check(case: Case) -> None:
    for buffered in (True, False):
        message = read(case, buffered=buffered)
        if case.unreadable and not buffered and "unreadable" in message.endings:
            continue
        assert "unreadable" not in message.endings
        calls = [(name, json.loads(arguments)) for name, arguments, _ in message.calls]
        content = case.text if case.content is TEXT else case.content
        assert (calls, message.content.strip(), message.reasoning.strip()) == (
            list(case.calls),
            content.strip(),
            case.reasoning.strip(),
        )
        assert all(same_json(got, wanted) for (_, got), (_, wanted) in zip(calls, case.calls, strict=True))
