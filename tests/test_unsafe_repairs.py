"""What a repair must leave alone: strings that look like something else, in every row and every spelling.

A repair that changes the meaning of a string that was right is worse than none, because nobody notices it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from converters.render import render_calls
from converters.text.events import ArgumentsDelta
from converters.values.json.reader import JsonReader
from tests.cases import in_one_test
from tests.fuzz import ambiguous
from tests.helpers import ROWS, assemble, cuts, meaning, parse, read_json
from tests.scale import share

STRINGS = {
    "apostrophe": "what's the weather in O'Fallon, isn't it?",
    "quotes": "he said \"it's 'fine'\" and left",
    "true": "true",
    "False": "False",
    "null": "null",
    "None": "None",
    "nan": "NaN",
    "zip code": "00123",
    "zip plus four": "02134-0001",
    "phone": "+1 (555) 010-9999",
    "integer": "42",
    "decimal": "15.000",
    "exponent": "1e5",
    "hex": "0x1F",
    "version": "3.10",
    "date": "2026-11-20",
    "big id": "123456789012345678901234567890",
    "empty": "",
    "blank": " ",
    "indented": "    if x:\n        return 1\n",
    "trailing newline": "a\nb\n",
    "leading newline": "\n# title",
    "tabs": "a\tb\t\n",
    "regex": r"^(?:\d{3}-)?\w+\s*\[[^\]]*\]\.\$$",
    "regex with quotes": r"""(["'])(?:\\.|(?!\1).)*\1""",
    "windows path": r"C:\new\table\users\x64\bin",
    "unc path": "\\\\server\\share\\",
    "escaped newline": r"echo 'a\nb' | sed 's/\\n/\n/g'",
    "unicode escape": r"\u0041 and \x41 and \uZZZZ",
    "backslash at the end": "C:\\",
    "diff": "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = {'k': [1,]}\n+a = {\"k\": [2]}\n\\ No newline at end of file\n",
    "html": '<p class="a">a &amp; b &lt; c &quot;d&quot; &#39;e&#39;</p>',
    "double entity": "&amp;amp;lt;",
    "object": '{"a": 1, "b": [true, null]}',
    "broken object": '{"a": 1,',
    "array": "[1, 2, 3]",
    "python": "{'a': True, 'b': None}",
    "quoted": '"already quoted"',
    "json in json": json.dumps({"body": json.dumps({"query": 'say "hi"'})}),
    "trailing comma": "[1, 2,]",
    "comment": "// not a comment /* nor this */ # nor that",
    "url": "https://example.com/a//b?x=1&y=%7B%22z%22%3A1%7D#frag",
    "fence": "```json\n{'a': 1}\n```",
    "braces": "{{ user.name }} {% if x %}}{% endif %}",
    "shell": 'awk \'{print $1}\' f.txt && echo "${X:-\\"d\\"}" > /dev/null; # done',
    "latex": r"\frac{a}{b} \newline \textbf{x} \\",
    "markup": "<tool> & </tool> <arg> <b>x</b>",
    "unicode": "서울 😀 \u2028 é ﬁ",
    "control": "a\x00b\x1f\x7f",
    "function prefix": "functions.get_weather",
    "closing braces": '}}"}]}',
    "keyword": "x=1, y='2'",
}
each_string = in_one_test("text", STRINGS.values(), ids=STRINGS)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "either": {"type": ["string", "null"]},
        "nested": {"type": "object", "properties": {"text": {"type": "string"}, "n": {"type": "integer"}}},
        "list": {"type": "array", "items": {"type": "string"}},
    },
}


def _arguments(text: str) -> dict[str, Any]:
    return {"text": text, "nested": {"text": text, "n": 3}, "list": [text, "x"]}


@pytest.mark.parametrize("row", ROWS)
def test_a_string_that_is_right_is_left_alone(row: str) -> None:
    every = [made for text in STRINGS.values() for made in (_arguments(text), {"text": text})]
    for arguments in share(every, 2, list(ROWS).index(row)):
        if ambiguous(row, arguments):
            continue
        written = render_calls(ROWS[row], [("put", arguments)])
        events = parse(written, {"put": SCHEMA}, row=row)
        message = assemble(events)
        assert message.arguments == [arguments], written
        assert not {"arguments_repaired", "arguments_retyped", "duplicate_key"} & set(message.noted)
        assert meaning(parse(written, {"put": SCHEMA}, list(written), row=row)) == meaning(events)


JSON_ROWS = [row for row, syntax in ROWS.items() if syntax.shape in ("json_object", "named_json") and syntax.keys[0]]


@in_one_test("row", JSON_ROWS)
def test_valid_json_keeps_its_bytes(row: str) -> None:
    for text in STRINGS.values():
        arguments = {**_arguments(text), "either": text}
        events = parse(render_calls(ROWS[row], [("put", arguments)]), {"put": SCHEMA}, row=row)
        sent = "".join(event.delta for event in events if isinstance(event, ArgumentsDelta))
        assert sent == json.dumps(arguments, ensure_ascii=False)
        assert "arguments_repaired" not in assemble(events).noted


@each_string
def test_a_slip_elsewhere_does_not_touch_a_string(text: str) -> None:
    """Beside a slip of every kind, a string that is spelled in JSON stays what it is, at every cut."""
    quoted = json.dumps(text)
    for slipped in (
        f'{{"a": {quoted}, "b": True,}}',
        f"{{'x': 'y', \"a\": {quoted}}}",
        f'{{x: 1, /* why */ "a": {quoted} // so\n}}',
        f'{{{{"a": {quoted}}}}}',
        f'```json\n{{"a": {quoted}, }}\n```',
        f'{{"b": 1, "a": {quoted}',
        f'{{"a": {quoted}, "a": 0}}',
    ):
        for pieces in cuts(slipped, pairs=40, randoms=2):
            reader = JsonReader()
            out = "".join(reader.feed(piece) for piece in pieces if not reader.done) + reader.finish()
            assert read_json(out)["a"] == text, (slipped, pieces)


@in_one_test(
    ("text", "means"),
    [
        ('"it\'s"', "it's"),
        (r"'it\'s'", "it's"),
        ("'say \"hi\"'", 'say "hi"'),
        (r"'C:\\x'", r"C:\x"),
        (r"'C:\dir'", r"C:\dir"),
        ('"line\nbreak"', "line\nbreak"),
        (r'"\d+\.\w"', r"\d+\.\w"),
        ('"tab\there"', "tab\there"),
    ],
)
def test_a_string_in_another_spelling_means_what_was_written(text: str, means: str) -> None:
    for pieces in cuts(f"[{text}]"):
        reader = JsonReader()
        out = "".join(reader.feed(piece) for piece in pieces if not reader.done) + reader.finish()
        assert read_json(out) == [means], pieces


@in_one_test("row", ["glm45", "qwen3_coder", "claude"])
def test_a_string_that_may_be_null_is_only_null_where_it_says_so(row: str) -> None:
    for text in set(STRINGS.values()) - {"null"}:
        if not ambiguous(row, {"either": text}):
            written = render_calls(ROWS[row], [("put", {"either": text})])
            assert assemble(parse(written, {"put": SCHEMA}, row=row)).arguments == [{"either": text}]
