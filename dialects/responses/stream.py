"""Writes the events of a reply as a Responses stream, or as one response.

Source of the format: the OpenAI API reference and the types of the vendor's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, LeaseKind, Reasoning, Text
from dialects.responses.output import Output
from errors import ErrorInfo
from reply import ChoiceEvent, Extension, Failure, Features, Finish, ReplyEvent, ReplyHead, Step, Usage
from turns import Turns

_MANY = 64
"""Events of one step, of which it takes milliseconds to write more."""
_REASONING = ("reasoning_content", "reasoning")
"""Where a message holds reasoning that was left where the server put it (REASONING_FIELD=content)."""


class ResponsesStreamWriter:
    """A StreamWriter. The last event waits for `end`, so that it holds the usage, which comes last."""

    def __init__(self, output: Output, logprobs: bool) -> None:
        """`logprobs`: the request asks for the probabilities of tokens."""
        self._output = output
        self._wants_logprobs = logprobs
        self._logprobs: list[Mapping[str, Any]] = []  # those of the text that follows

    def write(self, step: Step) -> bytes:
        return b"".join(self._with_pauses(step.events) if len(step.events) > _MANY else map(self._told, step.events))

    def _with_pauses(self, events: Iterable[ChoiceEvent]) -> Iterable[bytes]:
        """What is told of a long answer that came as a whole: others take their turn in between."""
        turns = Turns()
        for event in events:
            yield self._told(event)
            turns.take()

    def error(self, error: ErrorInfo) -> bytes:
        self._output.fail(error)
        return b""

    def end(self, outcome: str) -> bytes:
        return self._output.end_of_items() + f": dragoman {outcome}\n\n".encode() + self._output.end()

    def accepts(self, features: Features) -> bool:
        return False

    def around(self, choice: int, kind: LeaseKind, call: int) -> Callable[[str], bytes] | None:
        if choice:
            return None
        if kind == "text":
            return self._output.text
        if kind == "reasoning":
            return self._output.reasoning
        return partial(self._output.arguments, call)

    def _told(self, of_choice: ChoiceEvent) -> bytes:
        choice, event = of_choice
        return b"" if choice else self._told_of(event)

    def _told_of(self, event: ReplyEvent) -> bytes:
        output = self._output
        match event:
            case Text(text=text) if text:
                logprobs, self._logprobs = self._logprobs, []
                return output.text(text, logprobs)
            case Reasoning(text=text) if text:
                self._logprobs = []
                return output.reasoning(text)
            case CallStart(index=index, name=name, id=wished):
                return output.call(index, name, wished)
            case ArgumentsDelta(index=index, delta=delta) if delta:
                return output.arguments(index, delta)
            case CallEnd(index=index, how=how):
                return output.call_end(index, how == "complete")
            case ReplyHead():
                return output.begin(event)
            case Extension(fields=fields, of="message"):
                return self._told_of_message(fields)
            case Extension(fields=fields, of="choice") if self._wants_logprobs:
                self._logprobs = logprobs_in(fields)
            case Finish(reason=reason):
                return output.finish(reason)
            case Usage(counts=counts):
                output.usage(counts)
            case Failure(error=error):
                output.fail(error)
        return b""

    def _told_of_message(self, fields: Mapping[str, Any]) -> bytes:
        """What is told of fields of a message that nobody before has interpreted."""
        told = b""
        reasoning = next((fields[name] for name in _REASONING if isinstance(fields.get(name), str)), "")
        if reasoning:
            told += self._output.reasoning(reasoning)
        refusal = fields.get("refusal")
        if isinstance(refusal, str) and refusal:
            told += self._output.refusal(refusal)
        return told


def logprobs_in(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The log probabilities of a choice's content with all that this API requires of them."""
    found = fields.get("logprobs")
    content = found.get("content") if isinstance(found, Mapping) else None
    return [told for each in content or () if (told := _logprob(each, top=True))] if isinstance(content, list) else []


def _logprob(given: Any, top: bool = False) -> dict[str, Any] | None:
    if not isinstance(given, Mapping) or not isinstance(given.get("token"), str):
        return None
    number = given.get("logprob")
    told: dict[str, Any] = {
        "token": given["token"],
        "logprob": number if type(number) in (int, float) else 0.0,
        "bytes": _bytes_of(given),
    }
    if top:
        others = given.get("top_logprobs")
        told["top_logprobs"] = (
            [each for other in others if (each := _logprob(other))] if isinstance(others, list) else []
        )
    return told


def _bytes_of(given: Mapping[str, Any]) -> list[int]:
    found = given.get("bytes")
    if isinstance(found, list) and all(type(each) is int for each in found):
        return found
    return list(str(given["token"]).encode(errors="replace"))
