"""Contract 4, *Learning*: answers teach only where two in a row show the same, so any other order means nothing."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from backends.chat.choice import ChoiceReader
from backends.chat.native_calls import NativeCalls
from config import Config
from dialects.chat import CHAT
from reply import Notes
from streaming.parser_selection import ParserSelection, shown_by
from streaming.reasoning_memory import Habit
from tests.helpers import Message, assemble, corpus

pytestmark = pytest.mark.long

MODELS = ("m", "Qwen/QwQ-32B", "glm-4.7", "granite-3.3-8b")


@dataclass(frozen=True)
class Exchange:
    """A request and the answer of its backend."""

    delta: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)
    finish: str = "stop"


def _exchanges() -> list[Exchange]:
    texts = [
        *("Hello.", "So.\n</think>\n\nHi", "So.</think>\nHi", "The tag </think> closes it.", "So.</think>Hi"),
        *("<think>\nSo.\n</think>\nHi", "<think>\nSo.", "", "</think>\nHi", "Say `</think>`.\n", "[THINK]a[/THINK]b"),
    ]
    requests: list[dict[str, Any]] = [
        {},
        {"messages": [{"role": "assistant", "content": "<think>"}]},
        {"messages": [{"role": "assistant", "content": "Well,"}]},
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"reasoning_effort": "none"},
        {"tools": [{"type": "function", "function": {"name": "ping"}}], "tool_choice": "required"},
    ]
    found = [
        Exchange({"content": text}, each, end) for text in texts for each in requests for end in ("stop", "length")
    ]
    found += [Exchange({"content": text, "reasoning_content": "Hm."}, each) for text in texts for each in requests]
    for case in corpus():
        tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in case.tools.items()]
        found.append(Exchange({"content": case.text}, {"tools": tools}))
    return found


EXCHANGES = _exchanges()
ORDERS = int(os.environ.get("MEMORY_ORDERS", "1"))
"""Orders of all exchanges for each model; one takes about two seconds."""


def answer(models: ParserSelection, model: str, exchange: Exchange) -> tuple[Message, Habit | None]:
    """What the client gets, and what that showed."""
    request = CHAT.parse_request(json.dumps({"model": model, **exchange.request}).encode())
    new_parser, expectations, _ = models.select(request, None)
    notes = Notes()
    reader = ChoiceReader(new_parser, NativeCalls(expectations), notes, False)
    events = [*reader.read(exchange.delta).events, *reader.finish(exchange.finish).events]
    models.learn(request, notes)
    return assemble(events), shown_by(request, notes)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS)
def test_memory(model: str) -> None:
    alone = [answer(ParserSelection(Config()), model, exchange) for exchange in EXCHANGES]
    shown = {habit for _, habit in alone}
    assert {"splits", None} < shown and shown & {"inside", "outside"}
    for seed in range(ORDERS):
        dice = random.Random(f"{model} {seed}")
        order = dice.sample(range(len(EXCHANGES)), len(EXCHANGES))
        telling = [each for each in order if alone[each][1] is not None]
        order += dice.choices(telling, k=3 * len(telling))  # also close together
        models, before = ParserSelection(Config()), None
        for each in order:
            message, habit = alone[each]
            if habit is None or habit != before:
                assert answer(models, model, EXCHANGES[each]) == (message, habit), EXCHANGES[each]
                before = habit


@pytest.mark.parametrize("model", MODELS)
def test_memory_learns_from_two_alike(model: str) -> None:
    """The same, were it not for its condition, would not hold."""
    late, plain = Exchange({"content": "So.\n</think>\nHi"}), Exchange({"content": "Hi"})
    first = plain if answer(ParserSelection(Config()), model, late)[1] is None else late
    models = ParserSelection(Config())
    before = [answer(models, model, first) for _ in range(2)]
    assert before[0] == before[1] != answer(models, model, first)
