"""What must be understood of a chat request that is too long to make objects of all of it.

The body is walked once, in slices. Objects are made of the fields that count, of tools and messages one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from converters.thinking import SETTINGS
from errors import RequestError
from wire.json_body import find_members
from wire.json_slices import Entry
from wire.json_values import SMALL, TooLong, ValueReader

_NAMED = frozenset({"model", "tool_choice", "function_call"})
"""Fields that count whole. What is too long in them is refused."""
_WHOLE = _NAMED | {"stream", "parallel_tool_calls", "stop", "n", "reasoning_effort", "think"}
_PARTS: Mapping[str, frozenset[str]] = {
    "response_format": frozenset({"type"}),
    "stream_options": frozenset({"include_usage"}),
    "chat_template_kwargs": frozenset(SETTINGS),
}
"""Fields of which some members count."""
_LISTS = frozenset({"tools", "functions", "messages"})
_NAMES = _WHOLE | _LISTS | frozenset(_PARTS)
_LONGEST = 1 << 20
"""Bytes of a field, and of the schema of one function. A longer schema counts as none: arguments stay as written."""
_SCHEMAS = 4 << 20
"""Bytes of the schemas of all functions: a million tokens, and far beyond what any model reads."""
_PROSE: frozenset[str] = frozenset({"description", "title", "$comment", "examples", "default"})
"""Members of a schema that are left out where they are long: they say nothing of what is allowed."""
_MESSAGE = frozenset({"role", "content", "tool_calls", "function_call", "tool_call_id"})
_TOOL = frozenset({"type", "function", "name", "parameters"})
_EDGE = 32_768
"""Characters that are kept of each end of a long text."""
_SWITCHES = ("/think", "/no_think")


class LargeRequest:
    """`body` is the request with what counts of it; a stand-in that is not empty is in place of what is too long."""

    def __init__(self, raw: bytes) -> None:
        """Raises RequestError for a body that is no JSON object, or whose fields are too long."""
        self._text, self._members = find_members(raw, _NAMES)
        self._schemas = _SCHEMAS
        self.body: dict[str, Any] = {name: self._field(name, each) for name, each in self._members.items()}

    def items(self, name: str) -> Iterator[Any]:
        """The items of a list, as far as they count, one at a time."""
        reader = ValueReader(self._text)
        for each in reader.items(self._members[name].start, 1, only_objects=name == "messages"):
            if isinstance(each, Entry):
                yield self._message(each, 2) if name == "messages" else self._function(each, 2)
            elif name == "messages" or reader.taken <= self._schemas:
                yield from each
            else:
                yield from map(_without_schema, each)

    def _field(self, name: str, member: Entry) -> Any:
        if name in _PARTS and self._kind(member) == b"{":
            return self._parts(member, _PARTS[name], 1)
        if name in _LISTS:
            return self._stand_in(member)
        try:
            return ValueReader(self._text, _LONGEST).value(member.start, member.end, 1)
        except TooLong:
            if name in _NAMED:
                raise RequestError(f"'{name}' is longer than {_LONGEST} bytes.", param=name) from None
            return self._stand_in(member)

    def _kind(self, member: Entry) -> bytes:
        return self._text.text[member.start : member.start + 1]

    def _stand_in(self, member: Entry) -> Any:
        kind = self._kind(member)
        if kind == b"[":
            return [] if self._text.empty(member.start) else [None]
        if kind == b"{":
            return {} if self._text.empty(member.start) else {"": None}
        if member.end - member.start <= SMALL:
            return ValueReader(self._text).value(member.start, member.end)
        return "…" if kind == b'"' else float("inf")  # a number

    def _part(self, member: Entry, level: int) -> Any:
        """A value, or what stands for it if it is not small."""
        if member.end - member.start > SMALL:
            return self._stand_in(member)
        return ValueReader(self._text).value(member.start, member.end, level)

    def _parts(self, member: Entry, names: frozenset[str], level: int) -> dict[str, Any]:
        found, _ = self._text.named(member.start, names, level)
        return {name: self._part(each, level + 1) for name, each in found.items()}

    # -- tools -------------------------------------------------------------------------------------------------------

    def _function(self, item: Entry, level: int) -> Any:
        """A tool, or a function, that is not small."""
        if self._kind(item) != b"{":
            return self._stand_in(item)
        found, _ = self._text.named(item.start, _TOOL, level)
        tool = {name: self._part(each, level + 1) for name, each in found.items() if name in ("type", "name")}
        if "function" in found:
            tool["function"] = self._function(found["function"], level + 1)
        if "parameters" in found:
            tool["parameters"] = self._schema(found["parameters"], level + 1)
        return tool

    def _schema(self, member: Entry, level: int) -> Any:
        reader = ValueReader(self._text, min(_LONGEST, self._schemas), _PROSE)
        try:
            schema = reader.value(member.start, member.end, level)
        except TooLong:
            return {}
        self._schemas -= reader.taken
        return schema

    # -- messages ----------------------------------------------------------------------------------------------------

    def _message(self, item: Entry, level: int) -> Any:
        """A message that is not small, with what counts of it."""
        if self._kind(item) != b"{":
            return None
        found, _ = self._text.named(item.start, _MESSAGE, level)
        message = {name: self._part(each, level + 1) for name, each in found.items()}
        if "content" in found:
            message["content"] = self._content(found["content"], level + 1)
        if "tool_calls" in found and isinstance(message["tool_calls"], list):
            message["tool_calls"] = self._calls(found["tool_calls"], level + 1)
        return message

    def _calls(self, member: Entry, level: int) -> list[dict[str, Any]]:
        """Those of the calls that have an id; one without if none has."""
        some, found = False, []
        for each in ValueReader(self._text).items(member.start, level, only_objects=True):
            if isinstance(each, Entry):
                each = [self._parts(each, frozenset({"id"}), level + 1)] if self._kind(each) == b"{" else []
            calls = [call for call in each if isinstance(call, dict)]
            some = some or bool(calls)
            found += [{"id": call["id"]} for call in calls if isinstance(call.get("id"), str)]
        return found or [{}] * some

    def _content(self, member: Entry, level: int) -> Any:
        """The text of a message; of a long one the ends, and the last switch between them."""
        text = _LongText()
        reader = ValueReader(self._text)
        if self._kind(member) == b'"':
            for piece in reader.pieces(member.start):
                text.add(piece)
        elif self._kind(member) == b"[":
            for each in reader.items(member.start, level, only_objects=True):
                if isinstance(each, Entry):
                    self._add_part(text, each, level + 1)
                    continue
                for part in each:
                    if isinstance(part, dict) and isinstance(part.get("text"), str):
                        text.add(part["text"])
        return text.ends

    def _add_part(self, text: _LongText, part: Entry, level: int) -> None:
        found = self._text.named(part.start, frozenset({"text"}), level)[0] if self._kind(part) == b"{" else {}
        if "text" in found and self._kind(found["text"]) == b'"':
            for piece in ValueReader(self._text).pieces(found["text"].start):
                text.add(piece)


def _without_schema(tool: Any) -> Any:
    function = tool.get("function", tool) if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    bare = {name: value for name, value in function.items() if name != "parameters"}
    return {**tool, "function": bare} if function is not tool else bare


class _LongText:
    """Keeps of a text that comes in pieces what the prompt's settings are read from."""

    def __init__(self) -> None:
        self._head = ""
        self._tail = ""
        self._switch = ""
        self._cut = False  # something between the two ends was dropped

    def add(self, piece: str) -> None:
        room = _EDGE - len(self._head)
        self._head += piece[:room]
        text = self._tail + (piece[room:] if room > 0 else piece)
        on, off = map((text if self._tail else self._head[-len(_SWITCHES[1]) :] + text).rfind, _SWITCHES)
        if on != off:
            self._switch = _SWITCHES[on < off]
        self._cut = self._cut or len(text) > _EDGE
        self._tail = text[-_EDGE:]

    @property
    def ends(self) -> str:
        return self._head + (self._switch if self._cut else "") + self._tail
