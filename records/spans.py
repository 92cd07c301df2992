"""Events of an answer, as spans of what the model wrote and as the message that they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from converters.stages.tracing import Decision
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted, Reasoning, Removed, Text
from converters.text.reasons import LEFT, NOTED, REMOVED
from reply import Finish, ReplyEvent, Usage
from streaming.record import REQUEST_CODES

Kind = Literal["content", "reasoning", "call", "removed", "noted"]

_LEFT_TOO = frozenset({"marker_left", "arguments_unreadable"})
"""Reasons beside those of LEFT that stand at a place of the text."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters that became the same thing. Of kind `noted` it is empty: a decision was made at this place."""

    kind: Kind
    start: int
    """Its place in the raw text, in characters."""
    raw: str
    code: str = ""
    """Why it was removed or left as it is, or what was decided."""
    detail: str = ""
    call: int | None = None
    """The number of the call in its answer."""
    name: str | None = None
    """The tool that is called, where the call begins."""


@dataclass(slots=True)
class Call:
    """A call as its client gets it."""

    name: str
    arguments: str = ""
    """JSON text."""
    how: str = "open"
    native: bool = False
    """The server itself sent it, not as text."""


@dataclass(slots=True)
class Message:
    """One choice of an answer, as its client gets it."""

    content: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None


def meaning(code: str) -> str:
    """What a code says, in words."""
    tables: tuple[Mapping[Any, str], ...] = (REMOVED, NOTED, REQUEST_CODES)
    return next((table[code] for table in tables if code in table), "")


def spans_of(events: Iterable[ReplyEvent]) -> list[Span]:
    """The spans in order, neighbours that are alike joined. Their `raw` joined is all that was written."""
    found: list[Span] = []
    parts: list[str] = []
    pos = 0
    for event in events:
        one = _span(event, pos)
        if one is None or not (one.raw or one.kind == "noted" or one.name is not None):
            continue
        pos += len(one.raw)
        if found and _alike(found[-1], one):
            parts.append(one.raw)
            continue
        _close(found, parts)
        found.append(one)
        parts = [one.raw]
    _close(found, parts)
    return found


def marked(spans: Sequence[Span], decisions: Sequence[Decision]) -> list[Span]:
    """The spans with the reasons why markup was left as it is; those of text are cut where such a reason begins.

    Places in `decisions` are those of the spans.
    """
    marks = [each for each in decisions if each.code in LEFT or each.code in _LEFT_TOO]
    out: list[Span] = []
    place = 0
    for span in spans:
        end = span.start + len(span.raw)
        while place < len(marks) and marks[place].end <= span.start and marks[place].start < span.start:
            place += 1
        if span.kind in ("content", "reasoning"):
            out += _cut(span, end, marks[place:])
        elif span.kind == "call" and place < len(marks) and marks[place].start == span.start and span.name is not None:
            out.append(replace(span, code=str(marks[place].code)))
        else:
            out.append(span)
    return out


def _cut(span: Span, end: int, marks: Iterable[Decision]) -> Iterator[Span]:
    at = span.start
    for mark in marks:
        start, until = max(mark.start, at), min(mark.end, end)
        if start >= end:
            break
        if until > start:
            if start > at:
                yield _part(span, at, start, "")
            yield _part(span, start, until, str(mark.code))
            at = until
    if at < end or not span.raw:
        yield _part(span, at, end, "")


def _part(span: Span, start: int, end: int, code: str) -> Span:
    return replace(span, start=start, raw=span.raw[start - span.start : end - span.start], code=code)


def _close(found: list[Span], parts: Sequence[str]) -> None:
    if len(parts) > 1:
        last = found[-1]
        found[-1] = Span(last.kind, last.start, "".join(parts), last.code, last.detail, last.call, last.name)


def _alike(one: Span, other: Span) -> bool:
    if one.kind != other.kind or one.kind == "noted" or other.name is not None:
        return False
    return (one.code, one.call) == (other.code, other.call)


def _span(event: ReplyEvent, pos: int) -> Span | None:
    match event:
        case Text():
            return Span("content", pos, event.raw)
        case Reasoning():
            return Span("reasoning", pos, event.raw)
        case CallStart():
            return Span("call", pos, event.raw, call=event.index, name=event.name)
        case ArgumentsDelta() | CallEnd():
            return Span("call", pos, event.raw, call=event.index)
        case Removed():
            return Span("removed", pos, event.raw, event.reason)
        case Noted():
            return Span("noted", pos, "", event.code, event.detail)
    return None


def message_of(events: Iterable[ReplyEvent]) -> Message:
    """What a client gets of these events."""
    message = Message()
    calls: dict[int, Call] = {}
    content: list[str] = []
    reasoning: list[str] = []
    arguments: dict[int, list[str]] = {}
    written: dict[int, int] = {}  # characters of model text that became a call
    for event in events:
        match event:
            case Text():
                content.append(event.text)
            case Reasoning():
                reasoning.append(event.text)
            case CallStart():
                calls[event.index] = Call(event.name)
                written[event.index] = len(event.raw)
            case ArgumentsDelta():
                written[event.index] = written.get(event.index, 0) + len(event.raw)
                arguments.setdefault(event.index, []).append(event.delta)
            case CallEnd() if event.index in calls:
                calls[event.index].how = event.how
                written[event.index] = written.get(event.index, 0) + len(event.raw)
            case Finish():
                message.finish_reason = event.reason
            case Usage():
                message.usage = _shown(event.counts)
    for index, call in calls.items():
        call.arguments = "".join(arguments.get(index, ()))
        call.native = not written.get(index)
    message.content, message.reasoning, message.calls = "".join(content), "".join(reasoning), list(calls.values())
    return message


def _shown(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Token counts as any reader of JSON takes them: `Infinity` is a text, and what was too long to be read is null."""
    shown: dict[str, Any] = json.loads(json.dumps(counts, default=lambda _: None), parse_constant=str)
    return shown


def parsed_arguments(call: Call) -> Any:
    """The arguments as a value; the text itself if it is no JSON."""
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments
