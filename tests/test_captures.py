"""What five engines really sent, played to the proxy: right answers leave as received, wrong ones are repaired.

The recordings are tests/captures/*.zip. An answer that is in none of the tables below leaves as it came.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.cases import in_one_test
from tests.servers import (
    DONE,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    Streamed,
    broken_stream,
    message_in,
    message_of,
    read_stream,
    running_proxy,
    whole_stream,
)


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    """What engines answered to other APIs than chat was recorded too: it is forwarded."""
    with running_proxy(backend, FORWARD="messages,responses,ollama") as running:
        yield running


ARCHIVES = sorted((Path(__file__).parent / "captures").glob("*.zip"))


@dataclass(frozen=True)
class Capture:
    """One recorded exchange."""

    name: str
    request: bytes
    answer: bytes

    @property
    def target(self) -> tuple[str, str]:
        method, target, _ = self.request.split(b"\r\n")[0].decode().split(" ")
        return method, target

    @property
    def status(self) -> int:
        return int(self.answer.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        """The body of the answer without its framing; of one that broke off, what there is of it."""
        head, _, rest = self.answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head.lower():
            return rest
        body = b""
        while rest and (size := int(rest.partition(b"\r\n")[0], 16)):
            start = rest.index(b"\r\n") + 2
            body, rest = body + rest[start : start + size], rest[start + size + 2 :]
        return body


def captures() -> Iterator[Capture]:
    for path in ARCHIVES:
        with ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".resp"):
                    request = archive.read(name.replace(".resp", ".req"))
                    yield Capture(f"{path.stem}/{name.removesuffix('.resp')}", request, archive.read(name))


CAPTURES = {capture.name: capture for capture in captures()}


def said(content: str, *calls: tuple[str, str], reason: str = "tool_calls", **more: str) -> Json:
    told = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {"role": "assistant", "content": content, "calls": told, "reasons": [reason], **more}


SEOUL = ("get_weather", '{"city": "서울"}')
SEOUL_3 = ("get_weather", '{"city": "서울", "days": 3}')
PARIS = ("get_weather", '{"city": "Paris"}')
LOOKING = "서울 날씨를 확인하겠습니다."
BOTH = said("Checking both 🌦️.", SEOUL, PARIS, reasoning_content="Two cities, two calls.")
NO_TOOLS_BOTH = (
    "Checking both 🌦️.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>서울</arg_value>\n</tool_call>\n"
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>"
)

# The server did not parse at all, or its parser missed the call in a stream: the text is translated.
TRANSLATED: dict[str, Json] = {
    "llama-cpp-python/03-tools-grammar-stream": said(LOOKING, SEOUL_3),
    "llama-cpp-python/04-tools-grammar-buffered": said(LOOKING, SEOUL_3),
    "llamacpp-parrot/rawglm-glm47-tools-buffered": said("Checking.", SEOUL),
    "llamacpp-parrot/rawglm-glm47-tools-stream": said("Checking.", SEOUL),
    "llamacpp-parrot/rawglm-glmpar-tools-buffered": BOTH,
    "llamacpp-parrot/rawglm-glmpar-tools-stream": BOTH,
    "llamacpp/32-stream-tools-skipchatparsing": BOTH,
    "llamacpp/33-buffered-tools-skipchatparsing": BOTH,
    "transformers/02-stream-glm-tools": said(LOOKING, SEOUL_3),
    "transformers/03-buffered-tools": BOTH,
    "transformers/05-tool_choice": said(LOOKING, SEOUL_3),
    "vllm/glm45-30-tools-auto-stream": said(LOOKING, SEOUL_3),
    "vllm/glm45-32-tools-auto-stream-usage": said(LOOKING, SEOUL_3),
    # a key that comes again and again until max_tokens: the first stays, and what was cut stays open
    "vllm/glm45par-30-tools-auto-stream": said("", ("get_weather", '{"days": 0'), reason="length"),
    "vllm/glm45par-32-tools-auto-stream-usage": said("", ("get_weather", '{"days": 0'), reason="length"),
    # no tools were sent, so the markup is the client's business; the reasoning is split all the same
    "llamacpp-parrot/rawglm-glmpar-notools-buffered": said(
        NO_TOOLS_BOTH, reason="stop", reasoning_content="Two cities, two calls."
    ),
    "llamacpp-parrot/rawglm-glmpar-notools-stream": said(
        NO_TOOLS_BOTH, reason="stop", reasoning_content="Two cities, two calls."
    ),
    # tool_choice is "none": the markup goes, and no call comes
    "llamacpp/08-tool_choice-none-grammar": said(LOOKING, reason="stop"),
    "llamacpp/40-glm-srvgrammar-none-grammar-parse": said(LOOKING, reason="stop"),
    "llamacpp/41-qwen-srvgrammar-none-grammar-parse": said("I'll look it up.", reason="stop"),
    "vllm/06-tools-none": said(LOOKING, reason="stop"),
}

# vLLM's parser of Qwen3-Coder left an opener in the text, and then sent the call.
LOOKED_UP = said("I'll look it up.", ("get_weather", '{"city": "Seoul", "days": 3}'))
ECHOED: dict[str, Json] = {
    "vllm/qwen3coder-30-tools-auto-stream": LOOKED_UP,
    "vllm/qwen3coder-32-tools-auto-stream-usage": LOOKED_UP,
    "vllm/qwen3coder-40-named": said("", ("get_weather", "{}"), reason="length"),
    "vllm/qwen3coder-40-required": said("", ("get_weather", "{}"), reason="length"),
}

# Clients get reasoning as `reasoning_content`, which vLLM calls `reasoning`.
CALLED_BOTH = said("Checking.", SEOUL, PARIS, reasoning_content="Two cities.")
RENAMED: dict[str, Json] = {
    "vllm/glm47r-parrot-glm47think-buffered": CALLED_BOTH,
    "vllm/glm47r-parrot-glm47think-stream": CALLED_BOTH,
    "vllm/glm47r-parrot-glm47thinkonly-buffered": said(
        "서울은 22°C 입니다.", reason="stop", reasoning_content="Just thinking."
    ),
    "vllm/glm47r-parrot-glm47thinkonly-stream": said(
        "서울은 22°C 입니다.", reason="stop", reasoning_content="Just thinking."
    ),
}

# llama-server says no role where the text begins with a character of several bytes.
ROLE_MISSING = {
    *("llamacpp-parrot/b11434-glm-notools-stream", "llamacpp-parrot/b11434-glm-tools-stream"),
    *("llamacpp-parrot/native-answer-notools-stream", "llamacpp-parrot/native-answer-tools-stream"),
    *("llamacpp-parrot/native-glm-notools-stream", "llamacpp-parrot/native-glm-tools-stream"),
    *("llamacpp/01-stream-glm-notools", "llamacpp/02-stream-glm-usage", "llamacpp/09-max_tokens-length"),
    *("llamacpp/23-stop-seq", "llamacpp/51-ping"),
}

# The same; and a delta that ends inside what could become a marker, which random weights write, is cut elsewhere.
CUT_ELSEWHERE = {
    *("llamacpp/06-stream-tools-required", "llamacpp/40-glm-srvgrammar-auto-stream"),
    *("llamacpp/40-glm-srvgrammar-required-stream", "llamacpp/41-qwen-srvgrammar-auto-stream"),
    *("llamacpp/41-qwen-srvgrammar-required-stream", "vllm/17-stop"),
}

# `transformers serve` ends its streams without [DONE].
NOT_DONE = {"transformers/01-stream-glm", "transformers/04-stream-usage", "transformers/15-length"}

# The answer broke off, or the server said so. What was said before stays.
BROKEN = {
    "llamacpp/34-client-abort": "backend_interrupted",
    "vllm/18-abort": "backend_interrupted",
    "vllm/99-midstream-error": 500,
    "vllm/glm45r-parrot-glm-stream": 500,
}

# The prompt was too long: a success without a word.
SILENT = {"llama-cpp-python/14-ctx-stream"}

# The request is no JSON. It does not reach the backend.
NOT_ASKED = {name for name in CAPTURES if name.endswith("badjson")}

# Errors that clients cannot read are put in OpenAI's form, with their words and their status.
WORDED = {
    "transformers/11-nomessages": "Internal Server Error",
    "transformers/13-wrongmodel": "Server is pinned to 'hf-glm'; requested 'nope/nope'.",
}

TOLD = {**TRANSLATED, **ECHOED, **RENAMED}
OTHERWISE = {*TOLD, *ROLE_MISSING, *CUT_ELSEWHERE, *NOT_DONE, *BROKEN, *SILENT, *NOT_ASKED, *WORDED}


@dataclass(frozen=True)
class Heard:
    status: int
    body: bytes
    outcome: str

    @property
    def without_comment(self) -> bytes:
        return re.sub(rb": dragoman [^\n]*\n\n", b"", self.body)


def played(backend: ScriptedBackend, proxy: Proxy, capture: Capture, cuts: Sequence[int] = ()) -> Heard:
    """What a client hears if the backend sends the recorded bytes, cut at these places."""
    wire = capture.answer
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    backend.answer = Answer([each for piece in pieces for each in (piece, 0.0005)], framing="raw")
    method, target = capture.target
    head, _, body = capture.request.partition(b"\r\n\r\n")
    kind = re.search(rb"(?i)\r\ncontent-type: *([^\r]+)", head)
    headers = [("Content-Type", kind[1].decode() if kind else "application/json")]
    with proxy.client(body or None, target, headers=headers, method=method) as client:
        raw = client.rest()
        told = re.search(rb": dragoman outcome=(\w+)", raw)
        outcome = told[1].decode() if told else client.header("x-dragoman-outcome") or ""
        return Heard(client.status, raw, outcome)


def heard_message(heard: Heard) -> Json:
    return (
        message_of(whole_stream(heard.body)) if heard.body.startswith((b"data", b":")) else message_in(json_of(heard))
    )


def json_of(heard: Heard) -> Any:
    return json.loads(heard.body)


@in_one_test("name", [name for name in CAPTURES if name not in OTHERWISE])
def test_a_right_answer_leaves_as_the_bytes_received(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    capture = CAPTURES[name]
    heard = played(backend, proxy, capture)
    assert (heard.status, heard.without_comment) == (capture.status, capture.body)
    assert heard.outcome in ("", "untouched")


@pytest.mark.parametrize("name", TOLD)
def test_what_a_wrong_answer_means(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    outcome = "translated" if name in TRANSLATED else "repaired" if name in ECHOED else "untouched"
    dice = random.Random(name)
    length = len(CAPTURES[name].answer)
    for cuts in ([], sorted(dice.sample(range(1, length), 20)), range(1, min(length, 3000))):
        heard = played(backend, proxy, CAPTURES[name], cuts)
        assert heard_message(heard) == TOLD[name]
        assert heard.outcome == outcome


@in_one_test("name", sorted(ROLE_MISSING))
def test_a_role_that_was_not_said_is_said_first(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    body = CAPTURES[name].body
    comments = re.match(rb"(:\n\n)*", body)
    assert comments and heard.without_comment.startswith(comments.group())
    role, rest = heard.without_comment[comments.end() :].split(b"\n\n", 1)
    assert rest == body[comments.end() :]
    assert read_stream(role + b"\n\n").choices()[0]["delta"] == {"role": "assistant", "content": ""}
    assert heard.outcome == "repaired"


@in_one_test("name", sorted(CUT_ELSEWHERE))
def test_the_same_words_in_other_pieces(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    received = read_stream(CAPTURES[name].body)
    words = "".join(choice["delta"].get("content") or "" for choice in received.choices())
    message = message_of(whole_stream(heard.body))
    assert (message["content"], message["reasons"]) == (words, received.reasons())


@in_one_test("name", sorted(NOT_DONE))
def test_a_stream_without_done_is_given_one(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    assert heard.without_comment == CAPTURES[name].body + DONE


@in_one_test("name", BROKEN)
def test_what_broke_off_is_told_as_an_error(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    streamed = broken_stream(heard.body)
    assert streamed.errors[0]["code"] == BROKEN[name]
    assert said_in(streamed) == said_in(read_stream(b"".join(whole_events(CAPTURES[name].body))))


def whole_events(body: bytes) -> list[bytes]:
    return [event + b"\n\n" for event in body.split(b"\n\n")[:-1]]


def said_in(streamed: Streamed) -> str:
    """All words of a stream, reasoning and its tags among them."""
    names = ("reasoning_content", "reasoning", "content")
    found = (choice["delta"].get(name) for choice in streamed.choices() for name in names)
    return "".join(filter(None, found)).replace("<think>", "").strip()


@in_one_test("name", sorted(SILENT))
def test_a_success_without_a_word_is_an_error(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    assert (heard.status, json_of(heard)["error"]["code"]) == (502, "backend_interrupted")


@in_one_test("name", sorted(NOT_ASKED))
def test_a_request_that_is_no_json_is_not_sent_on(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    before = len(backend.requests)
    heard = played(backend, proxy, CAPTURES[name])
    assert (heard.status, len(backend.requests)) == (400, before)


@in_one_test("name", WORDED)
def test_errors_are_told_in_a_form_that_clients_read(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    heard = played(backend, proxy, CAPTURES[name])
    assert heard.status == CAPTURES[name].status
    assert json_of(heard)["error"]["message"] == WORDED[name]


def test_every_recording_is_played() -> None:
    assert len(CAPTURES) == 150
    assert not OTHERWISE - set(CAPTURES)
