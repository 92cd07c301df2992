"""Server-sent events in every form that backends give them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    TOP,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    frame,
    message_of,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    CALLED,
    PAUSE,
    SPOKEN,
    TEXTS,
    Change,
    between,
    deltas,
    never,
    spoken,
    text_of,
)


def each(change: Callable[[bytes], bytes]) -> Change:
    return lambda frames: [change(data) for data in frames]


def several_lines(data: bytes) -> bytes:
    if data == DONE:
        return data
    lines = json.dumps(json.loads(data[6:]), ensure_ascii=False, indent=1).split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"


def without_role(event: Json) -> Json | None:
    delta = {name: value for name, value in event["choices"][0]["delta"].items() if name != "role"}
    if delta == {"content": ""}:
        return None
    return {**event, "choices": [{**event["choices"][0], "delta": delta}]}


def without_finish(event: Json) -> Json | None:
    return None if event["choices"][0]["finish_reason"] else event


def null_content(event: Json) -> Json:
    delta = event["choices"][0]["delta"]
    changed = {**delta, "content": None} if "role" in delta else delta
    return {**event, "choices": [{**event["choices"][0], "delta": changed}]}


def absent_reason(event: Json) -> Json:
    choice = event["choices"][0]
    kept = {name: value for name, value in choice.items() if name != "finish_reason" or value}
    return {**event, "choices": [kept]}


def with_nulls(event: Json) -> Json:
    choice = event["choices"][0]
    delta = {**choice["delta"], "tool_calls": None, "refusal": None, "reasoning_content": None}
    return {**event, "usage": None, "choices": [{**choice, "delta": delta, "logprobs": None}]}


def role_in_each(event: Json) -> Json:
    choice = event["choices"][0]
    return {**event, "choices": [{**choice, "delta": {**choice["delta"], "role": "assistant"}}]}


def finish_with_the_last_text(frames: list[bytes]) -> list[bytes]:
    *before, last, finish, done = frames
    text, end = json.loads(last[6:]), json.loads(finish[6:])
    choice = {**text["choices"][0], "finish_reason": end["choices"][0]["finish_reason"]}
    return [*before, frame({**text, "choices": [choice]}), done]


FORMS: dict[str, Change] = {
    "as usual": lambda frames: frames,
    "CRLF": each(lambda data: data.replace(b"\n", b"\r\n")),
    "CR": each(lambda data: data.replace(b"\n", b"\r")),
    "all at once": lambda frames: [b"".join(frames)],
    "comments": between(b": ping\n\n", b":\n\n"),
    "comments in CRLF": between(b": ping\r\n\r\n"),
    "comments in events": each(lambda data: b": ping\n" + data),
    "event and id": each(lambda data: b"event: message\nid: 17\n" + data),
    "no space": each(lambda data: data.replace(b"data: ", b"data:")),
    "several data lines": each(several_lines),
    "byte order mark": lambda frames: [b"\xef\xbb\xbf" + frames[0], *frames[1:]],
    "blank lines": each(lambda data: b"\n\n" + data + b"\n"),
    "retry": between(b"retry: 3000\n\n"),
    "unknown fields": each(lambda data: b"x-thing: 7\n" + data),
    "no [DONE]": lambda frames: frames[:-1],
    "no last blank line": lambda frames: [*frames[:-1], frames[-1].rstrip()],
    "no [DONE] and no last blank line": lambda frames: [*frames[:-2], frames[-2].rstrip()],
    "no finish": deltas(without_finish),
    "no role": deltas(without_role),
    "role with null": deltas(null_content),
    "role in each": deltas(role_in_each),
    "no finish_reason before the last": deltas(absent_reason),
    "nulls": deltas(with_nulls),
    "finish with the last text": finish_with_the_last_text,
    "finish twice": lambda frames: [*frames[:-1], frames[-2], frames[-1]],
    "delta null": lambda frames: [frames[0], frame(chunk(None)), *frames[1:]],
    "delta null first": lambda frames: [frame(chunk(None)), *frames],
    "delta null with the finish": lambda frames: [*frames[:-2], frame(chunk(None, "stop")), DONE],
    "empty texts": lambda frames: [*between(frame(chunk({"content": ""})))(frames[:-1]), frames[-1]],
    "no choices": between(frame({**TOP, "choices": []})),
    "[DONE] twice": lambda frames: [*frames, DONE],
}


@in_one_test("framing", ["chunked", "close"])
@in_one_test("texts", TEXTS)
@in_one_test("form", FORMS)
def test_events_are_understood_in_every_form(
    backend: ScriptedBackend, proxy: Proxy, form: str, texts: str, framing: Any
) -> None:
    written, expected = TEXTS[texts]
    pieces = FORMS[form](said(*written))
    backend.answer = Answer([piece for data in pieces for piece in (data, PAUSE)], framing=framing)
    assert message_of(whole_stream(proxy.streamed(ask()))) == expected


@in_one_test("framing", ["chunked", "close"])
@in_one_test("finish", [None, ""])
def test_defect_a8_a_stream_that_ends_with_neither_finish_nor_done_was_cut(
    backend: ScriptedBackend, proxy: Proxy, finish: str | None, framing: Any
) -> None:
    """However well its framing ended: half a call is not closed, usage is no end, and the client is told."""
    half = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Seo'
    told = [chunk({"role": "assistant"}), chunk({"content": "Hi. "}), chunk({"content": half}), chunk({}, finish)]
    usage = {**TOP, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    backend.answer = Answer([*map(frame, told), frame(usage)], framing=framing)
    streamed = broken_stream(proxy.streamed(ask()))
    assert streamed.errors[0]["code"] == "backend_interrupted"
    assert text_of(streamed) == "Hi."


def test_usage_before_the_end_of_a_choice_waits_for_it(backend: ScriptedBackend, proxy: Proxy) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    early = frame({**TOP, "choices": [], "usage": usage})
    backend.answer = Answer([*said("Hi. ", *CALL, finish=None, done=False), early, DONE])
    streamed = whole_stream(proxy.streamed(ask(stream_options={"include_usage": True})))
    assert message_of(streamed) == SPOKEN
    assert streamed.chunks[-1]["usage"] == usage


@in_one_test("coding", ["gzip", "identity"])
def test_a_stream_in_a_coding_that_nobody_asked_for(backend: ScriptedBackend, proxy: Proxy, coding: str) -> None:
    body = b"".join(said("Hi. ", *CALL))
    data = gzip.compress(body) if coding == "gzip" else body
    headers = [("Content-Type", "text/event-stream"), ("Content-Encoding", coding), ("ETag", '"1"')]
    backend.answer = Answer([data[:50], PAUSE, data[50:]], headers=headers)
    with proxy.client(ask()) as client:
        assert message_of(whole_stream(client.rest())) == SPOKEN
        assert client.header("content-encoding") in (None, "identity")
        assert client.header("etag") is None


@in_one_test("kind", ["text/plain", "application/octet-stream", "TEXT/EVENT-STREAM; charset=UTF-8", None])
def test_a_stream_under_another_content_type(backend: ScriptedBackend, proxy: Proxy, kind: str | None) -> None:
    """Clients take what comes, whatever it is called; so must who stands before them."""
    backend.answer = Answer(said("Hi. ", *CALL), headers=[("Content-Type", kind)] if kind else [])
    assert message_of(whole_stream(proxy.streamed(ask()))) == SPOKEN


def test_line_separators_of_unicode_do_not_end_lines(backend: ScriptedBackend, proxy: Proxy) -> None:
    text = "one\u2028two\u2029three\u0085four\x0bfive\x1csix"
    backend.answer = Answer(said(text, " ", *CALL))
    assert message_of(whole_stream(proxy.streamed(ask()))) == spoken(text, CALLED, reason="tool_calls")


def test_comments_of_the_backend_come_through_as_they_come(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([b": prompt processing 50%\n\n", never()])
    with proxy.client(ask()) as client:
        client.until(b": prompt processing 50%\n\n")


def test_an_event_without_data_does_not_come_through(backend: ScriptedBackend, proxy: Proxy) -> None:
    """Ten of fifteen clients die of an event that holds only `retry:`."""
    backend.answer = Answer(between(b"retry: 3000\n\n", b"event: ping\n\n")(said("ok")))
    raw = proxy.streamed(ask())
    assert b"retry" not in raw and b"event: ping" not in raw
    assert message_of(whole_stream(raw)) == spoken("ok")


def test_the_heads_of_streams(backend: ScriptedBackend, proxy: Proxy) -> None:
    headers = [("Content-Type", "text/event-stream"), ("X-RateLimit-Remaining", "9"), ("ETag", "1")]
    backend.answer = Answer(said("ok"), headers=headers)
    with proxy.client(ask()) as client:
        assert (client.header("content-type") or "").startswith("text/event-stream")
        assert client.header("cache-control") == "no-cache"
        assert client.header("x-accel-buffering") == "no"
        assert client.header("content-length") is None
        assert client.header("x-ratelimit-remaining") == "9"
        assert client.header("x-request-id")
        assert client.header("etag") is None
