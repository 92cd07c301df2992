"""What is known of a model before it speaks."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from config import Config
from converters.detect.openers import opener_index
from dialects.chat import CHAT
from dialects.protocol import ParsedRequest
from errors import RequestError
from reply import Notes
from streaming.parser_selection import ParserSelection, shown_by
from tests.helpers import assemble

PING = '<tool_call>\n{"name": "ping"}\n</tool_call>'
TOOLS = [{"type": "function", "function": {"name": "ping"}}]


def parsed(**body: Any) -> ParsedRequest:
    return CHAT.parse_request(json.dumps(body).encode())


def read(text: str, models: ParserSelection, model: str = "m", syntax: str | None = None, **body: Any) -> Any:
    parser = models.select(parsed(model=model, tools=TOOLS, **body), syntax)[0]()
    return assemble([*parser.feed(text), *parser.finish()])


@pytest.mark.parametrize(
    ("config", "content", "reasoning", "calls"),
    [
        ({}, "Hi", "a", 1),
        ({"reasoning_field": "none"}, "Hi", "", 1),
        ({"reasoning_field": "content"}, "<think>a</think>Hi", "", 1),
        ({"strip_end_tokens": False}, "Hi</s>", "a", 1),
        ({"reasoning_prefilled": True}, "Hi", "a", 1),
    ],
)
def test_the_configuration(config: dict[str, Any], content: str, reasoning: str, calls: int) -> None:
    message = read(f"<think>a</think>Hi{PING}</s>", ParserSelection(Config(**config)))
    assert (message.content, message.reasoning, len(message.calls)) == (content, reasoning, calls)


@pytest.mark.parametrize(
    ("config", "model", "body", "inside"),
    [
        ({}, "Qwen/QwQ-32B", {}, True),
        ({}, "m", {}, False),
        ({"backend": "ollama"}, "Qwen/QwQ-32B", {}, False),
        ({"backend": "vllm"}, "Qwen/QwQ-32B", {}, True),
        ({"reasoning_prefilled": False}, "Qwen/QwQ-32B", {}, False),
        ({"reasoning_prefilled": True}, "m", {"reasoning_effort": "none"}, True),
        ({}, "Qwen/QwQ-32B", {"reasoning_effort": "none"}, False),
        ({}, "Qwen/QwQ-32B", {"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({}, "deepseek-ai/DeepSeek-V3.1", {"chat_template_kwargs": {"thinking": True}}, True),
        ({}, "deepseek-ai/DeepSeek-V3.1", {}, False),
        ({"model_syntax": (("my-*", "plamo3"),)}, "My-Model", {}, False),
    ],
)
def test_where_the_reasoning_starts(config: dict[str, Any], model: str, body: dict[str, Any], inside: bool) -> None:
    message = read("a</think>b", ParserSelection(Config(**config)), model, **body)
    assert (message.reasoning, message.content) == (("a", "b") if inside else ("", "ab"))


PREFILL: list[Any] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "<think>\nSo"}]


@pytest.mark.parametrize(
    ("config", "model", "prefill", "body", "inside"),
    [
        ({}, "m", "<think>\nSo", {}, True),
        ({}, "m", "<think>", {}, True),
        ({}, "m", "<think>So</think>\nThe", {}, False),
        ({}, "m", "The answer", {}, False),
        ({}, "m", "", {}, False),
        ({}, "Qwen/QwQ-32B", "The answer", {}, False),
        ({}, "glm-4.7", "The answer", {"chat_template_kwargs": {"enable_thinking": True}}, False),
        ({}, "glm-4.7", "<think>So", {"chat_template_kwargs": {"enable_thinking": False}}, True),
        ({"backend": "ollama"}, "m", "<think>So", {}, True),
        ({"reasoning_prefilled": False}, "m", "<think>So", {}, False),
        ({}, "ServiceNow-AI/Apriel-1.5", "Here are my reasoning steps:\nSo", {}, True),
        ({}, "m", "Here are my reasoning steps:\nSo", {}, False),
    ],
)
def test_defect_b12_an_answer_goes_on_from_its_prefill(
    config: dict[str, Any], model: str, prefill: str, body: dict[str, Any], inside: bool
) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": prefill}]
    closer = "[BEGIN FINAL RESPONSE]" if "Apriel" in model else "</think>"
    message = read(f"a{closer}b", ParserSelection(Config(**config)), model, messages=messages, **body)
    assert bool(message.reasoning) is inside


INSIDE = Notes(codes={"reasoning_closed_late"}, closes_prefill=True)
OUTSIDE = Notes(codes={"reasoning_never_closed"})
SPLITS = Notes(splits=True)
CUT = Notes(closes_prefill=True, cut=True)
MENTION = Notes(codes={"reasoning_closed_late"})


@pytest.mark.parametrize(
    ("notes", "model", "inside"),
    [
        ([INSIDE, INSIDE], "m", True),
        ([INSIDE], "m", False),
        ([INSIDE, Notes(), INSIDE], "m", False),
        ([MENTION, MENTION], "m", False),
        ([CUT, CUT], "m", False),
        ([OUTSIDE, OUTSIDE], "Qwen/QwQ-32B", False),
        ([OUTSIDE], "Qwen/QwQ-32B", True),
        ([SPLITS, SPLITS], "Qwen/QwQ-32B", False),
        ([SPLITS], "Qwen/QwQ-32B", True),
        ([SPLITS, SPLITS, INSIDE], "Qwen/QwQ-32B", True),
        ([Notes(), Notes()], "Qwen/QwQ-32B", True),
        ([Notes(splits=True, closes_prefill=True)] * 2, "m", False),
    ],
)
def test_defect_a1_what_answers_teach(notes: list[Notes], model: str, inside: bool) -> None:
    models = ParserSelection(Config())
    for each in notes:
        models.learn(parsed(model=model), each)
    assert bool(read("a</think>b", models, model).reasoning) is inside
    assert not read("a</think>b", models, "another").reasoning


@pytest.mark.parametrize(
    ("notes", "body", "learnt"),
    [
        (INSIDE, {}, True),
        (INSIDE, {"messages": PREFILL}, False),
        (INSIDE, {"tools": TOOLS, "tool_choice": "required"}, False),
        (INSIDE, {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "ping"}}}, False),
        (INSIDE, {"tools": TOOLS, "tool_choice": "auto"}, True),
        (OUTSIDE, {}, True),
        (OUTSIDE, {"chat_template_kwargs": {"enable_thinking": True}}, False),
        (OUTSIDE, {"reasoning_effort": "high"}, False),
        (OUTSIDE, {"think": True}, False),
        (OUTSIDE, {"reasoning_effort": "none"}, True),
    ],
)
def test_defect_a1_whose_answers_teach(notes: Notes, body: dict[str, Any], learnt: bool) -> None:
    assert (shown_by(parsed(model="m", **body), notes) is not None) is learnt


def test_defect_a1_what_was_learnt_is_only_the_default() -> None:
    models = ParserSelection(Config())
    for _ in range(2):
        models.learn(parsed(model="m"), INSIDE)
        models.learn(parsed(model="glm-4.7"), OUTSIDE)
    asks: Any = [{"chat_template_kwargs": {"enable_thinking": each}} for each in (False, True)]
    off, on = asks
    assert not read("a</think>b", models, "m", **off).reasoning
    assert read("a</think>b", models, "glm-4.7", **on).reasoning
    assert not read("a</think>b", models, "glm-4.7").reasoning


def test_a_row_that_the_request_names() -> None:
    assert read(PING, ParserSelection(Config()), syntax="kimi_k2").names == ["ping"]
    with pytest.raises(RequestError, match="hermes") as raised:
        read(PING, ParserSelection(Config()), syntax="nobody")
    assert raised.value.param == "x-dragoman-syntax"


def test_every_choice_has_a_parser_of_its_own() -> None:
    new = ParserSelection(Config()).select(parsed(model="m"), None)[0]
    assert new() is not new()


def test_the_first_answer_need_not_wait_for_what_every_answer_needs() -> None:
    """To make the watch for all openers takes most of a second."""
    opener_index.kept.clear()
    models = ParserSelection(Config())
    began = time.perf_counter()
    models.select(parsed(model="m", tools=TOOLS), None)[0]()
    assert time.perf_counter() - began < 0.1
    opener_index.kept.clear()
    ParserSelection(Config(convert=False))
    assert not opener_index.kept
