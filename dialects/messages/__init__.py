"""`/v1/messages`, the API of Anthropic's models: what Claude Code and the `anthropic` SDK speak."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dialects.messages import request as requests
from dialects.messages.count_tokens import TokenCounter
from dialects.messages.estimate import Corrections
from dialects.messages.message import message_of
from dialects.messages.models import list_models, one_model
from dialects.messages.request import MessagesOptions
from dialects.messages.shape import error_body
from dialects.messages.stream import PING, MessagesStreamWriter
from dialects.protocol import ParsedRequest, SideRoute
from errors import ErrorInfo
from reply import Reply, count_of


class Messages:
    """A Dialect. It remembers, for each model, how far its estimates of token counts were from the truth."""

    name = "messages"
    routes = ("/v1/messages", "/messages")
    prefixes = ("/v1/messages", "/messages")
    wire = "messages"
    media_type = "text/event-stream; charset=utf-8"
    keep_alive = PING

    def __init__(self) -> None:
        self._corrections = Corrections()
        count = TokenCounter(self._corrections).answer
        self.side_routes: tuple[SideRoute, ...] = (
            *(SideRoute("POST", f"{route}/count_tokens", count) for route in self.routes),
            SideRoute("GET", "/v1/models", list_models),
            SideRoute("GET", "/v1/models/<path:model>", one_model),
        )

    def parse_request(self, raw: bytes, key_name: str | None = None) -> ParsedRequest:
        return requests.parse(raw, self._corrections.wants)

    def stream_writer(self, request: ParsedRequest) -> MessagesStreamWriter:
        options = _options(request)
        return MessagesStreamWriter(
            options, request.ids, request.model, lambda counts: self._learn(request.model, options, counts)
        )

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        options = _options(request)
        body, counts = message_of(reply, options, request.ids, request.model)
        self._learn(request.model, options, counts)
        return body

    def write_error(self, error: ErrorInfo) -> bytes:
        return json.dumps(error_body(error), ensure_ascii=False).encode(errors="replace")

    def _learn(self, model: str, options: MessagesOptions, counts: Mapping[str, Any]) -> None:
        counted = count_of(counts, "prompt_tokens")
        if counted:
            self._corrections.learn(model, options.estimated, counted)


def _options(request: ParsedRequest) -> MessagesOptions:
    assert isinstance(request.options, MessagesOptions)
    return request.options
