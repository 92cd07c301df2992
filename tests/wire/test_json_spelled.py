"""Members with their spelling: the same values and the same faults as a body that is read as a whole."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from errors import RequestError
from tests.cases import in_one_test
from wire.json_body import read_body
from wire.json_spelled import read_spelled

VALUE: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def outcome(read: Any, body: bytes) -> Any:
    try:
        return read(body)
    except RequestError as error:
        return str(error)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(), VALUE, max_size=5), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_values_and_spellings(value: dict[str, Any], indent: Any, ascii_only: bool) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
    found = read_spelled(body)
    assert found.value == read_body(body)
    for name, member in found.value.items():
        told = found.spelling(name)
        if told is None:
            assert any(each in body for each in (b"\\ud", b"NaN", b"Infinity"))
        else:
            assert told in body and json.loads(told) == member
    assert found.spelling("\0 no such name") is None


BODIES = [
    b"",
    b"{",
    b"{}",
    b" {} ",
    b"{} x",
    b"[]",
    b"5",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1,}',
    b'{"a":1 "b":2}',
    b'{"a":1',
    b'{"a":1}}',
    b'{"a": 1, "b" : [1, 2.50, NaN] }\n',
    b'{"a":1,"a":"twice"}',
    b'{"\\u0061":1}',
    b'{"a":"\\ud800"}',
    b'{"a":"\xff"}',
    '{"a":"한"}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
    b'{"a":' + b"[" * 100_000,
    b'{"a":' + b"9" * 5000 + b"}",
    b"{1:2}",
    b'{"a":"\n"}',
    b'{"a":[1,2}',
    b'{"a":[1 2]}',
    b'{"a":[1,]}',
    b'{"a":[',
    b'{"a":[ ] , "a":5}',
]


@in_one_test("body", BODIES)
def test_it_says_the_same_of_what_is_wrong(body: bytes) -> None:
    for lists in (frozenset[str](), frozenset({"a"})):
        assert repr(outcome(lambda raw: read_spelled(raw, lists).value, body)) == repr(outcome(read_body, body))  # noqa: B023


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUE, max_size=5), st.sampled_from([None, 1]))
def test_items_and_spellings(items: list[Any], indent: Any) -> None:
    body = json.dumps({"a": 1, "list": items, "b": 2}, indent=indent, ensure_ascii=False).encode(errors="replace")
    found = read_spelled(body, frozenset({"list", "b", "c"}))
    assert found.value == read_body(body)
    if b"Infinity" not in body:
        assert [json.loads(each) for each in found.spellings("list")] == found.value["list"]
    assert not found.spellings("b") and not found.spellings("c")


def test_the_last_of_two_members_counts_and_numbers_keep_their_digits() -> None:
    found = read_spelled(b'{"a": 1.50, "b": [ 1e2 ], "a": {"c" : 2.0}}')
    assert found.spelling("a") == b'{"c" : 2.0}' and found.spelling("b") == b"[ 1e2 ]"
