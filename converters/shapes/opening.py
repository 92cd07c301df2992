"""When the arguments show that a call is one, if they are JSON: with their first key, or with their empty braces.

Until then nothing of the call has left, and all of it can still be text. It stays text if the arguments cannot be
read so far, and if they are a declaration: the JSON Schema of a tool's parameters in place of arguments.
"""

from __future__ import annotations

import json
import re

from converters.text.expectations import Expectations, Schema
from converters.text.reasons import Reason
from converters.values.arguments import JsonArguments
from converters.values.json.output import Flow
from converters.values.schema import properties, required

_FIRST_KEY = re.compile(r'\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_SCHEMA_KEYS = frozenset({"type", "properties", "required", "$schema"})
"""Keys that a declaration may begin with."""
_OBJECT = '"object"'


class OpeningArguments:
    """Reads arguments: `feed` returns what can leave, which is nothing before the call `opens`.

    `refused`: what was read is no call's. `done`, `rest`, `unreadable` and `codes` are those of the reader.
    """

    __slots__ = ("_declared", "_early", "_is_declared", "_none", "_reader", "because", "opens", "refused")

    def __init__(self, reader: JsonArguments, schema: Schema, *, is_declared: bool) -> None:
        """`is_declared`: the name is a tool's, so that empty arguments are enough to believe the call."""
        self._reader = reader
        self._is_declared = is_declared
        self._declared = frozenset(properties(schema))
        self._early = ""
        self._none = False
        self.opens = False
        self.refused = False
        self.because: Reason | None = None

    def none(self) -> None:
        """The call has no arguments: that is `{}`."""
        self._none = True
        self._early = "{}"

    def early(self) -> str:
        """What was read before the call opened; it can leave now."""
        early, self._early = self._early, ""
        self.opens = True
        return early

    @property
    def done(self) -> bool:
        return self._none or self._reader.done

    @property
    def rest(self) -> str:
        return self._reader.rest

    @property
    def back(self) -> str:
        return self._reader.back

    @property
    def undecided(self) -> int:
        return self._reader.undecided

    @property
    def unreadable(self) -> bool:
        return self._reader.unreadable

    @property
    def closed(self) -> bool:
        """Whether closers that the model did not write were added, or are missing."""
        return self._reader.closed or self._reader.unreadable

    @property
    def codes(self) -> list[Reason]:
        return self._reader.codes

    @property
    def flow(self) -> Flow | None:
        return self._reader.flow if self.opens else None

    def feed(self, text: str) -> str:
        return self._opened(self._reader.feed(text))

    def finish(self) -> str:
        """The text is over: what may be closed is closed."""
        return self._opened(self._reader.finish())

    def _opened(self, delta: str) -> str:
        if self.opens:
            return delta
        self._early += delta
        if self._reader.fits and not self._may_declare() and not self.refused:
            self.opens = self._is_declared or bool(self._early.strip("{} \t\r\n"))
        self.refused = self.refused or (self._reader.unreadable and not self.opens)
        return self.early() if self.opens else ""

    def _may_declare(self) -> bool:
        """Whether this may be a declaration; at its end it either is one, and is refused, or it is none."""
        if _SCHEMA_KEYS - {"required", "$schema"} <= self._declared:
            return False
        first = _FIRST_KEY.match(self._early)
        if first is None or first[1] not in _SCHEMA_KEYS:
            return False
        if first[1] == "type":
            value = self._early[first.end() :]
            if not value.startswith(_OBJECT):
                return _OBJECT.startswith(value.rstrip()) and not self.done
        elif first[1] in self._declared:
            return False
        if self.done:
            self.refused = _is_schema(self._early)
            self.because = "declaration" if self.refused else None
        return not self.done


_PLACEHOLDER = re.compile(r"\s*(?:\.\.\.|…|\{\s*(?:\.\.\.|…)\s*\}|<[A-Za-z][\w -]{0,63}>)\s*")
_HALF_PLACEHOLDER = re.compile(r"\s*(?:\.{1,3}|…|\{\s*(?:\.{1,3}|…|\Z)\s*\}?|<(?:[A-Za-z][\w -]{0,63})?>?)?\s*\Z")


def is_placeholder(text: str) -> bool:
    """Whether a text value stands for one that somebody should put there: `...`, `{...}`, `<args>`."""
    return _PLACEHOLDER.fullmatch(text) is not None


def may_be_placeholder(text: str) -> bool:
    """Whether a text value, as far as it has come, may become a placeholder."""
    return _HALF_PLACEHOLDER.match(text) is not None


def may_be_bare(schema: Schema, expectations: Expectations) -> bool:
    """Whether a call may end behind its name, without arguments and without anything that closes it."""
    return not required(schema) and not expectations.stops


def _is_schema(text: str) -> bool:
    """Whether the arguments, which have ended, are the JSON Schema of parameters."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and "type" in found and isinstance(found.get("properties"), dict)
