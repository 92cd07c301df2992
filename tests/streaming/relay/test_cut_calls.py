"""Calls that are withheld until they are whole, and calls that max_tokens cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cases import in_one_test
from tests.servers import (
    KEEP_ALIVE,
    Answer,
    Proxy,
    ScriptedBackend,
    ask,
    completion,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    CALLED,
    SPOKEN,
    never,
    so_far,
    spoken,
    text_of,
)


@pytest.fixture
def whole(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend, TOOL_CALL_STREAMING="whole", KEEPALIVE_SECONDS=0.1) as running:
        yield running


def test_a_whole_call_is_withheld_until_its_close(backend: ScriptedBackend, whole: Proxy) -> None:
    closing = never()
    frames = said("Hi. ", *CALL)
    backend.answer = Answer([*frames[:-3], closing, *frames[-3:]])
    with whole.client(ask()) as client:
        client.until(KEEP_ALIVE)
        assert text_of(so_far(client)) == "Hi."
        assert b"get_weather" not in client.body
        closing.set()
        assert message_of(whole_stream(client.rest())) == SPOKEN


@in_one_test("length", range(2, 6))
def test_a_whole_call_that_max_tokens_cut_is_removed(backend: ScriptedBackend, whole: Proxy, length: int) -> None:
    texts = ["Hi. ", *CALL][:length]
    backend.answer = Answer(said(*texts, finish="length"))
    streamed = whole_stream(whole.streamed(ask()))
    backend.answer = json_answer(completion("".join(texts), "length"))
    expected = spoken("Hi.", reason="length")
    assert message_of(streamed) == message_in(whole.buffered(ask(stream=False))) == expected
    assert "cut" in streamed.outcome


@in_one_test("length", range(1, 6))
def test_a_call_that_max_tokens_cut_is_delivered_as_it_came(
    backend: ScriptedBackend, proxy: Proxy, length: int
) -> None:
    texts = ["Hi. ", *CALL][:length]
    backend.answer = Answer(said(*texts, finish="length"))
    message = message_of(whole_stream(proxy.streamed(ask())))
    backend.answer = json_answer(completion("".join(texts), "length"))
    assert message_in(proxy.buffered(ask(stream=False))) == message
    assert message["reasons"] == ["length"]
    assert message["content"].strip() == "Hi."
    for call in message["calls"]:
        assert CALLED["arguments"].startswith(call["arguments"])
    assert len(message["calls"]) == (length > 2)
