"""Values as a schema wants them: a text read as JSON, and JSON whose strings are made what is wanted instead.

Decimal JSON is the only way to write a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a
number keeps its digits. A string that the schema allows is never looked into.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from converters.values.json.output import Frame, quote
from converters.values.json.reader import JsonReader, strict
from converters.values.python.literals import literal
from converters.values.schema import STRING, Node, properties

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def read_text(text: str, node: Node) -> str:
    """A text value as the JSON text of what its schema wants.

    Without a schema: JSON if it is an object, an array, a number, a boolean or null, else a string. In a union with
    strings, a text that as a whole is another member's JSON is that member's value.
    """
    kinds = node.kinds
    if kinds == STRING or text in node.spelled:
        return quote(text)
    maybe_string = node.takes_strings
    value = strict(text.strip()) if maybe_string else _literal(text.strip(), kinds)
    if value is None:
        return quote(text)
    kind = _kind_of(value)
    if kind == "string":
        return quote(text) if maybe_string else _unquoted(value, kinds) or quote(text)
    if maybe_string and kinds and not _fits(kind, kinds):
        return quote(text)
    if kind in ("object", "array"):
        return typed(value, node) if kinds else value
    return _whole(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


def typed(value: str, node: Node) -> str:
    """Strict JSON with the strings inside it made what their schemas want instead."""
    reader = JsonReader(SchemaPolicy(node))
    return reader.feed(value) + reader.finish()


def _literal(text: str, kinds: frozenset[str]) -> str | None:
    """JSON, or a Python literal of a kind that is wanted, or what nearly is one of them; no string is wanted."""
    value = strict(text)
    if value is None:
        value = literal(text)
        if value is None or _kind_of(value) not in kinds:
            value = strict(text, lenient=True)
    return value


def _unquoted(value: str, kinds: frozenset[str]) -> str | None:
    """`"3"` as 3 where a number is wanted and no string will do."""
    return value[1:-1] if kinds & {"integer", "number"} and _NUMBER.fullmatch(value[1:-1]) else None


def _kind_of(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return "number" if set(value) & set(".eE") else "integer"
    return {"{": "object", "[": "array", '"': "string", "n": "null"}.get(value[0], "boolean")


def _fits(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _whole(number: str) -> str:
    """`15.000` as 15 where an integer is wanted; a number that is not whole stays as it is."""
    value = Decimal(number)
    if value.adjusted() > 400 or value != value.to_integral_value():
        return number
    return str(int(value))


ARGUMENTS_KEYS = frozenset({"arguments", "parameters", "input", "args"})
"""Keys under which models put all arguments once more."""


class SchemaPolicy:
    """Makes values what a schema wants. A Policy of the JSON reader, whose contexts are Nodes.

    A string that spells what the schema wants instead is made that: `"3"` where an integer is wanted, an array or an
    object in quotes. Only a string where none is wanted is gathered; one that the schema allows is never looked into.
    `wrappers` are keys that may be left out where they hold the whole value and the schema lacks them.
    """

    __slots__ = ("_wrappers", "root")

    def __init__(self, node: Node, wrappers: frozenset[str] = frozenset()) -> None:
        self.root = node
        self._wrappers = wrappers

    def child(self, frame: Frame, key: str) -> Node:
        node: Node = frame.context
        return node.member(key) if frame.opener == "{" else node.items

    def takes_string(self, context: Node) -> bool:
        return context.takes_strings

    def convert(self, text: str, context: Node) -> str:
        return read_text(text, context)

    def fits(self, value: Any, context: Node) -> bool:
        if context is self.root and self._is_wrapped(value):
            return False
        waiting = [(value, context)]
        while waiting:
            value, node = waiting.pop()
            if isinstance(value, str):
                if not node.takes_strings:
                    return False
            elif isinstance(value, dict):
                waiting += [(each, node.member(key)) for key, each in value.items()]
            elif isinstance(value, list):
                waiting += [(each, node.items) for each in value]
        return True

    def unwraps(self, key: str) -> bool:
        if key not in self._wrappers or self.root.schema.get("additionalProperties"):
            return False
        declared = properties(self.root.schema)
        return bool(declared) and key not in declared

    def _is_wrapped(self, value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        key = next(iter(value), "")
        return isinstance(value.get(key), dict) and self.unwraps(key)
