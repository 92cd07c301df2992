"""A whole message, from the events of a reply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from converters.text.events import ArgumentsDelta, CallStart, Reasoning, Text
from dialects.messages.ids import to_client
from dialects.messages.request import MessagesOptions
from dialects.messages.shape import Stop, signature_of, texts_in, usage_of
from errors import Unreadable
from reply import Extension, Finish, Ids, Reply, ReplyEvent, ReplyHead, Usage
from turns import Turns
from wire.json_body import LARGE
from wire.json_slices import JsonText
from wire.json_values import RawJson, spelled_whole


def message_of(
    reply: Reply, options: MessagesOptions, ids: Iterable[str], model: str
) -> tuple[bytes, Mapping[str, Any]]:
    """(the body of a message, the usage). `ids` are those of calls in the history, `model` is the name in the request.

    Raises Unreadable for a call of the server's own whose arguments are no object: here they can be nothing else.
    """
    blocks = _Blocks(options, ids)
    for index, event in reply.events:
        if index == 0:  # this API has one choice
            blocks.add(event)
    message = {
        "id": options.id,
        "type": "message",
        "role": "assistant",
        "model": model or blocks.model or "",
        "content": blocks.content(),
        **blocks.stop.fields(),
        "usage": usage_of(blocks.counts),
    }
    return spelled_whole(message, Turns()), blocks.counts


class _Blocks:
    """Collects the events of an answer into its blocks."""

    def __init__(self, options: MessagesOptions, ids: Iterable[str]) -> None:
        self._id = options.id
        self._ids = Ids(ids)
        self._blocks: list[tuple[dict[str, Any], list[str]]] = []  # each with the pieces of its text or input
        self._inputs: list[list[str]] = []  # the pieces of each call's input
        self.stop = Stop(options.stops)
        self.model: str | None = None
        self.counts: Mapping[str, Any] = {}

    def add(self, event: ReplyEvent) -> None:
        match event:
            case Text(text=text) if text:
                self._text("text", text)
            case Reasoning(text=text) if text:
                self._text("thinking", text)
            case CallStart(name=name, id=wished):
                call_id = to_client(self._ids.take(wished))
                self._inputs.append([])
                self._blocks.append(({"type": "tool_use", "id": call_id, "name": name}, self._inputs[-1]))
            case ArgumentsDelta(index=index, delta=delta):
                self._inputs[index].append(delta)
            case Finish(reason=reason):
                self.stop.finish(reason)
            case ReplyHead(model=model):
                self.model = self.model or model
            case Usage(counts=counts):
                self.counts = counts
            case Extension():
                self._extension(event)

    def _extension(self, extension: Extension) -> None:
        if extension.of == "choice":
            self.stop.see(extension)
        reasoning, refusal = texts_in(extension)
        if reasoning:
            self._text("thinking", reasoning)
        if refusal:
            self.stop.refuse()
            self._text("text", refusal)

    def _text(self, kind: str, text: str) -> None:
        if not self._blocks or self._blocks[-1][0]["type"] != kind:
            self._blocks.append(({"type": kind}, []))
        self._blocks[-1][1].append(text)

    def content(self) -> list[dict[str, Any]]:
        """The blocks. A call that was cut is none: an input is an object, and nothing is added to make it one."""
        found: list[dict[str, Any]] = []
        for block, pieces in self._blocks:
            text = "".join(pieces)
            if block["type"] != "tool_use":
                block[block["type"]] = text
                if block["type"] == "thinking":
                    block["signature"] = signature_of(self._id, len(found))
            elif _is_object(text):
                block["input"] = RawJson(text.encode(errors="replace"))
            elif self.stop.cut:
                continue
            else:
                raise Unreadable
            found.append(block)
        return found


def _is_object(text: str) -> bool:
    """Whether the text is a JSON object."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        if len(text) > LARGE:
            JsonText(text.encode("utf-8", "surrogatepass")).check()
        else:
            json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
