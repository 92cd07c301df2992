"""Conversion of values to the types of their schema: of text to JSON, and of strings inside JSON.

Only decimal JSON counts as a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a number keeps
its digits. A string that the schema allows is never looked into.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from converters.values.json.output import Frame, quote
from converters.values.json.reader import JsonReader, strict
from converters.values.json.whole import read_whole
from converters.values.json.words import NUMBER, is_finite, strict_word
from converters.values.python.literals import literal
from converters.values.schema import STRING, Node

_LONGEST_INTEGER = 400


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
    kind = kind_of(value)
    if kind == "string":
        return quote(text) if takes_strings else _unquoted(value, kinds) or quote(text)
    if takes_strings and kinds and not fits(kind, kinds):
        return quote(text)
    if kind in ("object", "array"):
        return typed(value, node) if kinds else value
    return as_integer(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


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
        if value is None or kind_of(value) not in kinds:
            value = strict(text, lenient=True)
    return value


def _unquoted(value: str, kinds: frozenset[str]) -> str | None:
    """Return the number in a JSON string, such as `"3"`, if a number is allowed; else None."""
    number = value[1:-1]
    is_number = kinds & {"integer", "number"} and NUMBER.fullmatch(number) and is_finite(number)
    return number if is_number else None


def kind_of(value: str) -> str:
    """The JSON Schema type of a strict JSON text."""
    if NUMBER.fullmatch(value):
        return "number" if set(value) & set(".eE") else "integer"
    return {"{": "object", "[": "array", '"': "string", "n": "null"}.get(value[0], "boolean")


def fits(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def as_integer(number: str) -> str:
    """Return `15` for `15.000`. A number with a fraction stays as it is; it is finite."""
    if len(number) > _LONGEST_INTEGER:
        return number
    try:
        value = Decimal(number)
        return str(int(value)) if value == value.to_integral_value() else number
    except InvalidOperation:  # next to nothing, with an exponent beyond all bounds
        return number


ARGUMENTS_KEYS = frozenset({"arguments", "parameters", "input", "properties", "args"})
"""Keys under which models wrap all arguments, though no tool declares them."""


def wrappers(node: Node) -> frozenset[str]:
    """The keys that may wrap the arguments of a tool; empty if it declares none, or takes any."""
    if not node.declared or node.schema.get("additionalProperties"):
        return frozenset()
    return ARGUMENTS_KEYS - node.declared


def unwrapped(arguments: str, node: Node) -> str | None:
    """The object inside strict JSON `{"arguments": {...}}`, if it is all there is and holds a declared key."""
    found = read_whole(arguments)
    outer = found[0] if found else None
    if not isinstance(outer, dict) or len(outer) != 1:
        return None
    key, inner = next(iter(outer.items()))
    if key not in wrappers(node) or not isinstance(inner, dict) or node.declared.isdisjoint(inner):
        return None
    return arguments[arguments.index("{", 1) : arguments.rindex("}", 0, arguments.rindex("}")) + 1]


class SchemaPolicy:
    """A Policy that converts strings to the types of a schema; its contexts are Nodes.

    Where the schema allows no string, `"3"` becomes 3 and an array or an object in quotes becomes itself.
    """

    __slots__ = ("root",)

    def __init__(self, node: Node) -> None:
        self.root = node

    def child(self, frame: Frame, key: str) -> Node:
        node: Node = frame.context
        return node.member(key) if frame.opener == "{" else node.items

    def takes_string(self, context: Node) -> bool:
        return context.takes_strings

    def convert(self, text: str, context: Node) -> str:
        return read_text(text, context)

    def read_word(self, text: str, context: Node) -> str:
        return read_text(text, context) if context.kinds else strict_word(text) or quote(text)

    def declared(self, context: Node) -> frozenset[str] | None:
        return context.declared or None

    def fits(self, value: Any, context: Node) -> bool:
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
