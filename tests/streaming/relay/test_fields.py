"""Usage, fields of the envelope and of deltas, and answers of several choices."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    TOP,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    read_stream,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    ASKED,
    CALL,
    CALLED,
    SPOKEN,
    TEXTS,
    USAGE,
    deltas,
    spoken,
)


@in_one_test("texts", TEXTS)
@in_one_test("where", ["own chunk", "with the finish", "in each chunk"])
def test_usage_reaches_the_client_that_asked(backend: ScriptedBackend, proxy: Proxy, texts: str, where: str) -> None:
    written, expected = TEXTS[texts]
    *before, finish, done = said(*written)
    if where == "own chunk":
        frames = [*before, finish, frame({**TOP, "choices": [], "usage": USAGE}), done]
    elif where == "with the finish":
        frames = [*before, frame(chunk({}, "stop", usage=USAGE)), done]
    else:
        frames = [*deltas(lambda event: {**event, "usage": USAGE})([*before, finish]), done]
    backend.answer = Answer(frames)
    streamed = whole_stream(proxy.streamed(ask(**ASKED)))
    assert message_of(streamed) == expected
    assert [event["usage"] for event in streamed.chunks if event.get("usage")][-1:] == [USAGE]


def test_usage_comes_behind_the_finish_reason_that_the_backend_forgot(backend: ScriptedBackend, proxy: Proxy) -> None:
    usage = frame({**TOP, "choices": [], "usage": USAGE})
    backend.answer = Answer([*said("Hi. ", *CALL, finish=None, done=False), usage, DONE])
    streamed = whole_stream(proxy.streamed(ask(**ASKED)))
    assert message_of(streamed) == SPOKEN
    assert streamed.chunks[-1].get("usage") == USAGE


def test_id_created_and_model_stay_what_the_backend_said(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(said("Hi. ", *CALL))
    chunks = whole_stream(proxy.streamed(ask(model="asked-for"))).chunks
    assert {(event["id"], event["created"], event["model"]) for event in chunks} == {
        (TOP["id"], TOP["created"], TOP["model"])
    }


def test_a_backend_that_names_nothing_gets_an_envelope(backend: ScriptedBackend, proxy: Proxy) -> None:
    bare = deltas(lambda event: {"choices": event["choices"]})
    backend.answer = Answer(bare(said("Hi. ", *CALL)))
    calls = [event for event in read_stream(proxy.streamed(ask())).chunks if "tool_calls" in json.dumps(event)]
    assert calls and len({event["id"] for event in calls}) == 1
    for event in calls:
        assert event["id"] and event["object"] == "chat.completion.chunk"
        assert event["model"] and isinstance(event["created"], int)


def test_fields_of_the_envelope_survive_a_translation(backend: ScriptedBackend, proxy: Proxy) -> None:
    known: Json = {"system_fingerprint": "fp_1", "service_tier": "default"}
    frames = deltas(lambda event: {**event, **known})(said("Hi. ", *CALL, done=False)[:-1])
    last = frame(chunk({}, "stop", timings={"predicted_ms": 60.8}, **known))
    backend.answer = Answer([*frames, last, DONE])
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed) == SPOKEN
    for name, value in {**known, "timings": {"predicted_ms": 60.8}}.items():
        assert streamed.chunks[-1].get(name) == value, name


def test_fields_of_a_delta_survive_a_translation(backend: ScriptedBackend, proxy: Proxy) -> None:
    annotated = chunk({"content": " <tool_call>", "annotations": [{"type": "url_citation"}]})
    first, *others = CALL
    frames = said(first.removeprefix("<tool_call>"), *others)
    backend.answer = Answer([frames[0], frame(annotated), *frames[1:]])
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed)["calls"] == [CALLED]
    assert any(choice["delta"].get("annotations") == [{"type": "url_citation"}] for choice in streamed.choices())


def interleaved(*texts: Sequence[str]) -> list[bytes]:
    """The deltas of several choices, one of each in turn."""
    longest = max(len(each) for each in texts)
    frames = [frame(chunk({"role": "assistant", "content": ""}, index=at)) for at in range(len(texts))]
    for place in range(longest):
        for index, own in enumerate(texts):
            if place < len(own):
                frames.append(frame(chunk({"content": own[place]}, index=index)))
    return [*frames, *(frame(chunk({}, "stop", index=at)) for at in range(len(texts))), DONE]


@in_one_test(
    "texts",
    [
        (["Hi. ", *CALL], ["Plain", " text", " here", "."]),
        (["Plain", " text", " < "], [*CALL]),
        (["Hi. ", *CALL], ["Ho. ", *CALL]),
        (["a <", "tool", "s> b"], ["c <", "tool_", "call", " d"]),
    ],
    ids=["a call and text", "text and a call", "two calls", "false alarms"],
)
def test_interleaved_choices_are_read_each_by_itself(
    backend: ScriptedBackend, proxy: Proxy, texts: tuple[list[str], list[str]]
) -> None:
    backend.answer = Answer(interleaved(*texts))
    streamed = whole_stream(proxy.streamed(ask(n=2)))
    choices = [{**completion("".join(own))["choices"][0], "index": index} for index, own in enumerate(texts)]
    backend.answer = json_answer({**completion(""), "choices": choices})
    reply = proxy.buffered(ask(stream=False, n=2))
    for index, own in enumerate(texts):
        message = message_of(streamed, index)
        assert message == message_in(reply, index)
        assert bool(message["calls"]) == ("</tool_call>" in "".join(own))
        if not message["calls"]:
            assert message["content"] == "".join(own)


def test_two_choices_in_one_chunk(backend: ScriptedBackend, proxy: Proxy) -> None:
    def both(delta: Json, finish: str | None = None) -> bytes:
        return frame({**TOP, "choices": [{"index": at, "delta": delta, "finish_reason": finish} for at in range(2)]})

    backend.answer = Answer(
        [both({"role": "assistant"}), *(both({"content": text}) for text in CALL), both({}, "stop")]
    )
    streamed = whole_stream(proxy.streamed(ask(n=2)))
    assert [message_of(streamed, at) for at in range(2)] == [spoken("", CALLED, reason="tool_calls")] * 2


@in_one_test("texts", TEXTS)
@in_one_test("kind", ["application/json", "application/json; charset=utf-8"])
def test_a_json_answer_becomes_a_stream(backend: ScriptedBackend, proxy: Proxy, texts: str, kind: str) -> None:
    written, expected = TEXTS[texts]
    body = json.dumps(completion("".join(written))).encode()
    backend.answer = Answer([body], headers=[("Content-Type", kind)], framing="length")
    streamed = whole_stream(proxy.streamed(ask(**ASKED)))
    assert message_of(streamed) == expected
    assert [event["usage"] for event in streamed.chunks if event.get("usage")] == [completion("")["usage"]]


def test_a_json_answer_with_native_calls_becomes_a_stream(backend: ScriptedBackend, proxy: Proxy) -> None:
    call = {"id": "call_1", "type": "function", "function": CALLED}
    backend.answer = json_answer(completion(None, "tool_calls", tool_calls=[call]))
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed) == spoken("", CALLED, reason="tool_calls")
