"""What a tool's JSON Schema wants of an argument, and a text value read as that.

Decimal JSON is the only way to write a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a
number keeps its digits. A string is never looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from converters.expectations import Schema
from converters.jsonoutput import quote
from converters.jsontext import strict

STRING = frozenset({"string"})
_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DEPTH = 16
"""How far references and combinators are followed; a schema may refer to itself."""


def argument(schema: Schema, key: str, root: Schema | None = None) -> Schema:
    """The schema of one argument, or member, empty where nothing is said of it."""
    for node in _resolved(schema, schema if root is None else root):
        properties = node.get("properties")
        if isinstance(properties, Mapping) and isinstance(properties.get(key), Mapping):
            found: Schema = properties[key]
            return found
    return {}


def properties(schema: Schema) -> list[str]:
    """The names of all declared arguments, in their order."""
    names: dict[str, None] = {}
    for node in _resolved(schema, schema):
        declared = node.get("properties")
        if isinstance(declared, Mapping):
            names.update(dict.fromkeys(declared))
    return list(names)


def wanted(node: Schema, root: Schema) -> frozenset[str]:
    """The JSON types a value may have; empty where the schema does not say."""
    return frozenset(kind for part in _resolved(node, root) for kind in _own_kinds(part))


def read_text(text: str, node: Schema, root: Schema) -> str:
    """A text value as the JSON text of what its schema wants.

    Without a schema: JSON if it is an object, an array, a number, a boolean or null, else a string. In a union with
    strings, a text that as a whole is another member's JSON is that member's value.
    """
    kinds = wanted(node, root)
    if kinds == STRING:
        return quote(text)
    maybe_string = not kinds or "string" in kinds
    value = strict(text.strip(), lenient=not maybe_string)
    if value is None:
        return quote(text)
    kind = _kind_of(value)
    if kind == "string":
        return quote(text) if maybe_string else _unquoted(value, kinds) or quote(text)
    if maybe_string and kinds and not _fits(kind, kinds):
        return quote(text)
    return _whole(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


def _unquoted(value: str, kinds: frozenset[str]) -> str | None:
    """`"3"` as 3 where a number is wanted and no string will do."""
    return value[1:-1] if kinds & {"integer", "number"} and _NUMBER.fullmatch(value[1:-1]) else None


def _kind_of(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return "number" if set(value) & set(".eE") else "integer"
    return {"{": "object", "[": "array", '"': "string", "n": "null"}.get(value[0], "boolean")


def _fits(kind: str, kinds: frozenset[str]) -> bool:
    return bool(kinds & {"integer", "number"}) if kind in ("integer", "number") else kind in kinds


def _whole(number: str) -> str:
    """`15.000` as 15 where an integer is wanted; a number that is not whole stays as it is."""
    value = Decimal(number)
    if value.adjusted() > 400 or value != value.to_integral_value():
        return number
    return str(int(value))


def _own_kinds(node: Schema) -> Iterator[str]:
    declared = node.get("type")
    if isinstance(declared, str):
        yield declared
    elif isinstance(declared, list):
        yield from (kind for kind in declared if isinstance(kind, str))
    elif "const" in node or isinstance(node.get("enum"), list):
        values: list[Any] = [node["const"]] if "const" in node else node["enum"]
        yield from (_KINDS.get(type(value), "string") for value in values)
    elif isinstance(node.get("properties"), Mapping):
        yield "object"
    elif "items" in node:
        yield "array"
    if node.get("nullable") is True:
        yield "null"


def _resolved(node: Any, root: Schema, depth: int = 0) -> Iterator[Schema]:
    """A schema, what it refers to, and the members of its combinators."""
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return
    yield node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield from _resolved(_target(reference, root), root, depth + 1)
    for combinator in ("anyOf", "oneOf", "allOf"):
        members = node.get(combinator)
        if isinstance(members, list):
            for member in members:
                yield from _resolved(member, root, depth + 1)


def _target(reference: str, root: Schema) -> Any:
    place: Any = root
    for step in reference.lstrip("#/").split("/"):
        if not isinstance(place, Mapping):
            return None
        place = place.get(step.replace("~1", "/").replace("~0", "~"))
    return place
