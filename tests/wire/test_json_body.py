"""A request's body as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import RequestError
from tests.cases import in_one_test
from wire.json_body import read_body, read_finite


@in_one_test(
    ("body", "value"),
    [
        (b'{"a": 12}', {"a": 12}),
        (b'{"a": -%s}' % (b"9" * 5000), {"a": float("inf")}),
        (b'{"a": [1, %s]}' % (b"9" * 5000), {"a": [1, float("inf")]}),
        (b"[0,1.5,true]", [0, 1.5, True]),
    ],
)
def test_numbers_of_any_length_are_read(body: bytes, value: object) -> None:
    assert read_body(body) == value


_INTEGERS = st.integers(-(2**70), 2**70) | st.sampled_from([2**53 + 1, 2**63, -(2**63) - 1, 2**64 - 1, 2**64])
_VALUES = st.recursive(
    st.none() | st.booleans() | _INTEGERS | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES, st.booleans())
def test_a_body_is_read_as_python_reads_it(value: object, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    assert repr(read_body(body)) == repr(json.loads(body))


@in_one_test(
    "body",
    [b'{"a":1,"a":2}', b"[-0,-0.0,1E5]", b'"\\ud800"', b"\xef\xbb\xbf{}", '"\u00e9"'.encode("utf-16"), b" [1]\r\n"],
)
def test_what_only_some_readers_take_is_read(body: bytes) -> None:
    assert repr(read_body(body)) == repr(json.loads(body))


def test_a_body_with_a_long_number_tells_where_it_is_wrong() -> None:
    with pytest.raises(RequestError, match="line 1, column 50"):
        read_body(b'{"a": ' + b"9" * 5000 + b"]")


@in_one_test(
    ("number", "fits"),
    [
        (b"1.5", True),
        (b"1e308", True),
        (b"9" * 400, True),
        (b"1e309", False),
        (b"-1e999", False),
        (b"NaN", False),
        (b"-Infinity", False),
        (b"9" * 5000, False),
    ],
)
def test_what_is_written_again_holds_finite_numbers_only(number: bytes, fits: bool) -> None:
    body = b'{"z": %s, "a": [1, {"b": 2.5}, {"b": %s}], "c": 1e999}' % (b"9" * 401, number)
    if fits:
        body = body.replace(b"1e999", b"0")
        assert read_finite(body) == read_body(body)
        return
    for item, where in (("[{}]", "a[2].b"), (".{}", "a.2.b")):
        with pytest.raises(RequestError, match="not finite") as refused:
            read_finite(body, item)
        assert refused.value.param == where and where in refused.value.message


def test_other_faults_come_first_or_are_named_all_the_same() -> None:
    with pytest.raises(RequestError, match="not valid JSON"):
        read_finite(b'{"a": NaN, "b" 1}')
    with pytest.raises(RequestError, match="128 levels"):
        read_finite(b'{"a": NaN, "b": ' + b"[" * 200 + b"]" * 200 + b"}")
    with pytest.raises(RequestError) as refused:
        read_finite(b'{"%s": NaN}' % (b"n" * 1000))
    assert len(refused.value.message) < 300


def test_of_a_member_that_comes_twice_the_last_counts_and_may_be_finite() -> None:
    assert read_finite(b'{"a": NaN, "b": {"c": 1e999}, "a": 1, "b": 2}') == {"a": 1, "b": 2}
    with pytest.raises(RequestError, match="'a' is a number"):
        read_finite(b'{"a": 1, "a": NaN}')


@in_one_test("body", [b"NaN", b'{"": NaN}'])
def test_a_number_without_a_name_is_the_requests(body: bytes) -> None:
    with pytest.raises(RequestError, match=r"The request body holds a number") as refused:
        read_finite(body)
    assert refused.value.param is None
