"""Golden files: one script of events as this API tells it, streamed and buffered, byte for byte.

    python -m tests.dialects.responses.golden

writes `tests/dialects/golden/responses/` anew. Read what has changed before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Reasoning, Removed, Text
from dialects.responses import Responses
from errors import ErrorInfo
from reply import ChoiceEvent, Extension, Failure, Finish, Reply, ReplyEvent, ReplyHead, Step, Usage
from tests.dialects.responses.reading import TOKEN

FOLDER = Path(__file__).parent.parent / "golden/responses"
ASKED = {
    "model": "m",
    "input": "Hi",
    "tools": [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}},
        {"type": "custom", "name": "apply_patch"},
    ],
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "metadata": {"a": "b"},
}
HEAD = ReplyHead("chatcmpl-1", 1_700_000_000, "glm-4.5")
USAGE = Usage(
    {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "prompt_tokens_details": {"cached_tokens": 3}}
)
LOGPROBS = Extension({"logprobs": {"content": [{"token": "Hi", "logprob": -0.25, "top_logprobs": []}]}}, of="choice")
FAILURE = Failure(ErrorInfo(502, {"message": "It broke.", "type": "backend_error", "code": "backend_error"}))

SCRIPTS: Mapping[str, list[ReplyEvent]] = {
    "text": [HEAD, LOGPROBS, Text("Hi"), Text(' "there",\n서울.'), Finish("stop"), USAGE],
    "reasoning_and_calls": [
        HEAD,
        Reasoning("Let me "),
        Reasoning("see."),
        Text("Sure."),
        Removed(" ", "whitespace"),
        CallStart(0, "get_weather", "call_1"),
        ArgumentsDelta(0, '{"city": "Se'),
        ArgumentsDelta(0, 'oul"}'),
        CallEnd(0),
        CallStart(1, "apply_patch", "call_2"),
        ArgumentsDelta(1, '{"input": "*** \\"a\\"'),
        ArgumentsDelta(1, '\\n+\\u00e9"}'),
        CallEnd(1),
        Text("Done."),
        Finish("tool_calls"),
        USAGE,
    ],
    "cut": [
        HEAD,
        Text("So"),
        CallStart(0, "get_weather", "call_1"),
        ArgumentsDelta(0, '{"city": "Se'),
        CallEnd(0, how="cut"),
        Finish("length"),
    ],
    "refusal": [
        HEAD,
        Extension({"refusal": "I will "}),
        Extension({"refusal": "not."}),
        Finish("content_filter"),
        USAGE,
    ],
    "nothing": [HEAD, Finish("stop")],
    "failed": [
        HEAD,
        Text("So"),
        CallStart(0, "get_weather", "call_1"),
        ArgumentsDelta(0, '{"city": "Se'),
        CallEnd(0, how="cut"),
        FAILURE,
    ],
}


def files() -> dict[str, bytes]:
    """The contents of each file, by its name."""
    found: dict[str, bytes] = {}
    for name, script in SCRIPTS.items():
        events: list[ChoiceEvent] = [(0, event) for event in script]
        dialect = Responses(lambda: TOKEN)
        streaming = dialect.parse_request(json.dumps({**ASKED, "stream": True}).encode())
        writer = dialect.stream_writer(streaming)
        told = b"".join([writer.write(Step(None, [event])) for event in events])
        found[f"{name}.sse"] = told + writer.end("outcome=translated syntax=glm45")
        if name != "failed":  # an error is no whole reply
            buffered = dialect.write_whole(Reply(None, events), dialect.parse_request(json.dumps(ASKED).encode()))
            found[f"{name}.json"] = buffered + b"\n"
    error = {"message": "No.", "type": "invalid_request_error", "param": "input", "code": "invalid_request"}
    found["error.json"] = Responses().write_error(ErrorInfo(400, error)) + b"\n"
    return found


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in files().items():
        (FOLDER / name).write_bytes(data)
