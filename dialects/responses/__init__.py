"""`/v1/responses`: the API that Codex and newer SDKs of OpenAI speak. Responses are stored where there is a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import getrandbits

from dialects.protocol import ParsedRequest
from dialects.responses import request as requests
from dialects.responses.output import Output
from dialects.responses.request import ResponsesOptions
from dialects.responses.side_routes import MODELS
from dialects.responses.store import ResponseStore
from dialects.responses.stored_routes import routes_of
from dialects.responses.stream import ResponsesStreamWriter
from errors import ErrorInfo
from reply import Ids, Reply, Step


def _new_token() -> str:
    return f"{getrandbits(160):040x}"  # no secret, as nothing is stored under it


class Responses:
    """A Dialect."""

    name = "responses"
    routes = (requests.PATH, "/responses")
    prefixes: tuple[str, ...] = (requests.PATH, "/responses")
    wire = "responses"
    media_type = "text/event-stream; charset=utf-8"
    keep_alive = b": keep-alive\n\n"

    def __init__(self, new_token: Callable[[], str] = _new_token, store: ResponseStore | None = None) -> None:
        """`new_token` makes what the ids of a response and its items are made of, where no store does."""
        self._new_token = new_token
        self._store = store
        self.side_routes = (*routes_of(store), MODELS)

    def parse_request(self, raw: bytes, key_name: str | None = None) -> ParsedRequest:
        return requests.parse(raw, self._store, key_name)

    def stream_writer(self, request: ParsedRequest) -> ResponsesStreamWriter:
        return ResponsesStreamWriter(self._output(request), _options(request).logprobs)

    def write_whole(self, reply: Reply, request: ParsedRequest) -> bytes:
        output = self._output(request, silent=True)
        writer = ResponsesStreamWriter(output, _options(request).logprobs)
        writer.write(Step(None, reply.events))
        output.end_of_items()
        return output.json()

    def write_error(self, error: ErrorInfo) -> bytes:
        return error.raw or json.dumps({"error": error.error}, ensure_ascii=False).encode(errors="replace")

    def _output(self, request: ParsedRequest, silent: bool = False) -> Output:
        options = _options(request)
        token = self._new_token() if options.kept is None else options.kept.id.removeprefix("resp_")
        return Output(options, request.model, Ids(request.ids), token, silent)


def _options(request: ParsedRequest) -> ResponsesOptions:
    assert isinstance(request.options, ResponsesOptions)
    return request.options


__all__ = ["Responses"]
