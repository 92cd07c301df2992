"""JSON that comes out as it went in."""

from __future__ import annotations

import pytest

from wire import lossless_json


@pytest.mark.parametrize(
    "text",
    ["1.50", "1e400", "-0", "1" * 5000, '{"b": 1.0, "a": [1, 2.10, true, null]}', '"서울 \\" \\\\"', "[]", "{}", "NaN"],
)
def test_what_was_read_is_written_again(text: str) -> None:
    assert lossless_json.dumps(lossless_json.loads(text)) == text


def test_bytes_are_read_too() -> None:
    assert lossless_json.loads('{"a": "서"}'.encode()) == {"a": "서"}
