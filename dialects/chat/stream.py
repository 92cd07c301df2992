"""Writes steps as `chat.completion.chunk` events. Steps in which nothing changed are sent as received.

Source of the format: the OpenAI API reference, and what real clients were seen to choke on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from converters.text.events import ArgumentsDelta, CallStart, LeaseKind, Reasoning, Text
from dialects.chat.request import ChatOptions
from errors import ErrorInfo
from reply import Extension, Failure, Features, Finish, Ids, ReplyEvent, ReplyHead, Step, Usage
from turns import in_turns
from wire.json_values import SMALL, compact
from wire.sse import DONE, frame_of


class ChatStreamWriter:
    """A StreamWriter."""

    def __init__(
        self,
        reasoning_fields: tuple[str, ...],
        accepted: Features,
        options: ChatOptions,
        ids: Iterable[str] = (),
        model: str = "",
    ) -> None:
        """`ids` are the ids of calls in the history; `model` is the name in the request."""
        self._reasoning = reasoning_fields
        self._accepted = accepted
        self._options = options
        self._ids = Ids(ids)
        self._model = model
        self._head = ReplyHead()
        self._envelope = ""  # the JSON of a chunk before its choices
        self._begun: set[int] = set()  # choices whose role was sent
        self._beside: dict[int, Mapping[str, Any]] = {}  # unknown fields beside the next text of a choice
        self._extras: Mapping[str, Any] = {}  # unknown fields for the chunk with the finish reason

    def write(self, step: Step) -> bytes:
        if step.raw is None or not self.accepts(step.features):
            return b"".join(chunk for index, event in in_turns(step.events) for chunk in self._chunks(index, event))
        for index, event in step.events:
            if type(event) is ReplyHead:
                self._begin(index, event)
        return step.raw

    def error(self, error: ErrorInfo) -> bytes:
        return frame_of(json.dumps({"error": error.error}, ensure_ascii=False))

    def end(self, outcome: str) -> bytes:
        return f": dragoman {outcome}\n\n".encode() + DONE

    def accepts(self, features: Features) -> bool:
        return features <= self._accepted

    def around(self, choice: int, kind: LeaseKind, call: int) -> tuple[bytes, bytes] | None:
        if kind == "reasoning" and len(self._reasoning) != 1:
            return None
        text = "\0"
        if kind == "arguments":
            delta = self._arguments(call, text)
        else:
            delta = self._text("content" if kind == "text" else self._reasoning[0], text)
        before, _, behind = self._chunk(choice, delta).partition(compact(text)[1:-1].encode())
        return before, behind

    def _begin(self, index: int, head: ReplyHead) -> None:
        """Keep the first id, time and model: some backends change them from chunk to chunk."""
        self._begun.add(index)
        first = self._head
        self._head = ReplyHead(
            first.id or head.id, first.created or head.created, first.model or head.model, head.fingerprint
        )
        self._envelope = ""

    def _chunks(self, index: int, event: ReplyEvent) -> Iterator[bytes]:
        match event:
            case Text(text=text) if text:
                yield self._chunk(index, self._text("content", text), beside=self._beside.pop(index, None))
            case Reasoning(text=text) if text:
                names = "{" + ",".join(self._text(name, text)[1:-1] for name in self._reasoning) + "}"
                yield self._chunk(index, names, beside=self._beside.pop(index, None))
            case CallStart():
                yield self._chunk(index, self._opening(event))
            case ArgumentsDelta(index=call, delta=delta) if delta:
                for start in range(0, len(delta), SMALL):
                    yield self._chunk(index, self._arguments(call, delta[start : start + SMALL]))
            case Finish(reason=reason):
                extras = "," + compact(self._extras)[1:-1] if self._extras else ""
                self._extras = {}
                yield self._chunk(index, "{}", compact(reason_for(reason, self._options)), extras)
            case ReplyHead():
                begins = index not in self._begun
                self._begin(index, event)
                if begins:
                    yield self._chunk(index, '{"role":"assistant","content":""}')
            case Extension(fields=fields, of="message"):
                yield self._chunk(index, compact(fields))
            case Extension(fields=fields, of="choice"):
                self._beside[index] = fields
            case Extension(fields=fields):
                self._extras = fields
            case Usage(counts=counts) if self._options.include_usage:
                yield frame_of(f'{self._opened()},"choices":[],"usage":{compact(counts)}}}')
            case Failure(error=error):
                yield self.error(error)

    def _text(self, name: str, text: str) -> str:
        return f"{{{compact(name)}:{compact(text)}}}"

    def _opening(self, start: CallStart) -> str:
        if self._options.legacy:
            return f'{{"function_call":{{"name":{compact(start.name)},"arguments":""}}}}'
        return (
            f'{{"tool_calls":[{{"index":{start.index},"id":{compact(self._ids.take(start.id))},"type":"function",'
            f'"function":{{"name":{compact(start.name)},"arguments":""}}}}]}}'
        )

    def _arguments(self, index: int, delta: str) -> str:
        if self._options.legacy:
            return f'{{"function_call":{{"arguments":{compact(delta)}}}}}'
        return f'{{"tool_calls":[{{"index":{index},"function":{{"arguments":{compact(delta)}}}}}]}}'

    def _chunk(
        self,
        index: int,
        delta: str,
        finish: str = "null",
        extras: str = "",
        beside: Mapping[str, Any] | None = None,
    ) -> bytes:
        fields = compact(beside)[1:-1] + "," if beside else ""
        choice = f'{{"index":{index},"delta":{delta},{fields}"finish_reason":{finish}}}'
        return frame_of(f'{self._opened()},"choices":[{choice}]{extras}}}')

    def _opened(self) -> str:
        """The JSON of a chunk before its choices, cached until the head changes."""
        if not self._envelope:
            head = {
                "id": self._head.id or "chatcmpl-dragoman",
                "object": "chat.completion.chunk",
                "created": self._head.created or 0,
                "model": self._head.model or self._model,
            }
            if self._head.fingerprint is not None:
                head["system_fingerprint"] = self._head.fingerprint
            self._envelope = compact(head)[:-1]
        return self._envelope


def reason_for(reason: str, options: ChatOptions) -> str:
    """The finish reason in the form that the request asked for."""
    return "function_call" if options.legacy and reason == "tool_calls" else reason
