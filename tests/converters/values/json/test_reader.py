"""JSON in pieces: what was valid stays as it was, what can be put right is, and nothing is invented."""

from __future__ import annotations

import json
import random
import string
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.values.json.reader import JsonReader, strict
from tests.helpers import chunks, cuts, random_cut, read_json, same_json


def read(pieces: Iterable[str]) -> str:
    """All that comes out of these pieces, to the end of the value or of the text."""
    reader = JsonReader()
    out = ""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.done or reader.unreadable:
            break
    return out + reader.finish()


# -- valid JSON ------------------------------------------------------------------------------------------------------

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
SPELLINGS: list[dict[str, Any]] = [
    {},
    {"ensure_ascii": False},
    {"indent": 2},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (" ,\t", "\r\n: ")},
]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(VALUES, st.sampled_from(SPELLINGS))
def test_valid_json_comes_out_as_it_was_at_every_cut(value: Any, spelling: dict[str, Any]) -> None:
    text = json.dumps(value, **spelling)
    for pieces in cuts(text, pairs=120, randoms=2):
        assert read(pieces) == text, pieces


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1.50, "b": -0, "c": 1E+5, "d": 12345678901234567890.000, "e": 0.1e-7}',
        r'{"a": "\u00e9\/\b\f\n\r\t\"\\ \ud83d\ude00"}',
        '{ "a" :\t[ ] ,\r\n "b" : { } }',
        r'{"a\u0062": {"": [[], {}, [null]]}}',
        '{"it\'s": "// no comment, /* none */ # none", "x": "True, None, NaN,}"}',
        '{"a": "\u2028\x7f서울😀"}',
    ],
)
def test_spellings_of_valid_json_are_kept(text: str) -> None:
    for pieces in cuts(text):
        assert read(pieces) == text, pieces


@pytest.mark.parametrize("text", ['{"a": 1} and more', "[1, 2]]}", '"x" "y"', '{"a": "}"}\n</tool_call>'])
def test_what_comes_behind_the_value_is_the_rest(text: str) -> None:
    value, end = json.JSONDecoder().raw_decode(text)
    for place in range(1, len(text)):
        reader = JsonReader()
        out = reader.feed(text[:place])
        fed = place
        if not reader.done:
            out, fed = out + reader.feed(text[place:]), len(text)
        assert reader.done
        assert not reader.repairs.altered
        assert (json.loads(out), reader.rest) == (value, text[end:fed])


# -- repairs ---------------------------------------------------------------------------------------------------------

REPAIRS: list[tuple[str, Any]] = [
    ('{"a": True, "b": False, "c": None}', {"a": True, "b": False, "c": None}),
    ("{'a': 'b', \"c\": ['d']}", {"a": "b", "c": ["d"]}),
    (r"{'a': 'it\'s'}", {"a": "it's"}),
    (r'{"a": "it\'s"}', {"a": "it's"}),
    ("""{'a': 'say "hi"'}""", {"a": 'say "hi"'}),
    ("""{"a": "it's"}""", {"a": "it's"}),
    ("{a: 1, b_c: [2], $d: 3}", {"a": 1, "b_c": [2], "$d": 3}),
    ('{"a": 1,}', {"a": 1}),
    ('{"a": [1, 2, ], "b": {"c": 3 , } , }', {"a": [1, 2], "b": {"c": 3}}),
    ('{"a": "x\ny\tz\r\x00"}', {"a": "x\ny\tz\r\x00"}),
    (r'{"a": "C:\Users\me\docs"}', {"a": r"C:\Users\me\docs"}),
    (r'{"a": "^\d+\.\w{2,}$"}', {"a": r"^\d+\.\w{2,}$"}),
    (r'{"a": "\u12", "b": "\uZZZZ"}', {"a": r"\u12", "b": r"\uZZZZ"}),
    ('{"a": 1, // one\n "b": 2 /* two, {c: 3} **/, "d": 4}', {"a": 1, "b": 2, "d": 4}),
    ('{"a": {"b": 1]}}', {"a": {"b": 1}}),
    ('{{"a": {"b": 1}}}', {"a": {"b": 1}}),
    ('{"a": "say "hi", then go", "b": 1}', {"a": 'say "hi", then go', "b": 1}),
    ("{'a': 'it's', 'b': 'O'Fallon'}", {"a": "it's", "b": "O'Fallon"}),
    ('{"a": "<a href="x">y</a>"}', {"a": '<a href="x">y</a>'}),
    ('{"a":\u00a0"x",\u3000"b":\u200b1}', {"a": "x", "b": 1}),
    ('{"a"：“x”，"b": 1｝', {"a": "x", "b": 1}),
    ('{"a": """print("x")\n"""}', {"a": 'print("x")\n'}),
    (r'{"a": "\ud83d"}', {"a": "\ufffd"}),
    ('{"a": 1e999}', {"a": "1e999"}),
    (r"{\"a\": \"C:\\\\b\\nc\\\"d\"}", {"a": 'C:\\b\nc"d'}),
    ('{/* first */"a": /* second */ 1}', {"a": 1}),
    ('{"a": [1, {"b": 2', {"a": [1, {"b": 2}]}),
    ('{"a": 1, "a": 2, "b": 3}', {"a": 1, "b": 3}),
    ('{"a": {"x": 1}, "a": {"x": [1, {"y": 2}]}}', {"a": {"x": 1}}),
    (r'{"a": 1, "\u0061": 2, "b": {"c": 1, "c": 2}}', {"a": 1, "b": {"c": 1}}),
    ('{"a": 1, "a": 2,}', {"a": 1}),
    ("[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
    ("[0x1F, 007, 1_000]", ["0x1F", "007", "1_000"]),
    ('```json\n{"a": 1}\n```', {"a": 1}),
    ('``` {"a": "```"} ```', {"a": "```"}),
    ('{"a": \\n[1,\\t 2]\\n}', {"a": [1, 2]}),
    (r"{\"a\": \"b \\ c\", \"d\": [\"e\"]}", {"a": "b \\ c", "d": ["e"]}),
    (r'{"query": \"it\'s\"}', {"query": "it's"}),
    ('{"a": 1, # one\n "b": 2 # two\n}', {"a": 1, "b": 2}),
]


@pytest.mark.parametrize(("text", "value"), REPAIRS)
def test_what_can_be_put_right(text: str, value: Any) -> None:
    for pieces in cuts(text):
        assert same_json(read_json(read(pieces)), value), pieces


@pytest.mark.parametrize(("text", "value"), REPAIRS)
def test_a_repair_is_told(text: str, value: Any) -> None:
    reader = JsonReader()
    reader.feed(text)
    reader.finish()
    double = text.count('"a"') > 1 or "\\u0061" in text
    assert not reader.unreadable
    assert reader.repairs.altered or double or text.endswith("it's\"}")


UNREADABLE = [
    '{"a": // x',
    '{"a": /* x',
    '{"a" // x',
    '{"a": 1 // x',
    '{"a": 1, /* x',
    '{"a": 1, // "x"\n "b": 2}',
    '{"a": [1 /',
    '{"a": 1 /',
    '{"a": /',
    '{"a" /',
    '{"a": "x" /',
    '{"a": "x',
    '{"a": "x\\',
    '{"a": "\\u00',
    '{"a": tru',
    '{"a": -',
    '{"a": 1.5.',
    '{"a"',
    '{"a": ',
    '{"a": 1, "b',
    "// x",
    "{...}",
    "{invalid json}",
    "<args>",
    '{"a": x}',
    '{"a": two words}',
    "{a b: 1}",
    "{1: 2}",
    '{"a": 2 + 3}',
    '{"a": 15:30}',
    '{"a": f(x)}',
    '{"a": `x`}',
    '{"a": "/tmp" + name}',
    '{"a": "x".join(y)}',
    '{"a": "x" "y"}',
    '["x" "y"]',
    '{"a": 1 "b": 2}',
    '{"a" 1}',
    '{"a": 1,, "b": 2}',
    '[{"a": 1} {"a": 2}]',
    '{"a": [1, 2}',
    '{"a": {"b": 1]',
    '{"a": "x, "b": "y"}',
    '{"a": "x", b": 1}',
    '{"a": x", "b": 1}',
    '{"a": "say "hi"", "a": 1}',
    '{"a": "say "hi""',
    '{"a": """x""""}',
    "[\u0661, 1\u0662]",
    "{{args}}",
    '{{"a": {{"b": 1}}}}',
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_nothing_explains_is_unreadable(text: str) -> None:
    """Defect A2: nothing is invented, nothing is closed, and what has left is a prefix of what is written."""
    for pieces in cuts(text):
        reader = JsonReader()
        for piece in pieces:
            if not reader.unreadable:
                reader.feed(piece)
        assert (reader.finish(), reader.unreadable, reader.done) == ("", True, False), pieces


def test_a_long_number_is_kept_at_every_cut() -> None:
    text = f'{{"n": 0.{"1" * 5000}, "m": 1}}'
    assert read([text]) == text
    assert read(chunks(text, 100)) == text


# -- anything at all -------------------------------------------------------------------------------------------------

SEEDS = [
    '{"path": "a.py", "text": "def f():\\n    return {\'a\': 1}\\n", "n": -1.5e3}',
    '[{"a": [true, false, null]}, {"b": {"c": {}}}, [], ""]',
    '{"a": 1, "b": 2, "a": 3, "c": {"a": 1, "a": 2}, "d": [1, [2, [3]]]}',
    "{'a': True, b: None, // x\n 'c': [1,],}",
    '{"re": "\\\\d+", "u": "\\ud83d\\ude00", "q": "\\"", "é": "서울"}',
    "NaN",
    '"text"',
    "-12.50",
]
NOISE = [*"{}[]\"':,\\/*\n #=0-.eu", "\\u", "\\'", "//", "/*", "*/", "NaN", "None", "```", "😀", '{"a":', "\x00"]


def mutated(dice: random.Random) -> str:
    text = dice.choice(SEEDS)
    for _ in range(dice.randint(1, 4)):
        place = dice.randint(0, len(text))
        end = min(len(text), place + dice.randint(0, 6))
        kind = dice.randint(0, 3)
        if kind == 0:
            text = text[:place] + text[end:]
        elif kind == 1:
            text = text[:place] + dice.choice(NOISE) + text[place:]
        elif kind == 2:
            text = text[:end] + text[place:]
        else:
            text = text[:place] + dice.choice(NOISE) + text[end:]
    return text


def outcome(pieces: Iterable[str]) -> str | None:
    """All that comes out of these pieces, or None if they are unreadable."""
    reader = JsonReader()
    out = ""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.done or reader.unreadable:
            break
    out += reader.finish()
    return None if reader.unreadable else out


def test_mutated_json_never_raises_and_is_json_or_unreadable() -> None:
    dice = random.Random(7)
    for number in range(2000):
        text = mutated(dice)
        whole = outcome([text])
        if whole and whole.strip():
            read_json(whole)
        pieces = [chunks(text, 1), chunks(text, 3), random_cut(text, number)]
        if number % 20 == 0:
            pieces += [[text[:place], text[place:]] for place in range(1, len(text))]
        for each in pieces:
            assert outcome(each) == whole, each


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(alphabet="{}[]\"':,\\/*\n ab1NTu-"))
def test_noise_is_json_or_unreadable(text: str) -> None:
    whole = outcome([text])
    if whole and whole.strip():
        read_json(whole)
    assert outcome(text) == whole


def test_depth_and_length_are_no_matter() -> None:
    assert read(["[" * 128 + "]" * 128]) == "[" * 128 + "]" * 128
    assert outcome(["[" * 100_000]) is None
    assert read([f"[{'[], ' * 200}1]"]) == f"[{'[], ' * 200}1]"
    assert outcome(["[" * 129 + "]" * 129]) is outcome("[" * 129 + "]" * 129) is None
    assert outcome([string.ascii_letters * 10_000]) is None


# -- strict ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "exact", "lenient"),
    [
        ('{"a": 1.50}', '{"a": 1.50}', '{"a": 1.50}'),
        (" 17 ", "17", "17"),
        ('"x"', '"x"', '"x"'),
        ("null", "null", "null"),
        ("None", None, "null"),
        ("{'a': True}", None, '{"a": true}'),
        ("[1, 2", None, None),
        ("1 2", None, None),
        ("abc", None, None),
        ("007", None, '"007"'),
        ("0x1F", None, '"0x1F"'),
        ("NaN", None, '"NaN"'),
        ("", None, None),
        ("{}{}", None, None),
    ],
)
def test_strict(text: str, exact: str | None, lenient: str | None) -> None:
    assert strict(text) == exact
    assert strict(text, lenient=True) == lenient


# -- what was done is told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('{"a": [1, true, null, "x"]}', []),
        ("{'a': True,}", ["arguments_repaired"]),
        ('```json\n{"a": 1}\n```', ["arguments_repaired"]),
        ('{"a": 1, "a": 2}', ["duplicate_key"]),
        ('{"a": {"b": 1}', ["arguments_closed"]),
        ("{'a': {'b': 1}", ["arguments_repaired", "arguments_closed"]),
        ('{"a": "b', []),
        ('{"a": "b "c""}', ["arguments_repaired"]),
    ],
)
def test_what_was_done_is_told(text: str, codes: list[str]) -> None:
    for pieces in cuts(text):
        reader = JsonReader()
        for piece in pieces:
            reader.feed(piece)
        reader.finish()
        assert reader.codes == codes, pieces


def test_what_stands_behind_a_closing_fence_is_the_rest() -> None:
    for text, rest in (('```\n{"a": 1}\n``` x', " x"), ('```\n{"a": 1}\nx', "x"), ('{"a": 1}\n```', "\n```")):
        reader = JsonReader()
        assert (reader.feed(text).strip(), reader.rest, reader.done) == ('{"a": 1}', rest, True)


def test_a_long_value_costs_the_same_per_piece_as_a_short_one() -> None:
    def seconds(size: int) -> float:
        text = json.dumps({"a": [{"n": n, "s": "x y"} for n in range(size)]})
        times = []
        for _ in range(3):
            reader, began = JsonReader(), time.perf_counter()
            for place in range(0, len(text), 4):
                reader.feed(text[place : place + 4])
            times.append((time.perf_counter() - began) / len(text))
        return min(times)

    assert seconds(20_000) < 3 * seconds(1_000)
