"""`/v1/chat/completions`, streamed and buffered: our canonical API. Backends speak it too, so unchanged bytes pass."""

from __future__ import annotations

import json
from typing import Literal

from dialects.chat import request as requests
from dialects.chat.message import rewritten
from dialects.chat.request import ChatOptions
from dialects.chat.stream import ChatStreamWriter
from dialects.protocol import ParsedRequest, SideRoute
from errors import ErrorInfo
from reply import Features, Reply
from turns import Turns
from wire.json_values import spaced, spelled_whole

ReasoningField = Literal["reasoning_content", "reasoning", "both", "content", "none"]

_BOTH = ("reasoning_content", "reasoning")
_ANY_REASONING: Features = frozenset({*_BOTH, "+".join(_BOTH)})


class Chat:
    """A Dialect. `reasoning_field` is the name under which clients get reasoning."""

    name = "chat"
    routes = (requests.PATH, "/chat/completions")
    prefixes: tuple[str, ...] = ()
    side_routes: tuple[SideRoute, ...] = ()
    wire = "chat.completions"
    media_type = "text/event-stream; charset=utf-8"
    keep_alive = b": keep-alive\n\n"

    def __init__(self, reasoning_field: ReasoningField = "reasoning_content") -> None:
        self._fields: tuple[str, ...] = _BOTH if reasoning_field == "both" else (str(reasoning_field),)
        # `content` leaves reasoning where the backend put it
        self._accepted: Features = (
            _ANY_REASONING if reasoning_field == "content" else frozenset({"+".join(self._fields)})
        )

    def parse_request(self, raw: bytes, key_name: str | None = None) -> ParsedRequest:
        return requests.parse(raw)

    def stream_writer(self, request: ParsedRequest) -> ChatStreamWriter:
        options = _options(request)
        return ChatStreamWriter(self._fields, self._accepts(options), options, request.ids, request.model)

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        options = _options(request)
        if reply.raw is not None and (reply.source is None or reply.features <= self._accepts(options)):
            return reply.raw
        written = rewritten(reply, self._fields, options, request.ids)
        if reply.large:
            return spelled_whole(written, Turns())
        return spaced(written).encode(errors="replace")

    def write_error(self, error: ErrorInfo) -> bytes:
        return error.raw or json.dumps({"error": error.error}, ensure_ascii=False).encode(errors="replace")

    def _accepts(self, options: ChatOptions) -> Features:
        form = {"function_call" if options.legacy else "tool_calls"}
        return self._accepted | form | ({"usage"} if options.include_usage else frozenset())


def _options(request: ParsedRequest) -> ChatOptions:
    assert isinstance(request.options, ChatOptions)
    return request.options


CHAT = Chat()

__all__ = ["CHAT", "Chat", "ChatStreamWriter", "ReasoningField"]
