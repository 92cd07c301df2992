"""JSON in slices says just what `json.loads` says: the same values, the same faults at the same places (defect C10)."""

from __future__ import annotations

import json
import random
from math import isfinite
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errors import RequestError
from turns import Turns
from wire import json_body, json_slices, json_values
from wire.json_body import find_members, read_body
from wire.json_slices import JsonText
from wire.json_values import RawJson, ValueReader, spelled

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices so short that short texts have many."""
    monkeypatch.setattr(json_slices, "_RUN", 12)
    monkeypatch.setattr(json_slices, "_SLICE", 16)
    monkeypatch.setattr(json_slices, "_LONG_NUMBER", 24)
    monkeypatch.setattr(json_values, "SMALL", 10)


def in_slices(text: bytes) -> Any:
    """The value of a text, read in slices; what is wrong with it, if it is wrong."""
    try:
        text_, found = find_members(b'{"x":' + text + b"}", frozenset("x"))
    except RequestError as error:
        return error.message
    return ValueReader(text_).value(found["x"].start, found["x"].end, 1)


def at_once(text: bytes) -> Any:
    try:
        return read_body(b'{"x":' + text + b"}")["x"]
    except RequestError as error:
        return error.message


def same(text: bytes) -> None:
    assert repr(in_slices(text)) == repr(at_once(text)), text


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.integers(10**20, 10**40)
    | st.sampled_from(["\ud83d", "😀" * 9, "\\" * 20, '"' * 20, "é" * 30, "\x7f\x00", " " * 40])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=9), inner, max_size=5)
)
indents = st.sampled_from([None, 0, 1, 30])


@given(values, st.booleans(), indents)
@settings(deadline=None)
def test_values_are_the_same(value: Any, ascii_only: bool, indent: int | None) -> None:
    same(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass"))


@given(values, st.booleans(), indents, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=400)
def test_faults_are_the_same(value: Any, ascii_only: bool, indent: int | None, chance: random.Random) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass"))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        if chance.random() < 0.4:
            del text[at : at + chance.randint(1, 3)]
        else:
            text[at:at] = chance.choice(PIECES)
    same(bytes(text))


PIECES = [
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\u12",
        b"\\ud83d",
        b"\n",
        b" ",
        b"\x00",
        b"\xff",
        b"\xc3",
        b"0",
    ),
    *(
        b"-",
        b".",
        b"e",
        b"nul",
        b"null",
        b"NaN",
        b"-Infinity",
        b"Infinit",
        b"1.",
        b"1e",
        b"01",
        b"\xed\xa0\x80",
        b"/",
        b"'",
    ),
    *(
        b"\xc2\xa0",
        b"\x0c",
        b'"a":1,',
        b"[],",
        b"tru",
        b"\\x",
        b"1" * 40,
        b"-" + b"9" * 50 + b".5E+3",
        b" " * 40,
        b",,",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@example([b"["])
@example([b'"', b"\\ud83d"])
@example([b'"\\u1234'])
@settings(deadline=None, max_examples=400)
def test_pieces_of_json_in_any_order_are_the_same(pieces: list[bytes]) -> None:
    same(b"".join(pieces))


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("text", ['{"x": ["한글 😀", "\\ud83d", 1.50, {"y": []}]}', '{"x": [1,\n 한]}', "[1"])
def test_other_encodings_are_the_same(text: str, encoding: str) -> None:
    raw = text.encode(encoding)
    try:
        wanted = read_body(raw)["x"]
    except RequestError as error:
        wanted = error.message
    try:
        found, members = find_members(raw, frozenset("x"))
        assert ValueReader(found).value(members["x"].start, members["x"].end, 1) == wanted
    except RequestError as error:
        assert error.message == wanted or "must be a JSON object" in error.message


@pytest.mark.parametrize(
    "raw", [b'{"x": "\xff"}', '{"x": "é"}'.encode("utf-16")[:-1], b'{"x": "' + b"\xc3\xa9" * 40 + b"\xc3"]
)
def test_text_that_cannot_be_decoded_is_the_same(raw: bytes) -> None:
    with pytest.raises(RequestError) as wanted:
        read_body(raw)
    with pytest.raises(RequestError) as found:
        find_members(raw, frozenset("x"))
    assert found.value.message == wanted.value.message


def test_the_last_of_two_members_counts() -> None:
    same(b'{"a": 1, "b": [1, 2, 3, 4, 5, 6], "a": 2, "\\u0061": 3}')
    text, found = find_members(b'{"x": 1, "\\u0078": 2, "y": 3}', frozenset("x"))
    assert ValueReader(text).value(found["x"].start, found["x"].end) == 2


@pytest.mark.parametrize("opener", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("filler", [b"", b"1,", b"[[]],"])
def test_depth_has_the_same_limit(opener: bytes, filler: bytes) -> None:
    opener = opener.replace(b"[", b"[" + filler)
    closer = b"".join({91: b"]", 123: b"}"}[letter] for letter in reversed(opener) if letter in b"[{")
    closer = opener.replace(filler, b"").replace(b'"a":', b"")[::-1].translate(bytes.maketrans(b"[{", b"]}"))
    for levels in range(120, 132):
        for inner in (b"1", b"[]", b"{}", b"[1]", b'{"b":[]}', b"[[[]],1]"):
            same(opener * (levels // len(closer)) + inner + closer * (levels // len(closer)))


def test_what_is_wrong_behind_a_slice_is_named_by_line_and_column() -> None:
    same(b'["' + "é😀".encode() * 30 + b'",\n\n  "\xc3\xa9", x]')


def test_a_number_of_any_length() -> None:
    same(b"[" + b"9" * 5000 + b"]")
    same(b"[" + b"9" * 5000 + b",-" + b"0" * 30 + b"]")


def _as_json_spells(value: Any) -> Any:
    """A value without the numbers that JSON has no spelling for, which tests/wire/test_json_values.py has."""
    if isinstance(value, dict):
        return {name: _as_json_spells(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(_as_json_spells, value))
    return 0.5 if isinstance(value, float) and not isfinite(value) else value


@given(values, st.booleans())
@settings(deadline=None)
def test_what_is_written_in_slices_is_the_same(value: Any, compact: bool) -> None:
    separators = (",", ":") if compact else (", ", ": ")
    value = _as_json_spells(value)
    wanted = json.dumps(value, ensure_ascii=False, separators=separators).encode(errors="replace")
    assert b"".join(spelled(value, Turns(), separators)) == wanted


def test_raw_json_is_written_as_it_was_read() -> None:
    assert b"".join(spelled({"a": [RawJson(b"1.50")]}, Turns())) == b'{"a": [1.50]}'


def test_a_large_body_is_read_in_slices() -> None:
    assert json_body.LARGE == 1 << 20
    text = JsonText(b"[" + b"[]," * 1000 + b"0]")
    assert text.check() == (0, 3003)
