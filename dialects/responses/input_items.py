"""The input of a request as messages of a chat: items of one turn of the assistant become one message.

    reasoning, message, function_call, function_call    one message of the assistant
    function_call_output                                a message of the tool
    message of the user, the system, the developer      a message

Items that nobody here knows keep their text. A reference to an item that no store holds is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dialects.responses.input_parts import chat_content, joined_text, text_of, text_of_unknown
from dialects.responses.sealed import opened
from dialects.responses.tools import INPUT, ToolTable, chat_name
from errors import RequestError

Message = dict[str, Any]

_ROLES = frozenset({"user", "system", "developer"})
_IMAGE = "(image: it follows)"
"""Stands in the result of a tool for an image, which only a message of the user can hold."""
_WITHOUT_TEXT = frozenset({"compaction", "compaction_trigger", "configuration_update"})
_TOOL_LISTS = frozenset({"additional_tools", "tool_search_output"})
_ACTIONS = ("arguments", "action", "operation", "input")
"""Where calls of built-in tools say what they want."""


class Conversation:
    """Takes items one by one. `tell` gets each message when it is whole."""

    def __init__(self, tools: ToolTable, keeps_reasoning: bool, tell: Callable[[Message], None]) -> None:
        """Tools that stand in the input are added to `tools`. `keeps_reasoning`: the model's template takes it."""
        self._tools = tools
        self._keeps_reasoning = keeps_reasoning
        self._tell = tell
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[Message] = []
        self._images: list[Message] = []
        self._last_call = ""
        self.drops_reasoning = False
        """Reasoning was left out: the model's template does not take it, or nothing else of its turn follows."""

    def add_all(self, items: Iterable[tuple[str, Any]]) -> None:
        """Take the items of an input, each behind where it stands. Raises RequestError, which names the item."""
        for where, item in items:
            if not isinstance(item, dict):
                raise RequestError(f"'{where}' must be an object.", param=where)
            if item:
                self._add(item, where)
        self.end()

    def end(self) -> None:
        """No item follows."""
        self._end_turn()
        self._show_images()

    def say(self, role: str, content: str | list[Message]) -> None:
        """A message that is not the assistant's."""
        self.end()
        self._tell({"role": role, "content": content})

    # -- items -------------------------------------------------------------------------------------------------------

    def _add(self, item: Mapping[str, Any], where: str) -> None:
        kind = kind_of(item)
        if kind == "message":
            self._message(item, where)
        elif kind == "reasoning":
            self._reason(item, where)
        elif kind == "item_reference":
            self._reference(item, where)
        elif kind in _TOOL_LISTS:
            self._tools.add(item.get("tools"), f"{where}.tools")
        elif kind == "function_call":
            self._call(item, where, _as_json(item.get("arguments")))
        elif kind == "custom_tool_call":
            self._call(item, where, _as_json({INPUT: _as_json(item.get("input"))}))
        elif kind.endswith("_output") and "output" in item:
            self._result(item, f"{where}.output")
        elif kind.endswith("_call") and isinstance(item.get("call_id"), str):
            self._built_in_call(item, kind.removesuffix("_call"))
        elif kind not in _WITHOUT_TEXT:
            self._unknown(item, where)

    def _message(self, item: Mapping[str, Any], where: str) -> None:
        role = item.get("role", "user")
        if role == "assistant":
            self._begin_turn()
            self._write(text_of(item.get("content"), f"{where}.content"))
        else:
            self.say(_known(role), chat_content(item.get("content"), f"{where}.content"))

    def _write(self, text: str) -> None:
        if text:
            self._texts.append(text)

    def _reason(self, item: Mapping[str, Any], where: str) -> None:
        self._begin_turn()
        told = next((item[name] for name in ("content", "summary") if item.get(name)), None)
        text = text_of(told, where) if isinstance(told, str | list) else opened(item.get("encrypted_content"))
        if text and self._keeps_reasoning:
            self._reasoning.append(text)
        self.drops_reasoning = self.drops_reasoning or (bool(text) and not self._keeps_reasoning)

    def _reference(self, item: Mapping[str, Any], where: str) -> None:
        """What was said is not in the store. A conversation can do without what was only thought."""
        if not str(item.get("id")).startswith("rs_"):
            told = f"'{where}' refers to an item that is not stored here. Send the item itself, as with 'store': false."
            raise RequestError(told, param=where)
        self.drops_reasoning = True

    def _call(self, item: Mapping[str, Any], where: str, arguments: str) -> None:
        name, inside = item.get("name"), item.get("namespace")
        if not isinstance(name, str) or not name:
            raise RequestError(f"'{where}.name' must be a string.", param=f"{where}.name")
        self._made(item, chat_name(name, inside if isinstance(inside, str) else None), arguments)

    def _built_in_call(self, item: Mapping[str, Any], name: str) -> None:
        """A call of a tool that clients run themselves: a shell, a patch."""
        found: Any = next((item[each] for each in _ACTIONS if item.get(each) is not None), {})
        self._made(item, name, _as_json(found))

    def _made(self, item: Mapping[str, Any], name: str, arguments: str) -> None:
        self._begin_turn()
        found = item.get("call_id") or item.get("id")
        self._last_call = found if isinstance(found, str) else f"call_{len(self._calls)}"
        function = {"name": name, "arguments": arguments or "{}"}
        self._calls.append({"id": self._last_call, "type": "function", "function": function})

    def _result(self, item: Mapping[str, Any], where: str) -> None:
        self._end_turn()
        found = item.get("call_id") or item.get("id")
        output = item.get("output")
        content = _as_json(output) if isinstance(output, Mapping) else chat_content(output, where)
        if isinstance(content, list):
            self._images += [part for part in content if part["type"] != "text"]
            shown = [part if part["type"] == "text" else {"type": "text", "text": _IMAGE} for part in content]
            content = joined_text(shown)
        self._tell(
            {"role": "tool", "tool_call_id": found if isinstance(found, str) else self._last_call, "content": content}
        )

    def _unknown(self, item: Mapping[str, Any], where: str) -> None:
        """What nobody here knows keeps its text, as the word of the one who seems to have said it."""
        content = item.get("content") or item.get("summary")
        text = text_of(content, f"{where}.content") if isinstance(content, str | list) else text_of_unknown(item)
        if not text:
            return
        role = item.get("role")
        if role == "assistant" or (role is None and str(item.get("type")).endswith("_call")):
            self._begin_turn()
            self._write(text)
        else:
            self.say(_known(role), text)

    # -- messages ----------------------------------------------------------------------------------------------------

    def _begin_turn(self) -> None:
        """Something of the assistant's follows."""
        if self._images:
            self._show_images()

    def _end_turn(self) -> None:
        if self._texts or self._calls:
            message: Message = {"role": "assistant", "content": "\n\n".join(self._texts)}
            if self._reasoning:
                message["reasoning_content"] = "\n\n".join(self._reasoning)
            if self._calls:
                message["tool_calls"] = self._calls
            self._tell(message)
        elif self._reasoning:
            self.drops_reasoning = True
        self._texts, self._reasoning, self._calls = [], [], []

    def _show_images(self) -> None:
        images, self._images = self._images, []
        if images:
            self._tell({"role": "user", "content": images})


def kind_of(item: Mapping[str, Any]) -> str:
    """The type of an item, which some clients leave out."""
    kind = item.get("type")
    if isinstance(kind, str) and kind:
        return kind
    return "message" if "role" in item or "content" in item else "item_reference" if "id" in item else ""


def _known(role: object) -> str:
    return role if isinstance(role, str) and role in _ROLES else "user"


def _as_json(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
