"""Answers in the shape of the Ollama API, through the real relay: whatever the backend sends, in every cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from errors import ErrorInfo, Interrupted, ProxyError
from tests.cases import in_one_test
from tests.dialects.ollama.talk import MESSAGES, SECOND, conversed, dialect, joined, lines, plain, replied, words
from tests.dialects.test_toy import BARE, ENTRY, ERROR, MARKUP, MORE, USAGE, OneAnswer, cuts, stream
from tests.helpers import chunks
from tests.servers import DONE, Json, chunk, completion, frame

CALL: Json = {"function": {"index": 0, "name": "f", "arguments": {"a": 1, "b": "é x"}}}
COUNTS: Json = {"prompt_eval_count": 3, "eval_count": 4}


def says(content: str = "", reason: str = "stop", counts: Json | None = None, **message: Any) -> Json:
    told: Json = {"model": "glm-4.5", "message": {"role": "assistant", "content": content, **message}}
    return {**told, "done": True, "done_reason": reason, **(COUNTS if counts is None else counts)}


# -- streams ---------------------------------------------------------------------------------------------------------

TWO: list[Json] = [
    {"index": 0, "id": "n1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"index": 1, "id": "n2", "type": "function", "function": {"name": "f", "arguments": ""}},
]
STREAMS: dict[str, tuple[bytes, Json]] = {
    "prose": (
        stream({"role": "assistant", "content": ""}, {"content": "Well, "}, {"content": "so\nit"}, {"content": " is."}),
        says("Well, so\nit is."),
    ),
    "line ends of others": (
        stream({"role": "assistant"}, {"content": "a"}, {"content": "b\u2028"}, {"content": "\x85c"}, {"content": "é"}),
        says("ab\u2028\x85cé"),
    ),
    "reasoning that the server split": (
        stream({"role": "assistant", "reasoning": "hm"}, {"reasoning": " so"}, {"content": "Hi."}),
        says("Hi.", thinking="hm so"),
    ),
    "reasoning in the text": (
        stream({"role": "assistant", "content": "<think>hm "}, {"content": "so</think>"}, {"content": "Hi."}),
        says("Hi.", thinking="hm so"),
    ),
    "a call in the text": (
        stream({"role": "assistant", "content": "Sure. "}, *({"content": piece} for piece in chunks(MARKUP, 37))),
        says("Sure.", tool_calls=[CALL]),
    ),
    "a native call": (
        stream({"role": "assistant"}, {"tool_calls": [ENTRY]}, {"tool_calls": [MORE]}, finish="tool_calls"),
        says(tool_calls=[CALL]),
    ),
    "a native call without id or index": (
        stream({"role": "assistant", "content": "So "}, {"tool_calls": [BARE]}),
        says("So ", tool_calls=[CALL]),
    ),
    "two native calls at once": (
        stream({"role": "assistant"}, {"tool_calls": TWO}, finish="tool_calls"),
        says(
            tool_calls=[
                {"function": {"index": 0, "name": "f", "arguments": {"a": 1}}},
                {"function": {"index": 1, "name": "f", "arguments": {}}},
            ]
        ),
    ),
    "text cut by max_tokens": (
        stream({"role": "assistant", "content": "So it"}, finish="length", usage=False),
        says("So it", "length", {}),
    ),
    "a call cut by max_tokens": (
        stream({"role": "assistant", "content": "So. "}, {"content": MARKUP[:60]}, finish="length"),
        says("So.", "length"),
    ),
    "a native call cut by max_tokens": (
        stream(
            {"role": "assistant", "content": "So."},
            {"tool_calls": [ENTRY]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": '}}]},
            finish="length",
        ),
        says("So.", "length"),
    ),
    "a call whose arguments cannot be read is text": (
        stream({"role": "assistant", "content": "So. "}, {"content": '<tool_call>{"name": "f", "arguments": {"a": '}),
        says('So. <tool_call>{"name": "f", "arguments": {"a": '),
    ),
    "a refusal": (
        stream({"role": "assistant", "refusal": "I can"}, {"refusal": "not."}),
        says("I cannot."),
    ),
    "no role, no finish": (frame(chunk({"content": "Hi"})) + DONE, says("Hi", counts={})),
    "several answers, of which there is one": (
        b"".join([frame(chunk({"content": "Hi"}, index=0)), frame(chunk({"content": "Ho"}, index=1))])
        + b"".join([frame(chunk({}, "stop", index=1)), frame(chunk({}, "stop", index=0)), DONE]),
        says("Hi", counts={}),
    ),
}


def few_cuts(data: bytes) -> Iterator[list[bytes]]:
    """Whole, byte by byte, at some of all places, and at random: how frames are cut is tested where they are read."""
    for number, blocks in enumerate(cuts(data)):
        if number < 2 or number > len(data) or number % 9 == 0:
            yield blocks


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_at_every_cut(name: str) -> None:
    data, expected = STREAMS[name]
    for blocks in few_cuts(data):
        assert joined(lines(conversed(OneAnswer(*blocks)))) == expected, blocks


def test_each_call_is_one_line_and_whole() -> None:
    data, _ = STREAMS["two native calls at once"]
    told = list(words(lines(conversed(OneAnswer(data)))))
    assert [kind for kind, _ in told] == ["tool_calls", "tool_calls"]
    assert all(len(calls) == 1 for _, calls in told)


def test_words_leave_as_they_come() -> None:
    data, _ = STREAMS["prose"]
    told = list(words(lines(conversed(OneAnswer(*(each + b"\n\n" for each in data.split(b"\n\n") if each))))))
    assert "".join(text for _, text in told) == "Well, so\nit is."
    assert len(told) >= 3


def test_ids_of_calls_are_none_of_the_history() -> None:
    history = [
        {"role": "assistant", "tool_calls": [{"id": "n1", "function": {"name": "f", "arguments": {}}}]},
        {"role": "tool", "tool_name": "f", "content": "done"},
    ]
    data, _ = STREAMS["a native call"]
    for messages, kept in ((MESSAGES, True), (history, False)):
        told = lines(conversed(OneAnswer(data), messages=messages))
        (ident,) = [call["id"] for _, calls in words(told) for call in calls]
        assert (ident == "n1") is kept


# -- whole answers ---------------------------------------------------------------------------------------------------

WHOLES: dict[str, tuple[Json, Json]] = {
    "text": (completion("Hi."), says("Hi.")),
    "a call in the text": (completion(f"Sure. {MARKUP}"), says("Sure.", tool_calls=[CALL])),
    "a native call": (
        completion(None, "tool_calls", tool_calls=[{**ENTRY, "function": {"name": "f", **MORE["function"]}}]),
        says(tool_calls=[CALL]),
    ),
    "a native call with an object": (
        completion(None, "tool_calls", tool_calls=[{**ENTRY, "function": CALL["function"]}]),
        says(tool_calls=[CALL]),
    ),
    "reasoning": (completion("Hi.", reasoning_content="hm"), says("Hi.", thinking="hm")),
    "a refusal": (completion(None, refusal="I cannot."), says("I cannot.")),
    "a cut call": (completion(f"Sure. {MARKUP[:60]}", "length"), says("Sure.", "length")),
    "a call that cannot be read": (
        completion('So. <tool_call>{"name": "f", "arguments": {"a": '),
        says('So. <tool_call>{"name": "f", "arguments": {"a": '),
    ),
    "line ends": (completion("a\u2028b\nc"), says("a\u2028b\nc")),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", WHOLES)
def test_a_whole_answer(name: str, streamed: bool) -> None:
    """Also in answer to a request for a stream."""
    reply, expected = WHOLES[name]
    backend = OneAnswer(json.dumps({**reply, "usage": USAGE}).encode(), kind="application/json")
    raw = conversed(backend, stream=streamed)
    assert (joined(lines(raw)) if streamed else plain(json.loads(raw))) == expected


def test_generate_has_no_tools_and_says_response() -> None:
    data = stream({"role": "assistant", "content": "Sure. "}, {"content": MARKUP})
    told = joined(lines(conversed(OneAnswer(data), "/api/generate")))
    assert told == {
        "model": "glm-4.5",
        "response": f"Sure. {MARKUP}",
        "done": True,
        "done_reason": "stop",
        **COUNTS,
    }


@in_one_test("size", [70_000, 1_500_000])
def test_a_long_answer(size: int) -> None:
    text = "é\u2028x " * (size // 5)
    reply = {**completion(text.rstrip() + "."), "usage": USAGE}
    for streamed in (False, True):
        raw = conversed(OneAnswer(json.dumps(reply).encode(), kind="application/json"), stream=streamed)
        assert (joined(lines(raw)) if streamed else plain(json.loads(raw))) == says(text.rstrip() + ".")


def test_long_arguments() -> None:
    arguments = json.dumps({"b": "é\n" * 300_000}, ensure_ascii=False)
    entry = {**ENTRY, "function": {"name": "f", "arguments": arguments}}
    for streamed in (False, True):
        reply = completion(None, "tool_calls", tool_calls=[entry])
        raw = conversed(OneAnswer(json.dumps(reply).encode(), kind="application/json"), stream=streamed)
        told = joined(lines(raw)) if streamed else plain(json.loads(raw))
        assert told["message"]["tool_calls"][0]["function"]["arguments"] == json.loads(arguments)


# -- log probabilities and times -------------------------------------------------------------------------------------


def test_log_probabilities() -> None:
    tokens = [
        {
            "token": text,
            "logprob": -0.5,
            "bytes": [1],
            "top_logprobs": [{"token": text, "logprob": -0.5, "bytes": None}],
        }
        for text in ("Hi", "!")
    ]
    expected = [{**each, "top_logprobs": [{"token": each["token"], "logprob": -0.5}]} for each in tokens]
    frames = [chunk({"role": "assistant", "content": ""})]
    frames += [chunk({"content": each["token"]}) for each in tokens]
    for each, token in zip(frames[1:], tokens, strict=True):
        each["choices"][0]["logprobs"] = {"content": [token]}
    data = b"".join([*map(frame, frames), frame(chunk({}, "stop")), DONE])
    for blocks in few_cuts(data):
        told = lines(conversed(OneAnswer(*blocks), logprobs=True, top_logprobs=1))
        assert joined(told)["logprobs"] == expected
    reply = completion("Hi!")
    reply["choices"][0]["logprobs"] = {"content": tokens}
    whole = json.loads(conversed(OneAnswer(json.dumps(reply).encode(), kind="application/json"), stream=False))
    assert whole["logprobs"] == expected


def test_durations_are_those_of_the_clock() -> None:
    data, _ = STREAMS["prose"]
    told = lines(conversed(OneAnswer(data)))
    last = told[-1]
    # the clock was asked when the request came, for the first line's time, at the first word, and twice at the end
    assert told[0]["created_at"] == "2023-11-14T22:13:21.000000000Z"
    assert last["created_at"] == "2023-11-14T22:13:23.000000000Z"
    assert (last["prompt_eval_duration"], last["eval_duration"], last["load_duration"]) == (2 * SECOND, 2 * SECOND, 0)
    assert last["total_duration"] == 4 * SECOND
    reply = json.dumps(completion("Hi.")).encode()
    whole = json.loads(conversed(OneAnswer(reply, kind="application/json"), stream=False))
    assert whole["total_duration"] == whole["eval_duration"] == 2 * SECOND
    assert all(type(value) is int for name, value in whole.items() if name.endswith(("_duration", "_count")))


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_before_the_first_byte_has_the_backends_status(streamed: bool) -> None:
    reply = replied(OneAnswer(ERROR, status=429, kind="application/json"), stream=streamed)
    assert (reply.status, reply.body) == (429, b'{"error":"Too much."}')
    assert ("Content-Type", "application/json") in reply.headers


def test_an_error_in_mid_stream_stands_in_the_place_of_the_last_line() -> None:
    data = frame(chunk({"role": "assistant", "content": "So "})) + b"data: " + ERROR + b"\n\n" + DONE
    for blocks in few_cuts(data):
        told = lines(conversed(OneAnswer(*blocks)))
        assert told[-1] == {"error": "Too much."}, blocks
        assert "".join(text for _, text in words(told)) == "So ", blocks


def test_a_backend_that_dies_in_mid_stream() -> None:
    data = frame(chunk({"role": "assistant", "content": "So it"}))
    told = lines(conversed(OneAnswer(data, fault=Interrupted("It broke."))))
    assert told[-1] == {"error": "It broke."} and list(words(told)) == [("content", "So it")]


@in_one_test(
    ("info", "text"),
    [
        (ErrorInfo(404, {"message": "model 'x' not found"}), "model 'x' not found"),
        (ErrorInfo(500, {}), "The backend failed and did not say why."),
        (ErrorInfo(500, {"message": "a\nb \u2028"}, b"<html>"), "a\nb \u2028"),
    ],
)
def test_an_error_is_a_text(info: ErrorInfo, text: str) -> None:
    for written in (dialect().write_error(info), dialect().stream_writer(_asked()).error(info)):
        assert json.loads(written) == {"error": text} and len(written.decode().splitlines()) == 1


def _asked() -> Any:
    return dialect().parse_request(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}')


@in_one_test("arguments", ['{"a": ', "[1]", '"x"', '{"a": NaN}'])
def test_a_native_call_that_nobody_can_read_is_an_error(arguments: str) -> None:
    """It may not be run, and nothing of it is text."""
    entry = {**ENTRY, "function": {"name": "f", "arguments": arguments}}
    reply = completion("So.", "tool_calls", tool_calls=[entry])
    data = stream({"role": "assistant", "content": "So."}, {"tool_calls": [entry]}, finish="tool_calls")
    told = lines(conversed(OneAnswer(data)))
    if "error" in told[-1]:
        assert list(words(told)) == [("content", "So.")]
        with pytest.raises(ProxyError) as refused:
            conversed(OneAnswer(json.dumps(reply).encode(), kind="application/json"), stream=False)
        assert (refused.value.status, refused.value.code) == (502, "arguments_unreadable")
        assert refused.value.message == told[-1]["error"]
    else:  # an object was made of it, which both ways tell alike
        raw = conversed(OneAnswer(json.dumps(reply).encode(), kind="application/json"), stream=False)
        assert joined(told)["message"] == plain(json.loads(raw))["message"]


# -- the room --------------------------------------------------------------------------------------------------------

OURS = re.compile(
    r"done_reason|eval_count|eval_duration|load_duration|total_duration|num_predict|keep_alive\"|x-ndjson"
    r"|/api/(chat|generate|tags|show|ps)|model_info"
)


def test_no_other_file_of_the_product_knows_the_api() -> None:
    root = Path(__file__).parent.parent.parent.parent
    rooms = ("backends", "converters", "dialects", "serving", "streaming", "web", "wire")
    files = [*root.glob("*.py"), *(path for room in rooms for path in (root / room).rglob("*.py"))]
    own = root / "dialects/ollama"
    assert sum(own in path.parents for path in files) > 5
    for path in files:
        if own not in path.parents:
            assert not OURS.search(path.read_text(encoding="utf-8")), path.relative_to(root)
    assert "ollama" in (root / "dialects/__init__.py").read_text()
