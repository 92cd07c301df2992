"""The grammar of JSON as regular expressions over bytes, the same as `json.loads` reads.

A run is many small values in one match, so that long lists cost no step of ours for each item. The expressions find
no other way through a text once they have failed: their time is linear.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache

NESTED = 3
"""Levels of containers that one value of a run may have."""

_WS = rb"[ \t\n\r]*"
_ONCE = b"+" if sys.version_info >= (3, 11) else b""
"""Possessive: a string that the slice cuts off is not tried again from each of its characters, which takes a hundred
times as long as to read it. Python 3.10 has nothing like it: there it takes that long, still in linear time."""
_PLAIN = rb'[^"\\\x00-\x1f]*' + _ONCE
_REST_OF_STRING = _PLAIN + rb'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})' + _PLAIN + rb")*"
_STRING = b'"' + _REST_OF_STRING + b'"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SCALAR = _NUMBER + rb"|true|false|null|NaN|-?Infinity"

BLANKS = re.compile(_WS)
REST_OF_STRING = re.compile(_REST_OF_STRING)
"""A string behind its first quote, as far as it is right."""
SCALAR = re.compile(b"-?Infinity|" + _SCALAR)
"""A number or a word."""
DIGITS = re.compile(rb"[0-9]*")


def _value(nested: int) -> bytes:
    """A value with at most so many levels of containers that hold something."""
    scalar = _STRING + b"|" + _SCALAR
    if not nested:
        return b"(?:" + scalar + rb"|\[" + _WS + rb"\]|\{" + _WS + rb"\})"
    inner = _value(nested - 1) + _WS
    items = rb"\[" + _WS + b"(?:" + inner + b"(?:," + _WS + rb"(?!\])|(?=\])))*\]"
    members = rb"\{" + _WS + b"(?:" + _STRING + _WS + b":" + _WS + inner + b"(?:," + _WS + rb"(?!\})|(?=\})))*\}"
    return b"(?:" + scalar + b"|" + items + b"|" + members + b")"


@lru_cache(maxsize=2 * NESTED + 2)
def items(nested: int) -> re.Pattern[bytes]:
    """Items of a list, each with a comma behind it or, the last of all, with the bracket, which stays outside."""
    return re.compile(b"(?:" + _WS + _value(nested) + _WS + rb"(?:,|(?=\])))*")


@lru_cache(maxsize=64)
def members(nested: int, names: frozenset[str] = frozenset()) -> re.Pattern[bytes]:
    """The same for members of an object, but for those with these `names`, and then none whose name has escapes."""
    name = _STRING
    if names:
        others = b"|".join(re.escape(each.encode()) for each in sorted(names))
        name = b'(?!"(?:' + others + b')")"' + _PLAIN + b'"'
    return re.compile(b"(?:" + _WS + name + _WS + b":" + _WS + _value(nested) + _WS + rb"(?:,|(?=\})))*")
