"""Conversion of Python literals to JSON text, without evaluating anything.

Reads constants, strings, lists, tuples, sets and dicts, and also `true`, `false` and `null`. Names, calls, operators
and f-strings are no literals. Numbers must be spelled as in JSON; `inf` and `nan`, which JSON lacks, become strings.

It may not know what the value is for.
"""

from __future__ import annotations

import re

from converters.values.json.between import BLANKS
from converters.values.json.output import paired, quote
from converters.values.json.words import is_finite

_SPACE = re.compile(rf"[{BLANKS}]*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])")
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_NOT_FINITE = re.compile(r"-?(?:inf|nan|Infinity|NaN)\b")
_STRING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
ESCAPE = re.compile(r"\\(?:\n|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
HALF_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-7]{1,2})?\Z")
HIGH = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")
PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
HALF_PAIR = re.compile(r"\\u[0-9a-fA-F]{4}(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_DEPTH = 64
"""Levels of nesting that are read."""


class _NotLiteral(Exception):
    """The text is no literal. Does not leave this file."""


def literal(text: str) -> str | None:
    """The JSON text of one Python literal; None if the text is anything else."""
    text += "\n"  # so that two quotes at the end are an empty string, not the start of three
    try:
        value, pos = _value(text, _skip(text, 0), 0)
    except _NotLiteral:
        return None
    return value if _skip(text, pos) == len(text) else None


def string_end(text: str, pos: int) -> int:
    """The position behind the string that opens at `pos`; -1 if the text ends inside it or inside its opener."""
    opener = _STRING.match(text, pos)
    if opener is None:
        return -1
    quotes = opener[2]
    if len(quotes) == 1 and text[opener.end() :] == quotes:
        return -1  # an empty string, or the first two of three quotes
    pos = opener.end()
    while True:
        end = text.find(quotes, pos)
        if end < 0:
            return -1
        before = end
        while before > opener.end() and text[before - 1] == "\\":
            before -= 1
        if (end - before) % 2 == 0:
            return end + len(quotes)
        pos = end + 1


def _skip(text: str, pos: int) -> int:
    match = _SPACE.match(text, pos)
    return match.end() if match else pos


def _value(text: str, pos: int, depth: int) -> tuple[str, int]:
    """(JSON of the value at a position, position behind it). Raises _NotLiteral, as the functions below do."""
    if pos >= len(text) or depth > _DEPTH:
        raise _NotLiteral
    char = text[pos]
    if char in "[(":
        return _sequence(text, pos, depth)
    if char == "{":
        return _braces(text, pos, depth)
    if _STRING.match(text, pos):
        return _strings(text, pos)
    not_finite = _NOT_FINITE.match(text, pos)
    if not_finite:
        return quote(not_finite.group()), not_finite.end()
    number = _NUMBER.match(text, pos)
    if number:
        return number.group() if is_finite(number.group()) else quote(number.group()), number.end()
    word = _WORD.match(text, pos)
    if word and word.group() in _WORDS:
        return _WORDS[word.group()], word.end()
    raise _NotLiteral


def _strings(text: str, pos: int) -> tuple[str, int]:
    """One string, or several on lines of their own, which Python concatenates."""
    joined = ""
    while match := _STRING.match(text, pos):
        end = string_end(text, pos)
        if end < 0:
            raise _NotLiteral
        inner = text[match.end() : end - len(match[2])]
        joined += inner if match[1] in ("r", "R") and match[1] else ESCAPE.sub(unescaped, inner)
        pos = end
        after = _skip(text, pos)
        if not _STRING.match(text, after):
            break
        if "\n" not in text[pos:after]:
            raise _NotLiteral  # perhaps a comma is missing, or an escape
        pos = after
    return quote(paired(joined)), pos


def unescaped(match: re.Match[str]) -> str:
    """The text that a match of ESCAPE stands for; itself if Python knows no such escape."""
    for code, base in ((match[1], 16), (match[2], 16), (match[3], 16), (match[4], 8)):
        if code is not None:
            number = int(code, base)
            return chr(number) if number < 0x110000 else match.group()
    char = match[5]
    if char is None:
        return ""  # a backslash before a newline joins the lines
    return _ESCAPED.get(char, match.group())


def _sequence(text: str, pos: int, depth: int) -> tuple[str, int]:
    closer = "]" if text[pos] == "[" else ")"
    items: list[str] = []
    pos = _skip(text, pos + 1)
    while text[pos : pos + 1] != closer:
        item, pos = _value(text, pos, depth + 1)
        items.append(item)
        pos = _comma(text, pos, closer)
    return f"[{', '.join(items)}]", pos + 1


def _braces(text: str, pos: int, depth: int) -> tuple[str, int]:
    """A dict, or a set, which becomes an array. Of a key that comes twice the first one wins."""
    members: dict[str, str] = {}
    items: list[str] = []
    pos = _skip(text, pos + 1)
    while text[pos : pos + 1] != "}":
        key, pos = _value(text, pos, depth + 1)
        pos = _skip(text, pos)
        if text[pos : pos + 1] == ":":
            value, pos = _value(text, _skip(text, pos + 1), depth + 1)
            members.setdefault(key if key.startswith('"') else quote(key), value)
        else:
            items.append(key)
        pos = _comma(text, pos, "}")
    if items and members:
        raise _NotLiteral
    joined = ", ".join(f"{key}: {value}" for key, value in members.items())
    return (f"[{', '.join(items)}]" if items else f"{{{joined}}}"), pos + 1


def _comma(text: str, pos: int, closer: str) -> int:
    pos = _skip(text, pos)
    if text[pos : pos + 1] == ",":
        return _skip(text, pos + 1)
    if text[pos : pos + 1] != closer:
        raise _NotLiteral
    return pos
