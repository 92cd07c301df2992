"""JSON written again: the same value, whatever a request holds, and by whichever of the two writers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.cases import in_one_test
from turns import Turns
from wire.json_body import read_finite
from wire.json_written import as_json, as_models_write_json

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_it_is_the_same_value(value: Any) -> None:
    for written in (as_json(value), as_json(value, Turns())):
        assert read_finite(written) == value
    for told in (as_models_write_json(value), as_models_write_json(value, Turns())):
        assert told == json.dumps(value, ensure_ascii=False)


@in_one_test(
    ("value", "written"),
    [
        ({"a": [1, "b"], "c": None}, b'{"a":[1,"b"],"c":null}'),
        ("\ud55c", '"\ud55c"'.encode()),
        ("a\ud800", b'"a?"'),
        (2**64, b"18446744073709551616"),
        ([1.0, 1e-7, -0.0], b"[1.0,1e-7,-0.0]"),
    ],
)
def test_how_it_is_written(value: Any, written: bytes) -> None:
    assert as_json(value) == written
