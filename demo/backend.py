"""An OpenAI-compatible server with the pretend models: `python -m demo.backend`.

Like many local servers, it answers with calls written as text. Only the model `native` answers with `tool_calls`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import struct
import time
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.model import Json, Reply, model_names, reply

PORT = 8889
DELAY = 0.015  # seconds between pieces: slow enough to see them arrive
DIMENSIONS = 8  # of an embedding, by default


def create_backend(delay: float = DELAY) -> Flask:
    """The server as a Flask app; `delay` is the pause after each streamed piece, in seconds."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.post("/v1/chat/completions")
    def chat() -> Response:
        body = _chat_body()
        deltas = list(_deltas(reply(body)))
        limit = _limit(body)
        finish = "tool_calls" if any("tool_calls" in delta for delta in deltas) else "stop"
        if limit is not None and limit < len(deltas):
            deltas, finish = deltas[:limit], "length"
        usage = _usage(json.dumps(body["messages"]), len(deltas))
        head = _head("chatcmpl", "chat.completion", body)
        if not body.get("stream"):
            choice = {"index": 0, "message": _assembled(deltas), "logprobs": None, "finish_reason": finish}
            return jsonify(head | {"choices": [choice], "usage": usage})

        def chunks() -> Iterator[Json]:
            for delta in ({"role": "assistant", "content": ""}, *deltas, {}):
                yield {"index": 0, "delta": delta, "finish_reason": None if delta else finish}

        return _event_stream(head | {"object": "chat.completion.chunk"}, chunks(), _requested_usage(body, usage), delay)

    @app.post("/v1/completions")
    def completions() -> Response:
        body = _json_body()
        prompt = body.get("prompt", "")
        prompts = [str(one) for one in prompt] if isinstance(prompt, list) else [str(prompt)]
        texts = [f"You wrote: {one.strip()} ... and that is all a pretend model can add." for one in prompts]
        usage = _usage("".join(prompts), sum(len(_pieces(text)) for text in texts))
        head = _head("cmpl", "text_completion", body)
        if not body.get("stream"):
            choices = [
                {"index": index, "text": text, "logprobs": None, "finish_reason": "stop"}
                for index, text in enumerate(texts)
            ]
            return jsonify(head | {"choices": choices, "usage": usage})

        def chunks() -> Iterator[Json]:
            for index, text in enumerate(texts):
                for piece in (*_pieces(text), ""):
                    yield {"index": index, "text": piece, "finish_reason": None if piece else "stop"}

        return _event_stream(head, chunks(), _requested_usage(body, usage), delay)

    @app.post("/v1/embeddings")
    def embeddings() -> Response:
        body = _json_body()
        given, size = body.get("input"), body.get("dimensions") or DIMENSIONS
        if not given or not isinstance(size, int) or not 0 < size <= 4096:
            abort(400, "'input' must not be empty, and 'dimensions' is 1 to 4096")
        # A list of numbers is the token ids of one text.
        many = isinstance(given, list) and not isinstance(given[0], int)
        vectors = [_vector(str(one), size) for one in (given if many else [given])]
        entries = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, body.get("encoding_format"))}
            for index, vector in enumerate(vectors)
        ]
        usage = _usage(str(given), 0)
        del usage["completion_tokens"]
        return jsonify({"object": "list", "data": entries, "model": body.get("model"), "usage": usage})

    @app.get("/v1/models")
    def models() -> Response:
        entries = [{"id": name, "object": "model", "created": 0, "owned_by": "demo"} for name in model_names()]
        return jsonify({"object": "list", "data": entries})

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return jsonify({"error": {"message": error.description, "type": kind, "param": None, "code": None}}), status

    return app


class Http11(WSGIRequestHandler):
    """HTTP/1.1, whose chunked bodies show whether a stream is complete; without Nagle's delay of small packets."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


def serve(host: str, port: int, delay: float) -> None:
    """Serve until Ctrl-C. `port` 0 takes any free port."""
    server = make_server(host, port, create_backend(delay), threaded=True, request_handler=Http11)
    print(f"demo backend on http://{host}:{server.port}/v1 ({len(model_names())} models)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


# -- the request


def _json_body() -> Json:
    body = request.get_json(force=True)
    if not isinstance(body, dict):
        abort(400, "the body must be a JSON object")
    return body


def _chat_body() -> Json:
    body = _json_body()
    messages, tools = body.get("messages"), body.get("tools") or []
    if not messages or not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        abort(400, "'messages' must be a list of messages and not empty")
    functions = [tool.get("function") if isinstance(tool, dict) else None for tool in tools]
    for function in chain(functions, body.get("functions") or []):
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            abort(400, "every entry of 'tools' needs a function with a name")
    return body


def _limit(body: Json) -> int | None:
    """The number of pieces that `max_tokens` allows. A piece counts as a token, so the limit may cut inside markup."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return limit if isinstance(limit, int) and limit > 0 else None


def _requested_usage(body: Json, usage: Json) -> Json | None:
    """`usage` if the request asks for it in the stream."""
    return usage if (body.get("stream_options") or {}).get("include_usage") else None


# -- the response


def _head(prefix: str, kind: str, body: Json) -> Json:
    return {
        "id": f"{prefix}-{uuid.uuid4().hex[:24]}",
        "object": kind,
        "created": int(time.time()),
        "model": body.get("model") or model_names()[0],
    }


def _deltas(answer: Reply) -> Iterator[Json]:
    """The answer as streamed deltas, without the first (role) and the last (finish reason)."""
    for piece in _pieces(answer.text):
        yield {"content": piece}
    for index, call in enumerate(answer.calls):
        function = {"name": call.name, "arguments": ""}
        opening = {"index": index, "id": f"call_{uuid.uuid4().hex[:20]}", "type": "function", "function": function}
        yield {"tool_calls": [opening]}
        for piece in _pieces(json.dumps(call.arguments, ensure_ascii=False)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _assembled(deltas: list[Json]) -> Json:
    """The buffered message, assembled from the deltas so that it cannot differ from the stream."""
    calls: list[Json] = []
    for delta in deltas:
        for entry in delta.get("tool_calls", []):
            if "id" in entry:
                calls.append({"id": entry["id"], "type": "function", "function": dict(entry["function"])})
            else:
                calls[-1]["function"]["arguments"] += entry["function"]["arguments"]
    text = "".join(delta.get("content", "") for delta in deltas)
    message: Json = {"role": "assistant", "content": text or (None if calls else "")}
    return message | {"tool_calls": calls} if calls else message


def _pieces(text: str) -> list[str]:
    """`text` in pieces of 1 to 6 characters. The text seeds the generator, so the same text gives the same pieces."""
    sizes = random.Random(text)
    pieces, pos = [], 0
    while pos < len(text):
        size = sizes.randint(1, 6)
        pieces.append(text[pos : pos + size])
        pos += size
    return pieces


def _usage(prompt: str, completion: int) -> Json:
    tokens = max(1, len(prompt) // 4)
    return {"prompt_tokens": tokens, "completion_tokens": completion, "total_tokens": tokens + completion}


def _event_stream(head: Json, choices: Iterator[Json], usage: Json | None, delay: float) -> Response:
    def events() -> Iterator[str]:
        for choice in choices:
            yield _event(head | {"choices": [choice]})
            time.sleep(delay)
        if usage:
            yield _event(head | {"choices": [], "usage": usage})
        yield "data: [DONE]\n\n"

    return Response(events(), mimetype="text/event-stream", headers={"Cache-Control": "no-cache"})


def _event(chunk: Json) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def _vector(text: str, size: int) -> list[float]:
    """A unit vector of `size` numbers, derived from the text alone."""
    digest = hashlib.shake_256(text.encode()).digest(2 * size)
    raw = [number / 32768 - 1 for number in struct.unpack(f"<{size}H", digest)]
    length = sum(number * number for number in raw) ** 0.5 or 1.0
    return [number / length for number in raw]


def _encoded(vector: list[float], form: Any) -> str | list[float]:
    # The OpenAI SDK requests base64 by default.
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if form == "base64" else vector


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m demo.backend", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--delay", type=float, default=DELAY, help="seconds after each streamed piece")
    chosen = parser.parse_args()
    serve(chosen.host, chosen.port, chosen.delay)
