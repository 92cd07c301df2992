"""One exchange, in time: real sockets on both sides of the proxy, and a backend that does whatever backends do."""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from streaming import ExchangeRecord, exchange_ended
from tests.servers import (
    DONE,
    KEEP_ALIVE,
    TOOLS,
    TOP,
    Answer,
    Client,
    Json,
    Piece,
    Proxy,
    ScriptedBackend,
    Streamed,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    proxy_process,
    read_stream,
    running_proxy,
    said,
    whole_stream,
)

BEAT = 0.3
"""KEEPALIVE_SECONDS where heartbeats are watched."""
LATE = 0.22
"""Seconds that a heartbeat may be late on a busy machine; less than a second beat."""

CALL = ["<tool_call>\n", '{"name": "get_weather", ', '"arguments": {"city": "서울", ', '"days": 3}}', "\n</tool_call>"]
CALLED = {"name": "get_weather", "arguments": '{"city": "서울", "days": 3}'}
SPOKEN = {"role": "assistant", "content": "Hi.", "calls": [CALLED], "reasons": ["tool_calls"]}
"""What `Hi. ` and then CALL mean."""


def spoken(content: str, *calls: Json, reason: str = "stop", **more: str) -> Json:
    return {"role": "assistant", "content": content, "calls": list(calls), "reasons": [reason], **more}


def never() -> threading.Event:
    """What the backend waits for when it falls silent."""
    return threading.Event()


def so_far(client: Client) -> Streamed:
    """What of a stream has come."""
    return read_stream(client.body[: client.body.rfind(b"\n\n") + 2])


def opener_index(client: Client, seen: Callable[[Streamed], bool], within: float = 2.0) -> None:
    """Read until the stream shows this."""
    while not seen(so_far(client)):
        try:
            assert client.more(within), f"the stream ended: {client.body[-400:]!r}"
        except TimeoutError:
            pytest.fail(f"nothing more came within {within} s; there is {client.body[-400:]!r}")


def text_of(streamed: Streamed) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in streamed.choices())


def arguments_of(streamed: Streamed) -> str:
    calls = [call for choice in streamed.choices() for call in choice["delta"].get("tool_calls") or []]
    return "".join(call["function"].get("arguments") or "" for call in calls)


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend() as started:
        yield started


@pytest.fixture
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as running:
        yield running


# -- at once -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("tools", [TOOLS, []], ids=["tools", "no tools"])
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
            opener_index(client, lambda seen, place=place: text_of(seen) == "".join(texts[: place + 1]))  # type: ignore[misc]
            step.set()
        assert message_of(whole_stream(client.rest())) == spoken("".join(texts))


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_the_role_alone_is_there_at_once(backend: ScriptedBackend, proxy: Proxy, framing: Any) -> None:
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": ""})), never()], framing=framing)
    with proxy.client(ask()) as client:
        opener_index(client, lambda seen: bool(seen.choices()))


def test_a_call_opens_at_its_name_and_its_arguments_flow(backend: ScriptedBackend, proxy: Proxy) -> None:
    named, begun = never(), never()
    opening, value = "<tool_call>\n<function=write_file>\n<parameter=content>\n", "line of the file\n" * 2000
    texts = [opening, named, value[:20_000], begun, value[20_000:], "\n</parameter>\n</function>\n</tool_call>"]
    pieces = [text if isinstance(text, threading.Event) else frame(chunk({"content": text})) for text in texts]
    backend.answer = Answer([*pieces, frame(chunk({}, "stop")), DONE])
    with proxy.client(ask(model="qwen3-coder")) as client:
        opener_index(client, lambda seen: "write_file" in json.dumps(seen.choices()))
        named.set()
        opener_index(client, lambda seen: len(arguments_of(seen)) > 19_000)
        begun.set()
        message = message_of(whole_stream(client.rest()))
    assert [call["name"] for call in message["calls"]] == ["write_file"]
    assert json.loads(message["calls"][0]["arguments"]) == {"content": value}


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


# -- heartbeats --------------------------------------------------------------------------------------------------------


def heard(client: Client) -> list[tuple[float, bytes]]:
    """What came, and after how long a silence."""
    times = [client.sent_at, *(at for at, _ in client.arrivals)]
    return [(at - before, data) for before, (at, data) in zip(times, client.arrivals, strict=False)]


def beats(client: Client) -> list[float]:
    """The silence before each heartbeat, which must have been long enough for one but not for two."""
    found = [silence for silence, data in heard(client) if KEEP_ALIVE in data]
    assert all(BEAT - 0.03 < silence < BEAT + LATE for silence in found), found
    assert max(silence for silence, _ in heard(client)) < BEAT + LATE, heard(client)
    return found


def beaten(backend: ScriptedBackend, body: Json, **settings: object) -> tuple[list[float], bytes]:
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT, **settings) as proxy, proxy.client(body) as client:
        raw = client.rest()
        return beats(client), raw


def test_heartbeats_come_before_the_backends_head(backend: ScriptedBackend) -> None:
    backend.answer = Answer(said("ok"), before=[BEAT * 3.5])
    found, raw = beaten(backend, ask())
    assert len(found) == 3
    assert message_of(whole_stream(raw)) == spoken("ok")


def test_heartbeats_come_between_the_head_and_the_first_event(backend: ScriptedBackend) -> None:
    backend.answer = Answer([BEAT * 2.5, *said("ok")])
    found, raw = beaten(backend, ask())
    assert len(found) == 2
    assert message_of(whole_stream(raw)) == spoken("ok")


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_heartbeats_come_in_mid_stream_and_stand_between_events(backend: ScriptedBackend, framing: Any) -> None:
    first, second, *rest = said("one", " two")
    half = len(second) // 2
    silence = BEAT * 1.5
    pieces: list[Piece] = [first, second[:half], silence, second[half:], silence, *rest]
    backend.answer = Answer(pieces, framing=framing)
    found, raw = beaten(backend, ask())
    assert len(found) == 2
    assert message_of(whole_stream(raw)) == spoken("one two")


def test_heartbeats_come_while_a_call_is_held(backend: ScriptedBackend) -> None:
    """The backend talks all the time; it is the client that hears nothing."""
    words = [frame(chunk({"content": text})) for text in ("<tool_call>\n<function=write_file>\n<parameter=content>\n",)]
    words += [frame(chunk({"content": "more "}))] * 16
    words += [frame(chunk({"content": "\n</parameter>\n</function>\n</tool_call>"}))]
    pieces = [piece for word in words for piece in (word, BEAT / 4)]
    backend.answer = Answer([frame(chunk({"role": "assistant"})), *pieces, frame(chunk({}, "stop")), DONE])
    found, raw = beaten(backend, ask(), TOOL_CALL_STREAMING="whole")
    assert len(found) >= 3
    assert len(message_of(whole_stream(raw))["calls"]) == 1


def test_heartbeats_come_while_a_stream_is_answered_in_json(backend: ScriptedBackend) -> None:
    backend.answer = Answer(
        [BEAT * 2.5, json.dumps(completion("ok")).encode()],
        headers=[("Content-Type", "application/json")],
        framing="length",
    )
    found, raw = beaten(backend, ask())
    assert len(found) == 2
    assert message_of(whole_stream(raw)) == spoken("ok")


def test_no_heartbeat_comes_while_the_client_hears_something(backend: ScriptedBackend) -> None:
    texts = ["Yes", ", we", " hear", " all", " of", " it"]
    backend.answer = Answer([piece for data in said(*texts) for piece in (data, BEAT / 2)])
    found, raw = beaten(backend, ask())
    assert not found
    assert message_of(whole_stream(raw)) == spoken("".join(texts))


def test_heartbeats_can_be_turned_off(backend: ScriptedBackend) -> None:
    backend.answer = Answer([0.4, *said("ok")], before=[0.4])
    with running_proxy(backend, KEEPALIVE_SECONDS=0) as proxy:
        assert b"keep-alive" not in proxy.streamed(ask())


def test_a_buffered_answer_has_no_heartbeats(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(completion("ok"), before=[0.5])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1) as proxy:
        assert message_in(proxy.buffered(ask(stream=False))) == spoken("ok")


# -- errors ------------------------------------------------------------------------------------------------------------

REFUSAL = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "busy"}}


def test_an_error_before_the_first_heartbeat_keeps_its_status(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(REFUSAL, 429, [("Retry-After", "7")], before=[BEAT / 3])
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT) as proxy, proxy.client(ask()) as client:
        assert client.status == 429
        assert client.header("retry-after") == "7"
        assert client.header("content-type") == "application/json"
        assert client.json() == REFUSAL


def test_an_error_after_a_heartbeat_is_an_event(backend: ScriptedBackend) -> None:
    backend.answer = json_answer(REFUSAL, 429, before=[BEAT * 2.5])
    with running_proxy(backend, KEEPALIVE_SECONDS=BEAT) as proxy:
        raw = proxy.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    assert broken_stream(raw).errors == [REFUSAL["error"]]


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b'{"error": "no"}', b'{"detail": "no"}', b"[1]"])
def test_an_error_event_has_the_shape_of_openai_whatever_the_backend_said(
    backend: ScriptedBackend, body: bytes
) -> None:
    backend.answer = Answer([body] if body else [], 502, [], "length", before=[0.3])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1) as proxy:
        broken_stream(proxy.streamed(ask()))


DEATHS = {
    "chunked, closed": Answer(framing="chunked", ends="broken"),
    "chunked, reset": Answer(framing="chunked", ends="reset"),
    "close-delimited, reset": Answer(framing="close", ends="reset"),
    "too short": Answer(framing="length", ends="broken"),
}


def dying(how: str, *pieces: bytes) -> Answer:
    shape = DEATHS[how]
    # The pause lets what was sent be read: a reset throws away what nobody has fetched yet.
    return Answer([*pieces, 0.15], framing=shape.framing, ends=shape.ends)


@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("tools", [TOOLS, []], ids=["tools", "no tools"])
def test_a_backend_that_dies_in_mid_stream_is_an_error(
    backend: ScriptedBackend, proxy: Proxy, how: str, tools: list[Json]
) -> None:
    backend.answer = dying(how, *said("Hello", " wor", finish=None, done=False))
    streamed = broken_stream(proxy.streamed(ask(tools=tools)))
    assert text_of(streamed) == "Hello wor"


def test_text_that_was_held_is_let_go_before_the_error(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Is 1 <tool", finish=None, done=False))
    assert text_of(broken_stream(proxy.streamed(ask()))) == "Is 1 <tool"


def test_a_backend_that_dies_inside_a_call_finishes_nothing(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Hi. ", *CALL[:3], finish=None, done=False))
    message = message_of(broken_stream(proxy.streamed(ask())))
    assert message["content"] == "Hi."
    assert CALLED["arguments"].startswith(message["calls"][0]["arguments"])


@pytest.mark.parametrize("how", DEATHS)
def test_a_backend_that_dies_in_mid_frame_is_an_error(backend: ScriptedBackend, proxy: Proxy, how: str) -> None:
    *whole, last = said("Hello", " world", finish=None, done=False)
    backend.answer = dying(how, *whole, last[:40])
    assert text_of(broken_stream(proxy.streamed(ask()))) == "Hello"


def test_a_backend_that_dies_after_done_did_its_work(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", *said("Hello"))
    assert message_of(whole_stream(proxy.streamed(ask()))) == spoken("Hello")


def test_a_backend_that_hangs_up_without_a_word_is_a_502(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(framing="raw")
    with proxy.client(ask()) as client:
        assert client.status == 502
        assert client.json()["error"]["message"]


def test_a_backend_that_falls_silent_is_an_error(backend: ScriptedBackend) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), never()])
    with running_proxy(backend, REQUEST_TIMEOUT=0.3) as proxy:
        streamed = broken_stream(proxy.streamed(ask()))
    assert text_of(streamed) == "Hello"
    assert "timeout" in streamed.errors[0]["code"]
    assert backend.request().closed.wait(1)


def test_a_first_byte_that_does_not_come_after_heartbeats_is_an_error_event(backend: ScriptedBackend) -> None:
    backend.answer = Answer(before=[never()])
    with running_proxy(backend, KEEPALIVE_SECONDS=0.1, FIRST_BYTE_TIMEOUT=0.5) as proxy:
        raw = proxy.streamed(ask())
    assert raw.startswith(KEEP_ALIVE)
    assert broken_stream(raw).errors[0]["code"] == "backend_first_byte_timeout"
    assert backend.request().closed.wait(1)


@pytest.mark.parametrize("how", ["then done", "then the end", "then more"])
def test_the_backends_own_error_event_ends_the_stream(backend: ScriptedBackend, proxy: Proxy, how: str) -> None:
    more = {"then done": [DONE], "then the end": [], "then more": [frame(chunk({}, "stop")), DONE]}[how]
    backend.answer = Answer([*said("Hello ", "<tool", finish=None, done=False), frame(REFUSAL), *more])
    streamed = broken_stream(proxy.streamed(ask()))
    assert streamed.errors == [REFUSAL["error"]]
    assert text_of(streamed) == "Hello <tool"


def test_an_error_event_that_is_a_mere_text_becomes_an_object(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([*said("Hello", finish=None, done=False), frame({"error": "The model crashed"}), DONE])
    assert "The model crashed" in broken_stream(proxy.streamed(ask())).errors[0]["message"]


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_an_answer_without_any_event_is_no_silent_success(backend: ScriptedBackend, proxy: Proxy, framing: Any) -> None:
    """llama-cpp-python answers 200 and nothing when the prompt is too long; some clients would ask for ever."""
    backend.answer = Answer([], framing=framing)
    with proxy.client(ask()) as client:
        raw = client.rest()
        if client.status == 200:
            streamed = read_stream(raw)
            assert streamed.errors or streamed.reasons()
            assert streamed.done == 1


def test_an_error_as_a_json_body_with_status_200_is_told(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer({"error": {"message": "no such model", "type": "x", "code": None}})
    with proxy.client(ask()) as client:
        raw = client.rest()
        assert client.status >= 400 or broken_stream(raw).errors
        assert b"no such model" in raw


# -- clients that leave ------------------------------------------------------------------------------------------------

HELLO = frame(chunk({"role": "assistant", "content": "Hello"}))


@pytest.fixture(scope="module", params=["app", "gunicorn", "gthread"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ScriptedBackend, Proxy]]:
    """A backend with the proxy before it, in each way of serving it."""
    with ExitStack() as stack:
        backend = stack.enter_context(ScriptedBackend())
        if request.param == "app":
            proxy: Proxy = stack.enter_context(running_proxy(backend))
        else:
            proxy = stack.enter_context(proxy_process(request.param, backend))
        yield backend, proxy


MOMENTS: dict[str, tuple[Answer, Json, bytes]] = {
    "during prefill": (Answer(before=[never()]), ask(), b""),
    "behind the head": (Answer([never()]), ask(), b""),
    "in mid-stream": (Answer([HELLO, never()]), ask(), b"Hello"),
    "in mid-stream without tools": (Answer([HELLO, never()], framing="close"), ask(tools=[]), b"Hello"),
    "while it flows": (Answer([HELLO, *[frame(chunk({"content": " on"})), 0.01] * 900]), ask(), b"on"),
    "inside a call": (
        Answer([frame(chunk({"content": "<tool_call>\n<function=write_file>\n<parameter=path>\n/tm"})), never()]),
        ask(),
        b"write_file",
    ),
    "while text is held": (Answer([HELLO, frame(chunk({"content": " <tool"})), never()]), ask(), b"Hello"),
    "before a buffered answer": (Answer(before=[never()]), ask(stream=False), b""),
    "in a buffered answer": (
        Answer([b'{"choices": [', never()], headers=[("Content-Type", "application/json")]),
        ask(stream=False),
        b"",
    ),
}


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_backend_is_hung_up_on_when_the_client_leaves(
    place: tuple[ScriptedBackend, Proxy], moment: str, reset: bool
) -> None:
    backend, proxy = place
    backend.answer, body, seen = MOMENTS[moment]
    left_within_a_second(backend, proxy, body, "/v1/chat/completions", seen, reset)


@pytest.mark.parametrize("moment", ["before the head", "in the body"])
def test_a_forwarded_request_is_hung_up_too(place: tuple[ScriptedBackend, Proxy], moment: str) -> None:
    backend, proxy = place
    backend.answer = Answer(before=[never()]) if moment == "before the head" else Answer([HELLO, never()])
    seen = b"" if moment == "before the head" else b"Hello"
    left_within_a_second(backend, proxy, {"prompt": "x", "stream": True}, "/v1/completions", seen, False)


def left_within_a_second(
    backend: ScriptedBackend, proxy: Proxy, body: Json, target: str, seen: bytes, reset: bool
) -> None:
    backend.requests.clear()
    with proxy.client(body, target) as client:
        received = backend.request()
        if seen:
            client.until(seen)
        assert not received.closed.wait(0.1), "the proxy hung up by itself"
        client.leave(reset)
        assert received.closed.wait(1.0), "the backend still works for nobody"
    assert not received.answered


def test_a_client_that_only_waits_is_not_taken_for_gone(place: tuple[ScriptedBackend, Proxy]) -> None:
    backend, proxy = place
    backend.answer = Answer(said("ok"), before=[0.6])
    assert message_of(whole_stream(proxy.streamed(ask()))) == spoken("ok")


def test_the_record_tells_how_an_exchange_ended(backend: ScriptedBackend, proxy: Proxy) -> None:
    ended: list[ExchangeRecord] = []
    more = threading.Condition()

    def note(exchange: ExchangeRecord) -> None:
        with more:
            ended.append(exchange)
            more.notify()

    with exchange_ended.connected_to(note):
        backend.answer = Answer(said("Hi. ", *CALL))
        proxy.streamed(ask())
        backend.answer = dying("chunked, closed", HELLO)
        proxy.streamed(ask())
        backend.answer = Answer([HELLO, never()])
        with proxy.client(ask()) as client:
            client.until(b"Hello")
        backend.answer = json_answer(completion("ok"))
        proxy.buffered(ask(stream=False))
        backend.answer = json_answer(REFUSAL, 429)
        with proxy.client(ask()) as client:
            client.rest()
        with more:
            assert more.wait_for(lambda: len(ended) == 5, 2), f"{len(ended)} of 5 exchanges have ended"
    told = [(one.status, one.outcome, one.notes.calls, one.stream) for one in ended if not one.error]
    assert sorted(told) == [(200, "translated", 1, True), (200, "untouched", 0, False)]
    errors = sorted(one.error for one in ended if one.error)
    assert errors == ["backend_interrupted", "backend_status_429", "client_left"]


# -- every cut of what was recorded ------------------------------------------------------------------------------------


def http_chunks(*parts: str) -> bytes:
    encoded = [part.encode() for part in parts] + [b""]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in encoded)


def llamacpp() -> bytes:
    """llama-server b11669 with --skip-chat-parsing, a model that writes as GLM-4.7 does."""
    top = (
        '"created":1795161940,"id":"chatcmpl-kR5xjksaz4CxnJCjka93sV8KVh5TT9ue","model":"parrot-glm.gguf",'
        '"system_fingerprint":"b11669-Debian","object":"chat.completion.chunk"'
    )

    def event(delta: str, finish: str = "null") -> str:
        return f'data: {{"choices":[{{"finish_reason":{finish},"index":0,"delta":{delta}}}],{top}}}\n\n'

    texts = ["C", "h", "e", "c", "k", "ing", ".", " ", "<tool_call>", "get", "_", "weather"]
    texts += ["<arg_key>", "city", "</arg_key>", "<arg_value>", "서", "울", "</arg_value>", "</tool_call>"]
    first, *others = [event(f'{{"content":"{text}"}}') for text in texts]
    usage = (
        f'data: {{"choices":[],{top},"usage":{{"completion_tokens":25,"prompt_tokens":757,"total_tokens":782,'
        '"prompt_tokens_details":{"cached_tokens":752}},"timings":{"cache_n":752,"prompt_n":5,"prompt_ms":9.766,'
        '"prompt_per_token_ms":1.9532,"prompt_per_second":511.98033995494575,"predicted_n":25,"predicted_ms":60.989,'
        '"predicted_per_token_ms":2.541208333333333,"predicted_per_second":393.5135844168621}}\n\n'
    )
    head = (
        "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\nX-Accel-Buffering: no\r\n"
        "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    begin = event('{"role":"assistant","content":null}') + first
    return head.encode() + http_chunks(begin, *others, event("{}", '"stop"') + usage, "data: [DONE]\n\n")


LLAMACPP_BUFFERED = (
    '{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"Checking. <tool_call>'
    'get_weather<arg_key>city</arg_key><arg_value>서울</arg_value></tool_call>"}}],"created":1795161940,"model":'
    '"parrot-glm.gguf","system_fingerprint":"b11669-Debian","object":"chat.completion","usage":{"completion_tokens":25,'
    '"prompt_tokens":757,"total_tokens":782,"prompt_tokens_details":{"cached_tokens":756}},"id":'
    '"chatcmpl-ws1hLMkDwkCKDMjcPfK3Ao71y2C4ivuR","timings":{"cache_n":756,"prompt_n":1,"prompt_ms":2.831,'
    '"prompt_per_token_ms":2.831,"prompt_per_second":353.2320734722713,"predicted_n":25,"predicted_ms":60.84,'
    '"predicted_per_token_ms":2.535,"predicted_per_second":394.4773175542406}}'
)


def vllm() -> bytes:
    """vLLM 0.32.0 with its own parser for GLM-4.7: the same answer, with real tool_calls."""
    top = '"id":"chatcmpl-ae3ccec03c9512b0","object":"chat.completion.chunk","created":1795161237,"model":"tiny"'

    def event(delta: str, finish: str = 'null,"token_ids":null', more: str = "") -> str:
        choice = f'"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]'
        return f"data: {{{top},{choice}{more}}}\n\n"

    def called(entry: str) -> str:
        return event(f'{{"tool_calls":[{{{entry}}}]}}')

    opening = '"id":"chatcmpl-tool-83975ef9ea20f92c","type":"function","index":0,"function":{"name":"get_weather"}'
    parts = [r"{\"city\": \"", "서", "울", r"\"}"]
    usage = '"usage":{"prompt_tokens":444,"total_tokens":469,"completion_tokens":25}'
    head = (
        "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 07:53:57 GMT\r\nserver: uvicorn\r\n"
        "content-type: text/event-stream; charset=utf-8\r\nvary: Origin\r\nconnection: close\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    )
    return head.encode() + http_chunks(
        event('{"role":"assistant","content":""}', "null", ',"prompt_token_ids":null,"prompt_text":null'),
        *(event(f'{{"content":"{text}"}}') for text in ["C", "h", "e", "c", "k", "ing", ".", " "]),
        called(opening),
        *(called(f'"index":0,"function":{{"arguments":"{part}"}}') for part in parts),
        event("{}", '"tool_calls","stop_reason":null,"token_ids":null'),
        f'data: {{{top},"choices":[],{usage},"system_fingerprint":"vllm-0.32.0-20a5b5c9"}}\n\n',
        "data: [DONE]\n\n",
    )


VLLM_BUFFERED = (
    '{"id":"chatcmpl-b313407eaa79d0ba","object":"chat.completion","created":1795161238,"model":"tiny","choices":['
    '{"index":0,"message":{"role":"assistant","content":"Checking.","refusal":null,"annotations":null,"audio":null,'
    '"function_call":null,"tool_calls":[{"id":"chatcmpl-tool-a3752d6a9ff595f8","type":"function","function":{"name":'
    '"get_weather","arguments":"{\\"city\\": \\"서울\\"}"}}],"reasoning":null},"logprobs":null,"finish_reason":'
    '"tool_calls","stop_reason":null,"token_ids":null,"routed_experts":null}],"service_tier":null,"usage":'
    '{"prompt_tokens":444,"total_tokens":469,"completion_tokens":25}}'
)

TRANSFORMERS_TEXTS = [
    *("서", "울", " ", "날", "씨", "를", " ", "확", "인", "하", "겠", "습", "니", "다", ".", "\n"),
    *("<tool_call>", "get", "_", "weather", "\n", "<arg_key>", "city", "</arg_key>", "\n", "<arg_value>", "서", "울"),
    *("</arg_value>", "\n", "<arg_key>", "d", "a", "y", "s", "</arg_key>", "\n", "<arg_value>", "3", "</arg_value>"),
    *("\n", "</tool_call>"),
]


def transformers() -> bytes:
    """transformers serve 5.23, a model that writes as GLM-4.5 does: no [DONE], usage beside the finish reason."""

    def event(choice: str, more: str = "") -> str:
        return (
            f'data: {{"id":"0eb768ad-0bfc-4634-888d-01d6e273966a","choices":[{choice}],"created":1795161124,"model":'
            f'"hf-glm@main","object":"chat.completion.chunk","system_fingerprint":""{more}}}\n\n'
        )

    texts = [json.dumps(text, ensure_ascii=False) for text in TRANSFORMERS_TEXTS]
    head = (
        "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 07:52:04 GMT\r\nserver: uvicorn\r\n"
        "content-type: text/event-stream; charset=utf-8\r\nx-request-id: 0eb768ad-0bfc-4634-888d-01d6e273966a\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    usage = ',"usage":{"completion_tokens":71,"prompt_tokens":442,"total_tokens":513}'
    return head.encode() + http_chunks(
        event('{"delta":{"role":"assistant"},"index":0}'),
        *(event(f'{{"delta":{{"content":{text}}},"index":0}}') for text in texts),
        event('{"delta":{},"index":0,"finish_reason":"stop"}', usage),
    )


SEOUL = {"name": "get_weather", "arguments": '{"city": "서울"}'}
RECORDED: dict[str, tuple[bytes, Json, Json]] = {
    "llama.cpp": (llamacpp(), json.loads(LLAMACPP_BUFFERED), spoken("Checking.", SEOUL, reason="tool_calls")),
    # vLLM sends the blank before the call in a stream but not in a buffered answer; neither is ours to change.
    "vllm": (vllm(), json.loads(VLLM_BUFFERED), spoken("Checking. ", SEOUL, reason="tool_calls")),
    "transformers": (
        transformers(),
        {**completion("".join(TRANSFORMERS_TEXTS)), "model": "hf-glm@main"},
        spoken("서울 날씨를 확인하겠습니다.", CALLED, reason="tool_calls"),
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_answer_means_the_same_streamed_and_buffered(
    backend: ScriptedBackend, proxy: Proxy, name: str
) -> None:
    wire, reply, expected = RECORDED[name]
    backend.answer = Answer([wire], framing="raw")
    assert message_of(whole_stream(proxy.streamed(ask()))) == expected
    backend.answer = json_answer(reply)
    buffered = message_in(proxy.buffered(ask(stream=False)))
    assert {**buffered, "content": buffered["content"].strip()} == {**expected, "content": expected["content"].strip()}


def meanings(proxy: Proxy, backend: ScriptedBackend, name: str, cuts: Sequence[Sequence[Piece]]) -> None:
    """Each of these cuts of a recorded stream means what the whole means."""
    expected = RECORDED[name][2]
    left = iter(cuts)
    backend.answer = lambda _: Answer(next(left), framing="raw")
    for place in range(len(cuts)):
        raw = proxy.streamed(ask())
        assert message_of(whole_stream(raw)) == expected, f"cut {place}: {raw.decode()}"


PAUSE = 0.0004
"""Seconds between two pieces, so that the proxy reads the first one alone."""
BLOCKS = 4
AT_ONCE = 3
"""Cuts in one stream, far apart, so that a third of the streams shows every place."""


def cut_at(wire: bytes, places: Sequence[int]) -> list[Piece]:
    pieces = [wire[start:end] for start, end in zip([0, *places], [*places, len(wire)], strict=True)]
    return [each for piece in pieces for each in (piece, PAUSE)]


def far_apart(wire: bytes, first: int, step: int) -> list[list[Piece]]:
    """The stream in so many pieces that every `step`th byte boundary from `first` on is a cut somewhere."""
    third = -(-len(wire) // AT_ONCE)
    places = [[at for at in range(start, len(wire), third) if at] for start in range(first, third, step)]
    return [cut_at(wire, each) for each in places]


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("name", ["llama.cpp", "vllm"])
def test_every_cut_of_the_bytes_means_the_same(backend: ScriptedBackend, proxy: Proxy, name: str, block: int) -> None:
    meanings(proxy, backend, name, far_apart(RECORDED[name][0], block, BLOCKS))


def test_some_cuts_of_a_longer_stream_mean_the_same(backend: ScriptedBackend, proxy: Proxy) -> None:
    meanings(proxy, backend, "transformers", far_apart(RECORDED["transformers"][0], 0, 7))


@pytest.mark.parametrize("name", RECORDED)
def test_small_and_random_pieces_mean_the_same(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    wire = RECORDED[name][0]
    cuts: list[list[Piece]] = []
    for size in (1, 2, 3, 7):
        cuts.append([wire[start : start + size] for start in range(0, len(wire), size)])
    for seed in range(12):
        dice = random.Random(seed)
        places = sorted(dice.sample(range(1, len(wire)), 40))
        cuts.append(cut_at(wire, places))
    meanings(proxy, backend, name, cuts)


# -- server-sent events in all their forms -----------------------------------------------------------------------------

Change = Callable[[list[bytes]], list[bytes]]


def between(*extra: bytes) -> Change:
    """These frames before each of the stream's own."""
    return lambda frames: [piece for each in frames for piece in (*extra, each)]


def each(change: Callable[[bytes], bytes]) -> Change:
    return lambda frames: [change(data) for data in frames]


def deltas(change: Callable[[Json], Json | None]) -> Change:
    """Each chunk changed, or left out."""

    def apply(frames: list[bytes]) -> list[bytes]:
        chunks = [None if data == DONE else json.loads(data[6:]) for data in frames]
        changed = [(data, one and change(one)) for data, one in zip(frames, chunks, strict=True)]
        return [data if data == DONE else frame(one) for data, one in changed if one or data == DONE]

    return apply


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
    "no finish and no [DONE]": lambda frames: deltas(without_finish)(frames)[:-1],
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
TEXTS = {"call": (["Hi. ", *CALL], SPOKEN), "text": (["Hi", " 서울", " there"], spoken("Hi 서울 there"))}


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("form", FORMS)
def test_events_are_understood_in_every_form(
    backend: ScriptedBackend, proxy: Proxy, form: str, texts: str, framing: Any
) -> None:
    written, expected = TEXTS[texts]
    pieces = FORMS[form](said(*written))
    backend.answer = Answer([piece for data in pieces for piece in (data, PAUSE)], framing=framing)
    assert message_of(whole_stream(proxy.streamed(ask()))) == expected


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_stream_in_a_coding_that_nobody_asked_for(backend: ScriptedBackend, proxy: Proxy, coding: str) -> None:
    body = b"".join(said("Hi. ", *CALL))
    data = gzip.compress(body) if coding == "gzip" else body
    headers = [("Content-Type", "text/event-stream"), ("Content-Encoding", coding), ("ETag", '"1"')]
    backend.answer = Answer([data[:50], PAUSE, data[50:]], headers=headers)
    with proxy.client(ask()) as client:
        assert message_of(whole_stream(client.rest())) == SPOKEN
        assert client.header("content-encoding") in (None, "identity")
        assert client.header("etag") is None


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "TEXT/EVENT-STREAM; charset=UTF-8", None])
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


# -- usage, and fields that nobody here knows --------------------------------------------------------------------------

USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
ASKED = {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("where", ["own chunk", "with the finish", "in each chunk"])
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
    known = {"system_fingerprint": "fp_1", "service_tier": "default"}
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


# -- more than one choice ----------------------------------------------------------------------------------------------


def interleaved(*texts: Sequence[str]) -> list[bytes]:
    """The deltas of several choices, one of each in turn."""
    longest = max(len(each) for each in texts)
    frames = [frame(chunk({"role": "assistant", "content": ""}, index=at)) for at in range(len(texts))]
    for place in range(longest):
        for index, own in enumerate(texts):
            if place < len(own):
                frames.append(frame(chunk({"content": own[place]}, index=index)))
    return [*frames, *(frame(chunk({}, "stop", index=at)) for at in range(len(texts))), DONE]


@pytest.mark.parametrize(
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


# -- a stream that is answered in JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
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


# -- what needs no change leaves as it came ----------------------------------------------------------------------------


def as_received(raw: bytes, body: bytes) -> None:
    """The stream is what the backend sent, but for one comment before [DONE]."""
    told = re.search(rb": dragoman [^\n]*\n\n(?=data: \[DONE\]\n\n$)", raw)
    assert told, raw[-300:]
    assert raw[: told.start()] + raw[told.end() :] == body
    assert b"outcome=untouched" in told.group()


def body_of(wire: bytes) -> bytes:
    """The body of a recorded chunked answer."""
    rest = wire.partition(b"\r\n\r\n")[2]
    body = b""
    while size := int(rest.partition(b"\r\n")[0], 16):
        start = rest.index(b"\r\n") + 2
        body, rest = body + rest[start : start + size], rest[start + size + 2 :]
    return body


def test_a_native_answer_leaves_as_the_bytes_received(backend: ScriptedBackend, proxy: Proxy) -> None:
    wire = RECORDED["vllm"][0]
    backend.answer = Answer([wire], framing="raw")
    as_received(proxy.streamed(ask(**ASKED)), body_of(wire))


def test_a_native_answer_with_split_reasoning_leaves_as_the_bytes_received(
    backend: ScriptedBackend, proxy: Proxy
) -> None:
    function = {"name": "get_weather", "arguments": ""}
    opening = {"index": 0, "id": "call_abc", "type": "function", "function": function}
    more = {"index": 0, "function": {"arguments": '{"city": "Oslo"}'}}
    second = {**opening, "index": 1, "id": "call_def"}
    native: list[Json] = [
        {"role": "assistant", "content": None, "refusal": None},
        {"reasoning_content": "Two"},
        {"reasoning_content": " cities."},
        {"content": "Checking."},
        {"content": "\n\n"},
        {"tool_calls": [opening]},
        {"tool_calls": [more]},
        {"tool_calls": [second]},
        {"tool_calls": [{**more, "index": 1}]},
    ]
    frames = [frame(chunk(delta, x_vendor={"a": 1.50})) for delta in native]
    body = [b": ping\n\n", *frames, frame(chunk({}, "tool_calls")), DONE]
    backend.answer = Answer(body)
    as_received(proxy.streamed(ask()), b"".join(body))


PLAIN = {
    "tools": ["Hello", " wörld", " ", "\n\n", "  1 < 2", " & <b> or", "`<tool_call>` is", " 끝", ".", " \n"],
    # Without tools nothing could ever be removed behind a blank, so none is held, wherever it stands.
    "no tools": ["Hello", " wörld ", "\n\n", "  1 < 2", " & <b>", "`<tool_call>` ", "끝", ".\n", " \n"],
}


@pytest.mark.parametrize("tools", PLAIN)
def test_plain_text_leaves_as_the_bytes_received(backend: ScriptedBackend, proxy: Proxy, tools: str) -> None:
    odd = b'data:  {"id": "x", "choices" : [], "vendor": 1.10}\n\n'
    *frames, done = said(*PLAIN[tools])
    body = [odd, *frames, b": bye\n\n", done]
    backend.answer = Answer(body)
    as_received(proxy.streamed(ask(tools=TOOLS if tools == "tools" else [])), b"".join(body))


def test_a_native_answer_whose_text_ends_in_a_blank_is_said_as_it_was(backend: ScriptedBackend, proxy: Proxy) -> None:
    """`Checking. ` in one piece: the letters may not wait (I8), the blank must (I7), so that one event becomes two."""
    call = {"index": 0, "id": "call_abc", "type": "function", "function": CALLED}
    native = frame(chunk({"tool_calls": [call]}))
    backend.answer = Answer(
        [
            frame(chunk({"role": "assistant"})),
            frame(chunk({"content": "Checking. "})),
            native,
            frame(chunk({}, "tool_calls")),
            DONE,
        ]
    )
    streamed = whole_stream(proxy.streamed(ask()))
    message = message_of(streamed)
    assert message["content"] == "Checking. "
    assert message["calls"] == [CALLED]
    assert "outcome=untouched" in streamed.outcome


def test_markup_is_the_clients_own_business_without_tools(backend: ScriptedBackend, proxy: Proxy) -> None:
    body = said("Hi. ", *CALL, ' <read_file path="x"/> <function_calls> [TOOL_REQUEST]{}')
    backend.answer = Answer(body)
    as_received(proxy.streamed(ask(tools=[])), b"".join(body))


def test_a_renamed_reasoning_field_still_counts_as_untouched(backend: ScriptedBackend, proxy: Proxy) -> None:
    frames = [frame(chunk({"role": "assistant"})), frame(chunk({"reasoning": "Hm."})), *said("ok")[1:]]
    backend.answer = Answer(frames)
    streamed = whole_stream(proxy.streamed(ask()))
    assert message_of(streamed) == spoken("ok", reasoning_content="Hm.")
    assert "outcome=untouched" in streamed.outcome


# -- the outcome is told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", TEXTS)
def test_the_outcome_is_the_last_thing_before_done(backend: ScriptedBackend, proxy: Proxy, texts: str) -> None:
    backend.answer = Answer(said(*TEXTS[texts][0]))
    raw = proxy.streamed(ask())
    told = "outcome=translated syntax=hermes" if texts == "call" else "outcome=untouched"
    assert re.search(rf": dragoman {told}[^\n]*\n\ndata: \[DONE\]\n\n$", raw.decode())
    assert raw.count(b": dragoman") == 1


@pytest.mark.parametrize("texts", TEXTS)
def test_the_outcome_of_a_buffered_answer_stands_in_its_head(
    backend: ScriptedBackend, proxy: Proxy, texts: str
) -> None:
    backend.answer = json_answer(completion("".join(TEXTS[texts][0])))
    with proxy.client(ask(stream=False)) as client:
        assert message_in(client.json()) == TEXTS[texts][1]
        assert client.header("x-dragoman-outcome") == ("translated" if texts == "call" else "untouched")
        assert client.header("x-dragoman-syntax") == ("hermes" if texts == "call" else None)


def test_an_error_event_comes_with_the_outcome_too(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = dying("chunked, closed", HELLO)
    assert broken_stream(proxy.streamed(ask())).last_comment.startswith("dragoman outcome=")


def test_the_request_may_name_the_syntax(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer(said(*CALL))
    raw = proxy.streamed(ask(), headers=[("X-Dragoman-Syntax", "lmstudio")])
    assert message_of(whole_stream(raw)) == spoken("", CALLED, reason="tool_calls")  # the bytes still decide


# -- calls as a whole --------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("length", range(2, 6))
def test_a_whole_call_that_max_tokens_cut_is_removed(backend: ScriptedBackend, whole: Proxy, length: int) -> None:
    texts = ["Hi. ", *CALL][:length]
    backend.answer = Answer(said(*texts, finish="length"))
    streamed = whole_stream(whole.streamed(ask()))
    backend.answer = json_answer(completion("".join(texts), "length"))
    expected = spoken("Hi.", reason="length")
    assert message_of(streamed) == message_in(whole.buffered(ask(stream=False))) == expected
    assert "cut" in streamed.outcome


@pytest.mark.parametrize("length", range(1, 6))
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


# -- reasoning ---------------------------------------------------------------------------------------------------------

THINKING = "<think>Two cities.</think>\nChecking."
FIELDS: dict[str, Json] = {
    "reasoning_content": spoken("Checking.", reasoning_content="Two cities."),
    "reasoning": spoken("Checking.", reasoning="Two cities."),
    "both": spoken("Checking.", reasoning_content="Two cities.", reasoning="Two cities."),
    "content": spoken(THINKING),
    "none": spoken("Checking."),
}
WAYS = ["streamed", "buffered"]


def answered(backend: ScriptedBackend, proxy: Proxy, way: str, *texts: str, **request: Any) -> Json:
    """What a client gets of a text, in one of the two ways."""
    if way == "streamed":
        backend.answer = Answer(said(*texts))
        return message_of(whole_stream(proxy.streamed(ask(**request))))
    backend.answer = json_answer(completion("".join(texts)))
    return message_in(proxy.buffered(ask(stream=False, **request)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tools", [TOOLS, []], ids=["tools", "no tools"])
@pytest.mark.parametrize("field", FIELDS)
def test_reasoning_goes_where_the_field_says(backend: ScriptedBackend, field: str, tools: list[Json], way: str) -> None:
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        message = answered(backend, proxy, way, *re.findall(".{1,5}", THINKING, re.DOTALL), tools=tools)
    assert message == FIELDS[field]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "both", "none"])
def test_reasoning_that_the_backend_split_goes_there_too(
    backend: ScriptedBackend, field: str, name: str, way: str
) -> None:
    frames = [{name: "Two "}, {name: "cities."}, {"content": "Check"}, {"content": "ing."}]
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        if way == "streamed":
            backend.answer = Answer([said()[0], *(frame(chunk(delta)) for delta in frames), *said()[1:]])
            message = message_of(whole_stream(proxy.streamed(ask())))
        else:
            backend.answer = json_answer(completion("Checking.", **{name: "Two cities."}))
            message = message_in(proxy.buffered(ask(stream=False)))
    assert message == FIELDS[field]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("field", FIELDS)
def test_calls_behind_reasoning_are_found_wherever_it_goes(backend: ScriptedBackend, field: str, way: str) -> None:
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        message = answered(backend, proxy, way, THINKING, "\n", *CALL)
    assert message == {**FIELDS[field], "calls": [CALLED], "reasons": ["tool_calls"]}


LATE_CLOSE = ["Let me see.", "</think>", "Hello."]
SEEN_LATE = spoken("Let me see.Hello.")
SEEN_INSIDE = spoken("Hello.", reasoning_content="Let me see.")


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_a_late_close_is_remembered(backend: ScriptedBackend, proxy: Proxy, first: str, then: str) -> None:
    assert answered(backend, proxy, first, *LATE_CLOSE) == SEEN_LATE
    assert answered(backend, proxy, then, *LATE_CLOSE) == SEEN_INSIDE


def test_what_is_remembered_is_of_one_model(backend: ScriptedBackend, proxy: Proxy) -> None:
    answered(backend, proxy, "streamed", *LATE_CLOSE, model="one")
    assert answered(backend, proxy, "streamed", *LATE_CLOSE, model="other") == SEEN_LATE
    assert answered(backend, proxy, "streamed", *LATE_CLOSE, model="one") == SEEN_INSIDE


@pytest.mark.parametrize("way", WAYS)
def test_reasoning_that_never_ended_lets_the_next_answer_start_outside(
    backend: ScriptedBackend, proxy: Proxy, way: str
) -> None:
    answered(backend, proxy, way, *LATE_CLOSE)
    assert answered(backend, proxy, way, "Just an answer.") == spoken("", reasoning_content="Just an answer.")
    assert answered(backend, proxy, way, "Just an answer.") == spoken("Just an answer.")


@pytest.mark.parametrize("way", WAYS)
def test_reasoning_that_max_tokens_cut_teaches_nothing(backend: ScriptedBackend, proxy: Proxy, way: str) -> None:
    answered(backend, proxy, way, *LATE_CLOSE)
    backend.answer = Answer(said("Let me", finish="length"))
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert message == spoken("", reason="length", reasoning_content="Let me")
    assert answered(backend, proxy, way, *LATE_CLOSE) == SEEN_INSIDE


def test_a_client_that_left_teaches_nothing(backend: ScriptedBackend, proxy: Proxy) -> None:
    answered(backend, proxy, "streamed", *LATE_CLOSE)
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": "Let me"})), never()])
    with proxy.client(ask()) as client:
        client.until(b"Let me")
    assert backend.request(1).closed.wait(1)
    assert answered(backend, proxy, "streamed", *LATE_CLOSE) == SEEN_INSIDE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("settings", "request_", "inside"),
    [
        ({}, {"model": "glm-4.7"}, True),
        ({}, {"model": "glm-4.5"}, False),
        ({"REASONING_PREFILLED": "true"}, {"model": "glm-4.5"}, True),
        ({"REASONING_PREFILLED": "false"}, {"model": "glm-4.7"}, False),
        ({}, {"model": "glm-4.7", "chat_template_kwargs": {"enable_thinking": False}}, False),
        ({}, {"model": "glm-4.7", "chat_template_kwargs": {"thinking": False}}, False),
        ({}, {"model": "glm-4.7", "reasoning_effort": "none"}, False),
        ({"REASONING_PREFILLED": "true"}, {"model": "m", "reasoning_effort": "none"}, True),
        ({"BACKEND": "llamacpp"}, {"model": "glm-4.7"}, False),
    ],
)
def test_where_reasoning_starts(
    backend: ScriptedBackend, settings: dict[str, str], request_: Json, inside: bool, way: str
) -> None:
    with running_proxy(backend, **settings) as proxy:
        assert answered(backend, proxy, way, *LATE_CLOSE, **request_) == (SEEN_INSIDE if inside else SEEN_LATE)


def test_a_model_whose_server_splits_starts_outside_from_then_on(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([frame(chunk({"role": "assistant", "reasoning_content": "Hm."})), *said("ok")[1:]])
    proxy.streamed(ask(model="glm-4.7"))
    assert answered(backend, proxy, "streamed", "No thought.", model="glm-4.7") == spoken("No thought.")


# -- buffered answers --------------------------------------------------------------------------------------------------


def test_a_buffered_answer_that_needs_no_change_is_the_bytes_received(backend: ScriptedBackend, proxy: Proxy) -> None:
    body = json.dumps(completion("Hello 서울"), indent=3, ensure_ascii=False).replace("12", "12.0").encode()
    backend.answer = json_answer(body)
    with proxy.client(ask(stream=False)) as client:
        assert client.rest() == body
        assert client.header("content-length") == str(len(body))


def test_unknown_fields_of_a_translated_answer_survive(backend: ScriptedBackend, proxy: Proxy) -> None:
    reply = completion("Hi. " + "".join(CALL), annotations=[1], x_message=2)
    reply["choices"][0]["x_choice"] = {"a": [1.5]}
    backend.answer = json_answer({**reply, "timings": {"ms": 1.25}, "system_fingerprint": "fp"})
    told = proxy.buffered(ask(stream=False))
    assert message_in(told) == SPOKEN
    assert told["timings"] == {"ms": 1.25} and told["system_fingerprint"] == "fp" and told["usage"] == reply["usage"]
    assert told["choices"][0]["x_choice"] == {"a": [1.5]}
    assert told["choices"][0]["message"]["annotations"] == [1] and told["choices"][0]["message"]["x_message"] == 2


def test_content_is_null_only_beside_calls(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = json_answer(completion("".join(CALL)))
    message = proxy.buffered(ask(stream=False))["choices"][0]["message"]
    assert message["content"] is None and len(message["tool_calls"]) == 1
    backend.answer = json_answer(completion("<think>Hm.</think>"))
    message = proxy.buffered(ask(stream=False))["choices"][0]["message"]
    assert message["content"] == "" and "tool_calls" not in message


def test_a_buffered_answer_in_a_coding_that_nobody_asked_for(backend: ScriptedBackend, proxy: Proxy) -> None:
    body = gzip.compress(json.dumps(completion("Hi. " + "".join(CALL))).encode())
    backend.answer = json_answer(body, headers=[("Content-Encoding", "gzip"), ("ETag", '"1"')])
    with proxy.client(ask(stream=False)) as client:
        assert message_in(client.json()) == SPOKEN
        assert client.header("content-encoding") is None and client.header("etag") is None


def test_content_logprobs_of_rewritten_content_are_dropped(backend: ScriptedBackend, proxy: Proxy) -> None:
    reply = completion("Hi. " + "".join(CALL))
    reply["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -1}]}
    backend.answer = json_answer(reply)
    told = proxy.buffered(ask(stream=False, logprobs=True))["choices"][0]
    assert not (told["logprobs"] or {}).get("content")


def test_the_old_functions_are_answered_in_their_form(backend: ScriptedBackend, proxy: Proxy) -> None:
    request: Json = {"functions": [TOOLS[0]["function"]], "tools": []}
    backend.answer = Answer(said("Hi. ", *CALL))
    body = {name: value for name, value in ask(**request).items() if name != "tools"}
    streamed = whole_stream(proxy.streamed(body))
    calls = [choice["delta"]["function_call"] for choice in streamed.choices() if "function_call" in choice["delta"]]
    assert calls[0]["name"] == "get_weather"
    assert "".join(call["arguments"] for call in calls) == CALLED["arguments"]
    assert streamed.reasons() == ["function_call"]
    backend.answer = json_answer(completion("Hi. " + "".join(CALL)))
    choice = proxy.buffered({**body, "stream": False})["choices"][0]
    assert choice["message"]["function_call"] == CALLED and choice["finish_reason"] == "function_call"


def test_nothing_listens_where_the_backend_was(backend: ScriptedBackend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with running_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.client(ask()) as client:
        assert client.status == 502
        assert client.json()["error"]["code"] == "backend_unreachable"
