"""Grammars for demanded calls of prompted tools: only where they are surely right."""

from __future__ import annotations

import json

import pytest

from backends.adapt import AdaptSettings, Planner
from backends.adapt.constrained import constrained, grammar_of
from backends.learned import Learned
from converters import SYNTAXES
from errors import ErrorInfo
from tests.answers import Json, ask

ROWS = {row.name: row for row in SYNTAXES}


def planned(preset: str | None, constrain: bool = True, **more: object) -> tuple[Json, frozenset[str]]:
    raw = json.dumps({**ask(stream=False), **more}).encode()
    settings = AdaptSettings(prompting="prompt", preset=preset, constrain=constrain)
    plan = Planner(settings, Learned("backend", 1)).plan(raw, None, "somebody-7b", None)
    body: Json = json.loads(plan.body)
    return body, plan.codes


@pytest.mark.parametrize(
    ("preset", "field"), [("llamacpp", "grammar"), ("sglang", "ebnf"), ("vllm", "structured_outputs")]
)
def test_a_demanded_call_gets_a_grammar_of_the_server(preset: str, field: str) -> None:
    body, codes = planned(preset, tool_choice="required")
    assert field in body and "adapted:constrained" in codes
    text = json.dumps(body[field])
    assert "get_weather" in text and "write_file" in text
    body, _ = planned(preset, tool_choice={"type": "function", "function": {"name": "write_file"}})
    text = json.dumps(body[field])
    assert "get_weather" not in text and "write_file" in text


@pytest.mark.parametrize(
    ("preset", "more"),
    [
        ("llamacpp", {}),
        ("llamacpp", {"tool_choice": "none"}),
        ("llamacpp", {"tool_choice": "required", "response_format": {"type": "json_object"}}),
        ("llamacpp", {"tool_choice": "required", "grammar": 'root ::= "a"'}),
        ("lmstudio", {"tool_choice": "required"}),
        (None, {"tool_choice": "required"}),
    ],
)
def test_nothing_is_constrained_that_need_not_or_cannot_be(preset: str | None, more: Json) -> None:
    body, codes = planned(preset, **more)
    assert codes == {"prompted"}
    assert not {"ebnf", "structured_outputs"} & set(body) and body.get("grammar") == more.get("grammar")


def test_it_is_off_by_default() -> None:
    assert planned("llamacpp", constrain=False, tool_choice="required")[1] == {"prompted"}


def test_a_server_that_refuses_the_grammar_gets_the_request_without() -> None:
    raw = json.dumps(ask(stream=False, tool_choice="required")).encode()
    settings = AdaptSettings(prompting="prompt", preset="llamacpp", constrain=True)
    plan = Planner(settings, Learned("backend", 1)).plan(raw, None, "somebody-7b", None)
    assert b'"grammar"' in plan.body
    assert plan.refused(ErrorInfo(400, {"message": "failed to parse grammar"}))
    assert b'"grammar"' not in plan.body and b'"tools"' not in plan.body


def test_the_grammar_of_a_row_is_what_it_writes() -> None:
    grammar = grammar_of(["f"], ROWS["hermes"])
    assert grammar is not None
    root = grammar.splitlines()[0]
    assert root == r'root ::= "<tool_call>\n{\"name\": \"f\", \"arguments\": " object "}\n</tool_call>"'


@pytest.mark.parametrize("name", ["glm45", "harmony", "deepseek_v31", "lfm2", "gemma4", "pythonic"])
def test_rows_without_plain_json_have_none(name: str) -> None:
    """Special tokens may be hidden from a grammar; values between tags are not JSON."""
    assert grammar_of(["f"], ROWS[name]) is None
    body: Json = {"messages": []}
    assert constrained(body, ["f"], ROWS[name], "llamacpp") is body
