"""Parses a Responses request and makes the chat request of it that backends take.

Source of the format: the OpenAI API reference, the types of the vendor's SDK, and what Codex was seen to send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from converters.thinking import keeps_reasoning
from dialects.chat import request as chat
from dialects.protocol import ParsedRequest
from dialects.responses import body as bodies
from dialects.responses.input_items import Conversation, Message
from dialects.responses.past import Past
from dialects.responses.store import ResponseStore
from dialects.responses.tools import SKIPPED, ToolTable
from errors import RequestError
from reply import KeptAnswer
from turns import Turns
from wire.json_body import LARGE
from wire.json_values import SMALL
from wire.json_written import as_json

PATH = "/v1/responses"
REASONING_DROPPED = "reasoning_dropped"
"""The code that says so (docs/OUTCOMES.md)."""

_REFUSED = {
    "background": "no request goes on without its client",
    "conversation": "only responses are stored; 'previous_response_id' goes on from one",
    "prompt": "there is no store of prompts",
}
"""Fields that are refused, and why."""
_SAME = ("temperature", "top_p", "user")
"""Fields that chat completions have under the same name."""
_OTHERS = (
    *("stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias"),
    *("top_k", "min_p", "repetition_penalty", "chat_template_kwargs", "think"),
)
"""Fields that no Responses API has, but servers of open models take: they change what the answer is."""
_ECHOED = (
    *("instructions", "max_output_tokens", "max_tool_calls", "metadata", "prompt_cache_key", "safety_identifier"),
    *("temperature", "top_p", "top_logprobs", "truncation", "user"),
)
_NAMES = frozenset(
    {
        *_REFUSED,
        *_SAME,
        *_OTHERS,
        *_ECHOED,
        *("model", "stream", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "include"),
        *("previous_response_id", "store"),
    }
)
_LOGPROBS = "message.output_text.logprobs"
_ENCRYPTED = "reasoning.encrypted_content"


@dataclass(frozen=True, slots=True)
class ResponsesOptions:
    """Options of a request that change the form of the answer."""

    tools: ToolTable
    echo: bytes
    """The members of a response that repeat the request, as JSON without the braces."""
    summary: bool = False
    """Reasoning also comes as a summary."""
    encrypted: bool = False
    """Reasoning also comes as `encrypted_content`."""
    logprobs: bool = False
    """Text comes with the probabilities of its tokens."""
    kept: KeptAnswer | None = None
    """The response, if it is to be stored."""
    longest: int = 0
    """Bytes of a response beyond which it is not."""


def parse(raw: bytes, store: ResponseStore | None = None, owner: str | None = None) -> ParsedRequest:
    """Parse the body of a request. `owner` names the client's key. Raises RequestError, which names the field."""
    body = bodies.read(raw, _NAMES)
    fields = body.fields
    _refuse(fields)
    tools = ToolTable()
    tools.add(fields.get("tools"), "tools")
    past = Past(store, owner)
    previous = fields.get("previous_response_id")
    if previous is not None:
        past.go_on_from(previous)
    turns = Turns() if len(raw) + past.size > LARGE else None
    asked, written, drops = _asked(fields, body.input, past, tools, turns)
    codes = [code for code, holds in ((SKIPPED, tools.skipped), (REASONING_DROPPED, drops)) if holds]
    kept = _kept(fields, raw, past, store, owner)
    options = _options(fields, tools, turns, kept, store.longest if store is not None else 0)
    return chat.parse(written, asked, codes=frozenset(codes), options=options, kept=kept)


def _asked(
    fields: Mapping[str, Any], given: Any, past: Past, tools: ToolTable, turns: Turns | None
) -> tuple[dict[str, Any] | None, bytes, bool]:
    """(the chat request, the same as JSON, whether reasoning was left out). A long one is there as JSON only."""
    if turns is None:
        listed, drops = _listed(fields, given, past, tools)
        asked = {**_chat_fields(fields, tools), "messages": listed}
        return asked, as_json(asked), drops
    messages, drops = _told(fields, given, past, tools, turns)
    head = as_json(_chat_fields(fields, tools), turns)[:-1]
    return None, b"".join([head, b',"messages":[', messages, b"]}"]), drops


def _refuse(fields: Mapping[str, Any]) -> None:
    for name, why in _REFUSED.items():
        if fields.get(name):
            raise RequestError(f"'{name}' is not served here: {why}.", param=name)


def _kept(
    fields: Mapping[str, Any], raw: bytes, past: Past, store: ResponseStore | None, owner: str | None
) -> KeptAnswer | None:
    """The response as the store gets it; None if it is not to be stored."""
    wanted = _optional(fields, "store", bool, "true or false")
    if store is None or wanted is False or len(raw) > store.longest:
        return None
    return KeptAnswer(f"resp_{store.new_token()}", owner, fields.get("previous_response_id"), past.quoted)


def _told(fields: Mapping[str, Any], given: Any, past: Past, tools: ToolTable, turns: Turns) -> tuple[bytearray, bool]:
    """(the messages as JSON, joined by commas; whether reasoning was left out). Each is written as soon as it is whole,
    so that a long input is never there twice as objects."""
    told = bytearray()

    def tell(message: Message) -> None:
        told.extend(b"," if told else b"")
        content = message["content"]
        small = len(message) == 2 and isinstance(content, str) and len(content) <= SMALL
        told.extend(as_json(message, None if small else turns))
        turns.take()

    return told, _talk(fields, given, past, tools, tell)


def _listed(fields: Mapping[str, Any], given: Any, past: Past, tools: ToolTable) -> tuple[list[Message], bool]:
    """(the messages, whether reasoning was left out)"""
    found: list[Message] = []
    return found, _talk(fields, given, past, tools, found.append)


def _talk(fields: Mapping[str, Any], given: Any, past: Past, tools: ToolTable, tell: Callable[[Message], None]) -> bool:
    """`tell` all messages. Returns whether reasoning was left out."""
    keeps = keeps_reasoning(_optional(fields, "model", str, "a string") or "")
    conversation = Conversation(tools, keeps, tell)
    instructions = _optional(fields, "instructions", str, "a string")
    if instructions:
        conversation.say("system", instructions)
    if isinstance(given, str):
        conversation.add_all(past.items(()))
        conversation.say("user", given)
    else:
        conversation.add_all(past.items(given or ()))
    return conversation.drops_reasoning


def _chat_fields(fields: Mapping[str, Any], tools: ToolTable) -> dict[str, Any]:
    """All of the chat request but its messages."""
    chat_body: dict[str, Any] = {"model": _optional(fields, "model", str, "a string") or ""}
    for name in (*_SAME, *_OTHERS):
        if fields.get(name) is not None:
            chat_body[name] = fields[name]
    if fields.get("max_output_tokens") is not None:
        chat_body["max_tokens"] = fields["max_output_tokens"]
    if _logprobs(fields):
        chat_body["logprobs"] = True
        if fields.get("top_logprobs") is not None:
            chat_body["top_logprobs"] = fields["top_logprobs"]
    effort = _part(fields, "reasoning").get("effort")
    if effort is not None:
        chat_body["reasoning_effort"] = effort
    wanted = _response_format(fields)
    if wanted is not None:
        chat_body["response_format"] = wanted
    choice = tools.choice(fields.get("tool_choice"))
    if tools.functions:
        chat_body["tools"] = tools.functions
        if choice is not None:
            chat_body["tool_choice"] = choice
        if isinstance(fields.get("parallel_tool_calls"), bool):
            chat_body["parallel_tool_calls"] = fields["parallel_tool_calls"]
    if _optional(fields, "stream", bool, "true or false"):
        chat_body["stream"] = True
        chat_body["stream_options"] = {"include_usage": True}
    return chat_body


def _response_format(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """`text.format` as chat completions spell it; None for plain text."""
    wanted = _part(fields, "text").get("format")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise RequestError("'text.format' must be an object.", param="text.format")
    kind = wanted.get("type")
    if kind == "json_schema":
        schema = {
            key: wanted[key] for key in ("name", "description", "schema", "strict") if wanted.get(key) is not None
        }
        return {"type": kind, "json_schema": schema}
    return None if kind in (None, "text") else {"type": kind}


def _options(
    fields: Mapping[str, Any], tools: ToolTable, turns: Turns | None, kept: KeptAnswer | None, longest: int
) -> ResponsesOptions:
    reasoning = _part(fields, "reasoning")
    summary = reasoning.get("summary") or reasoning.get("generate_summary")
    echoed: dict[str, Any] = {
        "background": False,
        **{name: fields.get(name) for name in _ECHOED},
        "metadata": fields.get("metadata") or {},
        "parallel_tool_calls": fields.get("parallel_tool_calls") is not False,
        "previous_response_id": fields.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": summary},
        "service_tier": "default",
        "text": {"format": {"type": "text"}, **_part(fields, "text")},
        "tool_choice": fields.get("tool_choice") or "auto",
        "tools": fields.get("tools") or [],
        "top_logprobs": fields.get("top_logprobs") or 0,
        "truncation": fields.get("truncation") or "disabled",
    }
    return ResponsesOptions(
        tools=tools,
        echo=as_json(echoed, turns)[1:-1],
        summary=bool(summary) and summary != "none",
        encrypted=_ENCRYPTED in _included(fields),
        logprobs=_logprobs(fields),
        kept=kept,
        longest=longest,
    )


def _logprobs(fields: Mapping[str, Any]) -> bool:
    return _LOGPROBS in _included(fields) or bool(fields.get("top_logprobs"))


def _included(fields: Mapping[str, Any]) -> list[Any]:
    found = fields.get("include")
    return found if isinstance(found, list) else []


def _part(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = _optional(fields, name, dict, "an object")
    return found if isinstance(found, dict) else {}


def _optional(fields: Mapping[str, Any], name: str, kind: type, takes: str) -> Any:
    """A field, checked for its type; null counts as absent. Raises RequestError."""
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        raise RequestError(f"'{name}' must be {takes}.", param=name)
    return value
