"""One choice: its text, the calls that the server sent, and both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.chat.choice import ChoiceReader, Delta
from backends.chat.native_calls import NativeCalls
from converters import Expectations, new_parser
from converters.text.events import ArgumentsDelta, CallEnd, CallStart, Noted, Reasoning, Text
from reply import Finish, Notes
from tests.helpers import chunks

Json = dict[str, Any]
TOOLS: Json = {"get_weather": {"type": "object", "properties": {"city": {"type": "string"}}}, "ping": {}}
OSLO = '{"city": "Oslo"}'
ENTRY = {"index": 0, "id": "a", "type": "function", "function": {"name": "get_weather", "arguments": OSLO}}
MARKUP = {
    "hermes": f'<tool_call>\n{{"name": "get_weather", "arguments": {OSLO}}}\n</tool_call>',
    "qwen3_coder": "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n</function></tool_call>",
    "whole json": f'{{"name": "get_weather", "arguments": {OSLO}}}',
}


class Heard:
    """A choice and what its client hears."""

    def __init__(self, **expectations: Any) -> None:
        self.notes = Notes()
        self.expectations = Expectations(TOOLS, **expectations)
        native = NativeCalls(self.expectations)
        self.reader = ChoiceReader(lambda: new_parser(self.expectations), native, self.notes, False)
        self.content = self.reasoning = ""
        self.calls: list[list[str]] = []
        self.reason = ""
        self.native = 0

    def hears(self, *deltas: Json, finish: str | None = "stop", whole: bool = False) -> Heard:
        for delta in deltas:
            self._read(self.reader.read(delta, whole))
        self._read(self.reader.finish(finish))
        assert not self.reader.holds
        return self

    def _read(self, delta: Delta) -> None:
        self._take(delta.events)
        if delta.native_as_received:
            self.native += sum(isinstance(event, CallStart) for event in [*delta.native, *delta.last])

    def _take(self, events: list[Any]) -> None:
        for event in events:
            match event:
                case Text(text=text):
                    self.content += text
                case Reasoning(text=text):
                    self.reasoning += text
                case CallStart(index=index, name=name):
                    assert index == len(self.calls)
                    self.calls.append([name, ""])
                case ArgumentsDelta(index=index, delta=delta):
                    self.calls[index][1] += delta
                case Finish(reason=reason):
                    self.reason = reason

    @property
    def told(self) -> tuple[str, list[Any], str]:
        return self.content, [(name, json.loads(arguments)) for name, arguments in self.calls], self.reason


CALLED = [("get_weather", {"city": "Oslo"})]


@pytest.mark.parametrize("name", MARKUP)
def test_a_native_call_wins_over_markup_in_the_same_message(name: str) -> None:
    heard = Heard().hears({"content": MARKUP[name], "tool_calls": [ENTRY]}, whole=True)
    assert heard.told == ("", CALLED, "tool_calls")
    assert heard.native == 1 and heard.notes.codes >= {"echo"} and heard.notes.repaired and not heard.notes.changed


@pytest.mark.parametrize("name", MARKUP)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_the_same_markup_before_a_native_call_makes_one_call(name: str, size: int) -> None:
    heard = Heard().hears(*({"content": piece} for piece in chunks(f"{MARKUP[name]}", size)), {"tool_calls": [ENTRY]})
    assert heard.told == ("", CALLED, "tool_calls")
    assert "echo" in heard.notes.codes


@pytest.mark.parametrize("name", MARKUP)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_markup_behind_a_native_call_is_removed(name: str, size: int) -> None:
    heard = Heard().hears({"tool_calls": [ENTRY]}, *({"content": p} for p in chunks(MARKUP[name], size)))
    assert heard.told == ("", CALLED, "tool_calls")
    assert heard.native == 1


def test_bare_json_behind_text_and_a_native_call_is_text() -> None:
    heard = Heard().hears({"content": "Hi. "}, {"tool_calls": [ENTRY]}, {"content": MARKUP["whole json"]})
    assert heard.content == f"Hi. {MARKUP['whole json']}"


def test_an_opener_that_a_server_left_before_its_call_is_removed() -> None:
    """vLLM's parser of Qwen3-Coder looks for one token, so the marker leaks when it came in pieces."""
    heard = Heard().hears({"content": "I'll look it up.\n"}, {"content": "<tool_call>\n"}, {"tool_calls": [ENTRY]})
    assert heard.told == ("I'll look it up.", CALLED, "tool_calls")
    assert (heard.native, heard.notes.codes) == (1, {"echo", "whitespace", "finish_reason"})


def test_a_call_of_the_text_that_was_under_way_comes_to_its_end() -> None:
    begun = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ber"'
    heard = Heard().hears({"content": begun}, {"tool_calls": [ENTRY]})
    assert heard.told == ("", [("get_weather", {"city": "Ber"}), *CALLED], "tool_calls")


def test_another_native_call_behind_one_in_the_text() -> None:
    heard = Heard().hears(
        {"content": MARKUP["hermes"]}, {"tool_calls": [{**ENTRY, "function": {"name": "ping", "arguments": "{}"}}]}
    )
    assert heard.told == ("", [*CALLED, ("ping", {})], "tool_calls")


def test_text_around_native_calls_stays_as_it_is() -> None:
    heard = Heard().hears({"content": " Hi. \n"}, {"tool_calls": [ENTRY]}, {"content": " a < b "}, {"content": "\n"})
    assert heard.told == (" Hi. \n a < b \n", CALLED, "tool_calls")
    assert heard.native == 1 and not heard.notes.changed and heard.notes.codes == {"finish_reason"}


def test_what_was_drafted_in_the_reasoning_before_a_native_call_stays_there() -> None:
    draft = f"<think>Perhaps {MARKUP['hermes']}</think>"
    heard = Heard().hears({"content": draft}, {"tool_calls": [ENTRY]}, finish="tool_calls")
    assert heard.told == ("", CALLED, "tool_calls")
    assert heard.reasoning == f"Perhaps {MARKUP['hermes']}"


def test_text_behind_a_native_call_is_no_reasoning() -> None:
    heard = Heard(starts_inside=True).hears(
        {"content": "Hm.</think>Hi."}, {"tool_calls": [ENTRY]}, {"content": " Done."}
    )
    assert (heard.reasoning, heard.content) == ("Hm.", "Hi. Done.")


def test_reasoning_that_the_server_split_goes_on_behind_a_native_call() -> None:
    heard = Heard().hears({"reasoning": "One"}, {"tool_calls": [ENTRY]}, {"reasoning": ", two."}, {"content": "Hi"})
    assert (heard.reasoning, heard.content) == ("One, two.", "Hi")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        *((said, "tool_calls") for said in ("stop", "eos", "end_turn", None, "tool_calls")),
        *((said, said) for said in ("length", "content_filter")),
    ],
)
def test_the_reason_behind_native_calls(reason: str | None, told: str) -> None:
    heard = Heard().hears({"tool_calls": [ENTRY]}, finish=reason)
    assert heard.reason == told
    assert ("finish_reason" in heard.notes.codes) == (reason != told)


def test_no_call_was_delivered_after_all() -> None:
    heard = Heard(choice="none").hears({"content": "Hi"}, {"tool_calls": [ENTRY]}, finish="tool_calls")
    assert heard.told == ("Hi", [], "stop")
    assert heard.notes.codes == {"choice_none", "finish_reason"}


def test_words_behind_the_finish_reason_are_not_lost() -> None:
    heard = Heard().hears({"content": "Hi"})
    assert heard.reader.read({"content": " there"}).events == [Text(" there")]


def test_calls_behind_a_finish_reason_are_not_lost() -> None:
    """Some servers give a finish reason with each of their calls."""
    heard = Heard().hears({"tool_calls": [ENTRY]}, finish="tool_calls")
    second = {"index": 1, "id": "b", "type": "function", "function": {"name": "ping", "arguments": ""}}
    heard._take(heard.reader.read({"tool_calls": [second]}).events)
    assert heard.reader.finish("tool_calls").events == [Noted("native_arguments"), ArgumentsDelta(1, "{}"), CallEnd(1)]
    assert len(heard.calls) == 2 and heard.reason == "tool_calls"


def test_calls_are_counted_wherever_they_come_from() -> None:
    assert Heard().hears({"tool_calls": [ENTRY]}).notes.calls == 1
    assert Heard().hears({"content": MARKUP["hermes"]}).notes.calls == 1
