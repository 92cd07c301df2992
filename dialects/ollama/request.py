"""Reads requests of `/api/chat` and `/api/generate` as chat requests for the backend.

What would change the answer and cannot be had from a chat backend is refused by name: `raw`, `suffix`, `template` and
`context`. Other fields that nobody knows are ignored, as Ollama does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from converters.thinking import keeps_reasoning, settings_for
from dialects.chat import request as chat_requests
from dialects.ollama.history import History, with_images
from dialects.protocol import ParsedRequest
from errors import RequestError
from turns import Turns
from wire.json_body import LARGE, find_members, read_finite
from wire.json_values import ValueReader
from wire.json_written import as_json

_CHAT = frozenset({"messages", "tools"})
_GENERATE = frozenset({"prompt", "system", "images", "raw", "suffix", "template", "context"})
_BOTH = frozenset({"model", "stream", "format", "options", "think", "keep_alive", "logprobs", "top_logprobs"})
_REFUSED = {
    "raw": "a chat backend renders the prompt itself",
    "suffix": "a chat backend cannot fill in the middle",
    "template": "the backend has the template of the model",
    "context": "the backend keeps no context; send the messages to /api/chat",
}
_OPTIONS: Mapping[str, str] = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "repeat_penalty": "repeat_penalty",
}
"""Options that are numbers, and their names in chat requests. The last four are not OpenAI's, but local servers know
them by these names. Options about loading a model have none."""
_ZERO = re.compile(r"-?0+(\.0*)?([nuµm]?s|m|h)?")


@dataclass(frozen=True, slots=True)
class OllamaOptions:
    """What the answer to a request needs of it."""

    started: int
    """When it came, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class OllamaRequest:
    """A request with its messages as a chat request has them; none if it only loads or unloads the model."""

    body: Mapping[str, Any]
    model: str
    stream: bool
    messages: list[dict[str, Any]]
    large: bool
    """It is so long that it must be written in slices."""
    reasoning_dropped: bool = False

    @property
    def unloads(self) -> bool:
        """Whether it wants the model to be forgotten at once: `keep_alive` is 0, or no time in words."""
        kept = self.body.get("keep_alive")
        if isinstance(kept, str):
            return _ZERO.fullmatch(kept.strip()) is not None
        return isinstance(kept, int | float) and not isinstance(kept, bool) and kept == 0

    def parsed(self, started: int) -> ParsedRequest:
        """The chat request, which came at `started`. Raises RequestError, which names the field."""
        chat = self._chat_request()
        written = as_json(chat, Turns() if self.large else None)
        parsed = chat_requests.parse(written, None if self.large else chat)
        codes = frozenset({"reasoning_dropped"}) if self.reasoning_dropped else frozenset[str]()
        return replace(
            parsed,
            # Arguments are objects: a call that max_tokens cut cannot be told, and one that is unreadable is text.
            expectations=replace(parsed.expectations, whole_calls=True),
            prompt=replace(parsed.prompt, think=self.body.get("think")),
            codes=codes,
            options=OllamaOptions(started),
        )

    def _chat_request(self) -> dict[str, Any]:
        body = self.body
        chat: dict[str, Any] = {"model": self.model, "messages": self.messages, "stream": self.stream}
        if self.stream:
            chat["stream_options"] = {"include_usage": True}
        if tools := body.get("tools"):
            chat["tools"] = [_tool(each) for each in tools] if isinstance(tools, list) else tools
        chat |= _options(body.get("options"))
        if wanted := body.get("format"):
            chat["response_format"] = _response_format(wanted)
        chat |= _thinking(body.get("think"), self.model)
        if _flag(body, "logprobs"):
            chat["logprobs"] = True
            if most := _number(body.get("top_logprobs"), "top_logprobs"):
                chat["top_logprobs"] = most
        return chat


def read_chat(raw: bytes) -> OllamaRequest:
    """A request of `/api/chat`. Raises RequestError, which names the field."""
    body = _fields(raw, _CHAT | _BOTH)
    messages = body.get("messages")
    if messages is not None and not isinstance(messages, list):
        raise RequestError("'messages' must be a list.", param="messages")
    model, stream = _model(body), _streams(body)
    history = History(messages or (), keeps_reasoning(model))
    return OllamaRequest(body, model, stream, history.messages, len(raw) > LARGE, history.reasoning_dropped)


def read_generate(raw: bytes) -> OllamaRequest:
    """A request of `/api/generate`. Raises RequestError, which names the field."""
    body = _fields(raw, _GENERATE | _BOTH)
    for name, why in _REFUSED.items():
        if body.get(name):
            raise RequestError(f"'{name}' is not supported: {why}.", param=name)
    for name in ("prompt", "system"):
        if not isinstance(body.get(name) or "", str):
            raise RequestError(f"'{name}' must be a string.", param=name)
    content = with_images(body.get("prompt") or "", body.get("images"), "images")
    messages = [{"role": "user", "content": content}] if content else []
    if messages and body.get("system"):
        messages.insert(0, {"role": "system", "content": body["system"]})
    return OllamaRequest({**body, "tools": None}, _model(body), _streams(body), messages, len(raw) > LARGE)


def _fields(raw: bytes, names: frozenset[str]) -> dict[str, Any]:
    """The fields of a body that count. A long body is read in slices."""
    if len(raw) <= LARGE:
        body = read_finite(raw)
        if not isinstance(body, dict):
            raise RequestError("The request body must be a JSON object.")
        return {name: body[name] for name in names if name in body}
    text, members = find_members(raw, names)
    return {name: ValueReader(text).value(each.start, each.end, 1) for name, each in members.items()}


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("'model' is required.", param="model")
    return model


def _streams(body: Mapping[str, Any]) -> bool:
    return body.get("stream") is None or _flag(body, "stream")


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise RequestError(f"'{name}' must be true or false.", param=name)
    return bool(value)


def _number(value: Any, where: str) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"'{where}' must be a number.", param=where)
    return int(value) if isinstance(value, float) and value.is_integer() and where.startswith("top_logprobs") else value


def _tool(tool: Any) -> Any:
    return {"type": "function", **tool} if isinstance(tool, dict) and "function" in tool else tool


def _options(options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise RequestError("'options' must be an object.", param="options")
    chat: dict[str, Any] = {}
    for name, chat_name in _OPTIONS.items():
        value = _number(options.get(name), f"options.{name}")
        if value is not None:
            chat[chat_name] = int(value) if name == "num_predict" and abs(value) < 2**53 else value
    if chat.get("max_tokens", 1) <= 0:  # -1 and -2 are no limit, and as many as there is room for
        del chat["max_tokens"]
    stops = options.get("stop")
    if stops is not None and not isinstance(stops, str | list):
        raise RequestError("'options.stop' must be a list of strings.", param="options.stop")
    return {**chat, "stop": stops} if stops else chat


def _response_format(wanted: Any) -> dict[str, Any]:
    if wanted == "json":
        return {"type": "json_object"}
    if isinstance(wanted, dict):
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted}}
    raise RequestError("'format' must be \"json\" or a JSON Schema.", param="format")


def _thinking(think: Any, model: str) -> dict[str, Any]:
    """`think` as the settings of the model's template; how much to think also as the field of chat requests."""
    if think is None:
        return {}
    if not isinstance(think, bool | str):
        raise RequestError("'think' must be true, false, or a word such as \"high\".", param="think")
    settings = settings_for(model, bool(think))
    if isinstance(think, bool):
        if settings:
            return {"chat_template_kwargs": settings}
        return {} if think else {"think": False}  # no template is known to heed it, but the server may know the field
    settings |= {name: think for name in settings if name == "reasoning_effort"}
    return {"reasoning_effort": think, **({"chat_template_kwargs": settings} if settings else {})}
