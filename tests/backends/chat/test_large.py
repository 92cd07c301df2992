"""A long answer is read and written in slices, and says the same as if it were read at once (defect C10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backends.chat import choice, errors, halves, large, whole
from backends.chat.fields import json_or_none
from backends.chat.reader import ChatReplyReader
from backends.protocol import ReplyContext
from converters.stages.pipeline import Pipeline, new_parser
from converters.syntaxes import SYNTAXES
from dialects.chat import CHAT
from dialects.chat import request as requests
from dialects.protocol import ParsedRequest
from errors import ProxyError, TooMuch
from wire import json_slices, json_values, sse
from wire.json_values import RawJson

MIB = 1 << 20
LONG = "Some text of 한글 and 😀.\n" * 4
CALL = '<tool_call>{"name": "get", "arguments": {"a": "' + LONG.replace("\n", "\\n") + '"}}</tool_call>'
NATIVE = {"id": "call_123", "type": "function", "function": {"name": "get", "arguments": json.dumps({"a": LONG})}}
REQUEST = (
    b'{"model":"m","tools":[{"type":"function","function":{"name":"get","parameters":{"type":"object"}}}],"stream":%s}'
)


@contextmanager
def in_slices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (large, whole, errors):
            patch.setattr(module, "LARGE", 0)
        for size in ("AT_ONCE", "PARSED"):
            patch.setattr(choice, size, 7)
        for cut in (large, halves):
            patch.setattr(cut, "PIECE", 7)
        patch.setattr(sse, "_LARGE", 0)
        patch.setattr(sse, "_SLICE", 64)
        patch.setattr(json_slices, "_RUN", 20)
        patch.setattr(json_slices, "_SLICE", 16)
        patch.setattr(json_values, "SMALL", 12)
        patch.setattr(large, "SMALL", 12)
        yield


def reader(request: ParsedRequest) -> ChatReplyReader:
    hermes = next(row for row in SYNTAXES if row.name == "hermes")

    def parser() -> Pipeline:
        return new_parser(request.expectations, hermes)

    return ChatReplyReader(ReplyContext(parser, request.expectations, frozenset(), 1, "m"))


def buffered(body: bytes) -> Any:
    request = requests.parse(REQUEST % b"false")
    try:
        return _plain(json.loads(CHAT.write_whole(reader(request).read_whole(body), request)))
    except ProxyError as error:
        return type(error), error.message


def streamed(body: bytes, framed: bool) -> Any:
    """What a stream says in all, whatever its pieces are."""
    request = requests.parse(REQUEST % b"true")
    writer, read = CHAT.stream_writer(request), reader(request)
    try:
        if framed:
            steps = [*read.read(body)]
            while read.unread:
                steps += read.read(b"")
            steps += [] if read.done else read.finish()
        else:
            steps = [*read.stream_whole(body)]
    except ProxyError as error:
        return type(error), error.message
    said: dict[str, str] = {}
    others: list[Any] = []
    for frame in sse.frames_of(b"".join(map(writer.write, steps))):
        chunk = json.loads(sse.data_of(frame) or "null")
        choices = chunk.get("choices") if isinstance(chunk, dict) else None
        for each in choices if isinstance(choices, list) else ():
            delta = each["delta"]
            for call in delta.get("tool_calls") or ():
                said["arguments"] = said.get("arguments", "") + call["function"].get("arguments", "")
                others += [call["function"].get("name")] * ("name" in call["function"])
            for name in ("content", "reasoning_content"):
                text = delta.get(name)
                said[name] = said.get(name, "") + (text if isinstance(text, str) else "")
            others += [each.get("finish_reason"), each.get("logprobs")]
    return said, [each for each in others if each is not None]


def _plain(value: Any) -> Any:
    for each in value["choices"] if isinstance(value, dict) and isinstance(value.get("choices"), list) else ():
        for call in (each.get("message") or {}).get("tool_calls") or ():
            call["id"] = ""
    return value


def reply(message: dict[str, Any], **fields: Any) -> dict[str, Any]:
    one = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", **fields}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [one], "usage": {"x": 1}}


TOKENS = {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1.25}] * 3}] * 3}
BODIES: list[Any] = [
    reply({"content": LONG}),
    reply({"content": "<think>" + LONG + "</think>" + LONG}),
    reply({"content": LONG + CALL}),
    reply({"content": CALL + CALL, "vendor": [LONG, {"x": 1.5}]}),
    reply({"content": None, "tool_calls": [NATIVE]}),
    reply({"content": LONG, "tool_calls": [NATIVE, {**NATIVE, "id": "call_456", "x": [LONG]}]}),
    reply({"content": "", "tool_calls": [{**NATIVE, "function": {"name": "get", "arguments": "{'a': '" + LONG[:-1]}}]}),
    reply({"content": LONG, "tool_calls": []}),
    reply({"content": LONG}, logprobs=TOKENS),
    reply({"content": "a \ud83d" + LONG}),
    reply({"content": [LONG]}),
    reply({"content": LONG}) | {"object": LONG, "timings": {"x": [LONG, LONG, 1.5]}},
    {"error": {"message": LONG, "code": 500}},
    {"error": LONG},
    {"error": {"message": "Failed to parse input at pos 3: " + CALL}},
    {"detail": [LONG, LONG]},
    {"choices": LONG},
    [LONG],
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: json.dumps(body)[:30])
@pytest.mark.parametrize("damage", [b"", b"}", b"\xff"])
def test_a_long_answer_says_the_same(body: Any, damage: bytes) -> None:
    raw = json.dumps(body).encode() + damage
    wanted = buffered(raw), streamed(raw, framed=False)
    with in_slices():
        found = buffered(raw), streamed(raw, framed=False)
    if isinstance(body, dict) and ("error" in body or "detail" in body):
        assert repr(found)[:60] == repr(wanted)[:60]  # a long error is told in brief
    else:
        assert found == wanted


@pytest.mark.parametrize("body", BODIES[:12], ids=lambda body: json.dumps(body)[:30])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_a_long_frame_says_the_same(body: Any, end: bytes) -> None:
    chunk = {**body, "object": "chat.completion.chunk"}
    chunk["choices"] = [{("delta" if name == "message" else name): each for name, each in body["choices"][0].items()}]
    raw = b"data: " + json.dumps(chunk).encode() + end + b"data: [DONE]" + end
    wanted = streamed(raw, framed=True)
    with in_slices():
        assert streamed(raw, framed=True) == wanted


@pytest.mark.parametrize(
    "frame",
    [
        b"data: {}\n\n",
        b'data: {"a": "\xff\xc3"}\n\n',
        b"data: a\ndata:b\r\ndata: \rdata\n: comment\nevent: x\ndatabase: y\n\n",
        b"event: x\n\n",
        b": c\n\n",
        ("data: " + LONG.replace("\n", "") * 9 + "\n\n").encode(),
        b"data:  two\n\n",
    ],
)
def test_the_data_of_a_long_frame_is_the_same(frame: bytes) -> None:
    wanted = sse.data_of(frame)
    with in_slices():
        assert sse.data_of(frame) == wanted


def test_frames_are_cut_alike() -> None:
    block = b"data: a\n\n\r\n: b\r\n\r\ndata: c\r\rdata: d\n\r\n" + b"data: " + b"e" * 200 + b"\n\n"
    wanted = sse.frames_of(block)
    with in_slices():
        assert sse.frames_of(block) == wanted


def test_what_nobody_looks_into_stays_bytes() -> None:
    body = json.dumps(reply({"content": CALL})).encode()
    raw = body.replace(b'"usage"', b'"vendor": [1.50' + b",1.50" * MIB + b'], "usage"')
    found = json_or_none(raw)
    assert isinstance(found["vendor"], RawJson)
    request = requests.parse(REQUEST % b"false")
    written = CHAT.write_whole(reader(request).read_whole(raw), request)
    assert written.count(b"1.50") == MIB + 1
    assert json.loads(written)["choices"][0]["message"]["tool_calls"]


def test_what_is_more_than_can_be_understood_is_an_error() -> None:
    raw = json.dumps(reply({"content": "x"})).encode().replace(b'"choices": [', b'"choices": [' + b"{}," * MIB)
    with pytest.raises(TooMuch):
        json_or_none(raw)
