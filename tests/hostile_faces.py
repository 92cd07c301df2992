"""Well-formed requests of every client API and of the inspector, and the well-formed answers of backends to them.

`tests/hostile_trees.py` changes members of them. `@response@`, `@item@`, `@call@` and `@record@` stand for ids that the
proxy has given out before: whoever sends the request puts them in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Face = Literal["chat", "responses", "messages", "ollama", "generate", "side", "page", "other"]
"""How an answer must look: `side` is JSON that is no conversation, `page` HTML, `other` anything."""
Backend = Literal["chat", "models", "tokens", "show"]
"""What of a backend is asked."""
Json = dict[str, Any]
CAPTURED = Path(__file__).parent / "captures" / "clients"


@dataclass(frozen=True)
class Asking:
    """A request: `body` is None for one without. `weight` is how often it comes, beside the others."""

    face: Face
    target: str
    body: object = field(default=None, repr=False)
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    backend: Backend = "chat"
    weight: int = 1
    errors: Face | None = None
    """Whose shape its errors have, if not that of the face."""

    @property
    def streams(self) -> bool:
        told = self.body.get("stream") if isinstance(self.body, dict) else None
        return bool(told) if self.face not in ("ollama", "generate") else told is not False

    @property
    def error_face(self) -> Face:
        return self.errors or self.face


SCHEMA: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Seoul", "Busan"]},
        "days": {"type": ["integer", "null"], "minimum": 0},
        "a": {"anyOf": [{"$ref": "#/$defs/x"}, {"type": "array", "items": {"type": "number"}}]},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"x": {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}}},
}
FUNCTION: Json = {"name": "get_weather", "description": "It tells the weather.", "parameters": SCHEMA, "strict": True}
IMAGE = "data:image/png;base64,iVBORw0KGgo="

# -- chat completions --------------------------------------------------------------------------------------------------

CHAT_TOOL: Json = {"type": "function", "function": FUNCTION}
CHAT_CALL: Json = {
    "id": "@call@",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Seoul"}'},
}
CHAT_MESSAGES: list[Json] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": IMAGE}}]},
    {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [CHAT_CALL, CHAT_CALL]},
    {"role": "tool", "tool_call_id": "@call@", "content": "sunny"},
    {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "rain"}]},
    {"role": "developer", "content": "Go on.", "name": "x"},
    {"role": "user", "content": "And tomorrow?"},
]


def _chat(stream: bool) -> list[Asking]:
    plain: Json = {"model": "m", "messages": CHAT_MESSAGES[-1:], "stream": stream, "tools": [CHAT_TOOL]}
    full: Json = {
        **plain,
        "model": "glm-4.5",
        "messages": CHAT_MESSAGES,
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "max_tokens": 100,
        "max_completion_tokens": 100,
        "stop": ["x"],
        "n": 2,
        "logprobs": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}},
        "chat_template_kwargs": {"enable_thinking": True},
        "reasoning_effort": "low",
    }
    old: Json = {"model": "m", "messages": CHAT_MESSAGES[:2], "functions": [FUNCTION], "function_call": "auto"}
    return [Asking("chat", "/v1/chat/completions", body, weight=3) for body in (plain, full, {**old, "stream": stream})]


# -- Responses ---------------------------------------------------------------------------------------------------------

RESPONSES_TOOLS: list[Json] = [
    {"type": "function", **FUNCTION},
    {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
    {"type": "namespace", "name": "n", "tools": [{"type": "function", **FUNCTION}]},
    {"type": "web_search"},
    {"type": "local_shell"},
]
RESPONSES_INPUT: list[Json] = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": IMAGE}]},
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
        "encrypted_content": "dragoman.1.SG0u",
    },
    {"type": "message", "role": "assistant", "id": "@item@", "content": [{"type": "output_text", "text": "Sure."}]},
    {"type": "function_call", "id": "fc_1", "call_id": "@call@", "name": "get_weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "@call@", "output": [{"type": "input_text", "text": "sunny"}]},
    {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "x"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
    {"type": "local_shell_call", "call_id": "c3", "action": {"type": "exec", "command": ["ls"]}},
    {"type": "local_shell_call_output", "call_id": "c3", "output": "a"},
    {"type": "item_reference", "id": "@item@"},
    {"type": "additional_tools", "tools": [{"type": "custom", "name": "late"}]},
    {"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}},
    {"role": "user", "content": "And tomorrow?"},
]


def _responses(stream: bool) -> list[Asking]:
    plain: Json = {"model": "m", "input": "Hi", "tools": RESPONSES_TOOLS[:2], "stream": stream}
    full: Json = {
        "model": "glm-4.5",
        "instructions": "Be brief.",
        "input": RESPONSES_INPUT,
        "tools": RESPONSES_TOOLS,
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "get_weather"}],
        },
        "parallel_tool_calls": True,
        "stream": stream,
        "store": True,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "max_output_tokens": 100,
        "top_logprobs": 2,
        "user": "u",
    }
    onward: Json = {
        **plain,
        "previous_response_id": "@response@",
        "input": [{"type": "item_reference", "id": "@item@"}, *RESPONSES_INPUT[4:6], RESPONSES_INPUT[-1]],
    }
    bodies = ((plain, 4), (full, 6), (onward, 6))
    return [Asking("responses", "/v1/responses", body, weight=weight) for body, weight in bodies]


STORED = [
    Asking("side", "/v1/responses/@response@", method="GET", weight=2, errors="responses"),
    Asking("side", "/v1/responses/@response@?include[]=reasoning.encrypted_content", method="GET", errors="responses"),
    Asking("side", "/v1/responses/@response@?stream=true", method="GET", errors="responses"),
    Asking("side", "/v1/responses/@item@", method="GET", errors="responses"),
    Asking("side", "/v1/responses/%ED%A0%80%00", method="GET", errors="responses"),
    Asking("side", "/v1/responses/@response@/input_items", method="GET", weight=3, errors="responses"),
    Asking(
        "side",
        "/v1/responses/@response@/input_items?order=asc&limit=2&after=@item@&include=reasoning.encrypted_content",
        method="GET",
        errors="responses",
    ),
    Asking("side", "/v1/responses/@response@/input_items?limit=%D9%A3&order=x", method="GET", errors="responses"),
    Asking("side", "/v1/responses/@response@/cancel", {}, errors="responses"),
    Asking("side", "/v1/responses/@response@", method="DELETE", errors="responses"),
    Asking("side", "/v1/responses/@response@", {"metadata": {}}, errors="responses"),
]

# -- Messages ----------------------------------------------------------------------------------------------------------

MESSAGES_TOOLS: list[Json] = [
    {"name": "get_weather", "description": "It tells the weather.", "input_schema": SCHEMA},
    {"type": "custom", "name": "f", "input_schema": {"type": "object"}},
    {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
]
MESSAGES: list[Json] = [
    {"role": "user", "content": "Hi"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "x"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "Sure.", "citations": None},
            {"type": "tool_use", "id": "toolu_@call@", "name": "get_weather", "input": {"city": "Seoul", "days": 1.50}},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_@call@",
                "is_error": True,
                "content": [
                    {"type": "text", "text": "sunny"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
                ],
            },
            {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
            {"type": "text", "text": "Go on.", "cache_control": {"type": "ephemeral"}},
        ],
    },
]


def _messages(stream: bool) -> list[Asking]:
    plain: Json = {"model": "m", "max_tokens": 100, "messages": MESSAGES[:1], "stream": stream}
    full: Json = {
        "model": "glm-4.5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": MESSAGES,
        "tools": MESSAGES_TOOLS,
        "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["x"],
        "temperature": 0.5,
        "top_k": 5,
        "stream": stream,
        "metadata": {"user_id": "u"},
        "mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}],
    }
    counted: Json = {name: full[name] for name in ("model", "system", "messages", "tools", "thinking")}
    return [
        Asking("messages", "/v1/messages", plain, weight=4),
        Asking("messages", "/v1/messages", full, weight=8),
        Asking("messages", "/v1/messages", {**plain, "tools": MESSAGES_TOOLS[:2]}, weight=3),
        Asking("side", "/v1/messages/count_tokens", counted, backend="tokens", weight=2, errors="messages"),
    ]


# -- Ollama ------------------------------------------------------------------------------------------------------------

OLLAMA_MESSAGES: list[Json] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi", "images": ["iVBORw0KGgo="]},
    {
        "role": "assistant",
        "content": "Sure.",
        "thinking": "Hm.",
        "tool_calls": [{"id": "@call@", "function": {"name": "get_weather", "arguments": {"city": "Seoul"}}}],
    },
    {"role": "tool", "content": "sunny", "tool_name": "get_weather", "tool_call_id": "@call@"},
]


def _ollama(stream: bool) -> list[Asking]:
    plain: Json = {"model": "m", "messages": OLLAMA_MESSAGES[1:2], "stream": stream, "tools": [CHAT_TOOL]}
    full: Json = {
        "model": "glm-4.5:latest",
        "messages": OLLAMA_MESSAGES,
        "tools": [CHAT_TOOL],
        "format": SCHEMA,
        "options": {"num_predict": 100, "temperature": 0.5, "top_k": 5, "seed": 1, "stop": ["x"], "num_ctx": 1},
        "think": "low",
        "keep_alive": "5m",
        "logprobs": True,
        "top_logprobs": 2,
        "stream": stream,
    }
    prompt: Json = {
        "model": "gpt-oss-20b",
        "prompt": "Hi",
        "system": "Be kind.",
        "images": ["AA"],
        "think": True,
        "format": "json",
        "options": {"num_predict": -1},
        "raw": False,
        "suffix": "",
        "context": [],
        "keep_alive": 0,
        "stream": stream,
    }
    return [
        Asking("ollama", "/api/chat", plain, weight=4),
        Asking("ollama", "/api/chat", full, weight=6),
        Asking("generate", "/api/generate", prompt, weight=4),
        Asking("side", "/api/show", {"model": "m", "verbose": True}, backend="show", weight=2, errors="ollama"),
    ]


# -- lists of models ---------------------------------------------------------------------------------------------------

_VERSION = (("anthropic-version", "2023-06-01"),)
MODELS = [
    Asking("other", "/v1/models", method="GET", backend="models"),
    Asking("side", "/v1/models", method="GET", backend="models", headers=_VERSION, weight=2, errors="messages"),
    Asking(
        "side",
        "/v1/models?limit=1&after_id=m&before_id=glm-4.5",
        method="GET",
        backend="models",
        headers=_VERSION,
        errors="messages",
    ),
    Asking("side", "/v1/models/m", method="GET", backend="models", headers=_VERSION, errors="messages"),
    Asking("side", "/v1/models/%ED%A0%80/x", method="GET", backend="models", headers=_VERSION, errors="messages"),
    Asking("other", "/v1/models?client_version=1", method="GET", backend="models", weight=2),
    Asking("other", "/v1/models", method="GET", backend="models", headers=(("originator", "codex_cli"),)),
    Asking("side", "/api/tags", method="GET", backend="models", weight=2, errors="ollama"),
    Asking("side", "/api/ps", method="GET", backend="models", errors="ollama"),
    Asking("side", "/api/version", method="GET", errors="ollama"),
]

# -- the inspector -----------------------------------------------------------------------------------------------------

_QUERIES = (
    "q=model:glm*%20outcome:abstained%20-key:ci%20ttft%3E2s%20since:1h%20timeout&slow=true",
    "q=%22a%20b%22,c%20code:x%20is:failed%20in%3E5%20bytes%3C1000%20until:2020-01-01&limit=5&failed=1",
    "q=%ED%A0%80%00:%00%20id:%22%20%C3%A9&model=%ED%A0%80%25_!&before=%00&since=1e10&until=nan",
    "q=-%20,,:%20%3E%3D%20since:99999999999999d&status=1e400&limit=-0&slow=NaN&request=@response@",
    "q=since:9999-12-31T23:59:59Z%20ttft%3E999999999.999999d%20status%3A999999999999999&state=lost",
)
EXPLAINED: Json = {"text": 'Hi <tool_call>{"name": "get_weather"}</tool_call>', "model": "m", "tools": [CHAT_TOOL]}
INSPECTED = [
    Asking("side", "/dragoman/api/explain", EXPLAINED, weight=8),
    Asking("side", "/dragoman/api/explain", {**EXPLAINED, "tools": MESSAGES_TOOLS[:2], "model": "glm-4.5"}, weight=4),
    *(Asking("side", f"/dragoman/api/records?{query}", method="GET") for query in _QUERIES),
    *(Asking("page", f"/dragoman/?{query}", method="GET") for query in _QUERIES[:3]),
    *(Asking("page", f"/dragoman/overview?{query}", method="GET") for query in _QUERIES[2:]),
    Asking("side", "/dragoman/api/records/@record@", method="GET", weight=3),
    Asking("other", "/dragoman/api/records/@record@/curl", method="GET"),
    Asking("side", "/dragoman/api/records/@record@/corpus", method="GET"),
    Asking("side", "/dragoman/api/records/@record@/replay", {}, weight=3),
    Asking("page", "/dragoman/records/@record@", method="GET", weight=3),
    Asking("page", "/dragoman/records/@record@?compare=@record@&with=@record@", method="GET"),
    Asking("other", "/dragoman/api/records/export?texts=1&limit=20", method="GET"),
    Asking("side", "/dragoman/api/overview?q=%ED%A0%80&since=0", method="GET"),
    Asking("side", "/dragoman/api/usage?q=-model:x", method="GET"),
    Asking("page", "/dragoman/explain", method="GET"),
    Asking("side", "/dragoman/api/backends", method="GET", weight=2),
    Asking("side", "/dragoman/api/backends?model=%ED%A0%80", {}, method="DELETE"),
]


def _captured() -> list[Asking]:
    """What real clients were seen to send."""
    faces: dict[str, tuple[Face, str]] = {
        "codex": ("responses", "/v1/responses"),
        "claude-code": ("messages", "/v1/messages"),
        "ollama": ("ollama", "/api/chat"),
    }
    found = []
    for path in sorted(CAPTURED.rglob("*.json")):
        face, target = next(faces[name] for name in faces if name in str(path.relative_to(CAPTURED)))
        found.append(Asking(face, target, json.loads(path.read_text(encoding="utf-8"))))
    return found


ASKINGS: Sequence[Asking] = [
    each
    for asking in (
        *(one for stream in (False, True) for one in (*_chat(stream), *_responses(stream), *_messages(stream))),
        *(one for stream in (False, True) for one in _ollama(stream)),
        *STORED,
        *MODELS,
        *INSPECTED,
        *_captured(),
    )
    for each in [asking] * asking.weight
]
"""Each as often as it weighs."""

# -- answers -----------------------------------------------------------------------------------------------------------

_USAGE: Json = {
    "prompt_tokens": 5,
    "completion_tokens": 7,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
_TOKEN: Json = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
_LOGPROBS: Json = {"content": [{**_TOKEN, "top_logprobs": [_TOKEN]}], "refusal": None}
_TOP: Json = {"id": "chatcmpl-1", "created": 1700000000, "model": "m"}
_WRITTEN = 'Sure. <tool_call>\n{"name": "get_weather", "arguments": {"city": "Seoul", "days": 3}}\n</tool_call>'
_NATIVE: Json = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Seoul"}'}}


def _whole(message: Json, finish: str, **choice: object) -> Json:
    told = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
    return {**_TOP, "object": "chat.completion", "choices": [told], "usage": _USAGE}


def _frame(delta: Json, finish: str | None = None, **choice: object) -> Json:
    told = {"index": 0, "delta": delta, "finish_reason": finish, **choice}
    return {**_TOP, "object": "chat.completion.chunk", "choices": [told]}


WHOLE: Sequence[Json] = (
    _whole({"content": "Hi"}, "stop", logprobs=_LOGPROBS, matched_stop="x"),
    _whole({"content": _WRITTEN, "reasoning_content": "Hm."}, "stop"),
    _whole({"content": f"<think>Hm.</think>{_WRITTEN}", "refusal": None}, "length"),
    _whole({"content": None, "tool_calls": [_NATIVE, {**_NATIVE, "id": "b"}]}, "tool_calls"),
    _whole({"content": "Hi", "function_call": _NATIVE["function"], "refusal": "No."}, "function_call"),
)
_PIECES = ({**_NATIVE, "index": 0}, {"index": 0, "function": {"arguments": ', "days": 3}'}})
STREAMED: Sequence[list[Json]] = (
    [_frame({"role": "assistant", "content": ""}), _frame({"content": "Hi"}, logprobs=_LOGPROBS), _frame({}, "stop")],
    [
        _frame({"role": "assistant", "reasoning_content": "Hm."}),
        *(_frame({"content": _WRITTEN[at : at + 20]}) for at in range(0, len(_WRITTEN), 20)),
        _frame({}, "stop"),
        {**_TOP, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE},
    ],
    [_frame({"content": f"<think>Hm.</think>{_WRITTEN}"}), _frame({"refusal": "No."}), _frame({}, "length")],
    [*(_frame({"tool_calls": [piece]}) for piece in _PIECES), _frame({}, "tool_calls")],
    [_frame({"function_call": _NATIVE["function"]}), _frame({"content": "Hi"}), _frame({}, "function_call")],
)
LISTS: Sequence[Json] = (
    {"object": "list", "data": [{"id": name, "object": "model", "created": 1700000000} for name in ("m", "glm-4.5")]},
    {"object": "list", "data": [{"id": "m", "meta": {"n_ctx_train": 8192}, "max_model_len": 1, "display_name": "M"}]},
    {
        "models": [
            {
                "name": "m:latest",
                "model": "m:latest",
                "modified_at": "2024-01-01T00:00:00Z",
                "expires_at": "2024-01-01T00:00:00Z",
                "size": 1,
                "size_vram": 1,
                "digest": "x",
                "details": {"family": "glm", "families": ["glm"], "parameter_size": "1B"},
            }
        ]
    },
)
TOKENIZED: Sequence[Json] = ({"count": 3, "max_model_len": 1, "tokens": [1, 2, 3]}, {"tokens": [1]}, {"prompt": "Hi"})
SHOWN: Sequence[Json] = (
    {
        "modelfile": "x",
        "parameters": "x",
        "template": "x",
        "details": {"family": "glm"},
        "model_info": {"general.architecture": "glm", "glm.context_length": 1},
        "capabilities": ["completion"],
        "modified_at": "2024-01-01T00:00:00Z",
    },
    LISTS[0],
)
REFUSED: Sequence[Json] = (
    {"error": {"message": "@words@", "type": "invalid_request_error", "param": None, "code": None}},
    {"object": "error", "message": "@words@", "type": "BadRequestError", "param": None, "code": 400},
    {"detail": [{"loc": ["body", "tools"], "msg": "@words@", "type": "extra_forbidden"}]},
    {"error": "@words@"},
)
