"""End-of-turn tokens at the very end go; anywhere else they are text."""

from __future__ import annotations

import pytest

from converters.shapes.end_of_text import OnlyEndTokens
from converters.stages.end_tokens import EndTokens
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Event, Reasoning, Removed, Text, merge
from tests.converters.stages import through
from tests.helpers import chunks, spans

CALL: list[Event] = [CallStart(0, "f", raw="<f>"), ArgumentsDelta(0, "{}"), CallEnd(0, raw="</f>")]


@pytest.mark.parametrize(
    ("text", "content", "tokens"),
    [
        ("Done.<|im_end|>", "Done.", ["<|im_end|>"]),
        ("Done.</s>\n", "Done.\n", ["</s>"]),
        ("Done.<|im_end|>\n<|endoftext|>", "Done.\n", ["<|im_end|>", "<|endoftext|>"]),
        ("<|im_end|>", "", ["<|im_end|>"]),
        ("Write <|im_end|> at the end", "Write <|im_end|> at the end", []),
        ("Write <|im_end|>.", "Write <|im_end|>.", []),
        ("Done.<|im_e", "Done.<|im_e", []),
        ("a < b", "a < b", []),
        ("<|im_end|> a</s>", "<|im_end|> a", ["</s>"]),
    ],
)
def test_at_the_end_only(text: str, content: str, tokens: list[str]) -> None:
    for size in (len(text), 1, 2, 3, 5):
        events = through(EndTokens(), [Text(piece) for piece in chunks(text, size)])
        assert "".join(event.text for event in events if isinstance(event, Text)) == content
        gone = [event for event in events if isinstance(event, Removed)]
        assert "".join(event.raw for event in gone) == "".join(tokens)
        assert {event.reason for event in gone} <= {"end_token"}
        assert spans(events) == text


def test_before_a_call_it_is_text() -> None:
    events = [Text("a</s>"), *CALL]
    assert through(EndTokens(), events) == events


def test_behind_a_call_it_goes() -> None:
    assert through(EndTokens(), [*CALL, Text("\n"), Text("<|im_"), Text("end|>")])[3:] == [
        Text("\n"),
        Removed("<|im_end|>", "end_token"),
    ]


def test_at_the_end_of_the_reasoning_it_goes() -> None:
    assert through(EndTokens(), [Reasoning("a<|end|>")]) == [Reasoning("a"), Removed("<|end|>", "end_token")]


def test_text_flows() -> None:
    assert EndTokens().feed([Text("a <b")]) == [Text("a <b")]
    assert merge(EndTokens().feed([Text("a <|im_e")])) == [Text("a ")]


@pytest.mark.parametrize("text", ["", " \n", "</s>", " <|im_end|>\n</s> ", "<|im_e", "</s>[END FINAL "])
def test_only_end_tokens(text: str) -> None:
    for size in (1, 2, 3, 100):
        ending = OnlyEndTokens()
        assert all(ending.fits(piece) for piece in chunks(text, size))


@pytest.mark.parametrize("text", ["a", "</s>a", " <|im_e ", "<|im_end|><x"])
def test_more_than_end_tokens(text: str) -> None:
    for size in (1, 2, 3, 100):
        ending = OnlyEndTokens()
        assert not all(ending.fits(piece) for piece in chunks(text, size))
