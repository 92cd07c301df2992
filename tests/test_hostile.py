"""A little of `make fuzz`, third part, and what it has found: nothing hostile raises (defect C6)."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from records.threads import start_thread
from tests.fuzz_hostile import mixed, trial
from tests.hostile import Raw
from tests.hostile_everywhere import asked
from tests.hostile_faces import ASKINGS, Asking, Face
from tests.hostile_forms import in_form
from tests.hostile_hall import Hall, hall
from tests.servers import DONE, ask, chunk, frame, said


@pytest.fixture(scope="module")
def one() -> Iterator[Hall]:
    with hall() as made:
        yield made


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of a strategy, which holds whole requests
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # by the proxies' threads, while inputs are drawn
def test_nothing_hostile_raises(one: Hall) -> None:
    trial(one, 80, 1, shrink=False)()
    mixed(one, 300, 1)


def _told(text: str) -> None:
    raise RuntimeError(text)


FACES: tuple[Face, ...] = ("responses", "messages", "ollama")
WRONG: dict[str, Callable[[], object]] = {
    "a thread": lambda: threading.Thread(target=_told, args=("a thread",)).start(),
    "a thread of the system": lambda: start_thread(lambda: _told("a thread of the system")),
    "the log": lambda: logging.getLogger("dragoman.x").error("x", exc_info=RuntimeError("the log")),
    "stderr": lambda: sys.stderr.write("Traceback (most recent call last):\n  stderr\n"),
    "a child": lambda: subprocess.run([sys.executable, "-c", "raise ValueError('a child')"], check=False),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_beside_the_answers_is_seen(one: Hall, name: str) -> None:
    """A name with half a surrogate pair ended the thread of the templates, and nobody noticed (defect C6)."""
    one.watch.listen()
    assert not one.watch.look()
    WRONG[name]()
    until = time.monotonic() + 5
    while not (seen := one.watch.look()) and time.monotonic() < until:
        time.sleep(0.01)
    assert name in seen


def raw(answer: bytes, stream: bool = True, request: object = None) -> Raw:
    return Raw(json.dumps(request or ask(stream=stream)).encode(), stream, answer, stream)


ODD: tuple[object, ...] = ([], {}, [[]], 7, True, 1e300, "x", 10**400)
"""Values for fields that expect something else."""


@pytest.mark.parametrize("field", ["finish_reason", "index", "logprobs", "delta"])
def test_odd_values_in_a_choice_are_no_failure_of_ours(one: Hall, field: str) -> None:
    """A list for a finish reason was a TypeError, which cut the stream (defect C6)."""
    for odd in ODD:
        event = chunk({"content": "x"})
        event["choices"][0][field] = odd
        one.check(raw(frame(event) + b"".join(said("y"))))
        reply = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, field: odd}]}
        one.check(raw(frame(reply)[6:], stream=False))


@pytest.mark.parametrize("asking", [each for each in ASKINGS if each.face in FACES][::8])
def test_answers_that_are_odd_are_no_failure_of_any_face(one: Hall, asking: Asking) -> None:
    """Token counts that are no object, and a list of probabilities with a number that is too large (defect C6)."""
    for odd in (b"7", b"NaN", b'"x"', b"1e999", b"[1]"):
        for status in (200, 201):
            logprobs = b'{"content": [{"token": "x", "logprob": %s}]}' % odd
            choice = b'{"index": 0, "%s": {"content": "x"}, "finish_reason": "stop", "logprobs": %s}'
            body = b'{"choices": [%s], "usage": %s}' % (choice % (b"message", logprobs), odd)
            frames = b'data: {"choices": [%s], "usage": %s}\n\n' % (choice % (b"delta", logprobs), odd)
            request = asked(asking, ())
            one.check(Raw(request, asking.streams, body, False, status, asking))
            one.check(Raw(request, asking.streams, frames + b"data: [DONE]\n\n", True, status, asking))


@pytest.mark.parametrize("levels", [100, 127, 129, 300, 900, 5000])
@pytest.mark.parametrize("unit", ["[]", "{}"])
def test_answers_of_any_depth_are_no_failure_of_ours(one: Hall, levels: int, unit: str) -> None:
    """900 levels overflowed the stack where a chunk was mended and written again (defect C6)."""
    deep = "[" * levels + "]" * levels if unit == "[]" else '{"a":' * levels + "1" + "}" * levels
    event = f'{{"choices": [{{"delta": {{"content": "x"}}}}], "x": {deep}}}'  # without an index: it is mended
    one.check(raw(f"data: {event}\n\n".encode() + b"".join(said("y"))))
    reply = f'{{"choices": [{{"message": {{"content": "x"}}}}], "x": {deep}}}'
    one.check(raw(reply.encode(), stream=False))
    for place in ("tool_calls", "function_call", "content", "reasoning", "refusal"):
        event = f'{{"choices": [{{"index": 0, "delta": {{"{place}": {deep}}}}}]}}'
        one.check(raw(f"data: {event}\n\n".encode() + b"".join(said("y"))))


@pytest.mark.parametrize(
    "body",
    [b"", b'data: {"error": {}}\n\n', frame(chunk({"content": "x"})), DONE + frame({}), DONE + DONE],
)
def test_a_stream_that_does_not_end_well_is_seen(body: bytes) -> None:
    with pytest.raises(AssertionError):
        in_form(200, "text/event-stream", body, raw(b""))


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (200, b"[1]"), (418, b"{}"), (502, b'{"error": {"message": 7}}')]
)
def test_an_answer_that_is_out_of_form_is_seen(status: int, body: bytes) -> None:
    with pytest.raises((AssertionError, LookupError)):
        in_form(status, "application/json", body, raw(b"{}", stream=False))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/event-stream", b"event: x\ndata: {}\n\n"),
        (200, "application/x-ndjson", b'{"done": false}\n'),
        (200, "application/json", b'{"a": NaN}'),
        (200, "application/json", b"[]"),
        (400, "application/json", b'{"detail": "x"}'),
        (400, "text/html", b"x"),
        (503, "application/json", b'{"error": {"message": "x", "type": "y"}}'),
    ],
)
def test_an_answer_out_of_the_form_of_its_face_is_seen(face: Face, status: int, kind: str, body: bytes) -> None:
    with pytest.raises((AssertionError, LookupError, ValueError)):
        in_form(status, kind, body, Raw(b"{}", False, b"", False, asking=Asking(face, "/")))


def test_an_answer_in_form_is_none_of_them() -> None:
    in_form(200, "text/event-stream", b"".join(said("x")), raw(b""))
    in_form(502, "application/json", b'{"error": {"message": "x"}}', raw(b"", stream=False))
