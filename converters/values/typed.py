"""Conversion of values to the types of their schema: of text to JSON, and of strings inside JSON.

Only decimal JSON counts as a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a number keeps
its digits. A string that the schema allows is never looked into.
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
    """Return JSON text for a value that a model wrote as plain text.

    The schema decides the type. Without a schema, text that is JSON of another type than string is that value, and
    any other text is a string. If the schema allows strings and other types, text that is JSON of such a type is that
    value. Text that fits no allowed type stays a string.
    """
    kinds = node.kinds
    if kinds == STRING or text in node.spelled:
        return quote(text)
    takes_strings = node.takes_strings
    value = strict(text.strip()) if takes_strings else _literal(text.strip(), kinds)
    if value is None:
        return quote(text)
    kind = _kind_of(value)
    if kind == "string":
        return quote(text) if takes_strings else _unquoted(value, kinds) or quote(text)
    if takes_strings and kinds and not _fits(kind, kinds):
        return quote(text)
    if kind in ("object", "array"):
        return typed(value, node) if kinds else value
    return _as_integer(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


def typed(value: str, node: Node) -> str:
    """Return strict JSON with the strings inside it converted to the types of their schemas."""
    reader = JsonReader(SchemaPolicy(node))
    return reader.feed(value) + reader.finish()


def _literal(text: str, kinds: frozenset[str]) -> str | None:
    """Return the JSON of a text where no string is allowed: of JSON, of a Python literal of an allowed type, or of
    JSON in another spelling; None if it is none of these."""
    value = strict(text)
    if value is None:
        value = literal(text)
        if value is None or _kind_of(value) not in kinds:
            value = strict(text, lenient=True)
    return value


def _unquoted(value: str, kinds: frozenset[str]) -> str | None:
    """Return the number in a JSON string, such as `"3"`, if a number is allowed; else None."""
    return value[1:-1] if kinds & {"integer", "number"} and _NUMBER.fullmatch(value[1:-1]) else None


def _kind_of(value: str) -> str:
    """The JSON Schema type of a strict JSON text."""
    if _NUMBER.fullmatch(value):
        return "number" if set(value) & set(".eE") else "integer"
    return {"{": "object", "[": "array", '"': "string", "n": "null"}.get(value[0], "boolean")


def _fits(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _as_integer(number: str) -> str:
    """Return `15` for `15.000`. A number with a fraction, or of more than 400 digits, stays as it is."""
    value = Decimal(number)
    if value.adjusted() > 400 or value != value.to_integral_value():
        return number
    return str(int(value))


ARGUMENTS_KEYS = frozenset({"arguments", "parameters", "input", "args"})
"""Keys under which models wrap all arguments, though no tool declares them."""


class SchemaPolicy:
    """A Policy that converts strings to the types of a schema; its contexts are Nodes.

    Where the schema allows no string, `"3"` becomes 3 and an array or an object in quotes becomes itself.
    `wrappers` are keys that are left out where they hold the whole value and the schema does not declare them.
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
        waiting = [(value, context)]  # a list, as recursion could overflow the stack
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
        """Whether the first key of a value is a wrapper that holds an object."""
        if not isinstance(value, dict):
            return False
        key = next(iter(value), "")
        return isinstance(value.get(key), dict) and self.unwraps(key)
