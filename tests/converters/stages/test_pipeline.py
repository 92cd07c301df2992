"""The stages in their order, and what the request turns on and off."""

from __future__ import annotations

from typing import Any

import pytest

from converters import Expectations, new_parser
from converters.text.events import End, Event, LeaseKind, Removed, Text
from tests.helpers import ROWS, assemble, cuts, meaning, parse, spans

PING = '<tool_call>\n{"name": "ping"}\n</tool_call>'
TEXT = f"<think>hm\n</think>\n\nSure.\n{PING}\n<|im_end|>"


@pytest.mark.parametrize(
    ("options", "content", "reasoning", "calls"),
    [
        ({}, "Sure.", "hm", 1),
        ({"choice": "none"}, "Sure.", "hm", 0),
        ({"translate": False}, f"Sure.\n{PING}", "hm", 0),
        ({"reasoning": "keep"}, "<think>hm\n</think>\n\nSure.", "", 1),
        ({"reasoning": "drop"}, "Sure.", "", 1),
        ({"strip_end_tokens": False}, "Sure.\n\n<|im_end|>", "hm", 1),
        ({"whole_calls": True}, "Sure.", "hm", 1),
    ],
)
def test_what_the_request_asks_for(options: dict[str, Any], content: str, reasoning: str, calls: int) -> None:
    events = parse(TEXT, ["ping"], **options)
    message = assemble(events)
    assert (message.content.rstrip(), message.reasoning, len(message.calls)) == (content, reasoning, calls)
    for pieces in cuts(TEXT, pairs=80):
        again = parse(TEXT, ["ping"], pieces, **options)
        assert (meaning(again), spans(again)) == (meaning(events), TEXT), pieces


def test_only_the_first_call_if_they_may_not_be_parallel() -> None:
    message = assemble(parse(PING + PING, ["ping"], parallel=False))
    assert (message.names, set(message.removed)) == (["ping"], {"parallel_off"})


@pytest.mark.parametrize(
    ("text", "names", "reasoning"),
    [
        (f"<think>So {PING}</think>", ["ping"], "So"),
        (f"<think>So {PING}", ["ping"], "So"),
        (f"<think>So {PING} then</think>Hi", [], f"So {PING} then"),
        (f"<think>{PING}</think>{PING}", ["ping"], PING),
    ],
)
def test_calls_inside_the_reasoning(text: str, names: list[str], reasoning: str) -> None:
    message = assemble(parse(text, ["ping"]))
    assert (message.names, message.reasoning) == (names, reasoning)


def test_reasoning_that_the_server_split() -> None:
    parser = new_parser(Expectations({"ping": {}}))
    events = [*parser.feed_reasoning("hm "), *parser.feed_reasoning("so\n"), *parser.feed(f"Sure.\n{PING}")]
    message = assemble([*events, *parser.finish()])
    assert (message.reasoning, message.content, message.names) == ("hm so\n", "Sure.", ["ping"])


def test_the_row_is_told() -> None:
    parser = new_parser(Expectations({"ping": {}}), ROWS["glm45"])
    assert parser.syntax is None
    parser.feed(PING)
    assert parser.syntax == "hermes"


class Shouts:
    """A stage of somebody else."""

    def feed(self, events: list[Event]) -> list[Event]:
        return [Text(event.text.upper()) if isinstance(event, Text) else event for event in events]

    def permits(self, kind: LeaseKind) -> bool:
        return False

    def finish(self, end: End) -> list[Event]:
        return [Removed("", "custom_converter")]


def test_a_registered_converter_reads_instead_of_us() -> None:
    parser = new_parser(Expectations({"ping": {}}), custom=Shouts())
    message = assemble([*parser.feed(PING + "</s>"), *parser.finish()])
    assert (message.content, message.removed) == (PING.upper(), ["end_token", "custom_converter"])
