"""Markup inside native calls: what of it is a name, and what are arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.chat.native_markup import arguments_in_markup, name_and_rest
from converters import Expectations
from converters.render import render_calls
from tests.helpers import ROWS

TOOLS: dict[str, Any] = {"read": {}, "get_weather": {}, "a<b": {}}


@pytest.mark.parametrize(
    ("name", "plain", "rest"),
    [
        ("read", "read", ""),
        ("a<b", "a<b", ""),
        ("functions.read", "read", ""),
        ("READ", "read", ""),
        ("read<|channel|>commentary", "read", ""),
        ("unknown<|channel|>commentary", "unknown", ""),
        ("unknown", "unknown", ""),
        ("read<arg_key>path</arg_key>", "read", "<arg_key>path</arg_key>"),
        ("Read\n<parameter=path>", "read", "<parameter=path>"),
        ("<think>", "", "<think>"),
        ("", "", ""),
    ],
)
def test_names(name: str, plain: str, rest: str) -> None:
    assert name_and_rest(name, Expectations(TOOLS)) == (plain, rest)


SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}}}
ARGUMENTS = {"path": "a b", "lines": 3}
SPELLED = [row for row in ROWS.values() if row.parameter.startswith("<") and row.shape == "tagged"]


@pytest.mark.parametrize("row", SPELLED, ids=lambda row: row.name)
def test_what_any_row_writes_between_header_and_closer(row: Any) -> None:
    text = render_calls(row, [("read", ARGUMENTS)])
    start = text.index(row.parameter.partition("{")[0])
    foot = row.call.partition("{parameters}")[2].strip()
    body = text[start : text.rindex(foot)] if foot else text[start:]
    assert json.loads(arguments_in_markup("read", body, SCHEMA) or "null") == ARGUMENTS


@pytest.mark.parametrize("text", ["<parameter=pattern>**</parameter>", "\n<parameter=pattern>\n**\n</parameter>\n"])
def test_reported(text: str) -> None:
    assert json.loads(arguments_in_markup("glob", text, {}) or "") == {"pattern": "**"}


@pytest.mark.parametrize("text", ["", "{}", '{"a": 1}', "plain", "<", "<b>bold</b>", "<parameter=", "[1]", "null"])
def test_what_is_no_markup_of_ours(text: str) -> None:
    assert arguments_in_markup("read", text, SCHEMA) is None
