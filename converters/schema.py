"""What a tool's JSON Schema wants of an argument, and a text value read as that.

Decimal JSON is the only way to write a number: hex, underscores, leading zeros, NaN and Infinity stay strings, and a
number keeps its digits. A string is never looked into. JSON is typed inside too, by a reader that also takes pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from converters.expectations import Schema
from converters.jsonoutput import decoded, quote
from converters.jsontext import JsonText, strict
from converters.pytext import literal

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
"""How far references and combinators are followed."""


def argument(schema: Schema, key: str, root: Schema | None = None) -> Schema:
    """The schema of one argument, or member, empty where nothing is said of it."""
    nodes = _resolved(schema, schema if root is None else root)
    declared = (node.get("properties") for node in nodes)
    return _either(each.get(key) for each in declared if isinstance(each, Mapping))


def item(schema: Schema, root: Schema) -> Schema:
    """The schema of an array's items, empty where nothing is said of them."""
    return _either(node.get("items") for node in _resolved(schema, root))


def _either(found: Iterable[Any]) -> Schema:
    schemas = [each for each in found if isinstance(each, Mapping)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas} if schemas else {}


def properties(schema: Schema) -> list[str]:
    """The names of all declared arguments, in their order."""
    names: dict[str, None] = {}
    for node in _resolved(schema, schema):
        declared = node.get("properties")
        if isinstance(declared, Mapping):
            names.update(dict.fromkeys(declared))
    return list(names)


def required(schema: Schema) -> list[str]:
    """The names of all arguments that must be given."""
    lists = (node.get("required") for node in _resolved(schema, schema))
    return list(dict.fromkeys(str(name) for names in lists if isinstance(names, list) for name in names))


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
    value = strict(text.strip()) if maybe_string else _literal(text.strip(), kinds)
    if value is None:
        return quote(text)
    kind = _kind_of(value)
    if kind == "string":
        return quote(text) if maybe_string else _unquoted(value, kinds) or quote(text)
    if maybe_string and kinds and not _fits(kind, kinds):
        return quote(text)
    if kind in ("object", "array"):
        return typed(value, node, root) if kinds else value
    return _whole(value) if kind == "number" and "integer" in kinds and "number" not in kinds else value


def typed(value: str, node: Schema, root: Schema) -> str:
    """Strict JSON with the strings inside it made what their schemas want instead."""
    reader = TypedText(node, root)
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


def _resolved(node: Any, root: Schema, seen: set[str] | None = None, depth: int = 0) -> Iterator[Schema]:
    """A schema, what it refers to, and the members of its combinators; each reference is followed once."""
    if not isinstance(node, Mapping) or depth > _DEPTH:
        return
    yield node
    seen = set() if seen is None else seen
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#") and reference not in seen:
        seen.add(reference)
        yield from _resolved(_target(reference, root), root, seen, depth + 1)
    for combinator in ("anyOf", "oneOf", "allOf"):
        members = node.get(combinator)
        if isinstance(members, list):
            for member in members:
                yield from _resolved(member, root, seen, depth + 1)


def _target(reference: str, root: Schema) -> Any:
    place: Any = root
    for step in reference.lstrip("#/").split("/"):
        if not isinstance(place, Mapping):
            return None
        place = place.get(step.replace("~1", "/").replace("~0", "~"))
    return place


class TypedText(JsonText):
    """JsonText with a schema. The `about` of a frame is the schema of the container.

    A string that spells what the schema wants instead is made that: `"3"` where an integer is wanted, an array or an
    object in quotes. Only a string that no string is wanted of is held, until it ends; one that the schema allows is
    never looked into.
    """

    __slots__ = ("_held", "_node", "_root")

    def __init__(self, schema: Schema, root: Schema | None = None) -> None:
        super().__init__()
        self._node = schema
        self._root = schema if root is None else root
        self._held: Schema | None = None  # the schema of the string that is held

    def _about(self) -> Schema:
        """The schema of the value that begins here."""
        if not self._frames:
            return self._node
        frame = self._frames[-1]
        if frame.opener == "{":
            return argument(frame.about, self._last_key, self._root)
        return item(frame.about, self._root)

    def _begin_string(self, quote: str) -> None:
        about = self._about() if self._frames else {}
        kinds = wanted(about, self._root)
        if not kinds or "string" in kinds:
            super()._begin_string(quote)
            return
        self._held = about
        self._key = []  # the text is gathered as a key's is
        self._quote = quote
        self._state = self._string

    def _end_string(self, hold: str) -> None:
        if self._held is None:
            super()._end_string(hold)
            return
        about, self._held = self._held, None
        text = decoded("".join(self._key or ()))
        self._key, self._quote = None, ""
        self._put(read_text(text, about, self._root))
        self._ended()

    def _finish_string(self, hold: str) -> None:
        if self._held is None:
            super()._finish_string(hold)
            return
        self.closed = True
        self._end_string(hold)
