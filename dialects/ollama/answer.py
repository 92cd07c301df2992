"""Writes answers: a stream of lines, each with a part of it, or the whole as one object.

A call is one part, since its arguments are an object: its line leaves at its end. Both ways read the events with the
same `AnswerParts`. Source of the format: docs/api.md and api/types.go of Ollama.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, LeaseKind, Reasoning, Text
from dialects.ollama.request import OllamaOptions
from dialects.ollama.spelling import Form, as_json, as_time, error_line, in_one_line
from dialects.protocol import Clock, ParsedRequest
from errors import ErrorInfo, RequestError, Unreadable
from reply import Extension, Failure, Features, Finish, Ids, Reply, ReplyEvent, Step, Usage, count_of
from turns import Turns
from wire.json_body import LARGE, find_members
from wire.json_values import SMALL, RawJson, spelled

Kind = Literal["content", "thinking", "tool_calls"]
_REASONING = ("reasoning_content", "reasoning")
"""Where a chat message has reasoning that nobody split from its text; both say the same."""
_MANY = 64
"""Events of one step, of which it takes milliseconds to write more."""


@dataclass(slots=True)
class Part:
    """A part of an answer: text, or the JSON of a call."""

    kind: Kind
    text: str
    logprobs: list[Any] | None = None


class AnswerParts:
    """Reads the events of a reply, of whose choices the API has one."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._call: CallStart | None = None
        self._arguments: list[str] = []
        self._calls = 0
        self._broken = False  # the server's own call has arguments that are no object
        self._logprobs: list[Any] | None = None
        self._reason = ""
        self.counts: Mapping[str, Any] = {}
        """Numbers of tokens, as the backend gave them."""

    @property
    def done_reason(self) -> str:
        return "length" if self._reason == "length" else "stop"

    @property
    def unreadable(self) -> bool:
        """A call cannot be told, and nobody cut it: the answer must fail, as the call must not be lost in silence."""
        return self._broken and self._reason not in ("", "length")

    def read(self, index: int, event: ReplyEvent) -> Sequence[Part]:
        """The parts that are complete with this event: none, or one, or several texts beside the content."""
        if index != 0:
            return ()
        match event:
            case Text(text=text) if text:
                return (Part("content", text, self._taken()),)
            case Reasoning(text=text) if text:
                return (Part("thinking", text, self._taken()),)
            case CallStart():
                self._call, self._arguments = event, []
            case ArgumentsDelta(delta=delta):
                self._arguments.append(delta)
            case CallEnd(how=how) if self._call is not None:
                return self._ended(self._call, how == "cut")
            case Extension(fields=fields, of="message"):
                reasoning = next(filter(None, map(fields.get, _REASONING)), None)
                return [*_text_parts("thinking", reasoning), *_text_parts("content", fields.get("refusal"))]
            case Extension(fields=fields, of="choice"):
                self._logprobs = _logprobs(fields.get("logprobs"))
            case Finish(reason=reason):
                self._reason = self._reason or reason
            case Usage(counts=counts):
                self.counts = counts
        return ()

    def _taken(self) -> list[Any] | None:
        found, self._logprobs = self._logprobs, None
        return found

    def _ended(self, call: CallStart, cut: bool) -> Sequence[Part]:
        arguments = "".join(self._arguments) or "{}"
        self._call, self._arguments = None, []
        if cut or not _is_object(arguments):
            self._broken = self._broken or not cut
            return ()
        names = f'"name":{as_json(call.name)},"arguments":{in_one_line(arguments)}'
        told = f'{{"id":{as_json(self._ids.take(call.id))},"function":{{"index":{self._calls},{names}}}}}'
        self._calls += 1
        return (Part("tool_calls", told),)


def _text_parts(kind: Kind, text: object) -> list[Part]:
    return [Part(kind, text)] if isinstance(text, str) and text else []


@dataclass(slots=True)
class Times:
    """When an answer's request came and its first word left, in nanoseconds since 1970."""

    clock: Clock
    started: int
    first: int | None = None

    def said(self) -> None:
        """Something leaves; the first counts."""
        if self.first is None:
            self.first = self.clock()

    def done(self, parts: AnswerParts) -> str:
        """The members of an answer that is over. An answer that came as a whole does not tell when it began."""
        now = self.clock()
        first = self.started if self.first is None else self.first
        counts = {
            "prompt_eval_count": count_of(parts.counts, "prompt_tokens"),
            "eval_count": count_of(parts.counts, "completion_tokens"),
        }
        numbers = {
            "total_duration": now - self.started,
            "load_duration": 0,
            "prompt_eval_duration": first - self.started,
            "eval_duration": now - first,
        }
        told = {name: max(0, number) for name, number in numbers.items()}  # a clock may be set back
        told |= {name: count for name, count in counts.items() if count is not None}
        return f'"done":true,"done_reason":"{parts.done_reason}",{as_json(told)[1:-1]}'


@dataclass(slots=True)
class _Whole:
    """The parts of a whole answer, joined."""

    texts: dict[Kind, list[str]] = field(default_factory=lambda: {"content": [], "thinking": [], "tool_calls": []})
    logprobs: list[Any] = field(default_factory=list)

    def add(self, part: Part) -> None:
        self.texts[part.kind].append(part.text)
        self.logprobs += part.logprobs or ()


def write_whole(reply: Reply, request: ParsedRequest, form: Form, clock: Clock) -> bytes:
    """A buffered answer. Raises Unreadable."""
    parts, whole, turns = AnswerParts(Ids(request.ids)), _Whole(), Turns()
    for index, event in reply.events:
        for part in parts.read(index, event):
            whole.add(part)
        turns.take()
    if parts.unreadable:
        raise Unreadable
    message = list(spelled("".join(whole.texts["content"]), turns))
    if whole.texts["thinking"]:
        message += [b',"thinking":', *spelled("".join(whole.texts["thinking"]), turns)]
    if whole.texts["tool_calls"]:
        message += [b',"tool_calls":[', ",".join(whole.texts["tool_calls"]).encode(errors="replace"), b"]"]
    beside = f'"logprobs":{as_json(whole.logprobs)},' if whole.logprobs else ""
    begins = f"{_begins(request.model, clock())},{form.before}"
    ends = f"{form.behind},{beside}{Times(clock, _started(request)).done(parts)}}}"
    return b"".join([begins.encode(errors="replace"), *message, ends.encode(errors="replace")])


class LineWriter:
    """A StreamWriter."""

    def __init__(self, request: ParsedRequest, form: Form, clock: Clock) -> None:
        self._form = form
        self._model = request.model
        self._parts = AnswerParts(Ids(request.ids))
        self._times = Times(clock, _started(request))
        self._begins = _begins(request.model, clock())
        self._failed = False

    def write(self, step: Step) -> bytes:
        turns = Turns() if len(step.events) > _MANY else None
        lines: list[bytes] = []
        for index, event in step.events:
            lines += self._lines(index, event)
            if turns is not None:
                turns.take()
        return b"".join(lines)

    def error(self, error: ErrorInfo) -> bytes:
        self._failed = True
        return error_line(error.message)

    def end(self, outcome: str) -> bytes:
        if self._failed:
            return b""
        begins = _begins(self._model, self._times.clock())
        return f"{begins},{self._form.around(_EMPTY)},{self._times.done(self._parts)}}}\n".encode(errors="replace")

    def accepts(self, features: Features) -> bool:
        return False

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        if choice != 0 or kind == "arguments":
            return None
        beside = "" if kind == "text" else '","thinking":"'
        before, behind = f'{self._begins},{self._form.before}"{beside}', f'"{self._form.behind},"done":false}}\n'
        return before.encode(errors="replace"), behind.encode()

    def _lines(self, index: int, event: ReplyEvent) -> Iterator[bytes]:
        if self._failed:
            return
        if isinstance(event, Failure):
            yield self.error(event.error)
            return
        for part in self._parts.read(index, event):
            self._times.said()
            step = SMALL if part.kind != "tool_calls" else len(part.text)
            for start in range(0, len(part.text), step):
                yield self._line(part, part.text[start : start + step], start > 0)
        if self._parts.unreadable:
            yield self.error(Unreadable().info)

    def _line(self, part: Part, text: str, goes_on: bool = False) -> bytes:
        if part.kind == "content":
            said = self._form.around(as_json(text))
        elif part.kind == "thinking":
            said = self._form.around(_EMPTY, f'"thinking":{as_json(text)}')
        else:
            said = self._form.around(_EMPTY, f'"tool_calls":[{text}]')
        beside = f'"logprobs":{as_json(part.logprobs)},' if part.logprobs and not goes_on else ""
        return f'{self._begins},{said},{beside}"done":false}}\n'.encode(errors="replace")


_EMPTY = '""'


def empty_line(form: Form, model: str, now: int) -> bytes:
    """A line that says nothing: a heartbeat."""
    return f'{_begins(model, now)},{form.around(_EMPTY)},"done":false}}\n'.encode(errors="replace")


def loaded_line(form: Form, model: str, now: int, reason: Literal["load", "unload"]) -> bytes:
    """The answer to a request that asks nothing of the model."""
    said = f'{form.around(_EMPTY)},"done":true,"done_reason":"{reason}"'
    return f"{_begins(model, now)},{said}}}\n".encode(errors="replace")


def _begins(model: str, now: int) -> str:
    return f'{{"model":{as_json(model)},"created_at":"{as_time(now)}"'


def _started(request: ParsedRequest) -> int:
    assert isinstance(request.options, OllamaOptions)
    return request.options.started


def _is_object(text: str) -> bool:
    """Whether arguments are the JSON of an object. The server's own may be anything."""
    try:
        if len(text) > LARGE:
            find_members(text.encode("utf-8", "surrogatepass"), frozenset())
            return True
        return isinstance(json.loads(text, parse_constant=_no_constant), dict)
    except (ValueError, RecursionError, RequestError):
        return False


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _logprobs(found: Any) -> list[Any] | None:
    """What a chat choice says of its tokens, in the form of the API."""
    tokens = found.get("content") if isinstance(found, Mapping) else None
    if not isinstance(tokens, Sequence) or isinstance(tokens, str):
        return None
    return [_token(each) for each in tokens if isinstance(each, Mapping | RawJson)] or None


def _token(token: Any) -> Any:
    if not isinstance(token, Mapping):
        return token
    told = {name: token[name] for name in ("token", "logprob", "bytes") if token.get(name) is not None}
    others = token.get("top_logprobs")
    if isinstance(others, list) and others:
        told["top_logprobs"] = [_token(each) for each in others]
    return told
