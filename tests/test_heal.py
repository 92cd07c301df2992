"""HEAL: what is put right, what each repair is called, and that `off` leaves names and JSON as they were written."""

from __future__ import annotations

import json
from typing import Any

from converters import SYNTAXES
from converters.render import render_calls
from converters.values.writer import VerbatimArguments
from tests.cases import in_one_test
from tests.helpers import ROWS, Message, assemble, cuts, meaning, parse, same_json, spans

TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
    "view": {"properties": {"range": {"type": "array", "items": {"type": "integer"}}, "query": {"type": "string"}}},
}


def read(text: str, **options: Any) -> Message:
    """The message of a text, once it is the same at every cut, and every character has its place."""
    whole = parse(text, TOOLS, **options)
    assert spans(whole) == text
    for pieces in cuts(text, pairs=60, randoms=3):
        assert meaning(parse(text, TOOLS, pieces, **options)) == meaning(whole), pieces
    return assemble(whole)


def hermes(inner: str) -> str:
    return f"<tool_call>\n{inner}\n</tool_call>"


def arguments(text: str) -> str:
    return hermes(f'{{"name": "get_weather", "arguments": {text}}}')


UNWRAPPED = ["arguments_retyped", "arguments_unwrapped"]
HALF_UNWRAPPED = ["call_repaired", "arguments_closed", "arguments_unwrapped"]
SLIPS: list[tuple[str, dict[str, Any], list[str]]] = [
    (arguments('{"city": "x"}'), {"city": "x"}, []),
    (arguments("{'city': 'x'}"), {"city": "x"}, ["arguments_repaired"]),
    (arguments('{city: "x", }'), {"city": "x"}, ["arguments_repaired"]),
    (arguments('{"city": "say "x""}'), {"city": 'say "x"'}, ["arguments_repaired"]),
    (arguments('```json\n{"city": "x"}\n```'), {"city": "x"}, ["arguments_repaired"]),
    (arguments('{"city": "x", "days": "3"}'), {"city": "x", "days": 3}, ["arguments_retyped"]),
    (arguments('{"city": "x", "city": "y"}'), {"city": "x"}, ["duplicate_key"]),
    (arguments(json.dumps('{"city": "x"}')), {"city": "x"}, ["arguments_retyped"]),
    (arguments('{"arguments": {"city": "x"}}'), {"city": "x"}, ["arguments_unwrapped"]),
    (arguments('{"input": {"city": "x", "days": "3"}}'), {"city": "x", "days": 3}, UNWRAPPED),
    (arguments('{"args": {}, "city": "y"}'), {"args": {}, "city": "y"}, []),
    (arguments('{"parameters": {"city": "x"'), {"city": "x"}, HALF_UNWRAPPED),
    (arguments('{"arguments": "x"}'), {"arguments": "x"}, ["arguments_misfit"]),
    (arguments('{"city": "x", "arguments": {"a": 1}}'), {"city": "x", "arguments": {"a": 1}}, []),
    (arguments('"x"'), {"city": "x"}, ["arguments_wrapped"]),
    (arguments("null"), {}, ["arguments_misfit"]),
    (arguments('{"city": 5}'), {"city": 5}, ["arguments_misfit"]),
    (hermes('{"name": "view", "arguments": {"range": \\n[1, 2]\\n}}'), {"range": [1, 2]}, ["arguments_repaired"]),
    (hermes('{"name": "view", "arguments": {"query": \\"it\\"}}'), {"query": "it"}, ["arguments_repaired"]),
    (hermes('{"name": "functions.view", "arguments": {}}'), {}, ["name_repaired"]),
    (hermes('{{"name": "view", "arguments": {{}}}}'), {}, ["call_repaired", "arguments_repaired"]),
    (hermes('{"name": "view", // the tool\n "arguments": {} # none\n}'), {}, ["call_repaired"]),
    (hermes('{"name": "view", /* } */ "arguments": {}}'), {}, ["call_repaired"]),
    (hermes("{name: 'view', arguments: {}}"), {}, ["call_repaired"]),
    (hermes(r"{\"name\": \"view\", \n\"arguments\": {}}"), {}, ["call_repaired"]),
    (hermes('```json\n{"name": "view", "arguments": {}}\n```'), {}, ["call_repaired"]),
    (hermes('{"name": "view", "arguments": {}'), {}, ["call_repaired"]),
]


@in_one_test(("text", "value", "codes"), SLIPS)
def test_what_is_put_right_and_what_it_is_called(text: str, value: dict[str, Any], codes: list[str]) -> None:
    message = read(text)
    assert message.content == ""
    assert same_json(message.arguments, [value])
    assert message.noted == codes


NAMED = "<|tool_calls_section_begin|><|tool_call_begin|>functions.view:0<|tool_call_argument_begin|>{}"
TAGGED = "<tool_call>view\n```json\n{}\n```\n</tool_call>"


@in_one_test(
    ("text", "row"),
    [
        (NAMED.format('```json\n{"query": "a"}\n```<|tool_call_end|><|tool_calls_section_end|>'), "kimi_k2"),
        (NAMED.format('{{"query": "a"}}<|tool_call_end|><|tool_calls_section_end|>'), "kimi_k2"),
        (NAMED.format('{"query": "a",}<|tool_call_end|><|tool_calls_section_end|>'), "kimi_k2"),
        ('[TOOL_CALLS]view[ARGS]```json\n{"query": "a"}\n```', "mistral_new"),
        (TAGGED.format('{"query": "a"}'), "glm45"),
        (TAGGED.replace("```json\n", "").replace("\n```", "").format("{'query': 'a'}"), "glm45"),
    ],
)
def test_every_shape_that_carries_json_reads_it_leniently(text: str, row: str) -> None:
    message = read(text, row=row)
    assert (message.content, message.names, message.arguments) == ("", ["view"], [{"query": "a"}])
    assert "arguments_repaired" in message.noted


def test_a_fence_behind_a_call_that_stood_in_none_is_text() -> None:
    message = read('<tool_call>{"name": "view", "arguments": {}}\n```python\nprint()\n```')
    assert message.content == "```python\nprint()\n```"


# -- off -------------------------------------------------------------------------------------------------------------


@in_one_test(
    "written",
    [
        '{"city": "x"}',
        '{"city": "x", "days": "3"}',
        '{"city":"x" ,\n"days": 1.50}',
        '{"arguments": {"city": "x"}}',
    ],
)
def test_off_leaves_arguments_as_they_were_written(written: str) -> None:
    message = read(arguments(written), heal=False)
    assert message.calls == [("get_weather", written, None)]
    assert not {"arguments_repaired", "arguments_retyped", "arguments_wrapped"} & set(message.noted)


@in_one_test(
    "written",
    [
        "{'city': 'x'}",
        '{"city": "x",}',
        '{"city": "x", "city": "y"}',
        '"x"',
        "[1]",
        "null",
        json.dumps('{"city": "x"}'),
        '{"a": 1 "b": 2}',
        '{"city": 1, // why\n}',
        '{"city": "x"',
    ],
)
def test_off_reads_nothing_that_is_no_object(written: str) -> None:
    for pieces in (written, [written]):
        reader = VerbatimArguments({"required": ["city"]})
        sent = "".join(reader.feed(piece) for piece in pieces)
        assert written.startswith(sent + reader.finish())
        assert reader.unreadable


def test_off_leaves_names() -> None:
    text = hermes('{"name": "functions.view", "arguments": {"query": "a"}}')
    assert read(text).names == ["view"]
    assert read(text, heal=False).names == ["functions.view"]


def test_off_types_text_values() -> None:
    text = render_calls(ROWS["glm45"], [("get_weather", {"city": "007", "days": 3})])
    assert read(text, row="glm45", heal=False).arguments == [{"city": "007", "days": 3}]


@in_one_test("row", ROWS)
def test_off_reads_every_row(row: str) -> None:
    """Which texts are calls is no repair: what a model writes in its own syntax is read alike."""
    weather, view = {"city": "it's", "days": 3}, {"range": [1], "query": "x"}
    wanted: list[tuple[str, dict[str, Any]]] = [("get_weather", weather), ("view", view)]
    text = render_calls(ROWS[row], wanted)
    assert assemble(parse(text, TOOLS, row=row, heal=False)).calls == assemble(parse(text, TOOLS, row=row)).calls
    assert len(SYNTAXES) == len(ROWS)
