"""A buffered chat completion: the backend's body, with its messages rewritten from the events.

Source of the format: the OpenAI API reference, and what real clients were seen to choke on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.text.events import ArgumentsDelta, CallStart, Reasoning, Text
from dialects.chat.request import ChatOptions
from dialects.chat.stream import reason_for
from reply import Finish, Ids, Reply, ReplyEvent, Usage
from turns import in_turns


def rewritten(
    reply: Reply, reasoning_fields: tuple[str, ...], options: ChatOptions, ids: frozenset[str]
) -> dict[str, Any]:
    """The rewritten body; unknown fields stay. `ids` are the ids of calls in the history."""
    collectors: dict[int, MessageCollector] = {}
    taken = Ids(ids)
    for index, event in in_turns(reply.events):
        collectors.setdefault(index, MessageCollector(taken)).add(event)
    source = reply.source or {}
    choices = [_choice(choice, collectors, reasoning_fields, options) for choice in source.get("choices") or ()]
    usage = [event.counts for _, event in reply.events if isinstance(event, Usage)]
    return {**source, "choices": choices, **({"usage": usage[-1]} if usage else {})}


def _choice(
    choice: Any, collectors: Mapping[int, MessageCollector], reasoning_fields: tuple[str, ...], options: ChatOptions
) -> Any:
    index = choice.get("index") if isinstance(choice, dict) else None
    collector = collectors.get(index if type(index) is int else 0)
    if collector is None or not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return choice
    return collector.choice(choice, reasoning_fields, options)


class MessageCollector:
    """Collects the events of one choice into its message."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._arguments: list[list[str]] = []
        self._reason: str | None = None

    def add(self, event: ReplyEvent) -> None:
        match event:
            case Text(text=text):
                self._content.append(text)
            case Reasoning(text=text):
                self._reasoning.append(text)
            case CallStart(name=name, id=wished):
                function = {"name": name, "arguments": ""}
                self._calls.append({"id": self._ids.take(wished), "type": "function", "function": function})
                self._arguments.append([])
            case ArgumentsDelta(index=index, delta=delta):
                self._arguments[index].append(delta)
            case Finish(reason=reason):
                self._reason = reason

    def choice(self, choice: dict[str, Any], reasoning_fields: tuple[str, ...], options: ChatOptions) -> dict[str, Any]:
        """The backend's choice with its message replaced."""
        for call, pieces in in_turns(list(zip(self._calls, self._arguments, strict=True))):
            call["function"]["arguments"] = "".join(pieces)
        message: dict[str, Any] = {"role": "assistant", **(choice.get("message") or {})}
        content = "".join(self._content)
        changed = content != (message.get("content") or "")
        message["content"] = content or (None if self._calls else "")
        reasoning = "".join(self._reasoning)
        for name in () if "content" in reasoning_fields else ("reasoning_content", "reasoning"):
            message.pop(name, None)
        if reasoning:
            message.update(dict.fromkeys(reasoning_fields, reasoning))
        if options.legacy or not _same_calls(message.get("tool_calls"), self._calls):
            self._put_calls(message, options)
        reason = reason_for(self._reason, options) if self._reason else self._reason
        written = {**choice, "message": message, "finish_reason": reason}
        if changed and isinstance(written.get("logprobs"), dict):
            written["logprobs"] = None  # they belong to text that was rewritten
        return written

    def _put_calls(self, message: dict[str, Any], options: ChatOptions) -> None:
        message.pop("tool_calls", None)
        if message.get("function_call"):
            del message["function_call"]
        if self._calls and options.legacy:
            message["function_call"] = self._calls[0]["function"]
        elif self._calls:
            message["tool_calls"] = self._calls


def _same_calls(sent: Any, calls: list[dict[str, Any]]) -> bool:
    """Whether the backend's own calls need no change, so that vendor fields in them stay."""
    if not calls or not isinstance(sent, list) or not all(isinstance(each, dict) for each in sent):
        return False
    if len(sent) != len(calls):
        return False
    return all(_known(one) == _known(own) for one, own in in_turns(list(zip(sent, calls, strict=True))))


def _known(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    inner = {name: function.get(name) for name in ("name", "arguments")} if isinstance(function, dict) else None
    return {"id": call.get("id"), "type": call.get("type"), "function": inner}
