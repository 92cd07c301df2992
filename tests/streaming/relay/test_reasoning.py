"""Where reasoning goes, where it starts, and what one answer teaches about the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases import in_one_test
from tests.servers import (
    TOOLS,
    Answer,
    Json,
    Proxy,
    ScriptedBackend,
    ask,
    chunk,
    completion,
    frame,
    json_answer,
    message_in,
    message_of,
    running_proxy,
    said,
    whole_stream,
)
from tests.streaming.relay.phrases import (
    CALL,
    CALLED,
    WAYS,
    answered,
    never,
    spoken,
)


@pytest.fixture
def proxy(backend: ScriptedBackend) -> Iterator[Proxy]:
    """One for each test: what an answer teaches about its model is remembered."""
    with running_proxy(backend) as running:
        yield running


THINKING = "<think>Two cities.</think>\nChecking."
FIELDS: dict[str, Json] = {
    "reasoning_content": spoken("Checking.", reasoning_content="Two cities."),
    "reasoning": spoken("Checking.", reasoning="Two cities."),
    "both": spoken("Checking.", reasoning_content="Two cities.", reasoning="Two cities."),
    "content": spoken(THINKING),
    "none": spoken("Checking."),
}


@in_one_test("way", WAYS)
@in_one_test("tools", [TOOLS, []], ids=["tools", "no tools"])
@in_one_test("field", FIELDS)
def test_reasoning_goes_where_the_field_says(backend: ScriptedBackend, field: str, tools: list[Json], way: str) -> None:
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        message = answered(backend, proxy, way, *re.findall(".{1,5}", THINKING, re.DOTALL), tools=tools)
    assert message == FIELDS[field]


@in_one_test("way", WAYS)
@in_one_test("name", ["reasoning_content", "reasoning"])
@in_one_test("field", ["reasoning_content", "reasoning", "both", "none"])
def test_reasoning_that_the_backend_split_goes_there_too(
    backend: ScriptedBackend, field: str, name: str, way: str
) -> None:
    frames = [{name: "Two "}, {name: "cities."}, {"content": "Check"}, {"content": "ing."}]
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        if way == "streamed":
            backend.answer = Answer([said()[0], *(frame(chunk(delta)) for delta in frames), *said()[1:]])
            message = message_of(whole_stream(proxy.streamed(ask())))
        else:
            backend.answer = json_answer(completion("Checking.", **{name: "Two cities."}))
            message = message_in(proxy.buffered(ask(stream=False)))
    assert message == FIELDS[field]


@in_one_test("way", WAYS)
@in_one_test("field", FIELDS)
def test_calls_behind_reasoning_are_found_wherever_it_goes(backend: ScriptedBackend, field: str, way: str) -> None:
    with running_proxy(backend, REASONING_FIELD=field) as proxy:
        message = answered(backend, proxy, way, THINKING, "\n", *CALL)
    assert message == {**FIELDS[field], "calls": [CALLED], "reasons": ["tool_calls"]}


LATE_CLOSE = ["Let me see.", "</think>", " \n", "Hello."]
SEEN_LATE = spoken("Let me see. \nHello.")
SEEN_INSIDE = spoken("Hello.", reasoning_content="Let me see.")


def learn_inside(backend: ScriptedBackend, proxy: Proxy, way: str = "streamed", **request: Any) -> None:
    for _ in range(2):
        assert answered(backend, proxy, way, *LATE_CLOSE, **request) == SEEN_LATE


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_two_late_closes_are_remembered(backend: ScriptedBackend, proxy: Proxy, first: str, then: str) -> None:
    learn_inside(backend, proxy, first)
    assert answered(backend, proxy, then, *LATE_CLOSE) == SEEN_INSIDE


@pytest.mark.parametrize("way", WAYS)
def test_defect_a1_a_tag_in_a_sentence_teaches_nothing(backend: ScriptedBackend, proxy: Proxy, way: str) -> None:
    mention = ["The tag ", "</think>", " closes it."]
    for _ in range(3):
        assert answered(backend, proxy, way, *mention) == spoken("The tag  closes it.")
        assert answered(backend, proxy, way, "Hello there.") == spoken("Hello there.")
        assert answered(backend, proxy, way, *mention) == spoken("The tag  closes it.")


@pytest.mark.parametrize("way", WAYS)
def test_defect_a1_what_a_request_asks_for_is_not_learnt_away(backend: ScriptedBackend, proxy: Proxy, way: str) -> None:
    asked = {"model": "glm-4.7", "chat_template_kwargs": {"enable_thinking": True}}
    for _ in range(2):
        assert answered(backend, proxy, way, "Yes.", model="glm-4.7") == spoken("", reasoning_content="Yes.")
    assert answered(backend, proxy, way, "Yes.", model="glm-4.7") == spoken("Yes.")
    assert answered(backend, proxy, way, *LATE_CLOSE, **asked) == SEEN_INSIDE


@in_one_test("way", WAYS)
@in_one_test(("prefill", "inside"), [("<think>\nWell,", True), ("<think>Hm.</think>\nI", False), ("I", False)])
@in_one_test("model", ["m", "glm-4.7"])
def test_defect_b12_an_answer_goes_on_from_its_prefill(
    backend: ScriptedBackend, proxy: Proxy, model: str, prefill: str, inside: bool, way: str
) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": prefill}]
    if inside:
        assert answered(backend, proxy, way, *LATE_CLOSE, model=model, messages=messages) == SEEN_INSIDE
    assert answered(backend, proxy, way, "go on.", model=model, messages=messages) == (
        spoken("", reasoning_content="go on.") if inside else spoken("go on.")
    )


def test_what_is_remembered_is_of_one_model(backend: ScriptedBackend, proxy: Proxy) -> None:
    learn_inside(backend, proxy, model="one")
    assert answered(backend, proxy, "streamed", *LATE_CLOSE, model="other") == SEEN_LATE
    assert answered(backend, proxy, "streamed", *LATE_CLOSE, model="one") == SEEN_INSIDE


@pytest.mark.parametrize("way", WAYS)
def test_reasoning_that_never_ended_lets_the_next_answer_start_outside(
    backend: ScriptedBackend, proxy: Proxy, way: str
) -> None:
    learn_inside(backend, proxy, way)
    assert answered(backend, proxy, way, "Just an answer.") == spoken("", reasoning_content="Just an answer.")
    assert answered(backend, proxy, way, "Just an answer.") == spoken("Just an answer.")


@pytest.mark.parametrize("way", WAYS)
def test_reasoning_that_max_tokens_cut_teaches_nothing(backend: ScriptedBackend, proxy: Proxy, way: str) -> None:
    learn_inside(backend, proxy, way)
    backend.answer = Answer(said("Let me", finish="length"))
    message = message_of(whole_stream(proxy.streamed(ask())))
    assert message == spoken("", reason="length", reasoning_content="Let me")
    assert answered(backend, proxy, way, *LATE_CLOSE) == SEEN_INSIDE


def test_a_client_that_left_teaches_nothing(backend: ScriptedBackend, proxy: Proxy) -> None:
    learn_inside(backend, proxy)
    backend.answer = Answer([frame(chunk({"role": "assistant", "content": "Let me"})), never()])
    with proxy.client(ask()) as client:
        client.until(b"Let me")
    assert backend.request(2).closed.wait(5)
    assert answered(backend, proxy, "streamed", *LATE_CLOSE) == SEEN_INSIDE


@in_one_test("way", WAYS)
@in_one_test(
    ("settings", "request_", "inside"),
    [
        ({}, {"model": "glm-4.7"}, True),
        ({}, {"model": "glm-4.5"}, False),
        ({"REASONING_PREFILLED": "true"}, {"model": "glm-4.5"}, True),
        ({"REASONING_PREFILLED": "false"}, {"model": "glm-4.7"}, False),
        ({}, {"model": "glm-4.7", "chat_template_kwargs": {"enable_thinking": False}}, False),
        ({}, {"model": "glm-4.7", "chat_template_kwargs": {"thinking": False}}, True),
        ({}, {"model": "glm-4.7", "reasoning_effort": "none"}, False),
        ({}, {"model": "glm-4.7", "think": False}, False),
        ({"BACKEND": "llamacpp"}, {"model": "glm-4.7", "chat_template_kwargs": {"enable_thinking": True}}, True),
        ({"REASONING_PREFILLED": "true"}, {"model": "m", "reasoning_effort": "none"}, True),
        ({"BACKEND": "llamacpp"}, {"model": "glm-4.7"}, False),
    ],
)
def test_where_reasoning_starts(
    backend: ScriptedBackend, settings: dict[str, str], request_: Json, inside: bool, way: str
) -> None:
    with running_proxy(backend, **settings) as proxy:
        assert answered(backend, proxy, way, *LATE_CLOSE, **request_) == (SEEN_INSIDE if inside else SEEN_LATE)


def test_a_model_whose_server_splits_starts_outside_from_then_on(backend: ScriptedBackend, proxy: Proxy) -> None:
    backend.answer = Answer([frame(chunk({"role": "assistant", "reasoning_content": "Hm."})), *said("ok")[1:]])
    for _ in range(2):
        proxy.streamed(ask(model="glm-4.7"))
    assert answered(backend, proxy, "streamed", "No thought.", model="glm-4.7") == spoken("No thought.")
