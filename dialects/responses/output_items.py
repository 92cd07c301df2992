"""The items of a response while they come: messages, reasoning, calls.

Each is opened, told more, and closed, and writes the events of that. What it is when closed stands in the response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dialects.responses.custom_input import CustomInput
from dialects.responses.events import Deltas, Events, as_json
from dialects.responses.output_parts import REASONING, REFUSAL, SUMMARY, TEXT, PartKind, TextPart
from dialects.responses.sealed import sealed
from dialects.responses.tools import Tool

Status = Literal["in_progress", "completed", "incomplete"]


class OutputItem:
    """One item of the output."""

    prefix = ""

    def __init__(self, events: Events, token: str, index: int) -> None:
        """`token` is the response's own; `index` is the item's place in the output."""
        self.id = f"{self.prefix}_{token}{index:04x}"
        self.final = b""
        """What stands in the response, once the item is closed."""
        self._events = events
        self._index = b'"output_index":%d' % index
        self._place = b'"item_id":"%b",%b' % (self.id.encode(), self._index)

    def opened(self) -> bytes:
        """The event that shows the item, still empty."""
        return self._events.event(b"response.output_item.added", self._index, b'"item":' + self.json("in_progress"))

    def closed(self, status: Status) -> bytes:
        """The events that end the item."""
        ended = self._ended()
        self.final = self.json(status)
        return ended + self._events.event(b"response.output_item.done", self._index, b'"item":' + self.final)

    def json(self, status: Status) -> bytes:
        """The item as it stands now."""
        raise NotImplementedError

    def _ended(self) -> bytes:
        raise NotImplementedError


class MessageItem(OutputItem):
    """A message of the assistant: text, or a refusal, or both in turn."""

    prefix = "msg"

    def __init__(self, events: Events, token: str, index: int) -> None:
        super().__init__(events, token, index)
        self._parts: list[TextPart] = []

    def text(self, text: str, logprobs: Sequence[Mapping[str, Any]] = ()) -> bytes:
        """More of the text, and the log probabilities of its tokens."""
        return self._turned_to(TEXT) + self._parts[-1].more(text, logprobs)

    def refusal(self, text: str) -> bytes:
        return self._turned_to(REFUSAL) + self._parts[-1].more(text)

    def _turned_to(self, kind: PartKind) -> bytes:
        """The events that open a part of this kind, if none is open."""
        if self._parts and self._parts[-1].kind is kind:
            return b""
        before = self._parts[-1].closed() if self._parts else b""
        self._parts.append(TextPart(kind, self._events, self._place, len(self._parts)))
        return before + self._parts[-1].opened()

    def _ended(self) -> bytes:
        return self._parts[-1].closed() if self._parts else b""

    def json(self, status: Status) -> bytes:
        content = b",".join(part.json() for part in self._parts)
        return b'{"id":"%b","type":"message","status":"%b","role":"assistant","content":[%b]}' % (
            *(self.id.encode(), status.encode(), content),
        )


class ReasoningItem(OutputItem):
    """What the model thought; also as a summary, and as `encrypted_content`, where the request asks for them."""

    prefix = "rs"

    def __init__(self, events: Events, token: str, index: int, summary: bool, encrypted: bool) -> None:
        super().__init__(events, token, index)
        self._kinds = (REASONING, SUMMARY) if summary else (REASONING,)
        self._encrypted = encrypted
        self._parts: list[TextPart] = []

    def text(self, text: str) -> bytes:
        before = b""
        if not self._parts:
            self._parts = [TextPart(kind, self._events, self._place) for kind in self._kinds]
            before = b"".join([part.opened() for part in self._parts])
        return before + b"".join([part.more(text) for part in self._parts])

    def _ended(self) -> bytes:
        return b"".join([part.closed() for part in self._parts])

    def json(self, status: Status) -> bytes:
        content = [part.json() for part in self._parts if part.kind is REASONING]
        summary = [part.json() for part in self._parts if part.kind is SUMMARY]
        encrypted = b""
        if self._encrypted and status != "in_progress":
            encrypted = b',"encrypted_content":' + as_json(sealed(self._parts[0].text))
        return b'{"id":"%b","type":"reasoning","summary":[%b],"content":[%b]%b,"status":"%b"}' % (
            *(self.id.encode(), b",".join(summary), b",".join(content), encrypted, status.encode()),
        )


class CallItem(OutputItem):
    """A call of a tool."""

    kind = b"function_call"
    event = b"response.function_call_arguments"
    field = b"arguments"

    def __init__(self, events: Events, token: str, index: int, tool: Tool, call_id: str) -> None:
        self.prefix = "fc" if tool.kind == "function" else "ctc"
        super().__init__(events, token, index)
        inside = b',"namespace":' + as_json(tool.namespace) if tool.namespace else b""
        self._named = b'"call_id":%b,"name":%b%b' % (as_json(call_id), as_json(tool.name), inside)
        self._deltas = Deltas(events, self.event + b".delta", self._place)
        self._texts: list[str] = []

    def arguments(self, delta: str) -> bytes:
        """More of the arguments of the function."""
        return self._more(delta)

    def _more(self, text: str) -> bytes:
        if not text:
            return b""
        self._texts.append(text)
        return self._deltas.events(text)

    def _ended(self) -> bytes:
        told = b'"%b":%b' % (self.field, as_json("".join(self._texts)))
        return self._events.event(self.event + b".done", self._place, told)

    def json(self, status: Status) -> bytes:
        return b'{"id":"%b","type":"%b","status":"%b",%b,"%b":%b}' % (
            *(self.id.encode(), self.kind, status.encode(), self._named),
            *(self.field, as_json("".join(self._texts))),
        )


class CustomCallItem(CallItem):
    """A call of a tool that takes a text."""

    kind = b"custom_tool_call"
    event = b"response.custom_tool_call_input"
    field = b"input"

    def __init__(self, events: Events, token: str, index: int, tool: Tool, call_id: str) -> None:
        super().__init__(events, token, index, tool, call_id)
        self._input = CustomInput()

    def arguments(self, delta: str) -> bytes:
        return self._more(self._input.feed(delta))

    def _ended(self) -> bytes:
        return self._more(self._input.finish()) + super()._ended()
