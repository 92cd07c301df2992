"""Answers through the real relay: a stream comes to the same message as a whole answer, wherever its bytes are cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from config import Config
from dialects.messages.stream import MOST_BEHIND
from tests.cases import in_one_test
from tests.dialects.messages.reading import asking, comparable, conversed, events_of, read_stream, replied
from tests.dialects.test_toy import ENTRY, MARKUP, MORE, NATIVE, USAGE, OneAnswer, cuts, stream
from tests.helpers import chunks
from tests.servers import DONE, Json, chunk, completion, frame

CALL: Json = {"type": "tool_use", "name": "f", "input": {"a": 1, "b": "é x"}}
COUNTED = {"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4}
ROLE: Json = {"role": "assistant", "content": ""}


SAMPLE = int(os.environ.get("CASES", "1"))
"""In how many hundredths of all places bytes are cut; CASES=100 takes all."""


def some_cuts(data: bytes) -> Iterator[list[bytes]]:
    """Whole, byte by byte, at random, and at some of the single places."""
    each = max(100 // SAMPLE, 1)
    for place, blocks in enumerate(cuts(data)):
        if place < 2 or place > len(data) or place % each == 0:
            yield blocks


def words(text: str) -> Json:
    return {"type": "text", "text": text}


def thought(text: str) -> Json:
    return {"type": "thinking", "thinking": text}


def whole(content: str | None, finish: str = "stop", **message: Any) -> bytes:
    return json.dumps({**completion(content, finish, **message), "usage": USAGE}).encode()


def buffered(body: bytes) -> Json:
    found: Json = json.loads(conversed(OneAnswer(body, kind="application/json")))
    return found


BOTH: dict[str, tuple[bytes, bytes, list[Json], str]] = {
    "prose": (
        stream(ROLE, {"content": "Well, "}, {"content": "so\nit"}, {"content": " is."}),
        whole("Well, so\nit is."),
        [words("Well, so\nit is.")],
        "end_turn",
    ),
    "reasoning that the server split": (
        stream(ROLE, {"reasoning_content": "hm"}, {"reasoning_content": " so"}, {"content": "Hi."}),
        whole("Hi.", reasoning_content="hm so"),
        [thought("hm so"), words("Hi.")],
        "end_turn",
    ),
    "reasoning in the text": (
        stream(ROLE, *({"content": piece} for piece in chunks(f"<think>hm so</think>Hi. {MARKUP}", 5))),
        whole(f"<think>hm so</think>Hi. {MARKUP}"),
        [thought("hm so"), words("Hi."), CALL],
        "tool_use",
    ),
    "a call in the text": (
        stream(ROLE, {"content": "Sure. "}, *({"content": piece} for piece in chunks(MARKUP, 37))),
        whole(f"Sure. {MARKUP}"),
        [words("Sure."), CALL],
        "tool_use",
    ),
    "calls one after the other": (
        stream(ROLE, *({"content": piece} for piece in chunks(f"{MARKUP}\n{MARKUP}", 7))),
        whole(f"{MARKUP}\n{MARKUP}"),
        [CALL, CALL],
        "tool_use",
    ),
    "text between calls": (
        stream(ROLE, *({"content": piece} for piece in chunks(f"{MARKUP} and then {MARKUP}", 4))),
        whole(f"{MARKUP} and then {MARKUP}"),
        [CALL, words("and then"), CALL],
        "tool_use",
    ),
    "a native call": (
        stream({"role": "assistant", "content": None}, *NATIVE, finish="tool_calls"),
        whole(None, "tool_calls", tool_calls=[{**ENTRY, "function": {"name": "f", **MORE["function"]}}]),
        [CALL],
        "tool_use",
    ),
    "text, then a native call": (
        stream({"role": "assistant", "content": "Sure. "}, *NATIVE, finish="tool_calls"),
        whole("Sure. ", "tool_calls", tool_calls=[{**ENTRY, "function": {"name": "f", **MORE["function"]}}]),
        [words("Sure. "), CALL],
        "tool_use",
    ),
    "cut by max_tokens": (
        stream(ROLE, {"content": "So it"}, finish="length"),
        whole("So it", "length"),
        [words("So it")],
        "max_tokens",
    ),
    "a call that max_tokens cut": (
        stream(ROLE, {"content": "So "}, {"content": MARKUP[:70]}, finish="length"),
        whole("So " + MARKUP[:70], "length"),
        [words("So")],
        "max_tokens",
    ),
    "a refusal": (
        stream(ROLE, {"refusal": "I will "}, {"refusal": "not."}),
        whole(None, refusal="I will not."),
        [words("I will not.")],
        "refusal",
    ),
    "a filter": (
        stream(ROLE, {"content": "So "}, finish="content_filter"),
        whole("So ", "content_filter"),
        [words("So ")],
        "refusal",
    ),
}


@pytest.mark.parametrize("name", BOTH)
def test_a_stream_at_every_cut_comes_to_the_whole_message(name: str) -> None:
    data, body, content, reason = BOTH[name]
    expected = comparable(buffered(body))
    assert (expected["content"], expected["stop_reason"], expected["usage"]) == (content, reason, COUNTED)
    for blocks in some_cuts(data):
        assert comparable(read_stream(conversed(OneAnswer(*blocks), stream=True))) == expected, blocks
    as_stream = conversed(OneAnswer(body, kind="application/json"), stream=True)
    assert comparable(read_stream(as_stream)) == expected


INSIDE: dict[str, tuple[list[Json], list[Json]]] = {
    "text": ([{"content": "Hi "}, {"content": "there."}], [words("Hi there.")]),
    "reasoning, then text": ([{"reasoning_content": "hm"}, {"content": "Hi."}], [thought("hm"), words("Hi.")]),
}


@pytest.mark.parametrize("name", INSIDE)
def test_what_is_said_inside_a_native_call_waits_for_its_end(name: str) -> None:
    """Here a block must end before the next one begins."""
    said, blocks = INSIDE[name]
    name_of_it, arguments = NATIVE
    second = [{"tool_calls": [{**ENTRY, "index": 1, "id": "n2"}]}, {"tool_calls": [{**MORE, "index": 1}]}]
    for calls, expected in (([], [CALL, *blocks]), (second, [CALL, *blocks, CALL])):
        data = stream({"role": "assistant", "content": None}, name_of_it, *said, arguments, *calls, finish="tool_calls")
        for pieces in some_cuts(data):
            message = comparable(read_stream(conversed(OneAnswer(*pieces), stream=True)))
            assert (message["content"], message["stop_reason"]) == (expected, "tool_use")


def test_what_is_said_inside_a_call_without_end_is_not_kept_for_ever() -> None:
    """Then the call ends without its arguments, which is an error: it must not be run."""
    many = MOST_BEHIND // 1000 + 1
    said = [{"content": "x" * 1000}] * many
    data = stream({"role": "assistant", "content": None}, NATIVE[0], *said, NATIVE[1], finish="tool_calls")
    message = read_stream(conversed(OneAnswer(data), stream=True))
    assert message["error"]["type"] == "api_error"
    assert [block["type"] for block in message["content"]] == ["tool_use", "text"]


@in_one_test(
    ("field", "split", "written"),
    [
        ("reasoning_content", [thought("hm"), words("Hi.")], [thought("hm"), words("Hi.")]),
        ("none", [words("Hi.")], [words("Hi.")]),
        ("content", [thought("hm"), words("Hi.")], [words("<think>hm</think>Hi.")]),
    ],
)
def test_the_setting_for_reasoning_holds_here_too(field: Any, split: list[Json], written: list[Json]) -> None:
    """Whether the server has split it from the text, or left it there."""
    for message, expected in (
        ({"content": "Hi.", "reasoning_content": "hm"}, split),
        ({"content": "<think>hm</think>Hi."}, written),
    ):
        backend = OneAnswer(whole(**message), kind="application/json")
        reply = replied(backend, asking(), config=Config(reasoning_field=field))
        assert isinstance(reply.body, bytes)
        assert comparable(json.loads(reply.body))["content"] == expected
        backend = OneAnswer(stream({"role": "assistant", **message}))
        reply = replied(backend, asking(stream=True), config=Config(reasoning_field=field))
        assert not isinstance(reply.body, bytes)
        assert comparable(read_stream(b"".join(reply.body)))["content"] == expected


def test_ids_do_not_come_again() -> None:
    history = [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_n1", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_n1", "content": "x"}]},
    ]
    data = stream({"role": "assistant", "content": None}, *NATIVE, finish="tool_calls")
    message = read_stream(conversed(OneAnswer(data), stream=True, messages=history))
    [block] = message["content"]
    assert block["id"].startswith("toolu_") and block["id"] != "toolu_n1"


def test_an_id_of_the_syntax_is_kept_where_it_is_taken() -> None:
    body = json.dumps(completion(None, "tool_calls", tool_calls=[{**ENTRY, "id": "functions.f:0"}])).encode()
    [block] = buffered(body)["content"]
    assert block["id"] == "toolu_b64_ZnVuY3Rpb25zLmY6MA"


@in_one_test("arguments", ['{"a": ', '{"a": NaN}', "{} {}"])
def test_native_arguments_that_are_no_object_are_an_error(arguments: str) -> None:
    """An input is an object here: nothing is made of what is none."""
    entry = {**ENTRY, "function": {"name": "f", "arguments": arguments}}
    with pytest.raises(Exception, match="must not be run"):
        buffered(json.dumps(completion(None, "tool_calls", tool_calls=[entry])).encode())


def test_numbers_keep_their_digits() -> None:
    entry = {**ENTRY, "function": {"name": "f", "arguments": '{"a": 1.10, "c": 12345678901234567890123}'}}
    raw = conversed(
        OneAnswer(json.dumps(completion(None, "tool_calls", tool_calls=[entry])).encode(), kind="application/json")
    )
    assert b'{"a": 1.10, "c": 12345678901234567890123}' in raw


@in_one_test("field", ["stop_reason", "matched_stop"])
def test_a_stop_sequence_is_told_where_the_backend_tells_it(field: str) -> None:
    for told, stops, expected in (("END", ["END"], "stop_sequence"), ("END", [], "end_turn"), (7, ["END"], "end_turn")):
        last = chunk({}, "stop")
        last["choices"][0][field] = told
        data = frame(chunk(ROLE)) + frame(chunk({"content": "So"})) + frame(last) + DONE
        body = completion("So")
        body["choices"][0][field] = told
        streamed = read_stream(conversed(OneAnswer(data), stream=True, stop_sequences=stops))
        again = conversed(OneAnswer(json.dumps(body).encode(), kind="application/json"), stop_sequences=stops)
        for message in (streamed, json.loads(again)):
            assert message["stop_reason"] == expected
            assert message["stop_sequence"] == ("END" if expected == "stop_sequence" else None)


def test_what_other_choices_say_is_left_out() -> None:
    other = frame(chunk({"role": "assistant", "content": "other"}, index=1)) + frame(chunk({}, "length", index=1))
    data = frame(chunk({"role": "assistant", "content": "one"})) + other + frame(chunk({}, "stop")) + DONE
    message = read_stream(conversed(OneAnswer(data), stream=True))
    assert (message["content"], message["stop_reason"]) == ([words("one")], "end_turn")


def test_log_probabilities_do_not_disturb() -> None:
    """This API has none."""
    last = chunk({"content": "So"})
    last["choices"][0]["logprobs"] = {"content": [{"token": "So", "logprob": -0.1}]}
    data = frame(chunk(ROLE)) + frame(last) + frame(chunk({}, "stop")) + DONE
    assert read_stream(conversed(OneAnswer(data), stream=True))["content"] == [words("So")]


def test_the_short_way_writes_what_the_long_way_writes() -> None:
    """Frames in blocks of their own, so that text, reasoning and a long argument pass by lease."""
    long = "x" * 50 + "é"
    texts = ["<think>", *["hm "] * 9, "</think>", *["word "] * 9, "<tool_call>f\n<arg_key>b</arg_key><arg_value>"]
    texts += [long] * 9 + ["</arg_value></tool_call>", *[" more"] * 9]
    data = stream(ROLE, *({"content": text} for text in texts))
    blocks = [part + b"\n\n" for part in data.split(b"\n\n")[:-1]]
    one, other = (conversed(OneAnswer(*each), stream=True) for each in (blocks, [data]))
    assert comparable(read_stream(one)) == comparable(read_stream(other))
    [_, _, call, last] = read_stream(one)["content"]
    assert json.loads(call["json"]) == {"b": long * 9}
    assert last == words(" " + " more" * 9), "between two texts the white space of both stays"
    deltas = [event for event in events_of(one)[0] if event["type"] == "content_block_delta"]
    assert len(deltas) > 30, "each piece leaves at once"
