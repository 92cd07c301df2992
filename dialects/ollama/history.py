"""Messages of the API as messages of a chat request.

Calls of the API have no ids, or have lost them in a client. A chat request needs them: they are invented, the same ones
turn after turn so that prompt caches hold, and results find their calls by id, by `tool_name`, or by their order.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from errors import RequestError
from turns import Turns
from wire.json_written import as_models_write_json

_IMAGES = (("iVBORw0KGgo", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp"), ("Qk", "bmp"))
"""How the base64 of an image begins, and its type."""


class _Waiting:
    """The calls of one message that have no result yet, in their order. Each of its steps takes the same short time."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._by_name: dict[str, deque[str]] = {}

    def add(self, call_id: str, name: str) -> None:
        self._ids[call_id] = None
        self._by_name.setdefault(name, deque()).append(call_id)

    def first(self, name: object) -> str | None:
        """The id of the first call of that name, or else of the first of all; None if none waits."""
        named = self._by_name.get(name) if isinstance(name, str) else None
        while named and named[0] not in self._ids:
            named.popleft()
        return named[0] if named else next(iter(self._ids), None)

    def answered(self, call_id: str) -> None:
        self._ids.pop(call_id, None)


class History:
    """Reads messages in their order. `reasoning_dropped` tells whether reasoning was left out."""

    def __init__(self, messages: Sequence[Any], keeps_reasoning: bool) -> None:
        """`keeps_reasoning`: the model's template takes the reasoning of earlier messages."""
        self._keeps_reasoning = keeps_reasoning
        self._turns = Turns()
        self._given = set(self._ids_of(messages))
        self._used: set[str] = set()
        self._ids: dict[str, str] = {}  # what the client calls a call, and its id in the request
        self._waiting = _Waiting()
        self._invented = 0
        self.reasoning_dropped = False
        self.messages = [self._message(message, f"messages[{place}]") for place, message in enumerate(messages)]
        """As a chat request has them."""

    def _message(self, message: Any, where: str) -> dict[str, Any]:
        self._turns.take()
        if not isinstance(message, dict):
            raise RequestError(f"'{where}' must be an object.", param=where)
        role = message.get("role")
        if not isinstance(role, str) or not role:
            raise RequestError(f"'{where}.role' must be a string.", param=f"{where}.role")
        told: dict[str, Any] = {"role": role}
        if role == "tool":
            told |= self._result(message)
        told["content"] = with_images(_content(message.get("content")), message.get("images"), f"{where}.images")
        if (thinking := message.get("thinking")) and isinstance(thinking, str):
            if self._keeps_reasoning:
                told["reasoning_content"] = thinking
            else:
                self.reasoning_dropped = True
        calls = message.get("tool_calls")
        if calls is not None and not isinstance(calls, list):
            raise RequestError(f"'{where}.tool_calls' must be a list.", param=f"{where}.tool_calls")
        if calls:
            self._waiting = _Waiting()
            told["tool_calls"] = [self._call(each, f"{where}.tool_calls[{at}]") for at, each in enumerate(calls)]
        return told

    def _call(self, call: Any, where: str) -> dict[str, Any]:
        self._turns.take()
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str):
            raise RequestError(f"'{where}.function.name' must be a string.", param=f"{where}.function.name")
        given = call.get("id")
        call_id = given if isinstance(given, str) and given and given not in self._used else self._new_id()
        self._used.add(call_id)
        if isinstance(given, str):
            self._ids[given] = call_id
        self._waiting.add(call_id, name)
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            arguments = as_models_write_json({} if arguments is None else arguments, self._turns)
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    def _ids_of(self, messages: Sequence[Any]) -> Iterator[str]:
        """The ids that the client gave to calls."""
        for message in messages:
            calls = message.get("tool_calls") if isinstance(message, dict) else None
            for call in calls if isinstance(calls, list) else ():
                if isinstance(call, dict) and isinstance(call.get("id"), str):
                    yield call["id"]
                self._turns.take()
            self._turns.take()

    def _new_id(self) -> str:
        """9 letters and digits, which templates of Mistral demand."""
        while True:
            found = f"call{self._invented:05d}"
            self._invented += 1
            if found not in self._given:
                return found

    def _result(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Which call a result belongs to. One without a call has an id of its own, for whoever mends histories."""
        given, name = message.get("tool_call_id"), message.get("tool_name") or message.get("name")
        found = self._ids.get(given) if isinstance(given, str) else None
        found = found or self._waiting.first(name) or self._new_id()
        self._waiting.answered(found)
        return {"tool_call_id": found, **({"name": name} if isinstance(name, str) else {})}


def with_images(content: Any, images: Any, where: str) -> Any:
    """The content of a message with its images, which stand before the text. Raises RequestError."""
    if not images:
        return content
    if not isinstance(images, list):
        raise RequestError(f"'{where}' must be a list.", param=where)
    parts: list[Any] = []
    for place, image in enumerate(images):
        if not isinstance(image, str):
            raise RequestError(f"'{where}[{place}]' must be a string in base64.", param=f"{where}[{place}]")
        parts.append({"type": "image_url", "image_url": {"url": _url(image)}})
    if isinstance(content, list):
        return [*parts, *content]
    return [*parts, {"type": "text", "text": content}] if content else parts


def _url(image: str) -> str:
    if image.startswith(("data:", "http://", "https://")):
        return image
    kind = next((kind for begins, kind in _IMAGES if image.startswith(begins)), "png")
    return f"data:image/{kind};base64,{image}"


def _content(content: Any) -> Any:
    """Text; parts of content, which some clients send, as they are; and anything else as the JSON that it was."""
    if content is None:
        return ""
    return content if isinstance(content, str | list) else json.dumps(content, ensure_ascii=False)
