"""Whatever stands in a request is written, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from converters.prompts import prompted
from converters.values.json.spelling import DEEPEST
from tests.cases import in_one_test
from tests.converters.prompts.conversations import TOOLS, called, result, user
from tests.helpers import ROWS
from tests.properties.generated import modest

KEYS = st.sampled_from(
    [
        *("role", "content", "tool_calls", "function_call", "function", "custom", "name", "arguments", "id", "type"),
        *("tool_call_id", "text", "description", "parameters", "properties", "items", "required", "enum", "default"),
        *("anyOf", "nullable", "input", "x"),
    ]
)
WORDS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["assistant", "tool", "system", "user", "function", "object", "array", "image", "{", '{"a": 1}']),
)
ANYTHING = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.integers(10**5000, 10**5000 + 9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5), st.dictionaries(WORDS, inner, max_size=2)
    ),
    max_leaves=20,
)
MESSAGES = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {"role": st.sampled_from(["assistant", "tool", "function", "system", "developer", "user", "ipython"])},
        optional={
            "content": st.one_of(
                WORDS, st.lists(st.one_of(WORDS, st.dictionaries(KEYS, ANYTHING)), max_size=2), ANYTHING
            ),
            "tool_calls": st.one_of(st.lists(st.fixed_dictionaries({"function": ANYTHING}), max_size=2), ANYTHING),
            "function_call": ANYTHING,
            "tool_call_id": ANYTHING,
            "name": ANYTHING,
        },
    ),
)
DECLARED = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": WORDS, "parameters": st.fixed_dictionaries({"properties": st.dictionaries(WORDS, ANYTHING)})},
                optional={"description": ANYTHING, "strict": ANYTHING},
            ),
        }
    ),
)


@modest(150)
@given(st.lists(MESSAGES, max_size=5), st.lists(DECLARED, max_size=2), st.sampled_from(sorted(ROWS)))
def test_nothing_raises(messages: list[Any], tools: list[Any], row: str) -> None:
    written = prompted(messages, tools, ROWS[row])
    assert {message["role"] for message in written} <= {"system", "user", "assistant"}
    assert written == prompted(messages, tools, ROWS[row])


def _nested(levels: int) -> Any:
    value: Any = "서울"
    for _ in range(levels):
        value = [value] if levels % 2 else {"k": value}
    return value


TOO_DEEP = _nested(5000)


@in_one_test("row", ROWS)
def test_what_is_nested_deep_survives(row: str) -> None:
    deep = _nested(DEEPEST - 2)
    (message,) = prompted([called([("f", {"x": deep})])], [], ROWS[row])
    assert "서울" in message["content"]
    schema = {"type": "object", "properties": {"x": deep}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    assert prompted([], [tool], ROWS[row])
    too_deep = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"x": TOO_DEEP}}}]}
    assert prompted([too_deep], [{"type": "function", "function": {"name": "f", "parameters": TOO_DEEP}}], ROWS[row])


@in_one_test("row", ROWS)
def test_half_surrogates_survive(row: str) -> None:
    half = "a\ud83d"
    written = prompted([user(half), called([("f", {"x": half})], half), result(half)], TOOLS, ROWS[row])
    assert written[1]["content"] == half
    assert half in "".join(message["content"] for message in written[2:-1])
    assert half in written[-1]["content"] or json.dumps(half)[1:-1] in written[-1]["content"]


@in_one_test("row", ROWS)
def test_holes_in_what_fills_holes_stay(row: str) -> None:
    text = "{result} {name} {tools} {id} {example} {results} {arguments} {parameters} {calls}"
    written = prompted([called([("f", {"x": text})]), result(text)], TOOLS, ROWS[row])
    assert all(text in message["content"] for message in written[1:])
