"""Python literals as JSON, compared with Python's own reading of them."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.values.python.literals import literal, string_end
from tests.helpers import read_json, same_json

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
LITERALS = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(LITERALS)
def test_whatever_python_writes_is_read(value: Any) -> None:
    text = literal(f" {value!r}\n")
    assert text is not None
    assert same_json(read_json(text), json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    "text",
    [
        r"'it\'s'",
        '"it\'s"',
        "'''a 'b' \"c\"\nd'''",
        '"""say "hi" there"""',
        r"r'\d+\.\w'",
        r"R'it\'s'",
        "u'x'",
        r"'\x41\u00e9\U0001F600\101\0'",
        r"'\d \w \. \q'",
        r"'C:\\new\\table'",
        "['a'\n'b'\n \"c\"]",
        "'a\\\nb'",
        "''",
        "''''''",
        "['a,b', 'c]', '{']",
        "(1, 2,)",
        "()",
        "{}",
        "{'a': [1, (2, 3)], 'b': {'c': None,},}",
        "-1.5e-3",
        "-0",
        "123456789012345678901234567890",
    ],
)
@pytest.mark.filterwarnings("ignore:.*invalid escape:")
def test_as_python_reads_it(text: str) -> None:
    written = literal(text)
    assert written is not None
    assert same_json(read_json(written), json.loads(json.dumps(ast.literal_eval(text))))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null", None),
        ("{'a', 'b'}", ["a", "b"]),
        ("{1: 'a', 2: 'b'}", {"1": "a", "2": "b"}),
        ("{'a': 1, 'a': 2}", {"a": 1}),
        ("{1: 'a', '1': 'b'}", {"1": "a"}),
        ("[inf, nan, -inf]", ["inf", "nan", "-inf"]),
        ("float", None),
        ("f'{x}'", None),
        ("f(1)", None),
        ("a.b", None),
        ("1 + 2", None),
        ("[1, 2", None),
        ("'open", None),
        ("", None),
        ("0x1F", None),
        ("1_000", None),
        ("007", None),
        ("+1", None),
        ("1.", None),
        (".5", None),
        ("1 2", None),
        ("[,]", None),
        ("{'a': 1, 'b'}", None),
        ("__import__('os')", None),
    ],
)
def test_what_is_a_literal_and_what_is_none(text: str, value: Any) -> None:
    written = literal(text)
    if value is None and text != "null":
        assert written is None
    else:
        assert written is not None
        assert same_json(read_json(written), value)


def test_depth_never_raises() -> None:
    assert literal("[" * 50_000 + "]" * 50_000) is None
    assert literal("[" * 50_000) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("'a' x", 3),
        (r"'a\'b' x", 6),
        (r"'a\\' x", 5),
        ('"""a "b" """ x', 12),
        ("'' x", 2),
        ("r'a' x", 4),
        (r"'\\\'' x", 6),
        ("'a", -1),
        (r"'a\'", -1),
        ("''", -1),
        ("'''a''", -1),
    ],
)
def test_where_a_string_ends(text: str, end: int) -> None:
    assert string_end(text, 0) == end
