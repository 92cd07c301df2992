"""A row behind the face that third parties know."""

from __future__ import annotations

import json

import pytest

from converters.builtin import SyntaxConverter, plain_name
from tests.helpers import ROWS

HERMES = SyntaxConverter(ROWS["hermes"])
CALL = '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>'


@pytest.mark.parametrize(("model", "plain"), [("Org/My_Model 7B:Q4", "org/my-model-7b-q4"), ("", "")])
def test_plain_names(model: str, plain: str) -> None:
    assert plain_name(model) == plain


def test_calls_in_a_text() -> None:
    [one, two] = HERMES.parse_tool_calls(f"Sure.\n{CALL}\n{CALL}")
    assert one["type"] == "function"
    assert (one["function"]["name"], json.loads(one["function"]["arguments"])) == ("f", {"a": 1})
    assert two["function"] == one["function"]


def test_a_text_without_calls() -> None:
    assert HERMES.parse_tool_calls("Hello <b>you</b>") == []
    assert HERMES.strip_tool_calls("Hello <b>you</b>") == "Hello <b>you</b>"


def test_what_is_meant_for_the_user() -> None:
    assert HERMES.strip_tool_calls(f"Sure.\n{CALL}") == "Sure."


def test_every_row_is_read_whatever_the_name() -> None:
    assert SyntaxConverter(None).can_handle_model("anything")
    assert len(SyntaxConverter(None).parse_tool_calls(CALL)) == 1
    assert len(SyntaxConverter(ROWS["kimi_k2"]).parse_tool_calls(CALL)) == 1
