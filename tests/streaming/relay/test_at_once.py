"""What the backend says is with the client before the backend says more."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    TOOLS,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    frame,
    message_of,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    arguments_of,
    never,
    read_until,
    spoken,
    text_of,
)


@in_one_test("framing", ["chunked", "close"])
@in_one_test("tools", [TOOLS, []], ids=["tools", "no tools"])
def test_each_delta_is_there_before_the_backend_says_more(
    backend: ScriptedBackend, proxy: Proxy, framing: Any, tools: list[Json]
) -> None:
    texts = ["Hello", " there", ", my", " <b>friend</b> here", " 안녕"]
    steps = [never() for _ in texts]
    deltas = [frame(chunk({"content": text})) for text in texts]
    pieces = [piece for pair in zip(deltas, steps, strict=True) for piece in pair]
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": ""})), *pieces, DONE], framing=framing)
    with proxy.client(ask(tools=tools)) as client:
        for place, step in enumerate(steps):
            read_until(client, lambda seen, place=place: text_of(seen) == "".join(texts[: place + 1]))  # type: ignore[misc]
            step.set()
        assert message_of(whole_stream(client.rest())) == spoken("".join(texts))


@in_one_test("framing", ["chunked", "close"])
def test_the_role_alone_is_there_at_once(backend: ScriptedBackend, proxy: Proxy, framing: Any) -> None:
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": ""})), never()], framing=framing)
    with proxy.client(ask()) as client:
        read_until(client, lambda seen: bool(seen.choices()))


def test_a_call_opens_at_its_name_and_its_arguments_flow(backend: ScriptedBackend, proxy: Proxy) -> None:
    named, begun = never(), never()
    opening, value = "<tool_call>\n<function=write_file>\n<parameter=content>\nlin", "e of the file\nlin" * 2000 + "e"
    texts = [opening, named, value[:20_000], begun, value[20_000:], "\n</parameter>\n</function>\n</tool_call>"]
    pieces = [text if isinstance(text, threading.Event) else frame(chunk({"content": text})) for text in texts]
    backend.answer = Answer([*pieces, frame(chunk({}, "stop")), DONE])
    with proxy.client(ask(model="qwen3-coder")) as client:
        read_until(client, lambda seen: "write_file" in json.dumps(seen.choices()))
        named.set()
        read_until(client, lambda seen: len(arguments_of(seen)) > 19_000)
        begun.set()
        message = message_of(whole_stream(client.rest()))
    assert [call["name"] for call in message["calls"]] == ["write_file"]
    assert json.loads(message["calls"][0]["arguments"]) == {"content": "lin" + value}


def test_a_long_frame_in_many_pieces_is_read_once(backend: ScriptedBackend, proxy: Proxy) -> None:
    text = "word " * 400_000 + "end"
    whole = b"".join(said(text))
    backend.answer = Answer([whole[start : start + 1000] for start in range(0, len(whole), 1000)])
    with proxy.client(ask()) as client:
        assert message_of(whole_stream(client.rest())) == spoken(text)
        assert client.arrivals[-1][0] - client.sent_at < 5


def test_streams_of_many_clients_do_not_mix(backend: ScriptedBackend, proxy: Proxy) -> None:
    def answer(request: Any) -> Answer:
        word = request.json()["user"]
        return Answer([piece for data in said(*[f"{word} "] * 20, word) for piece in (data, 0.002)])

    def told(number: int) -> Json:
        return message_of(whole_stream(proxy.streamed(ask(user=f"word{number}"))))

    backend.answer = answer
    with ThreadPoolExecutor(16) as pool:
        for number, message in enumerate(pool.map(told, range(32))):
            assert message == spoken(f"word{number} " * 20 + f"word{number}")
