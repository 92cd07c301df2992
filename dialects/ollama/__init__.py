"""Ollama's own API: `/api/chat` and `/api/generate`, a Dialect each, and what its clients ask beside them.

Requests become chat requests. Answers are lines of JSON, or one object if the request says `stream: false`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from converters.text.expectations import Expectations
from dialects.ollama.answer import LineWriter, empty_line, loaded_line, write_whole
from dialects.ollama.models import side_routes
from dialects.ollama.request import OllamaRequest, read_chat, read_generate
from dialects.ollama.spelling import CHAT_FORM, GENERATE_FORM, Form, error_line
from dialects.protocol import Clock, ParsedRequest, SideReply, SideRoute, UpstreamRequest
from errors import ErrorInfo
from reply import Reply

_LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Conversation:
    """What `/api/chat` and `/api/generate` differ in."""

    path: str
    read: Callable[[bytes], OllamaRequest]
    form: Form


CHAT = Conversation("/api/chat", read_chat, CHAT_FORM)
GENERATE = Conversation("/api/generate", read_generate, GENERATE_FORM)


class Ollama:
    """A Dialect."""

    name = "ollama"
    prefixes = ("/api",)
    wire = "ollama"
    media_type = _LINES

    def __init__(self, conversation: Conversation, clock: Clock, side_routes: tuple[SideRoute, ...] = ()) -> None:
        self._conversation = conversation
        self._clock = clock
        self.routes = (conversation.path,)
        self.side_routes = side_routes

    @property
    def keep_alive(self) -> bytes:
        return empty_line(self._conversation.form, "", self._clock())

    def parse_request(self, raw: bytes, key_name: str | None = None) -> ParsedRequest:
        started = self._clock()
        request = self._conversation.read(raw)
        if request.messages:
            return request.parsed(started)
        return self._loaded(request, started)

    def _loaded(self, request: OllamaRequest, now: int) -> ParsedRequest:
        """A request that asks nothing. A backend loads a model when it is asked something, and unloads it by itself."""
        body = loaded_line(self._conversation.form, request.model, now, "unload" if request.unloads else "load")
        answered = SideReply(body, media_type=_LINES if request.stream else "application/json")
        return ParsedRequest(UpstreamRequest("", b""), request.model, request.stream, Expectations(), answered=answered)

    def stream_writer(self, request: ParsedRequest) -> LineWriter:
        return LineWriter(request, self._conversation.form, self._clock)

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        return write_whole(reply, request, self._conversation.form, self._clock)

    def write_error(self, error: ErrorInfo) -> bytes:
        return error_line(error.message).rstrip()


def conversations(clock: Clock) -> tuple[Ollama, Ollama]:
    """Both conversations of the API."""
    return Ollama(CHAT, clock, side_routes(clock)), Ollama(GENERATE, clock)
