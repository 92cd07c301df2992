"""The text of a custom tool, out of arguments in JSON that come in any pieces."""

from __future__ import annotations

import itertools
import json
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.responses.custom_input import CustomInput
from tests.cases import in_one_test


def read(pieces: list[str]) -> tuple[str, str]:
    """(what came before the end, all)"""
    found = CustomInput()
    before = "".join([found.feed(piece) for piece in pieces])
    return before, before + found.finish()


TEXT = st.text(st.characters() | st.sampled_from('"\\\n\t/{}u0d8😀'), max_size=30)


@settings(max_examples=400, deadline=None)
@given(TEXT, st.booleans(), st.lists(st.integers(1, 60), max_size=6), st.sampled_from(["", " ", "\n "]))
def test_it_is_the_same_at_every_cut(text: str, ascii_only: bool, places: list[int], blank: str) -> None:
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    spelled = f'{blank}{{{blank}"input"{blank}:{blank}{json.dumps(text, ensure_ascii=ascii_only)}{blank}}}'
    borders = sorted({0, len(spelled), *(place for place in places if place < len(spelled))})
    pieces = [spelled[start:end] for start, end in itertools.pairwise(borders)]
    assert read(pieces) == (text, text)
    assert read(list(spelled)) == (text, text)


OTHERS: list[tuple[str, str]] = [
    ("{}", ""),
    ("", ""),
    ('{"other": 1}', '{"other": 1}'),
    ('{"other": 1, "input": "x"}', "x"),
    ('{"input": 5}', '{"input": 5}'),
    ('{"input": ["a"]}', '{"input": ["a"]}'),
    ("*** Begin Patch", "*** Begin Patch"),
    (f'{{"input": "{"x" * 500}"}}', "x" * 500),
    (f'{{{" " * 300}"input": "x"}}', "x"),
    ('{"input": "x", "more": "y"}', "x"),
    ('{"input": "cut off \\u00', "cut off "),
    ('{"input": "cut off \\', "cut off "),
    ('{"input": "a \\x no escape, and more of it"}', "a \\x no escape, and more of it"),
    ('{"input": "\\\\ud83d"}', "\\ud83d"),
    ('{"input": "\\ud83d\\ude00"}', "😀"),
]


@in_one_test("spelled, text", OTHERS)
def test_other_arguments(spelled: str, text: str) -> None:
    assert read([spelled])[1] == text
    assert read(list(spelled))[1] == text


def test_its_text_flows() -> None:
    found = CustomInput()
    assert [found.feed(piece) for piece in ('{"input": "a', "b", "\\", "n", 'c"', "}")] == ["a", "b", "", "\n", "c", ""]


def test_time_is_linear() -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        read(["{", *['"other": 1, '] * size])
        read(['{"input": "', *["\\x"] * size])
        read(['{"input": "' + "\\x" * size])
        return time.process_time() - began

    small = min(seconds(5000) for _ in range(3))
    assert seconds(20_000) <= 8 * small + 0.02
