"""What needs no change leaves as the bytes received, and the outcome is told."""

from __future__ import annotations

import re

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    TOOLS,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    broken_stream,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    ASKED,
    CALL,
    CALLED,
    HELLO,
    TEXTS,
    dying,
    spoken,
)
from tests.streaming.relay.recorded import RECORDED


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


@in_one_test("tools", PLAIN)
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


@in_one_test("texts", TEXTS)
def test_the_outcome_is_the_last_thing_before_done(backend: ScriptedBackend, proxy: Proxy, texts: str) -> None:
    backend.answer = Answer(said(*TEXTS[texts][0]))
    raw = proxy.streamed(ask())
    told = "outcome=translated syntax=hermes" if texts == "call" else "outcome=untouched"
    assert re.search(rf": dragoman {told}[^\n]*\n\ndata: \[DONE\]\n\n$", raw.decode())
    assert raw.count(b": dragoman") == 1


@in_one_test("texts", TEXTS)
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
