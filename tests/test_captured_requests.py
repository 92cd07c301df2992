"""Requests that the backend takes go out byte for byte: all that were captured, of five engines and their clients.

What a template is known to lose without a word is changed at once, and each change is named (contract 9).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.answers import Answer, Json, completion, json_answer, read_stream, said
from tests.backends.adapt.histories import call, calling, result
from tests.cases import in_one_test
from tests.servers import Proxy, Received, ScriptedBackend, running_proxy
from tests.test_captures import CAPTURES, Capture


def _body(capture: Capture) -> bytes:
    return capture.request.partition(b"\r\n\r\n")[2]


def _head(capture: Capture) -> bytes:
    return capture.request.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


CHAT = {
    name: capture
    for name, capture in CAPTURES.items()
    if capture.target[1].partition("?")[0].endswith("/completions") and not name.endswith("badjson")
}


def _streams(body: bytes) -> bool:
    return json.loads(body).get("stream") is True


def _taking(received: Received) -> Answer:
    return Answer(said("Hello")) if _streams(received.body) else json_answer(completion("Hello"))


@pytest.fixture(scope="module")
def backend() -> Iterator[ScriptedBackend]:
    with ScriptedBackend(_taking) as started:
        yield started


@pytest.fixture(scope="module")
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    with running_proxy(backend) as started:
        yield started


def _sent(backend: ScriptedBackend, proxy: Proxy, capture: Capture) -> tuple[bytes, set[str]]:
    """What reaches the backend of a captured request, and the codes that the client is told."""
    body, (_, target) = _body(capture), capture.target
    backend.forget()
    with proxy.client(body, target) as client:
        raw = client.rest()
        codes = client.header("x-dragoman-codes") or ""
        assert client.status == 200, raw[:300]
    if _streams(body):
        told = dict(part.split("=") for part in read_stream(raw).outcome.split()[1:])
        codes = told.get("codes", "")
    assert len(backend.requests) == 1
    return backend.last.body, {code for code in codes.split(",") if code.startswith("adapted:") or code == "prompted"}


@in_one_test("name", sorted(CHAT))
def test_a_captured_request_goes_out_as_it_came(backend: ScriptedBackend, proxy: Proxy, name: str) -> None:
    sent, codes = _sent(backend, proxy, CHAT[name])
    assert codes == set() and sent == _body(CHAT[name])


@given(
    st.sampled_from(sorted(CHAT)),
    st.sampled_from([None, 0, 1, "\t"]),
    st.booleans(),
    st.booleans(),
    st.dictionaries(st.text("abcxyz_", min_size=4), st.integers() | st.floats(allow_nan=False) | st.text(), max_size=3),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_so_it_does_in_every_spelling_and_with_fields_that_nobody_knows(
    backend: ScriptedBackend,
    proxy: Proxy,
    name: str,
    indent: str | int | None,
    ascii_only: bool,
    second_turn: bool,
    more: Json,
) -> None:
    body = {**more, **json.loads(_body(CHAT[name]))}
    if second_turn and "messages" in body:
        body["messages"] += [calling(call(arguments='{"city": "서울"}'), content=""), result("22°C")]
    raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
    sent, codes = _sent(backend, proxy, replace(CHAT[name], request=_head(CHAT[name]) + raw))
    assert codes == set() and sent == raw


def test_the_captures_have_what_clients_send() -> None:
    asked = [json.loads(_body(capture)) for capture in CHAT.values() if _body(capture).startswith(b"{")]
    assert len(asked) > 100
    assert sum("tools" in each for each in asked) > 30
    assert sum(each.get("stream") is True for each in asked) > 30
