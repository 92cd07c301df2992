"""A request's body as JSON."""

from __future__ import annotations

import pytest

from errors import RequestError
from tests.cases import in_one_test
from wire.json_body import read_body


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


def test_a_body_with_a_long_number_tells_where_it_is_wrong() -> None:
    with pytest.raises(RequestError, match="line 1, column 50"):
        read_body(b'{"a": ' + b"9" * 5000 + b"]")
