"""Arguments that models damage: made at random, spelled as JSON or as a Python call, damaged, and read.

The oracle: what is read is exactly what was spelled, or unreadable, or holds no key and no value that decoding a
contiguous part of the damaged text cannot give. The same at every cut.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple

from converters.values.python.arguments import PythonArguments
from converters.values.writer import JsonArguments
from tests.helpers import read_object

Outcome = Literal["same", "unreadable", "other"]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "command": {"type": "string"},
        "path": {"type": "string"},
        "content": {"type": "string"},
        "timeout": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "options": {"type": "object", "properties": {"mode": {"type": "string"}, "depth": {"type": "integer"}}},
        "force": {"type": "boolean"},
        "any": {},
    },
}
STRINGS = (
    "ls -la",
    'echo "hi" && ls',
    "echo it's",
    "it's O'Fallon's",
    '<a href="x">y</a>',
    'say "a", then "b"',
    '"quoted"',
    '"',
    "'",
    '{"a": "b", "c": [1, "d"]}',
    'print("x", end="")\n',
    "x = {'k': 'v', \"n\": 1}\n",
    "awk '{print $1}' f | grep \"a\"",
    'if a == "b": return {"c": "d"}',
    '"a": "b"',
    'x", "timeout": 5',
    'path", "command": "rm -rf /',
    "a', timeout=5, b='",
    "# no comment",
    "https://a.b/c?d=e#f",
    "a // b /* c */",
    "C:\\new\\x",
    "\\d+\\.\\w",
    "",
    " ",
    "a\nb",
    "서울 😀",
    "“typographic”",
    "全，角：",
    '"""doc"""',
    "'''doc'''",
    "a + b",
    '"a" + "b"',
    "5\" x 6'",
    "}",
    '"}',
    '"]}',
    "]",
    "{",
    "[",
    "\\",
    '\\"',
    "null",
    "123",
)
WORDS = ("the", "said", "'", '"', ",", ":", "{", "}", "[", "]", "\n", " ", "+", "\\", "it's", '"x"', "path", "timeout")


class Damaged(NamedTuple):
    arguments: dict[str, Any]
    text: str
    damage: str
    python: bool


def _string(dice: random.Random) -> str:
    if dice.random() < 0.6:
        return dice.choice(STRINGS)
    return "".join(dice.choice(WORDS) + dice.choice(("", " ")) for _ in range(dice.randint(1, 8)))


def _value(dice: random.Random, key: str, depth: int = 0) -> Any:
    if key in ("command", "path", "content", "mode"):
        return _string(dice)
    if key in ("timeout", "depth"):
        return dice.choice((0, 5, -1, 120))
    if key == "tags":
        return [_string(dice) for _ in range(dice.randint(0, 3))]
    if key == "options":
        return {name: _value(dice, name) for name in ("mode", "depth") if dice.random() < 0.7}
    if key == "force":
        return dice.random() < 0.5
    kind = dice.random()
    if depth > 1 or kind < 0.5:
        return dice.choice((_string(dice), 1.5, None, True, 7))
    if kind < 0.75:
        return {name: _value(dice, "any", depth + 1) for name in ("a", "b") if dice.random() < 0.7}
    return [_value(dice, "any", depth + 1) for _ in range(dice.randint(0, 3))]


def arguments(dice: random.Random) -> dict[str, Any]:
    keys = dice.sample(sorted(SCHEMA["properties"]), dice.randint(1, 4))
    made = {key: _value(dice, key) for key in keys}
    if dice.random() < 0.1:
        made["undeclared"] = _string(dice)
    return made


# -- damages ---------------------------------------------------------------------------------------------------------


def without_escapes(dice: random.Random, text: str) -> str:
    """Inner quotes that the model forgot to escape: all of them, or some."""
    every = dice.random() < 0.5

    def damaged(found: re.Match[str]) -> str:
        return found[1] if found[1] in "\"'" and (every or dice.random() < 0.5) else found[0]

    return re.sub(r"\\(.)", damaged, text)


def _drop(characters: str) -> Callable[[random.Random, str], str]:
    def damaged(dice: random.Random, text: str) -> str:
        places = [place for place, char in enumerate(text) if char in characters]
        place = dice.choice(places) if places else 0
        return text[:place] + text[place + 1 :] if places else text

    return damaged


def _double(characters: str) -> Callable[[random.Random, str], str]:
    def damaged(dice: random.Random, text: str) -> str:
        places = [place for place, char in enumerate(text) if char in characters]
        place = dice.choice(places) if places else 0
        return text[:place] + text[place : place + 1] + text[place:]

    return damaged


def _put(*what: str) -> Callable[[random.Random, str], str]:
    def damaged(dice: random.Random, text: str) -> str:
        place = dice.randint(0, len(text))
        return text[:place] + dice.choice(what) + text[place:]

    return damaged


def _behind(char: str, *what: str) -> Callable[[random.Random, str], str]:
    def damaged(dice: random.Random, text: str) -> str:
        places = [place for place, each in enumerate(text) if each == char]
        place = dice.choice(places) + 1 if places else 0
        return text[:place] + dice.choice(what) + text[place:]

    return damaged


DAMAGES: dict[str, Callable[[random.Random, str], str]] = {
    "none": lambda dice, text: text,
    "inner quotes": without_escapes,
    "a quote missing": _drop("\"'"),
    "a quote too many": _double("\"'"),
    "a comma or colon missing": _drop(",:="),
    "a comma or colon too many": _double(",:="),
    "a brace missing": _drop("{}[]()"),
    "a brace too many": _double("{}[]()"),
    "a backslash missing": _drop("\\"),
    "cut": lambda dice, text: text[: dice.randint(0, len(text))],
    "comment": _put("// c\n", "/* c */", "# c\n", '// "c"\n', "/* c"),
    "blank": _put("\u00a0", "\u3000", "\u200b", "\ufeff", "\n"),
    "raw newlines": lambda dice, text: text.replace("\\n", "\n"),
    "literals": lambda dice, text: text.replace("true", "True").replace("null", "None"),
    "triple quotes": lambda dice, text: re.sub(r': "((?:[^"\\]|\\.)*)"', r': """\1"""', text, count=1),
    "concatenation": _behind('"', ' + "x"', " + name", ' "x"', '.join("x")'),
    "full-width": lambda dice, text: text.replace(":", "：", 1) if dice.random() < 0.5 else text.replace(",", "，", 1),
    "single quotes": lambda dice, text: re.sub(r'(?<!\\)"', "'", text),
    "keys without quotes": lambda dice, text: re.sub(r'"(\w+)": ', r"\1: ", text),
}


def damaged(number: int, python: bool = False, only: str = "") -> Damaged:
    """The damaged arguments number N, with one damage (`only` this one), or now and then two."""
    dice = random.Random(number)
    made = arguments(dice)
    if python:
        text = ", ".join(f"{key}={value!r}" for key, value in made.items()) + ")"
    else:
        text = json.dumps(made, ensure_ascii=dice.random() < 0.3, indent=dice.choice((None, None, 1)))
    names = [only] if only else [dice.choice(list(DAMAGES)) for _ in range(2 if dice.random() < 0.2 else 1)]
    for name in names:
        text = DAMAGES[name](dice, text)
    return Damaged(made, text, " and ".join(names), python)


# -- reading ---------------------------------------------------------------------------------------------------------


def read(case: Damaged, pieces: Iterable[str]) -> tuple[str, bool]:
    """(the JSON that came out, whether the arguments can be delivered)"""
    reader = PythonArguments(SCHEMA) if case.python else JsonArguments(SCHEMA)
    out = rest = ""
    for piece in pieces:
        if reader.done:
            rest += piece
        else:
            out += reader.feed(rest + piece)
            rest = reader.rest
    if not reader.done:
        out += reader.finish()
    return out, not reader.unreadable and rest.strip("\u200b\ufeff \n\u00a0\u3000") in ("", "}", "]", ")")


_ESCAPE = re.compile(r'\\(?:(["\\/abfnrtv\'])|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))')
_MEANS = {"a": "\a", "v": "\v", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def decoded(text: str) -> str:
    """The text with its escapes decoded."""

    def meant(found: re.Match[str]) -> str:
        return _MEANS.get(found[1], found[1]) if found[1] else chr(int(found[2] or found[3], 16))

    decoded = _ESCAPE.sub(meant, text)
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def invented(value: Any, text: str, views: Sequence[str]) -> str | None:
    """A key or a value that no contiguous part of the text decodes to; None if there is none."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            if not any(value in view for view in views) and json.dumps(value)[1:-1] not in text:
                inside = decoded(json.dumps(value)[1:-1].replace("\\\\", "\\"))
                if not any(inside in view for view in views):
                    return value
        elif json.dumps(value) not in text and repr(value) not in text:
            return json.dumps(value)
    return None


def check(case: Damaged, cuts: Iterable[Sequence[str]]) -> Outcome:
    """What became of the arguments. Fails if anything was invented, or depends on where the text is cut."""
    whole, readable = read(case, [case.text])
    for pieces in cuts:
        out, same = read(case, pieces)
        assert same == readable and (out == whole or not readable), (case.text, pieces)
    if not readable:
        return "unreadable"
    found = read_object(whole)
    if found == case.arguments:
        return "same"
    joined = case.text.replace("\\\n", "") if case.python else case.text
    wrong = invented(found, case.text, [case.text, decoded(case.text), decoded(joined)])
    assert wrong is None, (case, found, wrong)
    return "other"
