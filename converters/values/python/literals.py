"""Python literals read as JSON text: what models write as the arguments of a Python call. Nothing is ever evaluated.

Constants, strings, lists, tuples, sets and dicts; `true`, `false` and `null` are taken too. Names, calls, operators and
f-strings are no literals. Numbers are written as in JSON; `inf` and `nan`, which JSON lacks, become strings.

It may not know what the value is for.
"""

from __future__ import annotations

import re

from converters.values.json.output import quote

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])")
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_NOT_FINITE = re.compile(r"-?(?:inf|nan|Infinity|NaN)\b")
_STRING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
ESCAPE = re.compile(r"\\(?:\n|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_DEPTH = 64


class NotLiteral(Exception):
    """The text is no literal; caught in this file and by nobody else's surprise."""


def literal(text: str) -> str | None:
    """The JSON text of a text that is one Python literal as a whole, or None."""
    text += "\n"  # the text is whole: two quotes at its end are not the first of three
    try:
        value, place = _value(text, _skip(text, 0), 0)
    except NotLiteral:
        return None
    return value if _skip(text, place) == len(text) else None


def string_end(text: str, place: int) -> int:
    """The place behind the string that opens at `place`; -1 if the text ends inside it, or inside its opener."""
    opener = _STRING.match(text, place)
    if opener is None:
        return -1
    quotes = opener[2]
    if len(quotes) == 1 and text[opener.end() :] == quotes:
        return -1  # an empty string, or the first two quotes of three
    place = opener.end()
    while True:
        end = text.find(quotes, place)
        if end < 0:
            return -1
        before = end
        while before > opener.end() and text[before - 1] == "\\":
            before -= 1
        if (end - before) % 2 == 0:
            return end + len(quotes)
        place = end + 1


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _value(text: str, place: int, depth: int) -> tuple[str, int]:
    if place >= len(text) or depth > _DEPTH:
        raise NotLiteral
    letter = text[place]
    if letter in "[(":
        return _sequence(text, place, depth)
    if letter == "{":
        return _braces(text, place, depth)
    if _STRING.match(text, place):
        return _strings(text, place)
    not_finite = _NOT_FINITE.match(text, place)
    if not_finite:
        return quote(not_finite.group()), not_finite.end()
    number = _NUMBER.match(text, place)
    if number:
        return number.group(), number.end()
    word = _WORD.match(text, place)
    if word and word.group() in _WORDS:
        return _WORDS[word.group()], word.end()
    raise NotLiteral


def _strings(text: str, place: int) -> tuple[str, int]:
    """One string, or several side by side, which Python joins."""
    joined = ""
    while match := _STRING.match(text, place):
        end = string_end(text, place)
        if end < 0:
            raise NotLiteral
        inner = text[match.end() : end - len(match[2])]
        joined += inner if match[1] in ("r", "R") and match[1] else ESCAPE.sub(unescaped, inner)
        place = end
        after = _skip(text, place)
        if not _STRING.match(text, after):
            break
        place = after
    return quote(joined), place


def unescaped(match: re.Match[str]) -> str:
    """What an ESCAPE in a string stands for."""
    for code, base in ((match[1], 16), (match[2], 16), (match[3], 16), (match[4], 8)):
        if code is not None:
            number = int(code, base)
            return chr(number) if number < 0x110000 else match.group()
    letter = match[5]
    if letter is None:
        return ""  # a backslash at the end of a line joins it with the next
    return _LETTERS.get(letter, match.group())


def _sequence(text: str, place: int, depth: int) -> tuple[str, int]:
    closer = "]" if text[place] == "[" else ")"
    items: list[str] = []
    place = _skip(text, place + 1)
    while text[place : place + 1] != closer:
        item, place = _value(text, place, depth + 1)
        items.append(item)
        place = _comma(text, place, closer)
    return f"[{', '.join(items)}]", place + 1


def _braces(text: str, place: int, depth: int) -> tuple[str, int]:
    """A dict, or a set, which becomes a list. A key that stands twice: the first wins."""
    members: dict[str, str] = {}
    items: list[str] = []
    place = _skip(text, place + 1)
    while text[place : place + 1] != "}":
        key, place = _value(text, place, depth + 1)
        place = _skip(text, place)
        if text[place : place + 1] == ":":
            value, place = _value(text, _skip(text, place + 1), depth + 1)
            members.setdefault(key if key.startswith('"') else quote(key), value)
        else:
            items.append(key)
        place = _comma(text, place, "}")
    if items and members:
        raise NotLiteral
    joined = ", ".join(f"{key}: {value}" for key, value in members.items())
    return (f"[{', '.join(items)}]" if items else f"{{{joined}}}"), place + 1


def _comma(text: str, place: int, closer: str) -> int:
    place = _skip(text, place)
    if text[place : place + 1] == ",":
        return _skip(text, place + 1)
    if text[place : place + 1] != closer:
        raise NotLiteral
    return place
