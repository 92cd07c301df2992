"""Scripts of events, and what the Ollama API makes of them, byte for byte, in `tests/dialects/golden/ollama/`.

    python -m tests.dialects.ollama.golden        writes the files anew; look at what `git diff` then shows

Each script is told through `/api/chat` and `/api/generate`, as a stream and as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted, Reasoning, Removed, Text
from converters.text.expectations import Expectations
from dialects.ollama.request import OllamaOptions
from dialects.protocol import ParsedRequest, UpstreamRequest
from errors import Interrupted
from reply import Extension, Failure, Finish, Reply, ReplyEvent, ReplyHead, Step, Usage
from tests.dialects.ollama import talk
from tests.dialects.ollama.talk import Clock, dialect

FOLDER = Path(__file__).parent.parent / "golden/ollama"
HEAD = ReplyHead("chatcmpl-1", 1_700_000_000, "backend's-name", "fp_1")
USAGE = Usage({"prompt_tokens": 26, "completion_tokens": 9, "total_tokens": 35})
LOGPROBS = [
    {"token": "H", "logprob": -0.25, "bytes": [72], "top_logprobs": [{"token": "H", "logprob": -0.25, "bytes": [72]}]},
    {"token": "i", "logprob": -1.5, "bytes": None, "top_logprobs": []},
]


def _call(index: int, name: str, *arguments: str, call_id: str | None = None) -> list[ReplyEvent]:
    return [
        CallStart(index, name, call_id or f"id{index}"),
        *(ArgumentsDelta(index, each) for each in arguments),
        CallEnd(index),
    ]


SCRIPTS: Mapping[str, Sequence[ReplyEvent]] = {
    "text": [HEAD, Text("The sky"), Text(" is blue."), Finish("stop"), USAGE],
    "nothing": [HEAD, Finish("stop")],
    "everything": [
        HEAD,
        Reasoning("They want"),
        Reasoning(" the weather."),
        Text("Let me look."),
        Removed("\n", "whitespace"),
        *_call(0, "get_weather", '{"city": "Se', 'oul", "days": 3', "}"),
        *_call(1, "no_arguments"),
        Noted("arguments_closed"),
        Text("And then?"),
        *_call(2, "write", '{\n  "text": "a\\nb \u2028 c",\n  "n": 1.50\n}'),
        Finish("tool_calls"),
        USAGE,
    ],
    "cut": [
        HEAD,
        Text("The sky is"),
        CallStart(0, "f", "x"),
        ArgumentsDelta(0, '{"a'),
        CallEnd(0, how="cut"),
        Finish("length"),
        USAGE,
    ],
    "filtered": [HEAD, Text("The"), Finish("content_filter"), USAGE],
    "refusal": [
        HEAD,
        Extension({"refusal": "I cannot help"}),
        Extension({"refusal": " with that."}),
        Finish("stop"),
        USAGE,
    ],
    "logprobs": [
        HEAD,
        Extension({"logprobs": {"content": LOGPROBS}}, of="choice"),
        Text("Hi"),
        Text("!"),
        Finish("stop"),
        USAGE,
    ],
    "signs": [HEAD, Text('"\\ \n\r\t\x00 \x7f \x85 \u2028 \u2029 é 서울 😀'), Text("\ud83d"), Finish("stop"), USAGE],
    "other fields": [
        HEAD,
        Extension({"audio": {"id": "a"}, "reasoning_content": "hm", "reasoning": "hm", "refusal": "No. "}),
        Text("a"),
        Extension({"timings": {"n": 1}}, of="reply"),
        Finish("eos"),
        Usage({"prompt_tokens": None, "completion_tokens": "9"}),
    ],
}
STREAMS: Mapping[str, Sequence[ReplyEvent]] = {
    "failure": [HEAD, Text("The sky"), Failure(Interrupted("The backend's answer broke off.").info)],
    "a call that nobody can read": [HEAD, Text("So"), *_call(0, "f", '{"a": '), Finish("tool_calls"), USAGE],
}
"""What only a stream can tell: of a whole answer, it is an error with its status."""


KINDS: Mapping[talk.Path, str] = {"/api/chat": "chat", "/api/generate": "generate"}


def written() -> Iterator[tuple[str, bytes]]:
    """(the name of a file, what belongs in it)"""
    for path, kind in KINDS.items():
        for name, script in {**SCRIPTS, **STREAMS}.items():
            events = [(0, event) for event in script]
            clock = Clock()
            options = OllamaOptions(clock())
            request = ParsedRequest(UpstreamRequest("", b""), "m", True, Expectations(), options=options)
            face = dialect(path, clock)
            writer = face.stream_writer(request)
            steps = b"".join(writer.write(Step(None, [each])) for each in events)
            yield f"{name} {kind} stream.txt", steps + writer.end("outcome=untouched")
            if name in SCRIPTS:
                yield f"{name} {kind} whole.txt", face.write_whole(Reply(None, events), request)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, content in written():
        (FOLDER / file.replace(" ", "_")).write_bytes(content)
