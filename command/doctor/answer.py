"""What a server answered to one probe: read strictly, as the strictest clients do. Pure: bytes in, facts out.

Source of the formats: OpenAI's API reference, chat completions and their chunks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_REASONING = ("reasoning_content", "reasoning")
_LONGEST_QUOTE = 160
"""Characters of an answer that are quoted in a report."""


@dataclass(slots=True)
class Call:
    """A call as it came. What is missing is None."""

    index: object = None
    id: object = None
    type: object = None
    name: object = None
    arguments: object = None

    @property
    def object(self) -> dict[str, Any] | None:
        """The arguments, if they are the JSON of an object."""
        try:
            found = json.loads(self.arguments) if isinstance(self.arguments, str) else None
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


@dataclass(slots=True)
class Answer:
    """One answer. `status` is 0 if there was none; `error` says why, or is the server's own message."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""
    body: bytes = b""
    streamed: bool = False
    seconds: float = 0.0
    content: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: object = None
    usage: Mapping[str, Any] | None = None
    pieces: int = 0
    """Deltas that brought text, reasoning or a part of a call."""
    done: bool = False
    """`[DONE]` came."""
    ended: bool = False
    """The body was read to its end."""
    faults: list[str] = field(default_factory=list)
    """What no client can read, in words."""
    error: str = ""
    error_object: bool = False
    """The body is an object with `error`."""

    @property
    def refused(self) -> bool:
        return self.status == 0 or self.status >= 400 or bool(self.error)

    @property
    def words(self) -> str:
        return quoted(self.content or self.reasoning)


def quoted(text: str) -> str:
    """A text for a report, shortened."""
    return json.dumps(text[:_LONGEST_QUOTE] + "…" * (len(text) > _LONGEST_QUOTE), ensure_ascii=False)


def read(answer: Answer) -> Answer:
    """Fill in what the body says. Returns the same answer."""
    text = answer.body.decode("utf-8", "replace")
    if "event-stream" in answer.headers.get("content-type", ""):
        _read_stream(answer, text)
    else:
        _read_whole(answer, text)
    return answer


def _read_whole(answer: Answer, text: str) -> None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        answer.faults.append(f"the body is not JSON: {quoted(text)}")
        answer.error = quoted(text) if answer.status >= 400 else ""
        return
    if not isinstance(found, dict):
        answer.faults.append("the body is not an object")
        return
    if "error" in found or answer.status >= 400:
        _read_error(answer, found)
        return
    if answer.streamed:
        answer.faults.append("a stream was asked for, and a whole body came")
    _usage(answer, found)
    for choice in _choices(answer, found):
        message = choice.get("message")
        if not isinstance(message, dict):
            answer.faults.append("a choice has no message")
            continue
        _texts(answer, message)
        answer.finish = choice.get("finish_reason")
        for number, entry in enumerate(_list(answer, message.get("tool_calls"))):
            answer.calls.append(_call(answer, entry, number))


def _read_stream(answer: Answer, text: str) -> None:
    for data in _events(text):
        if data == "[DONE]":
            answer.done = True
            continue
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            answer.faults.append(f"an event is not JSON: {quoted(data)}")
            continue
        if not isinstance(found, dict):
            answer.faults.append("an event is not an object")
        elif "error" in found:
            _read_error(answer, found)
        else:
            _usage(answer, found)
            for choice in _choices(answer, found):
                _delta(answer, choice)


def _events(text: str) -> Iterator[str]:
    for block in re.split(r"\r\n\r\n|\n\n|\r\r", text):
        lines = [line[5:].removeprefix(" ") for line in re.split(r"\r\n|\n|\r", block) if line.startswith("data:")]
        if lines:
            yield "\n".join(lines)


def _delta(answer: Answer, choice: Mapping[str, Any]) -> None:
    delta = choice.get("delta")
    if choice.get("finish_reason") is not None:
        answer.finish = choice["finish_reason"]
    if not isinstance(delta, dict):
        if delta is not None:
            answer.faults.append("a delta is not an object")
        return
    entries = _list(answer, delta.get("tool_calls"))
    answer.pieces += _texts(answer, delta) or bool(entries)
    for entry in entries:
        _part(answer, entry)


def _part(answer: Answer, entry: object) -> None:
    """A part of a call: a new index begins another."""
    part = _call(answer, entry, None)
    known = next((call for call in answer.calls if call.index == part.index), None)
    if known is None:
        answer.calls.append(part)
        return
    if part.id not in (None, known.id):
        answer.faults.append(f"the id of call {known.index} changes")
    if isinstance(known.arguments, str) and isinstance(part.arguments, str):
        known.arguments += part.arguments
    elif part.arguments is not None:
        known.arguments = part.arguments


def _call(answer: Answer, entry: object, number: int | None) -> Call:
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(function, dict):
        answer.faults.append("a call is not an object with a function")
        return Call(number)
    index = entry.get("index", number)
    return Call(index, entry.get("id"), entry.get("type"), function.get("name"), function.get("arguments"))


def _texts(answer: Answer, said: Mapping[str, Any]) -> bool:
    """Take text and reasoning of a message or a delta. Whether there was any."""
    content = said.get("content")
    reasoning = next((said[name] for name in _REASONING if isinstance(said.get(name), str)), "")
    if content is not None and not isinstance(content, str):
        answer.faults.append("the content is not text")
        content = ""
    answer.content += content or ""
    answer.reasoning += reasoning
    return bool(content or reasoning)


def _choices(answer: Answer, found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    choices = found.get("choices")
    if not isinstance(choices, list):
        answer.faults.append("there are no choices")
        return []
    return [choice for choice in choices if isinstance(choice, dict)]


def _list(answer: Answer, found: object) -> list[Any]:
    if found is not None and not isinstance(found, list):
        answer.faults.append("tool_calls is not a list")
    return found if isinstance(found, list) else []


def _usage(answer: Answer, found: Mapping[str, Any]) -> None:
    usage = found.get("usage")
    if isinstance(usage, dict):
        answer.usage = usage


def _read_error(answer: Answer, found: Mapping[str, Any]) -> None:
    error = found.get("error")
    answer.error_object = isinstance(error, dict)
    said = error.get("message") if isinstance(error, dict) else error
    answer.error = str(said or found.get("message") or found.get("detail") or "an error without a message")
