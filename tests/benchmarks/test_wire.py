"""The upstream and the load generator do what they say, and count exactly."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from benchmarks import wire
from tests.servers import Answer, ScriptedBackend

pytestmark = [pytest.mark.long, pytest.mark.skipif(not wire.available(), reason="there is no gcc")]

_STAMP = re.compile(r"@(\d{13})(\d{5})@")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with wire.upstream() as listening:
        yield listening


def _ask(port: int, play: str, stream: bool = True) -> tuple[http.client.HTTPMessage, str]:
    """The head and the body of what the upstream says to that."""
    message = {"role": "user", "content": f"play {play}"}
    body = json.dumps({"stream": stream, "messages": [message]})
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.headers, answer.read().decode()


def _events(body: str) -> list[Any]:
    *events, done, rest = body.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def _said(body: str) -> str:
    return "".join(event["choices"][0]["delta"].get("content", "") for event in _events(body))


@pytest.mark.parametrize("play", ["kind=text pieces=30", "kind=text pieces=30 group=16", "kind=text pieces=3 every=5"])
def test_each_piece_is_an_event_with_its_number(port: int, play: str) -> None:
    head, body = _ask(port, play)
    pieces = int(play.split("pieces=")[1].split()[0])
    assert head["Transfer-Encoding"] == "chunked"
    assert [int(number) for _, number in _STAMP.findall(body)] == list(range(pieces))
    assert len(_events(body)) == pieces + 2  # the role before, the finish reason behind
    assert len(_STAMP.sub("", _said(body))) == 8 * pieces


def test_a_paced_answer_takes_its_time(port: int) -> None:
    times = [int(time) for time, _ in _STAMP.findall(_ask(port, "kind=text pieces=20 every=10")[1])]
    assert times[-1] - times[0] >= 0.15e9  # a busy machine is late once, not early


def test_a_call_is_one_that_its_row_reads(port: int) -> None:
    glm = _said(_ask(port, "kind=glm pieces=50")[1])
    assert re.fullmatch(r"<tool_call>write_file\n.*<arg_value>@.*</arg_value>\n</tool_call>", glm, re.DOTALL)
    hermes = _STAMP.sub("", _said(_ask(port, "kind=hermes pieces=50")[1]))
    call = json.loads(hermes.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"))
    assert call["name"] == "write_file"
    assert len(call["arguments"]["text"]) == 400


def test_a_body_may_end_with_the_connection(port: int) -> None:
    head, body = _ask(port, "kind=text pieces=5 close=1")
    assert head["Transfer-Encoding"] is None
    assert len(_STAMP.findall(body)) == 5


def test_a_buffered_answer_is_one_document(port: int) -> None:
    head, body = _ask(port, "kind=text pieces=50", stream=False)
    assert head["Content-Type"] == "application/json"
    assert len(json.loads(body)["choices"][0]["message"]["content"]) == 400


@pytest.mark.parametrize("more", ["", " close=1"])
def test_four_streams_are_counted_exactly(port: int, more: str) -> None:
    """Each says 40 pieces in 0.2 s and then begins again, so whole answers are 40 chunks each."""
    window = ["--warm", "0", "--seconds", "3", "--alive", "3"]
    figures = wire.load(port, ["--play", f"kind=text pieces=40 every=5{more}", "--connections", "4", *window])
    assert figures["answers"] >= 4
    assert 40 * figures["answers"] <= figures["chunks"] <= 40 * (figures["answers"] + 4)
    assert figures["events"] == figures["chunks"]
    assert figures["alive"] == 4
    assert figures["lost"] == figures["failed"] == figures["cut_short"] == figures["refused"] == 0
    assert 0 < figures["delay_p50_us"] <= figures["delay_p99_us"]


def _stamped(*numbers: int) -> Answer:
    return Answer([b"data: @%013d%05d@\n\n" % (0, number) for number in numbers])


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (_stamped(0, 1, 3), "lost"),
        (_stamped(0, 1, 2), "cut_short"),
        (Answer([b"{}"], status=503, framing="length"), "refused"),
        (Answer(ends="reset", framing="raw"), "failed"),
    ],
    ids=["gap", "end", "status", "reset"],
)
def test_what_an_answer_lacks_is_counted(answer: Answer, wrong: str) -> None:
    with ScriptedBackend(answer) as backend:
        figures = wire.load(backend.port, ["--play", "kind=text pieces=4", "--warm", "0", "--seconds", "0.3"])
    counts = {name: figures[name] for name in ("lost", "cut_short", "refused", "failed")}
    assert counts.pop(wrong) > 0
    assert not any(counts.values())
    assert bool(figures["answers"]) == (wrong == "lost")  # whole, as its last piece came


def test_cpu_time_and_memory_are_those_of_the_processes_named(port: int) -> None:
    ours = wire.load(port, ["--play", "kind=text", "--buffered", "--seconds", "0.5"], [os.getpid()])
    assert ours["cpu_s"] < 0.3  # we only wait
    assert ours["pss_kb"] > 5000
    assert wire.load(port, ["--play", "kind=text", "--seconds", "0.2"])["pss_kb"] == 0
