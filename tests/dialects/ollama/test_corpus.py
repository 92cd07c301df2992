"""What models write, through the Ollama API: the same message streamed and buffered, and the same as through chat.

python -m tests.dialects.ollama.test_corpus        every case, not only a sample
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.chat import ChatReplyReader
from config import Config
from dialects.chat import CHAT
from dialects.protocol import Dialect
from streaming import ClientRequest
from streaming.relay import Relay
from tests.cases import in_one_test_each
from tests.dialects.ollama.talk import START, calls_of, dialect, joined, lines, plain
from tests.dialects.test_toy import OneAnswer
from tests.helpers import ROWS, Case, chunks, corpus, random_cut
from tests.plans import planning
from tests.servers import Json, completion, said

CASES = corpus()
SAMPLE = 3
"""Cases of each row that the suite tries: all of them take twenty seconds."""


def sample() -> dict[str, list[Case]]:
    dice = random.Random(START)
    by_row = {row: [case for case in CASES if case.row == row] for row in ROWS}
    return {row: dice.sample(cases, min(SAMPLE, len(cases))) for row, cases in by_row.items()}


def told(face: Dialect, body: Json, backend: OneAnswer, row: str) -> bytes:
    relay = Relay(Config(), backend, ChatReplyReader, planning())  # type: ignore[arg-type]
    headers = [("x-dragoman-syntax", row)]
    reply = relay.converse(face, ClientRequest("POST", face.routes[0], headers, json.dumps(body).encode(), "r"))
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


def request(case: Case, stream: bool) -> Json:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in case.tools.items()
    ]
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": tools, "stream": stream}


def buffered(case: Case, text: str, finish: str) -> Json:
    backend = OneAnswer(json.dumps(completion(text, finish)).encode(), kind="application/json")
    return plain(json.loads(told(dialect(), request(case, False), backend, case.row)))


def streamed(case: Case, pieces: Sequence[str], finish: str) -> Json:
    backend = OneAnswer(*said(*pieces, finish=finish))
    return joined(lines(told(dialect(), request(case, True), backend, case.row)))


def through_chat(case: Case, text: str) -> Json:
    backend = OneAnswer(json.dumps(completion(text)).encode(), kind="application/json")
    (choice,) = json.loads(told(CHAT, request(case, False), backend, case.row))["choices"]
    message: Json = choice["message"]
    return message


def cuts_of(text: str) -> Iterator[list[str]]:
    yield [text]
    yield chunks(text, 1)
    yield from (random_cut(text, seed) for seed in (1, 2))


def without_counts(answer: Json) -> Json:
    return {name: value for name, value in answer.items() if not name.endswith("_count")}


@in_one_test_each("case", sample(), ids=str)
def test_a_stream_is_the_whole_answer_and_says_what_chat_says(case: Case) -> None:
    check(case)


def check(case: Case) -> None:
    whole = buffered(case, case.text, "stop")
    for pieces in cuts_of(case.text):
        assert streamed(case, pieces, "stop") == without_counts(whole), pieces
    message, chat = whole["message"], through_chat(case, case.text)
    assert message["content"] == (chat["content"] or "")
    assert message.get("thinking") == chat.get("reasoning_content")
    found = [(each["function"]["name"], each["function"]["arguments"]) for each in calls_of(whole)]
    functions = [each["function"] for each in chat.get("tool_calls", [])]
    assert found == [(each["name"], json.loads(each["arguments"])) for each in functions]


@settings(max_examples=60, deadline=None)
@given(case=st.sampled_from(CASES), data=st.data())
def test_a_cut_answer_is_the_same_streamed_and_buffered(case: Case, data: Any) -> None:
    """Wherever max_tokens cut it: no line holds half a call."""
    text = case.text[: data.draw(st.integers(0, len(case.text)))]
    pieces = random_cut(text, data.draw(st.integers(0, 99)))
    whole = buffered(case, text, "length")
    assert whole["done_reason"] == "length"
    assert streamed(case, pieces, "length") == without_counts(whole)


if __name__ == "__main__":
    for number, each in enumerate(CASES, 1):
        print(f"\r{number}/{len(CASES)} {each}\x1b[K", end="", flush=True)
        check(each)
    print()
