"""A made-up API through the real relay: nothing of chat completions reaches its clients, whatever the backend does."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from app import create_app
from backends import ResponseHead, Wait
from backends.chat import ChatReplyReader
from config import Config
from dialects import all_dialects
from dialects.protocol import Dialect
from errors import Interrupted, ProxyError
from streaming import ClientRequest
from streaming.relay import Relay
from tests.dialects.toy import Toy
from tests.helpers import chunks
from tests.plans import planning
from tests.servers import DONE, Answer, Json, ScriptedBackend, chunk, completion, frame, json_answer, said

CAN = {"f": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}}
MARKUP = (
    "<tool_call>f\n<arg_key>a</arg_key><arg_value>1</arg_value>"
    "<arg_key>b</arg_key><arg_value>é x</arg_value></tool_call>"
)
ENTRY: Json = {"index": 0, "id": "n1", "type": "function", "function": {"name": "f", "arguments": ""}}
MORE: Json = {"index": 0, "function": {"arguments": '{"a": 1, "b": "é x"}'}}
NATIVE: tuple[Json, ...] = ({"tool_calls": [ENTRY]}, {"tool_calls": [MORE]})
BARE: Json = {"function": {"name": "f", "arguments": '{"a": 1, "b": "é x"}'}}
USAGE: Json = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
CALL: list[Json] = [{"call": "f"}, {"with": {"a": 1, "b": "é x"}}, {"called": "f"}]


class Exchange:
    """A backend's answer in these blocks; then its end, or a fault."""

    decoded = False

    def __init__(self, blocks: Sequence[bytes], status: int, kind: str, fault: ProxyError | None) -> None:
        self._blocks = iter(blocks)
        self._head = ResponseHead(status, "OK", (("Content-Type", kind),))
        self._fault = fault

    def wait_head(self, deadline: float | None) -> ResponseHead:
        return self._head

    def next_bytes(self, deadline: float | None) -> bytes | Wait:
        block = next(filter(None, self._blocks), None)
        if block is None and self._fault is not None:
            raise self._fault
        return Wait.END if block is None else block

    def close(self) -> None:
        pass


class OneAnswer:
    """Stands for the network: every request gets this answer."""

    def __init__(self, *blocks: bytes, status: int = 200, kind: str = "text/event-stream", fault: Any = None) -> None:
        self.exchange = Exchange(blocks, status, kind, fault)
        self.body: Json = {}
        self.target = ""

    def open(self, method: str, target: str, headers: object, body: bytes, fd: object) -> Exchange:
        self.target, self.body = target, json.loads(body)
        return self.exchange


def conversed(backend: OneAnswer, dialect: Dialect | None = None, **asked: Any) -> bytes:
    """The body that a client of the toy gets."""
    relay = Relay(Config(), backend, ChatReplyReader, planning())  # type: ignore[arg-type]
    body = json.dumps({"ask": "Hi", "model": "glm-4.5", "can": CAN, **asked}).encode()
    reply = relay.converse(dialect or Toy(), ClientRequest("POST", "/v1/toy", [], body, "r"))
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


def lines(raw: bytes) -> list[Json]:
    """Its lines, with the pieces of one text joined, arguments read, and ids left out."""
    told: list[Json] = []
    for line in raw.splitlines():
        each = json.loads(line)
        each.pop("as", None)
        [(key, value), *rest] = each.items()
        if key in ("say", "ponder", "with") and told and key in told[-1]:
            told[-1][key] += value
        else:
            told.append(dict([(key, value), *rest]))
    return [{"with": json.loads(each["with"])} if "with" in each else each for each in told if "hello" not in each]


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Whole, at every byte, byte by byte, and at random."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    dice = random.Random(7)
    for _ in range(20):
        borders = sorted(dice.sample(range(len(data)), 5))
        yield [data[start:end] for start, end in zip([0, *borders], [*borders, len(data)], strict=True)]


def stream(*deltas: Json, finish: str = "stop", usage: bool = True) -> bytes:
    frames = [frame(chunk(delta)) for delta in deltas]
    last = [frame(chunk({}, finish))] + ([frame({**chunk({}), "choices": [], "usage": USAGE})] if usage else [])
    return b"".join([*frames, *last, DONE])


END: list[Json] = [{"spent": USAGE}, {"bye": "outcome=untouched"}]
STREAMS: dict[str, tuple[bytes, list[Json]]] = {
    "prose": (
        stream({"role": "assistant", "content": ""}, {"content": "Well, "}, {"content": "so\nit"}, {"content": " is."}),
        [{"say": "Well, so\nit is."}, {"over": "done"}, *END],
    ),
    "reasoning that the server split": (
        stream({"role": "assistant", "reasoning": "hm"}, {"reasoning": " so"}, {"content": "Hi."}),
        [{"ponder": "hm so"}, {"say": "Hi."}, {"over": "done"}, *END],
    ),
    "a call in the text": (
        stream({"role": "assistant", "content": "Sure. "}, *({"content": piece} for piece in chunks(MARKUP, 37))),
        [
            {"say": "Sure."},
            *CALL,
            {"over": "calls"},
            END[0],
            {"bye": "outcome=translated syntax=glm45 codes=whitespace"},
        ],
    ),
    "a native call": (
        stream(
            {"role": "assistant", "content": None}, {"tool_calls": [ENTRY]}, {"tool_calls": [MORE]}, finish="tool_calls"
        ),
        [*CALL, {"over": "calls"}, *END],
    ),
    "text, then a native call": (
        stream(
            {"role": "assistant", "content": "Sure. "},
            {"tool_calls": [ENTRY]},
            {"tool_calls": [MORE]},
            finish="tool_calls",
        ),
        [{"say": "Sure. "}, *CALL, {"over": "calls"}, *END],
    ),
    "a native call without id or index": (
        stream(
            {"role": "assistant"},
            {"tool_calls": [{"function": {"name": "f", "arguments": MORE["function"]["arguments"]}}]},
        ),
        [*CALL, {"over": "calls"}, END[0], {"bye": ...}],
    ),
    "cut by max_tokens": (
        stream({"role": "assistant", "content": "So it"}, finish="length", usage=False),
        [{"say": "So it"}, {"over": "full"}, END[1]],
    ),
    "no role, no finish": (
        frame(chunk({"content": "Hi"})) + DONE,
        [{"say": "Hi"}, {"over": "done"}, {"bye": ...}],
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_at_every_cut(name: str) -> None:
    data, expected = STREAMS[name]
    for blocks in cuts(data):
        told = lines(conversed(OneAnswer(*blocks), live=True))
        assert len(told) == len(expected), (blocks, told)
        for one, wanted in zip(told, expected, strict=True):
            assert one == wanted or (list(one) == list(wanted) and ... in wanted.values()), (blocks, told)


WHOLES: dict[str, tuple[Json, list[Json]]] = {
    "unchanged": (completion("Hi."), [{"say": "Hi."}, {"over": "done"}]),
    "a call in the text": (completion(f"Sure. {MARKUP}"), [{"say": "Sure."}, *CALL, {"over": "calls"}]),
    "a native call": (
        completion(None, "tool_calls", tool_calls=[{**ENTRY, "function": {"name": "f", **MORE["function"]}}]),
        [*CALL, {"over": "calls"}],
    ),
    "reasoning": (completion("Hi.", reasoning_content="hm"), [{"ponder": "hm"}, {"say": "Hi."}, {"over": "done"}]),
}


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("name", WHOLES)
def test_a_whole_reply(name: str, live: bool) -> None:
    """Also in answer to a request for a stream."""
    reply, expected = WHOLES[name]
    raw = conversed(OneAnswer(json.dumps({**reply, "usage": USAGE}).encode(), kind="application/json"), live=live)
    if not live:
        raw = b"".join(json.dumps(line).encode() + b"\n" for line in json.loads(raw)["all"])
    told = [line for line in lines(raw) if "bye" not in line]
    assert told == [*expected, {"spent": USAGE}]


def test_the_request_that_the_backend_gets() -> None:
    backend = OneAnswer(json.dumps(completion("Hi.")).encode(), kind="application/json")
    conversed(backend)
    assert backend.target == "/v1/chat/completions"
    assert backend.body["messages"] == [{"role": "user", "content": "Hi"}]


ERROR = b'{"error": {"message": "Too much.", "type": "x", "code": 7}}'


def test_an_error_before_the_first_byte_has_the_backends_status_and_the_toys_shape() -> None:
    for live in (True, False):
        backend: Any = OneAnswer(ERROR, status=429, kind="application/json")
        relay = Relay(Config(), backend, ChatReplyReader, planning())
        body = json.dumps({"ask": "Hi", "live": live}).encode()
        reply = relay.converse(Toy(), ClientRequest("POST", "/v1/toy", [], body, "r"))
        assert isinstance(reply.body, bytes)
        assert (reply.status, json.loads(reply.body)) == (429, {"trouble": "Too much.", "number": 429})


def test_an_error_in_mid_stream_is_told_in_the_toys_words() -> None:
    data = frame(chunk({"role": "assistant", "content": "So "})) + b"data: " + ERROR + b"\n\n" + DONE
    for blocks in cuts(data):
        told = lines(conversed(OneAnswer(*blocks), live=True))
        assert told[:2] == [{"say": "So "}, {"trouble": "Too much.", "number": 502}], blocks
        assert [list(each) for each in told[2:]] == [["bye"]]


def test_a_backend_that_dies_in_mid_stream() -> None:
    data = frame(chunk({"role": "assistant", "content": "So it"}))
    told = lines(conversed(OneAnswer(data, fault=Interrupted("It broke.")), live=True))
    assert told[:2] == [{"say": "So it"}, {"trouble": "It broke.", "number": 502}]


@pytest.fixture
def toy_app() -> Iterator[Any]:
    with ScriptedBackend() as backend:
        config = Config.from_environment({"BACKEND_URL": backend.url, "KEEPALIVE_SECONDS": "0.2"})
        app = create_app(config, dialects=[*all_dialects(config.reasoning_field, time.time_ns), Toy()])
        yield app.test_client(), backend


@pytest.mark.parametrize("path", ["/v1/toy", "/toy", "/v1/toy/"])
def test_its_routes_and_headers_over_the_network(toy_app: Any, path: str) -> None:
    client, backend = toy_app
    backend.answer = Answer(said("Hello", " world"))
    response = client.post(path, json={"ask": "Hi", "live": True})
    assert (response.status_code, response.content_type) == (200, "application/x-ndjson")
    assert lines(response.data)[0] == {"say": "Hello world"}
    assert backend.last.target == "/v1/chat/completions"


def test_its_heartbeat(toy_app: Any) -> None:
    client, backend = toy_app
    backend.answer = Answer([0.5, *said("Hello")])
    response = client.post("/v1/toy", json={"ask": "Hi", "live": True})
    assert response.data.startswith(Toy.keep_alive)
    assert b"keep-alive" not in response.data


def test_errors_of_ours_have_its_shape(toy_app: Any) -> None:
    client, backend = toy_app
    wrong = client.post("/v1/toy", json={"ask": 7})
    assert (wrong.status_code, wrong.json) == (400, {"trouble": "'ask' must be a string.", "number": 400})
    assert client.get("/toy").status_code == 405 and "trouble" in client.get("/toy").json
    backend.stop()
    gone = client.post("/v1/toy", json={"ask": "Hi"})
    assert gone.status_code == 502 and "trouble" in gone.json
    assert "error" in client.post("/v1/chat/completions", json={"messages": []}).json


def test_a_whole_reply_over_the_network(toy_app: Any) -> None:
    client, backend = toy_app
    backend.answer = json_answer(completion("Hi."))
    response = client.post("/v1/toy", json={"ask": "Hi"})
    assert response.json["all"][1:3] == [{"say": "Hi."}, {"over": "done"}]
    assert response.headers["x-dragoman-outcome"] == "untouched"


def test_a_backend_without_a_reply_is_an_error(toy_app: Any) -> None:
    client, backend = toy_app
    backend.answer = json_answer({"what": "is this"})
    response = client.post("/v1/toy", json={"ask": "Hi"})
    assert response.status_code == 502 and "trouble" in response.json


# -- beside the conversation -----------------------------------------------------------------------------------------


def test_a_side_route_asks_the_backend_and_answers_in_its_own_form() -> None:
    with ScriptedBackend() as backend:
        backend.answer = json_answer({"data": [{"id": "m1"}, {"id": "m2"}]})
        client = create_app(Config.from_environment({"BACKEND_URL": backend.url}), [Toy()]).test_client()
        reply = client.get("/v1/toy/top/names")
        assert (reply.status_code, reply.get_json(force=True)) == (200, {"top": ["m1", "m2"]})
        assert reply.headers["X-Request-Id"]
        assert backend.last.target == "/v1/models"


def test_a_side_route_may_leave_a_request_to_the_backend() -> None:
    with ScriptedBackend() as backend:
        backend.answer = json_answer({"as": "it was"})
        client = create_app(Config.from_environment({"BACKEND_URL": backend.url}), [Toy()]).test_client()
        assert client.get("/v1/toy/top/names?plain=1").get_json() == {"as": "it was"}
        assert backend.last.target == "/v1/toy/top/names?plain=1"


def test_what_is_wrong_below_a_prefix_is_told_in_the_form_of_the_api() -> None:
    client = create_app(Config(backend_url="http://127.0.0.1:9"), [Toy()]).test_client()
    told = client.get("/v1/toy/top/names").get_json()
    assert set(told) == {"trouble", "number"} and told["number"] == 502


def test_a_dialect_that_is_forwarded_translates_nothing() -> None:
    relay = Relay(Config(forward=("toy",)), OneAnswer(), ChatReplyReader, planning())  # type: ignore[arg-type]
    assert not relay.translates(Toy())
    assert all(relay.translates(dialect) for dialect in all_dialects("reasoning_content", time.time_ns))
