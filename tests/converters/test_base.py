"""Converters of two methods, streamed."""

from __future__ import annotations

from typing import Any

import pytest

from converters import Expectations
from converters.base import StreamingToolCallHandler, ToolCallConverter
from tests.helpers import assemble, cuts, parse, spans

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


class Shouting(ToolCallConverter):
    """`!name` at the end is a call."""

    found: Any = None

    def can_handle_model(self, model_name: str) -> bool:
        return True

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        if self.found is not None:
            return list(self.found)
        return [{"name": content.partition("!")[2]}] if "!" in content else []


class Hinted(Shouting):
    start_markers = ("!",)


def read(converter: ToolCallConverter, pieces: list[str]) -> Any:
    parser = converter.new_parser(Expectations({"get_f": SCHEMA}))
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.finish()]


@pytest.mark.parametrize("converter", [Shouting(), Hinted()])
@pytest.mark.parametrize("text", ["Just text.", "! no, a call!f", "Sure. !f", ""])
def test_every_character_has_one_owner_at_every_cut(converter: ToolCallConverter, text: str) -> None:
    whole = assemble(read(converter, [text]))
    for pieces in cuts(text):
        events = read(converter, pieces)
        assert spans(events) == text
        assert assemble(events) == whole


def test_without_a_hint_all_is_held_and_with_one_text_flows() -> None:
    assert Shouting().new_parser(Expectations()).feed("Sure. ") == []
    assert "".join(e.raw for e in Hinted().new_parser(Expectations()).feed("Sure. !f")) == "Sure. "
    assert assemble(read(Hinted(), ["Sure. !f"])).content == "Sure. "


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        ({"name": "f", "arguments": {"n": 1}}, ("f", '{"n": 1}', None)),
        ({"name": "f", "arguments": '{"n": 1}'}, ("f", '{"n": 1}', None)),
        ({"id": "x1", "type": "function", "function": {"name": "f", "arguments": "{}"}}, ("f", "{}", "x1")),
        ({"name": "f"}, ("f", "{}", None)),
        ({"id": "", "name": "f", "arguments": None}, ("f", "{}", None)),
        ({"name": "functions.get-f", "arguments": {"n": "3"}}, ("get_f", '{"n": 3}', None)),
        ({"name": "f", "arguments": "{'n': 1,}"}, ("f", '{"n": 1}', None)),
    ],
)
def test_calls_in_every_form(call: dict[str, Any], meant: tuple[str, str, str | None]) -> None:
    converter = Shouting()
    converter.found = [call]
    assert assemble(read(converter, ["x"])).calls == [meant]


def test_what_the_lineage_calls_clean_content_is_used() -> None:
    converter = Hinted()
    converter._clean_content = lambda content: content.replace("!f", "ok")  # type: ignore[attr-defined]
    assert assemble(read(converter, ["a ", "!f"])).content == "a ok"


def test_the_relic_can_be_made() -> None:
    assert StreamingToolCallHandler().converter is None
    assert parse("x")
