"""Who reads a model: registered converters first, then the row of its name, then the bytes alone."""

from __future__ import annotations

from typing import Any

import pytest

from converters import SYNTAXES
from converters.base import ToolCallConverter
from converters.builtin import SyntaxConverter
from converters.factory import ConverterFactory


class Mine(ToolCallConverter):
    def can_handle_model(self, model_name: str) -> bool:
        return "glm" in model_name

    def parse_tool_calls(self, content: str) -> list[dict[str, Any]]:
        return []


def test_registered_converters_come_first_in_their_order() -> None:
    factory, one, two, three = ConverterFactory(), Mine(), Mine(), Mine()
    for converter, priority in ((one, None), (two, None), (three, 0)):
        factory.register_converter(converter, priority)
    assert factory.registered == (three, one, two)
    assert factory.get_converter("glm-4.6") is three
    factory.unregister_converter(three)
    assert factory.get_converter("glm-4.6") is one
    assert factory.list_supported_models()[:2] == ["Mine", "Mine"]


def test_what_is_not_registered_cannot_be_taken_out() -> None:
    with pytest.raises(ValueError, match="not in list"):
        ConverterFactory().unregister_converter(Mine())


@pytest.mark.parametrize(
    ("model", "row"), [("glm-4.6", "glm45"), ("Qwen/Qwen3-8B", "hermes"), ("my-model", None), ("", None)]
)
def test_the_row_of_a_name(model: str, row: str | None) -> None:
    converter = ConverterFactory().get_converter(model)
    assert isinstance(converter, SyntaxConverter)
    assert (converter.syntax and converter.syntax.name) == row


def test_rows_by_name() -> None:
    factory = ConverterFactory()
    assert factory.row_names() == [syntax.name for syntax in SYNTAXES]
    assert all(factory.get_row(name).syntax.name == name for name in factory.row_names())  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        factory.get_row("nobody")
