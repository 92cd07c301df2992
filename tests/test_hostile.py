"""A little of `make fuzz`, third part, and what it has found: nothing hostile raises (defect C6)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fuzz_hostile import Hall, hall, in_form, mixed, trial
from tests.hostile import Raw
from tests.servers import DONE, ask, chunk, frame, said


@pytest.fixture(scope="module")
def one() -> Iterator[Hall]:
    with hall() as made:
        yield made


def test_nothing_hostile_raises(one: Hall) -> None:
    trial(one, 100, 1, shrink=False)()
    mixed(one, 400, 1)


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


def test_an_answer_in_form_is_none_of_them() -> None:
    in_form(200, "text/event-stream", b"".join(said("x")), raw(b""))
    in_form(502, "application/json", b'{"error": {"message": "x"}}', raw(b"", stream=False))
