"""Strict JSON as it is written: open containers, a pending comma, and keys that come twice.

What `take` has returned so far is always a prefix of strict JSON. This file may not know what the input looked like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
from json.encoder import encode_basestring
from typing import Any, TypeAlias

_HALF = re.compile("[\ud800-\udfff]")
CLOSER = {"{": "}", "[": "]"}
OPENERS = {"｛": "{", "［": "["}
"""How full-width openers stand in JSON."""

Flow: TypeAlias = Callable[[str], "str | None"]
"""Short way for a piece that only continues a string: returns what to emit, or None if `feed` must take the piece.

It is valid until the next `feed`. The reader that handed it out keeps what the piece leaves undecided.
"""


def quote(text: str) -> str:
    """The JSON string of a text, quotes included."""
    return json.dumps(text, ensure_ascii=False)


def in_string(text: str) -> str:
    """A text as it stands inside a JSON string, without the quotes."""
    return encode_basestring(text)[1:-1]


def decoded(text: str) -> str:
    """The text that the inside of a JSON string stands for: `\\u0061` and `a` are the same."""
    return str(json.loads(f'"{text}"')) if "\\" in text else text


def paired(text: str) -> str:
    """The text with the halves of surrogate pairs joined; a half alone becomes U+FFFD."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Frame:
    """An open container: its opener, the keys it has, and what the reader's policy knows of its values."""

    __slots__ = ("context", "declared", "has_inner_quotes", "has_undeclared", "keys", "opener")

    def __init__(self, opener: str, context: Any, declared: Container[str] | None) -> None:
        self.opener = opener
        self.context = context
        self.declared = declared
        """The keys that an object should have; None if it may have any."""
        self.keys: set[str] = set()
        self.has_undeclared = False
        self.has_inner_quotes = False
        """A string in it held a quote that was not escaped."""

    def declares(self, key: str) -> bool:
        return self.declared is None or key in self.declared


class JsonOutput:
    """Collects strict JSON: `put` adds text, `take` removes what has been added.

    A comma is held back until something follows it, so that none trails. Between `capture` and `release` text is
    gathered instead of written. A member whose key its object has is dropped: the first one may have been taken.
    """

    __slots__ = ("_comma", "_dropping", "_out", "captured", "frames", "last_key")

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.captured: list[str] | None = None
        """A key, or a string whose type must be known first, in strict JSON without quotes; None outside of one."""
        self.last_key = ""
        """The last whole key, decoded."""
        self._comma = ""  # the pending comma with the white space behind it
        self._dropping = 0  # depth of the object whose current member is dropped; 0 if none is
        self._out: list[str] = []

    @property
    def streams(self) -> bool:
        """Whether what is put now can be taken as it is."""
        return self.captured is None and not self._dropping

    def take(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def put(self, text: str) -> None:
        if self.captured is not None:
            self.captured.append(text)
        elif self._dropping:
            self._comma = ""
        else:
            if self._comma:
                self._out.append(self._comma)
                self._comma = ""
            self._out.append(text)

    def put_space(self, space: str) -> None:
        if self._comma:
            self._comma += space
        else:
            self.put(space)

    def put_comma(self) -> None:
        """A member or an item has ended and another one is expected."""
        if self._dropping == len(self.frames):
            self._dropping = 0
        self._comma = ","

    def drop_comma(self) -> bool:
        """Drop a comma that nothing follows and keep the white space behind it. Returns whether there was one."""
        if not self._comma:
            return False
        space, self._comma = self._comma[1:], ""
        self.put(space)
        return True

    def discard_comma(self) -> None:
        """Drop a pending comma and the white space behind it."""
        self._comma = ""

    def capture(self) -> None:
        self.captured = []

    def release(self) -> str:
        """End the capture; returns what was gathered."""
        text = "".join(self.captured or ())
        self.captured = None
        return text

    def put_key(self, key: str) -> bool:
        """Write a key, given in strict JSON without quotes. False if its object has it: the member is dropped."""
        self.last_key = decoded(key)
        frame = self.frames[-1]
        keys = frame.keys
        frame.has_undeclared = frame.has_undeclared or not frame.declares(self.last_key)
        is_new = self.last_key not in keys or bool(self._dropping)
        if not is_new:
            self._comma = ""
            self._dropping = len(self.frames)
        keys.add(self.last_key)
        self.put(f'"{key}"')
        return is_new

    def open(self, opener: str, context: Any, declared: Container[str] | None = None) -> None:
        self.put(opener)
        self.frames.append(Frame(opener, context, declared))

    def close(self) -> str:
        """Close the innermost container; returns its closer."""
        if self._dropping == len(self.frames):
            self._dropping = 0
        closer = CLOSER[self.frames.pop().opener]
        self.put(closer)
        return closer
