"""Defect A10: servers cut their JSON escapes between the two halves of a character."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.chat.halves import has_half, joined
from converters.text.events import Text
from tests.backends.chat.test_choice import Heard
from tests.backends.chat.test_reader import chunk, events, read


@pytest.mark.parametrize(
    ("text", "whole", "half"),
    [
        ("a", "a", ""),
        ("\ud83d\ude00", "😀", ""),
        ("a\ud83d", "a", "\ud83d"),
        ("\ud83da", "\ufffda", ""),
        ("\ude00", "\ufffd", ""),
        ("\ud83d\ud83d\ude00", "\ufffd😀", ""),
    ],
)
def test_halves(text: str, whole: str, half: str) -> None:
    assert joined(text) == (whole, half)
    assert has_half(text) is (text != "a")


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
def test_halves_in_neighbouring_deltas_are_joined(field: str) -> None:
    heard = Heard().hears({field: "a \ud83d"}, {field: "\ude00 b"}, {field: "\ud83d"}, {field: "c"}, {field: "\ude00"})
    said = heard.content if field == "content" else heard.reasoning
    assert said == "a 😀 b\ufffdc\ufffd"
    assert "surrogate_half" in heard.notes.codes


def test_a_half_at_the_end_is_a_character_that_is_not_known() -> None:
    assert Heard().hears({"content": "a"}, {"content": "\ud83d"}).content == "a\ufffd"
    assert Heard().hears({"content": "a\ud83d"}, whole=True).content == "a\ufffd"


def test_halves_in_the_arguments_of_a_native_call_are_joined() -> None:
    def entry(arguments: str, **more: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": 0, **more, "function": {"arguments": arguments}}]}

    first = entry('{"city": "\ud83d', id="a", type="function")
    first["tool_calls"][0]["function"]["name"] = "get_weather"
    heard = Heard().hears(first, entry("\ude00"), entry('"}'))
    assert heard.told == ("", [("get_weather", {"city": "😀"})], "tool_calls")


def test_frames_with_halves_do_not_pass_as_they_came() -> None:
    frames = [chunk(content=text) for text in ("Hi ", "there", " \ud83d", "\ude00", "!", " Bye")]
    assert b"\\ud83d" in frames[2]
    steps = read(*frames, chunk("stop"))
    sent = b"".join(step.raw or b"" for step in steps)
    assert b"\\ud83d" not in sent and b"\\ude00" not in sent
    said = "".join(event.text for event in events(steps) if isinstance(event, Text))
    assert said == "Hi there 😀! Bye"


def test_a_pair_in_one_delta_passes_as_it_came() -> None:
    frames = [chunk(content="a"), chunk(content="😀"), chunk("stop")]
    assert b"\\ud83d\\ude00" in frames[1]
    assert frames[1] in b"".join(step.raw or b"" for step in read(*frames))


def test_a_pair_whose_escapes_are_cut_in_a_call_written_as_text() -> None:
    """The text of the arguments holds JSON escapes, and a piece ends between the two halves of a character."""
    pieces = ['<tool_call>\n{"name": "get_weather", "arguments": {"city": "\\ud83d', '\\ude00"}}\n</tool_call>']
    heard = Heard().hears(*({"content": piece} for piece in pieces))
    assert [(name, json.loads(text)) for name, text in heard.calls] == [("get_weather", {"city": "😀"})]
    assert all(not delta.endswith("\\ud83d") for delta in heard.calls[0])
