"""What ends a string: what stands behind a quote, and what follows from that. In near-JSON and in Python calls.

`look` reads what stands there, `verdict` decides. A quote ends its string if what follows could follow a value; once a
quote was data, the quotes inside are counted, and what cannot be told makes the arguments unreadable. Nothing here
keeps state or knows how a string is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from converters.values.json.between import LIMIT, WAIT, blanks_end, weight

Follow = Literal["anything", "row", "member", "call"]
"""What may stand behind the whole value: anything; what a row has behind arguments, which is never a quote, a comma or
a colon; or also a comma and the next member of the object that the arguments stand in; or, behind the bracket of a
Python call, also any comma."""

What = Literal["fits", "key", "misfit", "expression", "waits", "over", "ended", "ending", "undecided"]
"""`over`: so far, the whole value ends here; what has come behind it does not tell yet. `ended`: the arguments end
here, and closers are missing. `ending`: so they may, if what has come is half of such an end."""
Verdict = Literal["ends", "data", "unreadable", "waits"]

CLOSERS = {"}": "{", "]": "[", ")": "(", "｝": "{", "］": "["}
COMMAS = ",，"
COLONS = ":："
QUOTES = "\"'“”‘’"
SEEN = 80
"""Characters of a string that are remembered for SEEMS_CLOSED."""
SEEMS_CLOSED = re.compile(r"""\\["']\s*(?:[,}\])]\s*)+(?:[\w$.-]+\s*[:=]\s*)?\Z""")
"""What stands before the first inner quote of a string where an escaped one may have been meant to end it: `"C:\\"`."""
_LONGEST_END = 80
_LONGEST_BLANKS = 4096
"""Behind the whole value, so many blanks are waited for at most."""

_QUOTED = {
    "'": re.compile(r"'([^'\\]*(?:\\.[^'\\]*)*)(')?", re.DOTALL),
    '"': re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)(")?', re.DOTALL),
    "\\": re.compile(r'\\"([^"\\]*(?:\\[^"][^"\\]*)*)(\\")?', re.DOTALL),
    "“": re.compile("“([^”]*)(”)?"),
    "‘": re.compile("‘([^’]*)(’)?"),
}
IDENTIFIER = re.compile(r"[^\W\d][\w$.-]*|\$[\w$.-]*")
_NAME = re.compile(r"[^\W\d]\w*")
_LITERAL = re.compile(r"(?:true|false|null|True|False|None|-?\d[\w.+-]*)(?!\w)")
_HALF_WORD = re.compile(r"[\w.+-]+\Z")
_OPERATOR = re.compile(
    r"(?:[-+*/%.|&<>=!?^@]{1,3}|(?:if|else|and|or|in|not|is|for)\b(?=\s))\s*(?:[\w\"'`(\[{$\\]|(?P<half>\Z))|[\[(]"
)
_HALF_OPERATOR = re.compile(r"(?:[a-z]{1,4}|[-+*/%.|&<>=!?^@]{1,3}\s*)\Z")

_NEXT_CALL = re.compile(r"[,，]\s*(?:[\w.-]{1,64}\s*(?:[{｛]|(?P<word>\Z))|(?P<half>\Z))")
"""Behind the whole value: another call without what should open it. It is no end, nor is it part of a string."""


class Found(NamedTuple):
    """What stands behind a quote. `end`: behind what was looked at; while it is not known, what is taken."""

    what: What
    end: int
    key: str = ""
    """As it is spelled between its quotes."""
    level: int = 0
    """How many containers are open around the key."""


Key: TypeAlias = Callable[[str, int], Found]
"""Reads a key with what belongs behind it: `key` if it is one, else `misfit` or `waits`."""


def json_key(text: str, pos: int, bare: re.Pattern[str] = IDENTIFIER) -> Found:
    """A key with its colon: in quotes, or `bare` directly before the colon (where a row writes so, behind blanks)."""
    quoted = _QUOTED.get(text[pos])
    if quoted is None:
        word = bare.match(text, pos)
        if word is None:
            return Found("misfit", pos + 1)
        end = word.end() if bare is IDENTIFIER else blanks_end(text, word.end())
        if end in (WAIT, len(text)):
            return Found("waits", len(text))
        return Found("key" if text[end] in COLONS else "misfit", end + 1, word.group())
    if text[pos] == "\\" and pos + 1 == len(text):
        return Found("waits", len(text))
    key = quoted.match(text, pos)
    if key is None:
        return Found("misfit", pos + 2)
    if key[2] is None:
        return Found("waits", len(text)) if key.end() >= len(text) - 1 else Found("misfit", key.end() + 1)
    after = blanks_end(text, key.end())
    if after in (WAIT, len(text)):
        return Found("waits", len(text))
    return Found("key" if text[after] in COLONS else "misfit", after + 1, key[1])


def python_key(text: str, pos: int) -> Found:
    """The name of an argument with its equals sign."""
    name = _NAME.match(text, pos)
    if name is None:
        return Found("misfit", pos + 1)
    after = blanks_end(text, name.end())
    if after in (WAIT, len(text)) or text[after:] == "=":
        return Found("waits", len(text))
    is_key = text[after] == "=" and text[after + 1] != "="
    return Found("key" if is_key else "misfit", after + 2, name.group())


def end_at(text: str, pos: int, ends: Sequence[str]) -> int:
    """The position behind one of these ends that stands here; 0 if none does, WAIT at the start of one."""
    for end in ends:
        if text.startswith(end, pos):
            return pos + len(end)
    rest = text[pos : pos + _LONGEST_END]
    return WAIT if any(len(rest) < len(end) and end.startswith(rest) for end in ends) else 0


def look(
    text: str,
    pos: int,
    openers: str,
    follow: Follow,
    ends: Sequence[str] = (),
    delimiter: str = "",
    key: Key = json_key,
    positional: bool = False,
) -> Found:
    """What stands from behind a quote on, inside the containers whose `openers` are given, the innermost last.

    `ends` are markers that end the arguments though closers are missing; `delimiter` is a token around strings, which
    stands for a quote. `positional`: a Python call that has had no
    named argument yet, so that a value may follow a comma.
    """
    found = _look(text, pos, openers, follow, ends, delimiter, key, positional)
    if found.what in ("over", "ending"):
        is_long = len(text) - found.end > _LONGEST_BLANKS or weight(text, found.end, len(text)) > LIMIT
        return found._replace(what="fits") if is_long else found
    if found.end - pos > LIMIT and weight(text, pos, found.end) > LIMIT:
        return Found("undecided", found.end)
    return found


def _look(
    text: str,
    pos: int,
    openers: str,
    follow: Follow,
    ends: Sequence[str],
    delimiter: str,
    key: Key,
    positional: bool,
) -> Found:
    depth, comma = len(openers), False
    while True:
        if not depth:
            return _behind_all(text, pos, follow)
        after = blanks_end(text, pos)
        if after in (WAIT, len(text)):
            return Found("waits", len(text))
        char = text[after]
        end = end_at(text, after, ends) if ends else 0
        if end:
            return Found("ending", after) if end == WAIT else Found("ended", end)
        if char in CLOSERS:
            if CLOSERS[char] != openers[depth - 1]:
                return Found("misfit", after + 1)
            depth, comma, pos = depth - 1, False, after + 1
        elif comma and delimiter and (end := end_at(text, after, [delimiter])):
            return _delimited(text, after, end, openers[:depth], delimiter)
        elif comma:
            return _behind_comma(text, after, openers[:depth], key, positional)
        elif char in COMMAS:
            comma, pos = True, after + 1
        else:
            if depth < len(openers):
                return Found("misfit", after + 1)
            return _expression(text, after, key if after > pos else None)


def _behind_all(text: str, pos: int, follow: Follow) -> Found:
    """Behind the whole value."""
    if follow == "anything":
        return Found("fits", pos)
    after = blanks_end(text, pos)
    if after in (WAIT, len(text)):
        return Found("over", pos)
    char = text[after]
    if follow == "member" and char in COMMAS:
        next_key = blanks_end(text, after + 1)
        if next_key in (WAIT, len(text)):
            return Found("over", pos)
        if text[next_key] in CLOSERS:
            return Found("fits", next_key + 1)
        found = json_key(text, next_key)
        if found.what == "waits":
            return Found("over", pos)
        return found._replace(what="fits") if found.what == "key" else found
    if follow == "row" and (call := _NEXT_CALL.match(text, after)):
        is_half = call["half"] is not None or call["word"] is not None
        return Found("over", pos) if is_half else Found("expression", call.end())
    never = char in QUOTES or char in COLONS or (char in COMMAS and follow != "call")
    return Found("misfit" if never else "fits", after + 1)


def _delimited(text: str, pos: int, end: int, openers: str, delimiter: str) -> Found:
    """Behind a comma, where a delimiter stands: a value, or a key between two of them."""
    if end == WAIT:
        return Found("waits", len(text))
    if openers[-1] == "[":
        return Found("fits", end)
    closes = text.find(delimiter, end)
    after = blanks_end(text, closes + len(delimiter)) if closes >= 0 else WAIT
    if after in (WAIT, len(text)):
        return Found("waits", len(text))
    is_key = text[after] in COLONS
    return Found("key" if is_key else "misfit", after + 1, text[end:closes], len(openers))


def _behind_comma(text: str, pos: int, openers: str, key: Key, positional: bool) -> Found:
    innermost = openers[-1]
    if innermost != "[":
        found = key(text, pos)
        if found.what != "misfit" or innermost == "{" or not positional:
            return found._replace(level=len(openers))
    if text[pos] in QUOTES or text[pos] in "{[｛［" or text.startswith('\\"', pos):
        return Found("fits", pos + 1)
    if text[pos] == "\\" and pos + 1 == len(text):
        return Found("waits", len(text))
    if _HALF_WORD.match(text, pos):
        return Found("waits", len(text))
    word = _LITERAL.match(text, pos)
    return Found("fits", word.end() + 1) if word else Found("misfit", pos + 1)


def _expression(text: str, pos: int, key: Key | None) -> Found:
    """Directly behind the quote: an operator and the start of a value, or another string, make an expression.

    A `key` (behind blanks) tells that a comma is missing, which nobody can tell from an expression either.
    """
    if text[pos] in "\"'":
        return Found("expression", pos + 1)
    if key is not None:
        found = key(text, pos)
        if found.what != "misfit":
            return found._replace(what="expression") if found.what == "key" else found
    operator = _OPERATOR.match(text, pos)
    if operator is None:
        return Found("waits", len(text)) if _HALF_OPERATOR.match(text, pos) else Found("misfit", pos + 1)
    return Found("waits", len(text)) if operator["half"] is not None else Found("expression", operator.end())


def verdict(found: Found, has_data: bool, odd: bool, declared: bool, finishing: bool) -> Verdict:
    """Whether the quote that this was found behind ends its string.

    `has_data`: a quote of this string was data. `odd`: the number of quotes inside it is. `declared`: the object that
    the key found would be in declares it, or declares none. `finishing`: no more text comes.
    """
    what = found.what
    if what in ("waits", "over", "ending"):
        if not finishing:
            return "waits"
        what = "fits" if what == "over" or not has_data else "undecided"
    if what == "expression":
        return "data" if has_data and odd else "unreadable"
    if what == "ended" and has_data:
        return "unreadable"
    if not has_data:
        return "data" if what == "misfit" else "ends"
    if what in ("misfit", "undecided"):
        return "data"
    if what == "key" and not declared:
        return "data" if odd else "unreadable"
    return "unreadable" if odd else "ends"
