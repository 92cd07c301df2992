"""JSON that is written again: what `json.dumps` writes, but for numbers, which keep their spelling."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.values.json.spelling import DEEPEST, Layout, Number, read, write
from tests.properties.generated import UNICODE, modest
from wire import lossless_json

VALUES = st.recursive(
    st.one_of(UNICODE, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(UNICODE, inner, max_size=3)),
    max_leaves=10,
)


@modest(200)
@given(VALUES)
def test_plain_values_are_written_as_the_library_does(value: Any) -> None:
    assert write(value) == json.dumps(value, ensure_ascii=False)
    assert write(value, Layout(indent=4)) == json.dumps(value, ensure_ascii=False, indent=4)
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert write(value, Layout(",", ":", ordered=True)) == compact


@modest(200)
@given(VALUES)
def test_what_is_read_is_written_as_it_was(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert write(read(text)) == text


@pytest.mark.parametrize("number", ["1e400", "0.10", "-0", "1E5", "12345678901234567890123", "NaN", "1" * 5000])
def test_numbers_keep_their_spelling(number: str) -> None:
    text = f'{{"a": [{number}]}}'
    assert write(read(text)) == text
    assert repr(read(number)) == number
    assert write(lossless_json.loads(text)) == text, "those of another reader, too"


def test_what_json_cannot_hold_is_a_string() -> None:
    assert write({1: {2}, None: b"x"}) == '{"1": "{2}", "None": "b\'x\'"}'
    assert write(10**5000) == json.dumps(hex(10**5000))
    assert write([math.inf, (1, Number("2.50"))]) == "[Infinity, [1, 2.50]]"


def test_depth_is_bounded() -> None:
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert write(read(deep)) == deep
    for text in (f"[{deep}]", "[" * 100_000 + "]" * 100_000):
        with pytest.raises(ValueError, match=r"deep|recursion"):
            read(text)
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    assert write(value).count("(nested too deep)") == 1


@pytest.mark.parametrize("text", ["", "{", "nothing", '{"a": 01}'])
def test_what_is_no_json_raises(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)
