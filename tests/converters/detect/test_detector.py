"""Text, reasoning and calls told apart: the bytes behind an opener decide, and what fits no row is text."""

from __future__ import annotations

import pytest

from converters import Expectations
from converters.detect.detector import Detector
from converters.detect.openers import opener_index, reasoning_index
from converters.text.events import CallStart, End, Event, Noted, Reasoning, Removed, Text, merge
from tests.helpers import ROWS, assemble, chunks, cuts, meaning, parse, spans

PING = '<tool_call>\n{"name": "ping"}\n</tool_call>'


def detect(pieces: list[str], cut: bool = False, **expectations: bool) -> list[Event]:
    detector = Detector(opener_index(None), Expectations({"ping": {}}, **expectations))  # type: ignore[arg-type]
    events = [event for piece in pieces for event in detector.feed(piece)]
    return merge([*events, *detector.finish(End.CUT if cut else End.STOP)])


def tag(raw: str) -> Removed:
    return Removed(raw, "marker", tag=True)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("a < b <tool", [Text("a < b <tool")]),
        ("<think>a</think>b", [tag("<think>"), Reasoning("a"), tag("</think>"), Text("b")]),
        ("a</think>b", [Text("a"), Noted("reasoning_closed_late"), tag("</think>"), Text("b")]),
        ("Use `</think>` here", [Text("Use `</think>` here")]),
        ("```\n<think>\n```", [Text("```\n<think>\n```")]),
        ("The <think> tag", [Text("The <think> tag")]),
        ("The tags <think> and </think> too", [Text("The tags <think> and </think> too")]),
        ("<think>a", [tag("<think>"), Reasoning("a"), Noted("reasoning_never_closed")]),
    ],
)
def test_reasoning(text: str, events: list[Event]) -> None:
    for pieces in cuts(text):
        assert detect(pieces) == events, pieces


def test_inside_from_the_start() -> None:
    assert detect(["a</think>b"], starts_inside=True) == [Reasoning("a"), tag("</think>"), Text("b")]
    assert detect(["<think>a</think>"], starts_inside=True) == [tag("<think>"), Reasoning("a"), tag("</think>")]
    assert detect(["a"], starts_inside=True) == [Reasoning("a"), Noted("reasoning_never_closed")]
    assert detect(["a"], starts_inside=True, cut=True) == [Reasoning("a")]


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{PING}\n```\nis how",
        f"So:\n```xml\n{PING}\n```",
        f"So:\n~~~\n{PING}\n~~~",
        f"So:\n```\n{PING}",
        "Say `<tool_call>` first.",
        'Say ``<tool_call>{"name": "ping", "arguments": {"a": "`"}}</tool_call>`` first.',
        f"Say ```~~~ {PING.replace(chr(10), '')} ``` first.",
        "The <tool_call> marker opens one.",
        '<tool_call>{"a": 1}</tool_call>',
        "<tool_call",
    ],
)
def test_what_is_quoted_or_mentioned_is_text(text: str) -> None:
    for pieces in cuts(text):
        assert detect(pieces) == [Text(text)], pieces


@pytest.mark.parametrize(
    "text",
    [
        f"a lone ` here\n{PING}",
        f"```\ncode\n```\n{PING}",
        f"`code` {PING}",
        f"So:\n~~~\ncode\n~~~\n{PING}",
        f"x ``` y\n{PING}",
    ],
)
def test_behind_a_quotation_a_marker_is_live(text: str) -> None:
    whole = meaning(detect([text]))
    assert sum(isinstance(event, CallStart) for event in whole) == 1
    for pieces in cuts(text):
        events = detect(pieces)
        assert (meaning(events), spans(events)) == (whole, text), pieces


@pytest.mark.parametrize("result", ["<tool_response>", "<|im_start|>tool"])
def test_a_result_that_the_model_made_up_goes(result: str) -> None:
    events = detect(chunks(f"{PING}\n{result}\n42\n</tool_response>\nSo it is 42.", 3))
    assert [event.reason for event in events if isinstance(event, Removed)][-1] == "invented_result"
    assert not any(isinstance(event, Text) and event.text.strip() for event in events)
    assert detect([f"Say {result}"]) == [Text(f"Say {result}")]


def test_the_bytes_decide_which_row() -> None:
    texts = {
        "hermes": PING,
        "glm45": "<tool_call>ping\n</tool_call>",
        "qwen3_coder": "<tool_call>\n<function=ping>\n</function>\n</tool_call>",
    }
    for row, text in texts.items():
        for prior in (None, ROWS["hermes"], ROWS["glm45"], ROWS["kimi_k2"]):
            detector = Detector(opener_index(prior), Expectations({"ping": {}}))
            events = [*detector.feed(text), *detector.finish()]
            assert sum(isinstance(event, CallStart) for event in events) == 1, (row, prior)
            assert detector.syntax


def test_without_rows_only_reasoning_is_told_apart() -> None:
    detector = Detector(reasoning_index(), Expectations())
    events = merge([*detector.feed(f"<think>a</think>{PING}"), *detector.finish()])
    assert events == [tag("<think>"), Reasoning("a"), tag("</think>"), Text(PING)]


def test_a_strict_prefix_of_a_marker_is_text_when_max_tokens_cut() -> None:
    assert detect(["Hi <tool_ca"], cut=True) == [Text("Hi <tool_ca")]
    assert detect(["Hi <tool_call>\n{"], cut=True)[-1] == Removed("<tool_call>\n{", "cut")


def test_identical_calls_are_kept() -> None:
    assert assemble(parse(PING + "\n" + PING, ["ping"])).names == ["ping", "ping"]


@pytest.mark.parametrize(
    ("text", "content", "names"),
    [
        ('get_weather\n{"city": "x"}', "", ["get_weather"]),
        ('get_weather {"city": "x"}', "", ["get_weather"]),
        ('Get_Weather\n{"city": "x"}', 'Get_Weather\n{"city": "x"}', []),
        ("\nHello.", "\nHello.", []),
        ("all\nHello.", "Hello.", []),
        ('all\nHello.>>>get_weather\n{"city": "x"}', "Hello.", ["get_weather"]),
        ("get_weather is a tool", "get_weather is a tool", []),
        ('get\n{"city": "x"}', 'get\n{"city": "x"}', []),
        ("all", "all", []),
        ('Hi\nget_weather\n{"city": "x"}', 'Hi\nget_weather\n{"city": "x"}', []),
    ],
)
def test_an_opener_that_stands_in_the_prompt(text: str, content: str, names: list[str]) -> None:
    for pieces in cuts(text):
        events = parse(text, ["get_weather"], pieces, row="functionary_v32")
        assert spans(events) == text
        assert (assemble(events).content, assemble(events).names) == (content, names), pieces
    assert assemble(parse(text, ["get_weather"], row="hermes")).content.startswith(text[:3])
