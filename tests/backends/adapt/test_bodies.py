"""Bytes of requests: what did not change stays as it was written, and long ones cost a bounded amount of memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest

from backends.adapt.bodies import changed_members, holds_name, read, rewritten, written
from backends.adapt.refusals import asked_for
from backends.adapt.silent import at_once
from backends.adapt.table import BY_NAME, adapted
from errors import ErrorInfo
from tests.backends.adapt.histories import ANY, say
from tests.cases import in_one_test
from wire.json_body import LARGE
from wire.json_values import RawJson

pytestmark = pytest.mark.long

MIB = 1 << 20
ALL = tuple(name for name in BY_NAME if name != "prompted")


@in_one_test("at", [0, 100, (1 << 20) - 1, (1 << 20) - 5, (1 << 20) + 3, (2 << 20) - 12, 3 << 20])
def test_a_name_is_found_wherever_it_stands(at: int) -> None:
    blank = b"x" * (4 << 20)
    assert holds_name(blank[:at] + b'"developer"' + blank[at:], (b"functions", b"developer"))
    assert not holds_name(blank[:at] + b'"developers" developer' + blank[at:], (b"functions", b"developer"))


def test_only_members_that_changed_are_written() -> None:
    raw = (
        b'{ "temperature" : 0.10, "messages":[{"role":"developer","content":"\xc3\xa9 \\u00e9","x":1.50}],"seed":1e2 }'
    )
    before = read(raw)
    assert before is not None
    after = adapted(before, ["developer"], ANY)
    changed = b'"messages":[{"role": "system", "content": "\xc3\xa9 \xc3\xa9", "x": 1.50}]'
    assert rewritten(raw, before, after) == b'{ "temperature" : 0.10, ' + changed + b',"seed":1e2 }'
    assert rewritten(raw, before, before) is raw
    assert dict(changed_members(before, adapted(before, ["max_tokens"], ANY))) == {}


def test_members_that_go_and_come() -> None:
    raw = b'{"max_completion_tokens": 5, "messages": [], "stream_options": {}}'
    before: Any = read(raw)
    after = adapted(before, ["max_tokens", "stream_options"], ANY)
    assert rewritten(raw, before, after) == b'{"messages": [], "max_tokens": 5}'


@in_one_test(
    "number", ["1", "-0", "1.0", "1.50", "1e400", "12345678901234567890123", "9" * 5000, "0.1000000000000000055"]
)
def test_numbers_keep_their_digits(number: str) -> None:
    raw = f'{{"messages": [{{"role": "developer", "content": "a", "n": {number}}}], "k": {number}}}'.encode()
    before: Any = read(raw)
    after = adapted(before, ["developer"], ANY)
    assert rewritten(raw, before, after) == raw.replace(b"developer", b"system")


def test_halves_of_surrogate_pairs_and_other_encodings_survive() -> None:
    raw = b'{"messages": [{"role": "developer", "content": "a \\ud800 \\udc00b"}]}'
    before: Any = read(raw)
    assert rewritten(raw, before, adapted(before, ["developer"], ANY)) == raw.replace(b"developer", b"system")
    wide = '{"messages": [{"role": "developer", "content": "é"}]}'.encode("utf-16")
    before = read(wide)
    new = rewritten(wide, before, adapted(before, ["developer"], ANY))
    assert json.loads(new)["messages"][0] == {"role": "system", "content": "é"}


@in_one_test(
    "raw", [b"[1]", b"{", b"", b'{"a": \xff}', b"[" * 100_000, b"[" + b"1," * MIB + b"1]"], ids=lambda raw: str(raw[:9])
)
def test_what_is_no_request_is_not_adapted(raw: bytes) -> None:
    assert read(raw) is None


def _long(item: str, count: int, **others: Any) -> bytes:
    messages = ",\n ".join([item] * count)
    fields = "".join(f'"{name}": {json.dumps(value)}, ' for name, value in others.items())
    return f'{{"model": "m", {fields}"messages": [{messages}], "x": [{"1.50," * 2000}1.50]}}'.encode()


def test_a_long_request_is_adapted_as_a_short_one_is() -> None:
    item = json.dumps(say("developer", "é" * 5000, n=0.5))
    raw = _long(item, 80, max_completion_tokens=7, stream_options={"include_usage": True})
    assert len(raw) > 2 * LARGE, len(raw)
    before: Any = read(raw)
    assert isinstance(before["x"], RawJson) and before["max_completion_tokens"] == 7
    assert at_once(before, ANY) == ("developer",)
    after = adapted(before, ["developer", "max_tokens", "alternate"], ANY)
    found = json.loads(rewritten(raw, before, after))
    whole = json.loads(raw)
    assert found == adapted(whole, ["developer", "max_tokens", "alternate"], ANY)
    assert b"1.50,1.50" in rewritten(raw, before, after)
    assert asked_for(ErrorInfo(400, {"message": "roles must alternate"}), before, ()) == ("system_first", "alternate")


@pytest.mark.parametrize(
    "item",
    [
        '{"role": "user", "content": "' + "word " * 40_000 + '"}',
        '{"role": "user", "content": "a"}',
        '{"role":"user"}',
        '{"role":"tool","content":[{"type":"text","text":"a"}]}',
        '{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}',
        '{"role":"user","content":[' + "1.5," * 5000 + "1]}",
        "[]",
        "{}",
        "1.5",
        '""',
        '{"role":"user","content":"' + "\\ud83d\\ude00" * 20_000 + '"}',
    ],
    ids=lambda item: item[:30],
)
def test_a_long_request_costs_a_bounded_multiple_of_its_bytes(item: str) -> None:
    raw = _long(item, MIB // (len(item) + 3))
    tracemalloc.start()
    before = read(raw)
    if before is not None:
        rewritten(raw, before, adapted(before, ALL, ANY))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(raw), f"{peak / len(raw):.1f} times its bytes"


def test_a_number_of_many_digits_does_no_harm() -> None:
    digits = "9" * 100_000
    made = '{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":' + digits + "}}]}"
    raw = _long(made, 12)
    before: Any = read(raw)
    after = adapted(before, ["arguments_raw"], ANY)
    assert digits in after["messages"][0]["tool_calls"][0]["function"]["arguments"]


def test_many_small_values_are_too_much_and_pass_as_they_came() -> None:
    assert read(_long("{}", MIB // 2)) is None
    assert read(_long(json.dumps(say("user", "a sentence of a usual length, or so")), 40_000)) is not None


def test_writing_of_long_texts_takes_turns() -> None:
    value = {"messages": [say("user", "é" * 8 * MIB)]}
    start = time.perf_counter()
    assert json.loads(written(value)) == value
    assert time.perf_counter() - start < 5
