"""Conversations that are made up to be rendered: each word of them occurs nowhere else, so it can be found again.

How a history must look differs from template to template; `History` says one way, and `HISTORIES` in which order they
are tried. May not know how anything is rendered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

Render = Callable[[Mapping[str, Any]], str]
"""Variables of one rendering to its text. Raises NotRendered."""

Ids = Literal["nine", "counted"]
DeclaredTools = tuple[tuple[str, Mapping[str, Any]], ...] | None
"""(name, properties) of the declared tools; None for a request without tools."""

USER, SAY, THINK, RESULT = "zquser", "zqsay", "zqthink", "zqresult"
"""What the user, the model, its reasoning and a tool say."""
FIRST, SECOND = "zqfone", "zqftwo"
"""Functions that samples are made of."""
KEYS = ("zqka", "zqkb", "zqkc")
VALUES = ("zqva", "zqvb", "zqvc")


class NotRendered(Exception):
    """The template does not render a conversation; `str()` says why, in one line."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a history."""

    name: str
    arguments: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash((self.name, json.dumps(self.arguments)))


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model says in one turn, and what follows it."""

    calls: tuple[Call, ...] = ()
    content: str | None = ""
    reasoning: str = ""
    results: bool = False
    """The results of the calls follow."""


@dataclass(frozen=True, slots=True)
class History:
    """One way in which a template may want its history."""

    text_arguments: bool = False
    """Arguments as JSON text, not as an object."""
    content: str | None = ""
    """The content of a message with calls."""
    ids: Ids = "nine"
    """Nine letters and digits, or `functions.{name}:{index}`."""
    plain_tools: bool = False
    """The declared tools have string parameters only."""
    reasoning_key: str = "reasoning_content"

    def call_id(self, call: Call, index: int) -> str:
        return f"functions.{call.name}:{index}" if self.ids == "counted" else f"zqid{index:05}"


_IDS: tuple[Ids, ...] = ("nine", "counted")
HISTORIES: tuple[History, ...] = tuple(
    History(text, content, ids, plain)
    for plain, ids, text, content in product((False, True), _IDS, (False, True), ("", None, SAY))
)
"""All ways, the usual ones first."""

_RICH: Mapping[str, Any] = {
    "zqka": {"type": "string", "description": "zqdescription"},
    "zqkb": {"type": "integer"},
    "zqkc": {"type": "object", "properties": {"zqin": {"type": "string", "description": "zqdescription"}}},
    "zqkd": {"type": "array", "items": {"type": "string"}},
}


def tool(name: str, properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    """A declared tool."""
    described = {key: {"description": "zqdescription", **schema} for key, schema in properties.items()}
    parameters = {"type": "object", "properties": described, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": "zqdescription", "parameters": parameters}}


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: {"type": "string"} for key in properties}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation to be rendered. Its turns stand behind one message of the user each."""

    turns: tuple[Turn, ...] = ()
    tools: DeclaredTools = ((FIRST, _RICH), (SECOND, _RICH))
    prompt: bool = False
    """The prompt for the next answer is wanted, behind another message of the user."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    user: str = USER
    ends_with_user: bool = False
    """It ends with a message of the user, and no prompt is wanted."""

    def variables(self, history: History) -> dict[str, Any]:
        """The variables of one rendering."""
        messages: list[dict[str, Any]] = []
        count = 0
        for turn in self.turns:
            if not (messages and messages[-1]["role"] == "tool"):
                messages.append({"role": "user", "content": self.user})
            messages.append(_message(turn, history, count))
            if turn.results:
                messages += _results(turn, history, count)
            count += len(turn.calls)
        if (self.prompt or self.ends_with_user) and not (messages and messages[-1]["role"] == "tool"):
            messages.append({"role": "user", "content": self.user})
        found: dict[str, Any] = {"messages": messages, "add_generation_prompt": self.prompt, **self.settings}
        if self.tools is not None:
            described = ((name, _plain(props) if history.plain_tools else props) for name, props in self.tools)
            found["tools"] = [tool(name, props) for name, props in described]
        return found


def _message(turn: Turn, history: History, count: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.content}
    if turn.reasoning:
        message[history.reasoning_key] = turn.reasoning
    if turn.calls:
        message["content"] = turn.content or history.content
        message["tool_calls"] = [_call(call, history, count + index) for index, call in enumerate(turn.calls)]
    return message


def _call(call: Call, history: History, index: int) -> dict[str, Any]:
    arguments: Any = dict(call.arguments)
    if history.text_arguments:
        arguments = json.dumps(arguments, ensure_ascii=False)
    function = {"name": call.name, "arguments": arguments}
    return {"id": history.call_id(call, index), "type": "function", "function": function}


def _results(turn: Turn, history: History, count: int) -> list[dict[str, Any]]:
    return [
        {
            "role": "tool",
            "tool_call_id": history.call_id(call, count + index),
            "name": call.name,
            "content": f"{RESULT}{index}",
        }
        for index, call in enumerate(turn.calls)
    ]
