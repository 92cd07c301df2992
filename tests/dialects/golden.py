"""Golden files: one script of events as every face tells it, streamed and buffered, byte for byte.

    python -m tests.dialects.golden

writes `tests/dialects/golden/` anew. Read what has changed before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted, Reasoning, Removed, Text
from dialects.messages.request import MessagesOptions
from dialects.protocol import Dialect, ParsedRequest
from errors import ErrorInfo, Interrupted, Unreadable
from reply import ChoiceEvent, Extension, Failure, Finish, Reply, ReplyEvent, ReplyHead, Step, Usage
from tests.dialects.faces import FACES, Face
from tests.servers import Json

FOLDER = Path(__file__).parent / "golden"
OUTCOME = "outcome=translated syntax=glm45"
HEAD = ReplyHead("chatcmpl-1", 1_700_000_000, "backends-name", "fp_1")
USAGE = Usage(
    {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29, "prompt_tokens_details": {"cached_tokens": 15}}
)
LOGPROBS = [
    {"token": "H", "logprob": -0.25, "bytes": [72], "top_logprobs": [{"token": "H", "logprob": -0.25, "bytes": [72]}]},
    {"token": "i", "logprob": -1.5, "bytes": None, "top_logprobs": []},
]
TOOLS = {name: {"type": "object"} for name in ("get_weather", "now", "write", "apply_patch")}
ASKS: Mapping[str, Json] = {
    "chat": {"stream_options": {"include_usage": True}, "logprobs": True},
    "responses": {
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "metadata": {"a": "b"},
    },
    "messages": {"stop_sequences": ["END"]},
    "ollama": {"logprobs": True},
    "generate": {"logprobs": True},
}
"""What the request of each face asks for beside the functions. Of `responses`, `apply_patch` is a custom tool."""


def _call(index: int, name: str, call_id: str, *arguments: str) -> list[ReplyEvent]:
    """A call whose arguments come in these pieces."""
    return [CallStart(index, name, call_id), *(ArgumentsDelta(index, each) for each in arguments), CallEnd(index)]


Script = Sequence["ReplyEvent | ChoiceEvent"]
SCRIPTS: Mapping[str, Script] = {
    "text": [HEAD, Text("Well, "), Text('so "it" is.\n서울 😀'), Finish("stop"), USAGE],
    "nothing": [HEAD, Finish("stop")],
    "nothing_but_no_text": [HEAD, Text(""), Finish("stop"), USAGE],
    "everything": [
        HEAD,
        Reasoning("They want"),
        Reasoning(" the weather."),
        Text("Let me look."),
        Removed("<tool_call>", "marker"),
        *_call(0, "get_weather", "abc123XYZ", '{"city": "서', '울", "days"', ": 3}"),
        *_call(1, "now", "functions.now:1", "{}"),
        Noted("arguments_closed"),
        Text("And then?"),
        *_call(2, "write", "id2", '{\n  "text": "a\\nb \u2028 c",\n  "n": 1.50\n}'),
        *_call(3, "apply_patch", "id3", '{"input": "*** \\"a\\"', '\\n+\\u00e9"}'),
        Text("That was all."),
        Finish("tool_calls"),
        USAGE,
    ],
    "reasoning_at_the_end": [HEAD, Text("That was all."), Reasoning("Was it?"), Finish("stop"), USAGE],
    "cut_text": [HEAD, Text("So it"), Finish("length")],
    "cut_call": [
        HEAD,
        Text("The sky is"),
        CallStart(0, "get_weather", "x"),
        ArgumentsDelta(0, '{"city": "Se'),
        CallEnd(0, how="cut"),
        Finish("length"),
        USAGE,
    ],
    "filtered": [HEAD, Text("The"), Finish("content_filter"), USAGE],
    "refusal": [HEAD, Extension({"refusal": "I will "}), Extension({"refusal": "not."}), Finish("stop"), USAGE],
    "logprobs": [
        HEAD,
        Extension({"logprobs": {"content": LOGPROBS}}, of="choice"),
        Text("Hi"),
        Text("!"),
        Finish("stop"),
        USAGE,
    ],
    "signs": [HEAD, Text('"\\ \n\r\t\x00 \x7f \x85 \u2028 \u2029 é 서울 😀'), Text("\ud83d"), Finish("stop"), USAGE],
    "stop_sequence": [HEAD, Text("So"), Extension({"stop_reason": "END"}, of="choice"), Finish("stop"), USAGE],
    "other_fields": [
        HEAD,
        Extension({"audio": {"id": "a"}, "refusal": "No. "}),
        Text("a"),
        Extension({"timings": {"n": 1}}, of="reply"),
        Finish("eos"),
        Usage({"prompt_tokens": None, "completion_tokens": "9"}),
    ],
    "several_choices": [
        (0, HEAD),
        (0, Text("one")),
        (1, HEAD),
        (1, Text("other")),
        (1, Finish("length")),
        (0, Finish("stop")),
        (0, USAGE),
    ],
}
STREAMS: Mapping[str, Script] = {
    "failure": [HEAD, Text("So "), Failure(Interrupted("The backend's answer broke off.").info)],
    "failure_in_a_call": [
        HEAD,
        Text("So"),
        CallStart(0, "get_weather", "abc123XYZ"),
        ArgumentsDelta(0, '{"city": "/ho'),
        CallEnd(0, how="cut"),
        Failure(ErrorInfo(502, {"message": "It broke.", "type": "backend_error", "code": "backend_error"})),
    ],
    "unreadable_call": [
        HEAD,
        CallStart(0, "get_weather", "abc123XYZ"),
        ArgumentsDelta(0, '{"city": "/ho'),
        Failure(Unreadable().info),
    ],
    "reasoning_left_where_the_backend_put_it": [
        HEAD,
        Extension({"reasoning_content": "hm", "reasoning": "hm"}),
        Text("a"),
        Finish("stop"),
    ],
    "a_call_that_nobody_can_read": [
        HEAD,
        Text("So"),
        *_call(0, "get_weather", "abc123XYZ", '{"city": '),
        Finish("tool_calls"),
        USAGE,
    ],
}
"""What only a stream can tell: of a whole answer, it is an error with its status."""


def written() -> Iterator[tuple[str, bytes]]:
    """(the path of a file below FOLDER, what belongs in it)"""
    for face in FACES:
        for name, script in {**SCRIPTS, **STREAMS}.items():
            events = [each if isinstance(each, tuple) else (0, each) for each in script]
            dialect, request = _asked(face, True)
            writer = dialect.stream_writer(request)
            told = b"".join([writer.write(Step(None, [event])) for event in events])
            yield f"{face.name}/{name}.stream", told + writer.end(OUTCOME)
            if name in SCRIPTS:
                dialect, request = _asked(face, False)
                source = _body(events) if face.name == "chat" else None
                yield f"{face.name}/{name}.whole", dialect.write_whole(Reply(None, events, source), request) + b"\n"
        error = {"message": "No: 서울.", "type": "invalid_request_error", "param": "input", "code": "invalid_request"}
        yield f"{face.name}/error.whole", face.new().write_error(ErrorInfo(400, error)) + b"\n"


def _asked(face: Face, stream: bool) -> tuple[Dialect, ParsedRequest]:
    """A face and a request of it, nothing of which is left to chance."""
    asked: Json = {"model": "m", "stream": stream, **face.ask(stream, TOOLS if face.calls else {}), **ASKS[face.name]}
    if face.name == "responses":
        asked["tools"] = [*asked["tools"][:-1], {"type": "custom", "name": "apply_patch"}]
    dialect = face.new()
    request = dialect.parse_request(json.dumps(asked).encode())
    if isinstance(request.options, MessagesOptions):
        request = replace(request, options=replace(request.options, id="msg_golden"))
    return dialect, request


def _body(events: Sequence[ChoiceEvent]) -> Json:
    """The body of a backend's whole answer, of which chat keeps what it does not know."""
    choices: dict[int, Json] = {}
    body: Json = {"id": HEAD.id, "object": "chat.completion", "created": HEAD.created, "model": HEAD.model}
    for index, event in events:
        choice = choices.setdefault(index, {"index": index, "message": {"content": ""}, "finish_reason": "stop"})
        message: dict[str, Any] = choice["message"]
        if isinstance(event, Text):
            message["content"] += event.text
        elif isinstance(event, Extension) and event.of == "message":
            told = {**event.fields, "refusal": message.get("refusal", "") + event.fields.get("refusal", "")}
            message.update(told)
        elif isinstance(event, Extension):
            (choice if event.of == "choice" else body).update(event.fields)
    return {**body, "choices": list(choices.values())}


if __name__ == "__main__":
    for path in FOLDER.rglob("*.*"):
        path.unlink()
    for path_of_file, content in written():
        target = FOLDER / path_of_file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
