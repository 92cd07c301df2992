"""The messages of a history without calls and results: both become text, as the row's models write and get them.

Each message depends only on those before it, and neighbouring results only on each other. So a longer history begins
with the messages of the shorter one, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from converters.prompts.content import as_text, with_text
from converters.prompts.samples import fill
from converters.render import Call, call_id, render_past
from converters.syntaxes import Syntax
from converters.values.json.spelling import DEEPEST, read, write
from converters.values.json.whole import levels

Message = Mapping[str, Any]

RESULT_ROLES = ("tool", "function")
SYSTEM_ROLES = ("system", "developer")


class _Past(NamedTuple):
    """What a result must know of its call."""

    name: str
    id: str
    """As the row writes it."""


class History:
    """Writes the messages of one conversation, in their order."""

    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax
        self._prompt = syntax.prompt
        self._past: dict[Any, _Past] = {}
        self._calls = 0
        """Calls of the conversation so far."""

    def written(self, messages: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """The messages that stand in their place: each result, or run of results, is one of them."""
        results: list[Message] = []
        for message in messages:
            role = message.get("role") if isinstance(message, Mapping) else None
            if role in RESULT_ROLES:
                results.append(message)
                continue
            if results:
                yield self._results(results)
                results = []
            if not isinstance(message, Mapping):
                yield {"role": "user", "content": write(message)}
            elif role == "assistant":
                yield from self._assistant(message)
            else:
                yield {**message, "role": "system" if role in SYSTEM_ROLES else "user"}
        if results:
            yield self._results(results)

    def _assistant(self, message: Message) -> Iterator[dict[str, Any]]:
        spoken, given = _taken(message)
        if not given:
            yield spoken
            return
        calls: list[Call] = []
        ids: list[str] = []
        for number, (name, arguments, own_id) in enumerate(given):
            calls.append((name, arguments))
            ids.append(self._id(name, own_id, number))
            if isinstance(own_id, str):
                self._past[own_id] = _Past(name, ids[-1])
        self._calls += len(given)
        text = render_past(self._syntax, calls, ids)
        content = spoken.get("content")
        if _stands_alone(self._syntax) and as_text(content):
            yield spoken
            yield {"role": "assistant", "content": text}
        else:
            before, alone = self._prompt.before_calls, self._prompt.before_lone_calls
            yield {**spoken, "content": with_text(content, text, before, alone)}

    def _id(self, name: str, own_id: Any, number: int) -> str:
        """The id of a call as the row writes it; `number` counts in the message."""
        kept = self._prompt.kept_id.replace("{name}", re.escape(name))
        if isinstance(own_id, str) and kept and re.fullmatch(kept, own_id):
            return own_id
        before = self._calls if self._prompt.counted == "conversation" else 0
        return call_id(self._syntax, name, before + number)

    def _results(self, results: Iterable[Message]) -> dict[str, Any]:
        texts = [self._result(message, index) for index, message in enumerate(results)]
        return {"role": "user", "content": fill(self._prompt.results, {"results": self._joined(texts)})}

    def _joined(self, texts: Iterable[str]) -> str:
        return self._prompt.between_results.join(texts)

    def _result(self, message: Message, index: int) -> str:
        own_id, name = message.get("tool_call_id"), message.get("name")
        past = self._past.get(own_id) if isinstance(own_id, str) else None
        name = past.name if past else name if isinstance(name, str) else ""
        holes = {
            **_spelled(self._prompt.result, as_text(message.get("content"))),
            "name": name,
            "id": past.id if past else own_id if isinstance(own_id, str) else "",
            "index": str(index),
            "number": str(index + 1),
        }
        return fill(self._prompt.result, holes)


def _spelled(sample: str, text: str) -> dict[str, str]:
    """The text of a result as the sample wants it; JSON only where it does, for a result can be long."""
    if "{result}" in sample:
        return {"result": text}
    return {"quoted": write(text)} if "{quoted}" in sample else {"value": text if _is_json(text) else write(text)}


def _stands_alone(syntax: Syntax) -> bool:
    """Whether calls count only if no text stands before them in their message."""
    return syntax.whole_message or (syntax.group or syntax.call).startswith(" ")


def _taken(message: Message) -> tuple[dict[str, Any], list[tuple[str, Mapping[str, Any], Any]]]:
    """A message without its calls, and the calls: name, arguments and id.

    Entries that cannot be calls become text of the message, as JSON.
    """
    spoken = dict(message)
    entries: list[Any] = []
    if isinstance(message.get("tool_calls"), list | tuple) or message.get("tool_calls") is None:
        entries += spoken.pop("tool_calls", None) or ()
    if isinstance(message.get("function_call"), Mapping) or message.get("function_call") is None:
        function = spoken.pop("function_call", None)
        entries += [{"function": function}] if function else []
    given: list[tuple[str, Mapping[str, Any], Any]] = []
    for entry in entries:
        call = _call(entry)
        if call is None:
            spoken["content"] = with_text(spoken.get("content"), write(entry), "\n")
        else:
            given.append(call)
    return spoken, given


def _call(entry: Any) -> tuple[str, Mapping[str, Any], Any] | None:
    """The name, arguments and id of a call of a history."""
    if not isinstance(entry, Mapping):
        return None
    function, custom = entry.get("function"), entry.get("custom")
    if isinstance(function, Mapping):
        return _name(function), _arguments(function.get("arguments")), entry.get("id")
    if isinstance(custom, Mapping):
        return _name(custom), {"input": custom.get("input")}, entry.get("id")
    return None


def _name(function: Mapping[str, Any]) -> str:
    name = function.get("name")
    return name if isinstance(name, str) else "" if name is None else write(name)


def _arguments(arguments: Any) -> Mapping[str, Any]:
    """Arguments as an object. What is none becomes the only member of one, so that nothing is lost."""
    if isinstance(arguments, str):
        if not arguments.strip():
            return {}
        try:
            value = read(arguments)
        except ValueError:
            value = arguments
    else:
        value = arguments if levels(arguments) <= DEEPEST else write(arguments)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): each for key, each in value.items()}
    return {} if value is None else {"_raw": value}


def _is_json(text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
