"""Every failure that users reported and that is kept as a fixture, through the proxy, as a client sees it.

The fixtures are tests/corpus/failures/<number>.json: the tools, what the backend answered, what a client must get.
`backend` holds the text (`content`, or `deltas` of it), whole calls (`tool_calls`), entries of calls
(`tool_call_deltas`) or whole deltas (`raw_deltas`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases import in_one_test
from tests.helpers import CORPUS, chunks, random_cut, read_object, same_json
from tests.servers import (
    DONE,
    Answer,
    Json,
    Piece,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    whole_stream,
)

FIXTURES = sorted((CORPUS / "failures").glob("*.json"))
PAUSE = 0.0005
"""Seconds between two pieces, so that the proxy reads the first one alone."""


def request_of(told: Json, stream: bool) -> Json:
    tools = [{"type": "function", "function": tool} for tool in told["tools"]]
    return ask(stream, tools, **told.get("request", {}))


def entry(call: Json, index: int) -> Json:
    """A whole native call as a server sends it, unless the fixture says otherwise."""
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"index": index, "id": call.get("id", f"call_{index}"), "type": "function", "function": function}


def deltas_of(said: Json, texts: list[str]) -> list[Json]:
    """What the backend streams; `texts` is its text, cut."""
    if "raw_deltas" in said:
        return list(said["raw_deltas"])
    if "tool_call_deltas" in said:
        return [{"tool_calls": [each]} for each in said["tool_call_deltas"]]
    calls = [{"tool_calls": [entry(call, at)]} for at, call in enumerate(said.get("tool_calls", []))]
    return [*({"content": text} for text in texts), *calls]


def cuts(said: Json) -> Iterator[list[str]]:
    text = said.get("content") or "".join(said.get("deltas", []))
    yield [text] if text else []
    if text:
        yield from (chunks(text, 1), chunks(text, 3), random_cut(text, 1), said.get("deltas", [text]))


def streams(told: Json) -> Iterator[list[Piece]]:
    """The streamed answer at several cuts: of its text into deltas, and of its bytes."""
    for texts in cuts(told["backend"]):
        deltas: list[Json] = [{"role": "assistant", "content": ""}, *deltas_of(told["backend"], texts)]
        frames = [frame(chunk(delta)) for delta in deltas]
        body = b"".join([*frames, frame(chunk({}, told["backend"]["finish_reason"])), DONE])
        yield [body]
        if len(texts) < 3:
            for size in (11, 64):
                yield [each for at in range(0, len(body), size) for each in (body[at : at + size], PAUSE / 5)]


def whole_reply(said: Json) -> Json | None:
    """The buffered answer; None where the failure is one of pieces of calls, which only a stream has."""
    content = said.get("content") or "".join(said.get("deltas", []))
    calls = [entry(call, at) for at, call in enumerate(said.get("tool_calls", []))]
    calls += said.get("tool_call_deltas", [])
    message: Json = {"tool_calls": calls} if calls else {}
    for delta in said.get("raw_deltas", []):
        content += delta.get("content", "")
        message.setdefault("tool_calls", []).extend(delta["tool_calls"] or [])
    if "tool_calls" not in said and any(in_pieces(call["function"]) for call in message.get("tool_calls", [])):
        return None
    return completion(content or None, said["finish_reason"], **message)


def in_pieces(function: Json) -> bool:
    return not function.get("name") or not str(function.get("arguments", "")).endswith("}")


def as_expected(message: Json, expect: Json) -> None:
    assert message["content"] == (expect["content"] or "")
    assert message.get("reasoning_content", "") == expect.get("reasoning_content", "")
    assert message["reasons"] == [expect["finish_reason"]]
    if "partial_call" in expect:
        [call] = message["calls"]
        assert call["name"] == expect["partial_call"]["name"]
        assert call["arguments"] == expect["partial_call"]["arguments_prefix"]
        return
    assert [call["name"] for call in message["calls"]] == [call["name"] for call in expect["tool_calls"]]
    for call, wanted in zip(message["calls"], expect["tool_calls"], strict=True):
        assert same_json(read_object(call["arguments"]), wanted["arguments"])


def told_by(path: Path) -> Json:
    told: Json = json.loads(path.read_text(encoding="utf-8"))
    return told


WHOLE = [path for path in FIXTURES if whole_reply(told_by(path)["backend"])]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_streamed(backend: ScriptedBackend, proxy: Proxy, path: Path) -> None:
    told = told_by(path)
    for pieces in streams(told):
        backend.answer = Answer(pieces)
        streamed = whole_stream(proxy.streamed(request_of(told, stream=True)))
        as_expected(message_of(streamed), told["expect"])
        deltas = [choice["delta"] for choice in streamed.choices()]
        assert all(told["expect"].get("no_key_in_any_delta") not in delta for delta in deltas)
        entries = [delta.get("tool_calls", []) for delta in deltas]
        assert all(len(each) <= told["expect"].get("max_entries_per_chunk", 1) for each in entries)


@in_one_test("path", WHOLE, ids=lambda path: path.stem)
def test_buffered_and_as_json_to_a_stream(backend: ScriptedBackend, proxy: Proxy, path: Path) -> None:
    told = told_by(path)
    backend.answer = json_answer(whole_reply(told["backend"]))
    answer: Any = proxy.buffered(request_of(told, stream=False))
    as_expected(message_in(answer), told["expect"])
    message = answer["choices"][0]["message"]
    assert told["expect"].get("no_key_in_any_delta") not in message
    ids = [call["id"] for call in message.get("tool_calls", [])]
    assert len(set(ids)) == len(ids)
    as_expected(message_of(whole_stream(proxy.streamed(request_of(told, stream=True)))), told["expect"])
