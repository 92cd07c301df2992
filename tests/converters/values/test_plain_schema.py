"""The quick answer to whether arguments fit: it may say too little, and never yes where jsonschema says no."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from converters.values.plain_schema import surely_fits

NAMES = st.sampled_from(["a", "b", "c"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "a", "b", "1", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["string", "boolean", "integer", "number", "array", "object", "null"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": inner,
        "items": inner,
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "description": st.just("what it is"),
        "default": VALUES,
        "minimum": st.integers(-1, 1),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "const": VALUES,
    }
    return st.fixed_dictionaries({}, optional=members)


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=6)


@given(VALUES, SCHEMAS)
def test_what_surely_fits_fits(value: Any, schema: Any) -> None:
    if surely_fits(value, schema):
        assert Draft202012Validator(schema).is_valid(value)


TOOL = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "where"},
        "lines": {"type": "array", "items": {"type": "integer"}},
        "mode": {"type": "string", "enum": ["r", "w"]},
        "at": {"type": "object", "properties": {"row": {"type": "number"}}, "required": ["row"]},
        "sure": {"type": "boolean"},
    },
    "required": ["path"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"path": "a"}, True),
        ({"path": "a", "lines": [1, 2], "mode": "w", "at": {"row": 1}, "sure": False}, True),
        ({"path": 1}, False),
        ({"lines": []}, False),
        ({"path": "a", "other": 1}, False),
        ({"path": "a", "lines": [1, True]}, False),
        ({"path": "a", "mode": "x"}, False),
        ({"path": "a", "at": {}}, False),
        ({"path": "a", "sure": 1}, False),
    ],
)
def test_a_usual_tool_needs_nobody_else(value: Any, fits: bool) -> None:
    assert surely_fits(value, TOOL) is fits
