"""What registered converters do wrong must not cost the client its answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from converters import Expectations, converter_factory
from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from streaming.custom_converter import converter_for, parser_for
from tests.helpers import assemble, chunks, cuts, spans

TOOLS = Expectations({"ping": {}})


class Odd(ToolCallConverter):
    """`!` is a call; `?` raises."""

    start_markers = ("!", "?")
    raises_early = False

    def can_handle_model(self, model_name: str) -> bool:
        if model_name == "boom":
            raise RuntimeError
        return model_name == "odd"

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        if "?" in content:
            raise ValueError(content)
        return [{"name": "ping"}] if "!" in content else []

    def new_parser(self, expectations: Expectations) -> Any:
        if self.raises_early:
            raise RuntimeError
        return super().new_parser(expectations)


@pytest.fixture
def odd(caplog: pytest.LogCaptureFixture) -> Iterator[Odd]:
    caplog.set_level(logging.CRITICAL + 1)
    converter = Odd()
    converter_factory.register_converter(converter)
    yield converter
    converter_factory.unregister_converter(converter)


def test_who_reads_a_model(odd: Odd) -> None:
    assert converter_for("odd") is odd
    assert isinstance(converter_for("boom"), SyntaxConverter)
    assert isinstance(converter_for("glm-4.6"), SyntaxConverter)


@pytest.mark.parametrize(
    ("text", "content", "names", "noted"),
    [
        ("Sure. !", "Sure.", ["ping"], []),
        ("Just text.", "Just text.", [], []),
        ("Sure. ? and so on", "Sure. ? and so on", [], ["converter_raised"]),
        ("<think>a</think>b ?", "b ?", [], ["converter_raised"]),
    ],
)
def test_if_it_raises_the_text_passes_whole(
    odd: Odd, text: str, content: str, names: list[str], noted: list[str]
) -> None:
    for pieces in cuts(text):
        parser = parser_for(odd, TOOLS)
        events = [event for piece in pieces for event in parser.feed(piece)] + parser.finish()
        message = assemble(events)
        assert (message.content, message.names, message.noted) == (content, names, noted)
        assert spans(events) == text


def test_without_tools_it_is_not_asked(odd: Odd) -> None:
    parser = parser_for(odd, Expectations(translate=False))
    assert assemble([*parser.feed("Sure. !"), *parser.finish()]).content == "Sure. !"


def test_one_that_cannot_even_make_a_parser(odd: Odd) -> None:
    odd.raises_early = True
    parser = parser_for(odd, TOOLS)
    events = [event for piece in chunks("Sure. !", 2) for event in parser.feed(piece)]
    assert assemble([*events, *parser.finish()]).content == "Sure. !"
