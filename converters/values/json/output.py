"""Strict JSON as it is put together: open containers, commas that may prove to be trailing, keys that stand twice.

What is taken out is always the beginning of strict JSON. It may not know what was read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, NamedTuple, TypeAlias

CLOSER = {"{": "}", "[": "]"}

Flow: TypeAlias = Callable[[str], "str | None"]
"""What leaves of a piece that does nothing but go on with a string, as nearly all do; None if it must be fed.

It is asked past all who would pass it on, until the next feed. What it holds is known to its maker alone.
"""


def quote(text: str) -> str:
    """The JSON string of a text, quotes included."""
    return json.dumps(text, ensure_ascii=False)


def in_string(text: str) -> str:
    """A text as it stands inside a JSON string."""
    return encode_basestring(text)[1:-1]


def decoded(text: str) -> str:
    """The text behind its JSON spelling without quotes, so that `a` and `\\u0061` are the same."""
    return str(json.loads(f'"{text}"')) if "\\" in text else text


class Frame(NamedTuple):
    """An open container: its opener, the keys it has, and whatever a subclass knows of it."""

    opener: str
    keys: set[str]
    about: Any


class JsonOutput:
    """`_put` adds to the JSON, `_taken` takes out what has been added."""

    __slots__ = ("_comma", "_frames", "_key", "_last_key", "_mute", "_out", "doubled")

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._key: list[str] | None = None  # the key that is being read, in strict JSON without its quotes
        self._last_key = ""
        self._comma = ""  # a comma and the white space behind it: sent once something follows
        self._mute = 0  # depth at which a member was dropped because its key stood there already
        self._out: list[str] = []
        self.doubled = False
        """A key stood twice in its object."""

    def _taken(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def _put(self, text: str) -> None:
        if self._key is not None:
            self._key.append(text)
        elif self._mute:
            self._comma = ""
        else:
            if self._comma:
                self._out.append(self._comma)
                self._comma = ""
            self._out.append(text)

    def _put_space(self, space: str) -> None:
        if self._comma:
            self._comma += space
        else:
            self._put(space)

    def _put_key(self) -> None:
        """The key is whole. A member whose key stands there already is dropped."""
        assert self._key is not None
        text = "".join(self._key)
        self._key = None
        self._last_key = decoded(text)
        keys = self._frames[-1].keys
        if self._last_key in keys and not self._mute:
            self.doubled = True
            self._comma = ""
            self._mute = len(self._frames)
        keys.add(self._last_key)
        self._put(f'"{text}"')

    def _open(self, opener: str, about: Any) -> None:
        self._put(opener)
        self._frames.append(Frame(opener, set(), about))

    def _pop(self) -> str:
        """Close the innermost container; returns its closer."""
        if self._mute == len(self._frames):
            self._mute = 0
        closer = CLOSER[self._frames.pop().opener]
        self._put(closer)
        return closer

    def _drop_comma(self) -> bool:
        """A comma that nothing follows goes, the white space behind it stays; whether there was one."""
        if not self._comma:
            return False
        space, self._comma = self._comma[1:], ""
        self._put(space)
        return True
