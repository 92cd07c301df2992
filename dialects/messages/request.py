"""Reads a request of the Messages API and makes the chat request of it.

What the chat API knows under the same meaning is translated. Hints to the vendor's own servers are ignored
(`cache_control`, `context_management`, `output_config`, `betas`, `metadata`), as are fields that nobody knows.

Source of the format: Anthropic's API reference, "Messages".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from random import getrandbits
from typing import Any

from converters.thinking import keeps_reasoning, settings_for
from dialects.chat import request as chat_requests
from dialects.messages.estimate import tokens_of_message, tokens_of_request, tokens_of_tools
from dialects.messages.history import chat_messages
from dialects.messages.tools import Tools, choice_of, tools_of
from dialects.protocol import ParsedRequest
from errors import RequestError
from turns import Turns
from wire.json_body import LARGE, read_finite, read_large
from wire.json_values import RawJson
from wire.json_written import as_json

_SAME = ("temperature", "top_p", "top_k")
"""Numbers that have the same name and meaning in chat requests."""
_NAMES = frozenset(
    {
        *("model", "system", "messages", "tools", "mcp_servers", "tool_choice", "thinking"),
        *("max_tokens", "stop_sequences", "stream", *_SAME),
    }
)
"""All fields that are read."""
_THINKS: Mapping[object, bool] = {"enabled": True, "adaptive": True, "disabled": False}


@dataclass(frozen=True, slots=True)
class MessagesOptions:
    """What an answer needs to know of its request."""

    id: str
    """The id of the answer, in one way of answering as in the other. Clients take two answers with one id for one."""
    stops: frozenset[str] = frozenset()
    """Its `stop_sequences`."""
    prompt: Mapping[str, Any] | None = None
    """The chat request, if its tokens are wanted; None for a long one, which nobody learns from."""

    @property
    def estimated(self) -> float:
        """The tokens of the prompt (dialects/messages/estimate.py), or 0. Counting takes time."""
        return 0.0 if self.prompt is None else tokens_of_request(self.prompt)


def parse(raw: bytes, wanted: Callable[[str], bool] = lambda model: True) -> ParsedRequest:
    """Parse the body of a request. `wanted` says whether its tokens are to be estimated. Raises RequestError, which
    names the field."""
    body = _read(raw)
    tools = tools_of(body)
    turns = Turns() if len(raw) > LARGE else None
    history = _KeptReasoning(body.get("model"))
    chat = {**chat_prompt(body, tools, turns, history.watch), **_wishes(body, tools)}
    prompt = chat if turns is None and wanted(chat["model"]) else None
    codes = (("tool_skipped", tools.skipped), ("reasoning_dropped", history.dropped))
    return chat_requests.parse(
        as_json(chat, turns),
        None if turns is not None else chat,
        codes=frozenset(code for code, holds in codes if holds),
        options=MessagesOptions(f"msg_{getrandbits(96):024x}", frozenset(chat.get("stop", ())), prompt),
    )


def parse_prompt(raw: bytes) -> tuple[dict[str, Any], float]:
    """(the chat request of a body of which the tokens are to be counted, their estimate). Raises RequestError."""
    body = _read(raw)
    meter = _Meter()
    kept = _KeptReasoning(body.get("model"))
    turns = Turns() if len(raw) > LARGE else None
    chat = chat_prompt(body, tools_of(body), turns, lambda messages: meter.watch(kept.watch(messages)))
    return chat, meter.total + tokens_of_tools(chat)


class _KeptReasoning:
    """Lets reasoning of a history go on to models whose template takes it. `dropped` tells whether any was left out."""

    def __init__(self, model: Any) -> None:
        self._keeps = isinstance(model, str) and keeps_reasoning(model)
        self.dropped = False

    def watch(self, messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for message in messages:
            if self._keeps or "reasoning_content" not in message:
                yield message
                continue
            self.dropped = True
            rest = {name: value for name, value in message.items() if name != "reasoning_content"}
            if rest.get("content") or rest.get("tool_calls"):
                yield rest


class _Meter:
    """Estimates the tokens of messages that pass by: those of a long request are never there all at once."""

    def __init__(self) -> None:
        self.total = 0.0

    def watch(self, messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for message in messages:
            self.total += tokens_of_message(message)
            yield message


def chat_prompt(
    body: Mapping[str, Any],
    tools: Tools,
    turns: Turns | None,
    watch: Callable[[Iterator[dict[str, Any]]], Iterator[dict[str, Any]]] = iter,
) -> dict[str, Any]:
    """The members of the chat request that make its prompt: model, messages, tools, thinking.

    With `turns`, as for a long request, the messages are written one by one, and stand there as RawJson. They pass
    through `watch`.
    """
    model = body.get("model")
    if model is not None and not isinstance(model, str):
        raise RequestError("'model' must be a string.", param="model")
    found = watch(chat_messages(body.get("system"), body.get("messages"), turns))
    messages = list(found) if turns is None else _raw(found, turns)
    chat: dict[str, Any] = {"model": model or "", "messages": messages}
    if tools.declared:
        chat["tools"] = tools.declared
    thinks = _thinks(body.get("thinking"))
    settings = {} if thinks is None else settings_for(model or "", thinks)
    if settings:
        chat["chat_template_kwargs"] = settings
    return chat


def _raw(messages: Iterator[dict[str, Any]], turns: Turns) -> RawJson:
    """In one buffer that grows: pieces of hundreds of thousands of messages would take more than they hold."""
    buffer, comma = BytesIO(), b"["
    for message in messages:
        buffer.write(comma + as_json(message, turns))
        comma = b","
    buffer.write(b"]" if comma == b"," else b"[]")
    return RawJson(buffer.getvalue())


def _thinks(thinking: Any) -> bool | None:
    """Whether the model shall think; None if the request leaves that open."""
    if thinking is None:
        return None
    if not isinstance(thinking, dict):
        raise RequestError("'thinking' must be an object.", param="thinking")
    kind = thinking.get("type")
    return _THINKS.get(kind) if isinstance(kind, str) else None


def _wishes(body: Mapping[str, Any], tools: Tools) -> dict[str, Any]:
    """The members of the chat request that say how to answer."""
    most = body.get("max_tokens")
    if type(most) is not int or most < 1:
        raise RequestError("'max_tokens' must be a whole number of at least 1.", param="max_tokens")
    wishes: dict[str, Any] = {**choice_of(body, tools), "max_tokens": most}
    if stops := _stops(body):
        wishes["stop"] = stops
    for name in _SAME:
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise RequestError(f"'{name}' must be a number.", param=name)
        wishes[name] = value
    streams = body.get("stream")
    if streams is not None and not isinstance(streams, bool):
        raise RequestError("'stream' must be true or false.", param="stream")
    if streams:
        wishes |= {"stream": True, "stream_options": {"include_usage": True}}
    return wishes


def _stops(body: Mapping[str, Any]) -> list[str]:
    stops = body.get("stop_sequences")
    if stops is None:
        return []
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise RequestError("'stop_sequences' must be a list of strings.", param="stop_sequences")
    return [each for each in stops if each]


def _read(raw: bytes) -> dict[str, Any]:
    body = read_large(raw, _NAMES, "messages") if len(raw) > LARGE else read_finite(raw, ".{}")
    if not isinstance(body, dict):
        raise RequestError("The request body must be a JSON object.")
    return body
